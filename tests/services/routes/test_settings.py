"""``[[route]]`` in the config file, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from mailkit.app.settings import Settings
from mailkit.config.reader import Misconfigured, read, read_table
from mailkit.model.address import AccountName
from mailkit.model.mailbox import INBOX, MailboxName
from mailkit.model.target import (
    Target,
    ToError,
    ToHook,
    ToLMTP,
    ToMailbox,
    ToMaildir,
    ToMX,
    ToPipe,
    ToRedis,
    ToSmarthost,
)
from mailkit.model.tlspolicy import TLSLevel
from mailkit.services.routes.route import say_target
from mailkit.services.routes.settings import KEYS, RouteSettings, route_of

HOME = Path("/etc/mailkit")
ANNA = AccountName("anna@example.org")


def parse(lines: str) -> RouteSettings:
    text = f'hostname = "mail.example.org"\n[[route]]\nname = "r"\n{lines}\n'
    [route] = read(Settings, text, Path("m.toml"), {}, HOME).settings.route
    return route


GOOD: list[tuple[str, Target]] = [
    ('to = "mx"', ToMX()),
    ('to = "mx"\ninward = true', ToMX(is_inward=True)),
    (
        'to = "smarthost"\nhost = "Smart.example."',
        ToSmarthost(host="smart.example", port=25),
    ),
    (
        'to = "smarthost"\nhost = "s.example"\nusername = "u"\npassword = "p"',
        ToSmarthost(
            host="s.example", port=587, level=TLSLevel.PKIX, username="u", password="p"
        ),
    ),
    (
        'to = "smarthost"\nhost = "s.example"\nimplicit_tls = true\ntls = "encrypt"',
        ToSmarthost(
            host="s.example", port=465, level=TLSLevel.ENCRYPT, is_tls_first=True
        ),
    ),
    (
        'to = "smarthost"\nhost = "[::1]"\ntls = "none"\nusername = "u"\n'
        'password_file = "pw"',
        ToSmarthost(
            host="::1",
            port=587,
            level=TLSLevel.NONE,
            username="u",
            password_file="/etc/mailkit/pw",
        ),
    ),
    ('to = "lmtp"\nhost = "127.0.0.1"', ToLMTP(host="127.0.0.1")),
    ('to = "lmtp"\nsocket = "/run/lmtp"', ToLMTP(socket="/run/lmtp")),
    (
        'to = "mailbox"\nmailbox = "Anna@example.org"',
        ToMailbox(account=ANNA, mailbox=INBOX),
    ),
    (
        'to = "mailbox"\nmailbox = "anna@example.org/Work/2026"',
        ToMailbox(account=ANNA, mailbox=MailboxName("Work/2026")),
    ),
    ('to = "maildir"\nfolder = "out"', ToMaildir(folder="/etc/mailkit/out")),
    (
        'to = "redis"\nurl = "redis://localhost"\nkey = "k"',
        ToRedis(host="localhost", key="k"),
    ),
    (
        'to = "redis"\nurl = "rediss://u:p%40w@r.example:7000/5"\nkey = "k"\n'
        'command = "publish"',
        ToRedis(
            host="r.example",
            port=7000,
            database=5,
            username="u",
            password="p@w",
            is_tls=True,
            key="k",
            is_published=True,
        ),
    ),
    (
        'to = "redis"\nurl = "unix:///run/redis.sock?db=2"\nkey = "k"\nwhole = true',
        ToRedis(socket="/run/redis.sock", database=2, key="k", is_whole=True),
    ),
    (
        'to = "http"\nurl = "https://x.example/h?tok=7"\nsecret = "s"',
        ToHook(url="https://x.example/h?tok=7", secret="s"),
    ),
    (
        'to = "http"\nurl = "http://[::1]:8080/"\nformat = "raw"\ntimeout = "2 min"',
        ToHook(url="http://[::1]:8080/", is_raw=True, timeout=120.0),
    ),
    ('to = "pipe"\nprogram = ["/bin/cat", "-n"]', ToPipe(program=("/bin/cat", "-n"))),
    (
        'to = "pipe"\nprogram = ["/bin/cat"]\nline_ends = "crlf"\ntimeout = 5',
        ToPipe(program=("/bin/cat",), has_crlf=True, timeout=5.0),
    ),
    ('to = "error"', ToError()),
    (
        'to = "error"\ncode = 421\nstatus = "4.3.2"\ntext = "Not now"',
        ToError(code=421, status="4.3.2", text="Not now"),
    ),
]


@pytest.mark.parametrize(("lines", "target"), GOOD)
def test_targets(lines: str, target: Target) -> None:
    route = route_of(parse(lines), "here")
    assert route.target == target
    assert not route.is_also
    said = repr(route) + say_target(target)
    assert "'p'" not in said
    assert "p@w" not in said
    assert "tok=7" not in said


WRONG = [
    ('to = "mx"\nhost = "x"', "m.toml:5: route.0.host: means nothing with to"),
    ('to = "mx"\nhots = "x"', "m.toml:5: route.0.hots: no such setting; did you mean"),
    ('to = "fax"', "m.toml:4: route.0.to: expects one of"),
    ('to = "smarthost"', 'm.toml:4: route.0.to: "smarthost" needs host'),
    ('to = "smarthost"\nhost = "a b"', "m.toml:5: route.0.host: expects a name"),
    ('to = "smarthost"\nhost = "x"\nport = 0', "m.toml:6: route.0.port: "),
    ('to = "smarthost"\nhost = "x"\nusername = "u"', "m.toml:6: route.0.username: and"),
    (
        'to = "smarthost"\nhost = "x"\nusername = "u"\npassword = "p"\ntls = "none"',
        "m.toml:8: route.0.tls: a password",
    ),
    (
        'to = "smarthost"\nhost = "x"\nimplicit_tls = true\ntls = "none"',
        "m.toml:7: route.0.tls: cannot",
    ),
    (
        'to = "smarthost"\nhost = "x"\nusername = "u"\npassword = "p"\n'
        'password_file = "f"',
        "m.toml:8: route.0.password_file: and",
    ),
    ('to = "lmtp"', 'm.toml:4: route.0.to: "lmtp" needs host or socket'),
    ('to = "lmtp"\nhost = "x"\nsocket = "/x"', 'm.toml:4: route.0.to: "lmtp" needs'),
    ('to = "lmtp"\nsocket = "/x"\nport = 1', "m.toml:6: route.0.port: means nothing"),
    (
        'to = "lmtp"\nsocket = "/x"\ntls = "none"',
        "m.toml:6: route.0.tls: means nothing",
    ),
    ('to = "mailbox"\nmailbox = "anna"', "m.toml:5: route.0.mailbox: expects"),
    (
        'to = "redis"\nurl = "http://x"\nkey = "k"',
        "m.toml:5: route.0.url: expects",
    ),
    (
        'to = "redis"\nurl = "redis://x/a"\nkey = "k"',
        "m.toml:5: route.0.url: its port",
    ),
    ('to = "redis"\nurl = "redis://x"\nkey = ""', "m.toml:6: route.0.key: is empty"),
    ('to = "http"\nurl = "ftp://x"', "m.toml:5: route.0.url: expects"),
    ('to = "http"\nurl = "http://x:y/"', "m.toml:5: route.0.url: expects"),
    ('to = "http"\nurl = "http://u:p@x/"', "m.toml:5: route.0.url: cannot"),
    (
        'to = "http"\nurl = "http://x/"\nformat = "raw"\nwhole = true',
        "m.toml:7: route.0.whole: means nothing",
    ),
    (
        'to = "http"\nurl = "http://x/"\nsecret = "s"\nsecret_file = "f"',
        "m.toml:7: route.0.secret_file: and",
    ),
    ('to = "pipe"\nprogram = ["cat"]', "m.toml:5: route.0.program: expects the"),
    ('to = "pipe"\nprogram = []', "m.toml:5: route.0.program: expects the"),
    ('to = "pipe"\nprogram = ["/a", "\\u0000"]', "m.toml:5: route.0.program: has"),
    ('to = "error"\ncode = 250', "m.toml:5: route.0.code: "),
    ('to = "error"\ncode = 550\nstatus = "4.1.1"', "m.toml:6: route.0.status: "),
    ('to = "error"\ntext = "a\\nb"', "m.toml:5: route.0.text: expects one line"),
    ('to = "error"\nmode = "also"', "m.toml:5: route.0.mode: cannot"),
    ('to = "mx"\nmode = "also"', "m.toml:5: route.0.mode: cannot"),
    (
        'to = "maildir"\nfolder = "x"\nmode = "also"\nstrangers = true',
        "m.toml:7: route.0.strangers: means nothing",
    ),
    ('to = "mx"\nstrangers = true', "m.toml:5: route.0.strangers: needs"),
    (
        'to = "mx"\nrecipient = ["a.test", "*"]\nstrangers = true',
        "m.toml:6: route.0.strangers: needs",
    ),
    ('to = "mx"\nrecipient = ["a", "@"]', "m.toml:5: route.0.recipient: "),
    ('to = "mx"\nrecipient = ["<>"]', 'm.toml:5: route.0.recipient: "<>" is for'),
    ('to = "mx"\nrecipient = "a.test"', "m.toml:5: route.0.recipient: expects a list"),
    ('to = "mx"\n[[route]]\nname = "r"\nto = "mx"', "m.toml:6: route.1.name: there is"),
    ('to = "mx"\n[[route]]\nname = "local"\nto = "mx"', "m.toml:6: route.1.name: exp"),
    ('to = "mx"\n[relay]\nenabled = false', "m.toml:2: route: needs relay.enabled"),
]


@pytest.mark.parametrize(("lines", "said"), WRONG)
def test_what_is_wrong_is_told_with_its_line(lines: str, said: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        parse(lines)
    assert str(caught.value).startswith(said)


def test_every_key_is_one_of_somebody() -> None:
    everybody = {"name", "to", "recipient", "sender", "account", "mode", "strangers"}
    known = set.union(*(set(needed | possible) for needed, possible in KEYS.values()))
    assert {one.name for one in attrs.fields(RouteSettings)} == everybody | known


def test_who_is_for_strangers() -> None:
    def strangers(**keys: object) -> bool:
        tree = {"name": "r", "recipient": ["a.test"], **keys}
        return route_of(read_table(RouteSettings, tree, HOME), "").is_for_strangers

    assert strangers(to="mx")
    assert not strangers(to="mx", strangers=False)
    assert not strangers(to="smarthost", host="x")
    assert strangers(to="smarthost", host="x", strangers=True)
