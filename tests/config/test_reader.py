"""TOML turned into settings, and what is said when it cannot be."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Literal

import pytest
from attrs import field, frozen
from attrs.validators import ge
from hypothesis import given
from hypothesis import strategies as st

from mailkit.config.reader import Config, Misconfigured, Network, keys_of, read
from mailkit.config.units import Octets, Seconds


@frozen
class Pair:
    certificate: Path
    key: Path | None = None


@frozen
class Listen:
    smtp: tuple[str, ...] = ()
    imap: tuple[str, ...] = ()


@frozen
class Limits:
    size: Octets = 10
    wait: Seconds = 1.0
    tries: int = field(default=3, validator=ge(1))
    is_on: bool = False
    level: Literal["info", "debug"] = "info"
    trusted: tuple[Network, ...] = ()
    also: tuple[Pair, ...] = ()

    def __attrs_post_init__(self) -> None:
        if self.size == 13:
            raise ValueError("size is not 13")


@frozen
class House:
    hostname: str
    data: Path = Path("/var")
    listen: Listen = Listen()
    limits: Limits = Limits()


FILE = Path("/etc/house.toml")


def reading(text: str, **environment: str) -> Config[House]:
    return read(House, text, FILE, environment, FILE.parent)


def complaint(text: str, **environment: str) -> str:
    with pytest.raises(Misconfigured) as caught:
        reading(text, **environment)
    return str(caught.value)


def test_the_shortest_file() -> None:
    assert reading('hostname = "a"').settings == House("a")


def test_every_kind_of_value() -> None:
    settings = reading(
        """
        hostname = "a"
        data = "lib/mail"
        [listen]
        smtp = ["tcp:25", "tcp:26"]
        [limits]
        size = "5 MiB"
        wait = "2 h"
        tries = 7
        is_on = true
        level = "debug"
        trusted = ["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"]
        [[limits.also]]
        certificate = "x.pem"
        [[limits.also]]
        certificate = "/y.pem"
        key = "y.key"
        """
    ).settings
    assert settings == House(
        "a",
        Path("/etc/lib/mail"),
        Listen(("tcp:25", "tcp:26")),
        Limits(
            5 * 2**20,
            7200.0,
            7,
            True,
            "debug",
            (
                ip_network("10.0.0.0/8"),
                ip_network("192.0.2.7/32"),
                ip_network("2001:db8::/32"),
            ),
            (
                Pair(Path("/etc/x.pem")),
                Pair(Path("/y.pem"), Path("/etc/y.key")),
            ),
        ),
    )


def test_bare_numbers_count_octets_and_seconds() -> None:
    limits = reading('hostname="a"\nlimits.size=4096\nlimits.wait=1.5').settings.limits
    assert (limits.size, limits.wait) == (4096, 1.5)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "/etc/house.toml: hostname: is missing"),
        ("hostname = 3", ":1: hostname: expects a text, not a number"),
        ("hostname = 1979-05-27", ":1: hostname: expects a text, not a date"),
        (
            'hostname = "a"\n\nhostnam = "b"',
            ":3: hostnam: no such setting; did you mean hostname?",
        ),
        (
            'hostname = "a"\n[listen]\nsmpt = ["tcp:25"]',
            ":3: listen.smpt: no such setting; did you mean listen.smtp?",
        ),
        ('hostname = "a"\n[xyzzy]', ":2: xyzzy: no such setting"),
        (
            'hostname = "a"\nlisten = 3',
            ":2: listen: expects a table, not a number",
        ),
        (
            'hostname = "a"\nlisten.smtp = "tcp:25"',
            ':2: listen.smtp: expects a list, not "tcp:25"',
        ),
        (
            'hostname = "a"\nlisten.smtp = ["tcp:25", 26]',
            ":2: listen.smtp: expects a text, not a number",
        ),
        (
            'hostname = "a"\n[limits]\nsize = "much"',
            ':3: limits.size: expects a size such as "50 MiB", not "much"',
        ),
        (
            'hostname = "a"\n[limits]\nsize = true',
            ":3: limits.size: expects a size such as",
        ),
        (
            'hostname = "a"\n[limits]\nsize = -1',
            ":3: limits.size: expects a size such as",
        ),
        (
            'hostname = "a"\n[limits]\nwait = "1 y"',
            ":3: limits.wait: expects a time such as",
        ),
        (
            'hostname = "a"\n[limits]\ntries = true',
            ":3: limits.tries: expects a whole number, not true or false",
        ),
        ('hostname = "a"\n[limits]\ntries = 0', ":3: limits.tries: must be >= 1: 0"),
        (
            'hostname = "a"\n[limits]\nis_on = "yes"',
            ':3: limits.is_on: expects true or false, not "yes"',
        ),
        (
            'hostname = "a"\n[limits]\nlevel = "loud"',
            ':3: limits.level: expects one of "info", "debug", not "loud"',
        ),
        (
            'hostname = "a"\n[limits]\ntrusted = ["10.0.0.0/33"]',
            ":3: limits.trusted: '10.0.0.0/33' does not appear to be",
        ),
        ('hostname = "a"\n[limits]\nsize = 13', ":2: limits: size is not 13"),
        (
            'hostname = "a"\n[[limits.also]]\n[[limits.also]]\ncertificate = "x"',
            ":2: limits.also.0.certificate: is missing",
        ),
        (
            'hostname = "a"\n[[limits.also]]\ncertificate="x"\nkye = "y"',
            ":4: limits.also.0.kye: no such setting; did you mean limits.also.0.key?",
        ),
        ('hostname = "a"\nhostname = "b"', ":2: not TOML: Cannot overwrite a value"),
        ('hostname = "a', ":1: not TOML: "),
        ("a = [\n1,\n", ":3: not TOML: "),
    ],
)
def test_complaints_name_key_and_line(text: str, said: str) -> None:
    assert said in complaint(text)


def test_variables_win_over_the_file() -> None:
    settings = reading(
        'hostname = "a"\n[limits]\nsize = 1\ntries = 2',
        MAILKIT_HOSTNAME="b.example",
        MAILKIT_DATA="rel",
        MAILKIT_LISTEN__SMTP='["tcp:25"]',
        MAILKIT_LIMITS__SIZE="5 MB",
        MAILKIT_LIMITS__IS_ON="true",
        MAILKIT_LIMITS__ALSO='[{certificate = "/x"}]',
    ).settings
    assert settings == House(
        "b.example",
        Path("/etc/rel"),
        Listen(("tcp:25",)),
        Limits(5_000_000, 1.0, 2, True, also=(Pair(Path("/x")),)),
    )


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        (
            "MAILKIT_LISTEN__SMPT",
            "x",
            "MAILKIT_LISTEN__SMPT: no such setting; did you mean MAILKIT_LISTEN__SMTP?",
        ),
        (
            "MAILKIT_LIMITS__TRIES",
            "many",
            'MAILKIT_LIMITS__TRIES: limits.tries: expects a whole number, not "many"',
        ),
        (
            "MAILKIT_HOSTNAME",
            '"a"\nx = 1',
            "",
        ),
    ],
)
def test_complaints_about_variables(name: str, value: str, said: str) -> None:
    if said:
        assert complaint('hostname = "a"', **{name: value}) == said
    else:  # no way to say two things with one variable
        assert reading("", **{name: value}).settings.hostname == value


def test_a_variable_below_what_is_no_table() -> None:
    said = complaint('hostname = "a"\nlimits = 3', MAILKIT_LIMITS__SIZE="1")
    assert "limits: expects a table, not a number" in said


def test_variables_of_others_are_told_and_not_refused() -> None:
    config = reading('hostname = "a"', MAILKIT_PORT="tcp://10.0.0.1:25", HOME="/")
    assert config.strays == ("MAILKIT_PORT",)


def test_a_complaint_that_comes_later_knows_its_line_too() -> None:
    source = reading('hostname = "a"\n[listen]\nsmtp = ["tcp:x"]').source
    error = source.misconfigured("listen.smtp", "is no endpoint")
    assert str(error) == "/etc/house.toml:3: listen.smtp: is no endpoint"
    assert (error.line, error.key) == (3, "listen.smtp")
    nowhere = read(House, 'hostname = "a"', None, {}, Path()).source
    assert str(nowhere.misconfigured("data", "is full")) == "mailkit: data: is full"


def test_keys() -> None:
    assert keys_of(House)[:4] == ["hostname", "data", "listen", "listen.smtp"]


@given(st.text())
def test_garbage_is_a_complaint_or_nothing(text: str) -> None:
    try:
        reading(text)
    except Misconfigured as error:
        assert str(error).startswith("/etc/house.toml")


KEYS = st.sampled_from([*keys_of(House), "limits.also.0", "nothing"])
VALUES = st.recursive(
    st.one_of(st.booleans(), st.integers(-9, 9), st.sampled_from(['"a"', '"1 h"'])),
    lambda below: st.lists(below, max_size=2),
)


@given(KEYS, VALUES)
def test_any_value_anywhere_is_a_complaint_with_its_line(
    key: str, value: object
) -> None:
    written = str(value).replace("True", "true").replace("False", "false")
    text = f"\n{key} = {written.replace(chr(39), '')}"
    try:
        reading(text)
    except Misconfigured as error:
        assert error.line == 2 or error.problem == "is missing"
