"""Servers that send: mailkit, and Postfix with OpenDKIM; to hosts of loopback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from attrs import define, field

from tests.bench.corpus import fixed
from tests.bench.ours import CHECKOUT
from tests.bench.postfixdovecot import _MASTER as MASTER
from tests.bench.processes import Children
from tests.bench.senders import Letter, send_all, stuff
from tests.bench.sinks import FAST, host_of
from tests.bench.targets import said_by
from tests.interop.outside import Outside

DOMAINS = 100
OURS = "bench.test"
SENDER = f"anna@{OURS}"
PASSWORD = "benchpw"

_TWISTD = (sys.executable, "-c", "from twisted.scripts.twistd import run; run()")
_COMMAND = (sys.executable, "-m", "mailkit.app.cli")
_TEMPLATE_FIELDS = ("subject", "mime-version", "content-type")


def foreign(number: int) -> str:
    """An address at one of the hosts."""
    return f"x{number}@d{number % DOMAINS}.sink.test"


def fast_numbers(count: int) -> list[int]:
    """So many numbers of addresses whose hosts are always fast."""
    fast = [number for number in range(DOMAINS) if number % 10 < len(FAST)]
    return [fast[each % len(fast)] + DOMAINS * each for each in range(count)]


def onward(number: int) -> str:
    """An address of ours that leads there."""
    return f"to{number % len(FAST)}@{OURS}"


class WayOut(Protocol):
    """A server that can be measured while it sends."""

    @property
    def name(self) -> str: ...

    @property
    def port(self) -> int:
        """Where other servers' mail comes in."""

    @property
    def submission(self) -> int:
        """Where `SENDER` sends, and mail is signed."""

    @property
    def password(self) -> str:
        """What the sender logs in with; empty: nobody has to."""

    def lacks(self) -> str: ...

    def version(self) -> str: ...

    def prepare(self) -> None: ...

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def pids(self) -> list[int]: ...

    def filled(self, count: int) -> None:
        """So many messages wait, and are not tried yet; it runs or not."""

    def drain(self) -> None:
        """Begin to send them."""

    def send_bulk(self, count: int) -> None:
        """Hand over so many messages, each another one, all of them to be signed."""


@define(eq=False)
class OurWayOut:
    """mailkit with a domain that has DKIM keys, and aliases that lead elsewhere."""

    root: Path
    world: Outside
    first_port: int
    sink_port: int
    signs: str = "both"
    """``rsa``: with that key alone."""
    _children: Children = field(init=False, factory=Children)

    @property
    def name(self) -> str:
        return "mailkit"

    @property
    def port(self) -> int:
        return self.first_port

    @property
    def submission(self) -> int:
        return self.first_port + 1

    @property
    def password(self) -> str:
        return PASSWORD

    def lacks(self) -> str:
        return ""

    def version(self) -> str:
        commit = said_by("git", "-C", str(CHECKOUT), "rev-parse", "--short", "HEAD")
        return f"mailkit {commit}, Python {sys.version.split()[0]}"

    def prepare(self) -> None:
        self.root.mkdir()
        records = [
            f"d{number}.sink.test. A {host_of(number)}" for number in range(DOMAINS)
        ]
        names = self.world.names("\n".join(records))
        (self.root / "mailkit.toml").write_text(
            f'hostname = "mx.{OURS}"\ndata = "data"\n[listen]\n'
            f'smtp = ["tcp:{self.port}:interface=127.0.0.1"]\n'
            f'submission = ["tcp:{self.submission}:interface=127.0.0.1"]\n'
            f'metrics = ["tcp:{self.port + 2}:interface=127.0.0.1"]\n'
            f'[dns]\nservers = ["{names.place}"]\n'
            f'[relay]\nallow = ["127.0.0.0/8"]\nport = {self.sink_port}\n'
            f'[sending]\nwithout_limit = ["{SENDER}"]\n'
        )
        self.ask("domain", "add", OURS)
        self.ask(
            "account", "add", SENDER, "--password-stdin", "--quota", "0", stdin=PASSWORD
        )
        for number in range(len(FAST)):
            self.ask("alias", "add", onward(number), foreign(number))
        if self.signs == "rsa":
            for path in (self.root / "data").rglob("keys.json"):
                kept = json.loads(path.read_text())
                kept["keys"] = [
                    key for key in kept["keys"] if not key["selector"].startswith("e")
                ]
                path.write_text(json.dumps(kept))
        # All that this command loads is compiled once, as in one that is installed.
        self._merge(1, "--dry-run")

    def start(self) -> None:
        self._children.start(
            [*_TWISTD, "-n", "--pidfile=", "mailkit", "--config", "mailkit.toml"],
            self.root / "server.log",
            {"PYTHONPATH": str(CHECKOUT)},
        )
        end = time.monotonic() + 60
        while not self.is_healthy():
            if time.monotonic() > end:
                raise TimeoutError("mailkit does not listen")
            time.sleep(0.01)

    def is_healthy(self) -> bool:
        """Whether ``/healthz`` says so."""
        try:
            url = f"http://127.0.0.1:{self.port + 2}/healthz"
            return bool(urllib.request.urlopen(url, timeout=5).status == 200)
        except OSError:
            return False

    def stop(self) -> None:
        self._children.stop()

    def pids(self) -> list[int]:
        return self._children.pids

    def filled(self, count: int) -> None:
        self.stop()
        self.fill(count, 0)

    def fill(self, count: int, wait: int) -> None:
        """So many messages that may be tried in so many seconds."""
        words = ["-m", "tests.bench.filling", str(self.root / "data")]
        numbers = [str(count), str(DOMAINS), str(wait)]
        subprocess.run([sys.executable, *words, *numbers], cwd=CHECKOUT, check=True)

    def drain(self) -> None:
        self.start()

    def send_bulk(self, count: int) -> None:
        """By the command, with a list and a template as people have them."""
        self._merge(count, "--yes")

    def _merge(self, count: int, *options: str) -> None:
        people = [f"{foreign(each)},Name {each}" for each in fast_numbers(count)]
        (self.root / "people.csv").write_text("\n".join(["email,name", *people]))
        template = fixed(4096, 1, "{{ email }}").decode().replace("\r\n", "\n")
        header, _, body = template.partition("\n\n")
        kept = [
            line
            for line in header.split("\n")
            if line.partition(":")[0].lower() in _TEMPLATE_FIELDS
        ]
        kept += [f"From: {SENDER}", "To: {{ name }} <{{ email }}>"]
        text = "\n".join(kept) + "\n\nDear {{ name }},\n" + body
        (self.root / "bulk.eml.j2").write_text(text)
        self.ask(
            "send", "--from", SENDER, "--to", str(self.root / "people.csv"),
            "--template", str(self.root / "bulk.eml.j2"), *options,
        )  # fmt: skip

    def ask(self, *words: str, stdin: str = "") -> str:
        """The command, compiled once, as one that is installed."""
        environment = dict(os.environ, PYTHONPYCACHEPREFIX=str(self.root / "compiled"))
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        done = subprocess.run(
            [*_COMMAND, "--config", str(self.root / "mailkit.toml"), *words],
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=False,
            input=stdin,
            env=environment,
        )
        if done.returncode:
            raise RuntimeError(f"mailkit {' '.join(words)}: {done.stderr}{done.stdout}")
        return done.stdout


@define(eq=False)
class PostfixWayOut:
    """Postfix as installed; what is submitted is signed by OpenDKIM as its milter."""

    root: Path
    first_port: int
    sink_port: int
    _children: Children = field(init=False, factory=Children)

    @property
    def name(self) -> str:
        return "as installed"

    @property
    def port(self) -> int:
        return self.first_port

    @property
    def submission(self) -> int:
        return self.first_port + 1

    @property
    def password(self) -> str:
        return ""

    @property
    def has_milter(self) -> bool:
        return shutil.which("opendkim") is not None

    def lacks(self) -> str:
        if shutil.which("postfix") is None:
            return "postfix is not installed"
        return "" if os.geteuid() == 0 else "postfix begins as root"

    def version(self) -> str:
        milter = said_by("opendkim", "-V").splitlines()[:1] if self.has_milter else []
        return ", ".join(
            ["Postfix " + said_by("postconf", "-dh", "mail_version"), *milter]
        )

    def prepare(self) -> None:
        self.root.mkdir(mode=0o755)
        for part in ("etc", "spool", "data"):
            (self.root / part).mkdir()
        shutil.chown(self.root / "data", "postfix", "postfix")
        etc = self.root / "etc"
        smtpd = f"127.0.0.1:{self.port} inet n - n - - smtpd\n"
        smtpd += f"127.0.0.1:{self.submission} inet n - n - - smtpd\n"
        if self.has_milter:
            smtpd += f"  -o smtpd_milters=inet:127.0.0.1:{self.port + 2}\n"
        (etc / "master.cf").write_text(smtpd + MASTER)
        aliases = [f"{onward(each)} {foreign(each)}\n" for each in range(len(FAST))]
        (etc / "aliases").write_text("".join(aliases))
        routes = [
            f"d{each}.sink.test smtp:[{host_of(each)}]:{self.sink_port}\n"
            for each in range(DOMAINS)
        ]
        (etc / "routes").write_text("".join(routes))
        (etc / "main.cf").write_text(f"""compatibility_level = 3.6
queue_directory = {self.root}/spool
data_directory = {self.root}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.{OURS}
mydestination =
mynetworks = 127.0.0.0/8
maillog_file = {self.root}/maillog
maillog_file_prefixes = {self.root}
virtual_alias_domains = {OURS}
virtual_alias_maps = texthash:{etc}/aliases
transport_maps = texthash:{etc}/routes
alias_maps =
""")
        if self.has_milter:
            self._write_milter(etc)

    def _write_milter(self, etc: Path) -> None:
        key = etc / "key.pem"
        subprocess.run(
            ["openssl", "genrsa", "-traditional", "-out", key, "2048"],
            check=True,
            capture_output=True,
        )
        key.chmod(0o600)
        (etc / "opendkim.conf").write_text(f"""Syslog no
Mode s
Canonicalization relaxed/relaxed
Domain {OURS}
Selector r1
KeyFile {key}
Socket inet:{self.port + 2}@127.0.0.1
OversignHeaders From
InternalHosts 127.0.0.1
RequireSafeKeys no
""")

    def start(self) -> None:
        if self.has_milter:
            self._children.start(
                ["opendkim", "-f", "-x", str(self.root / "etc" / "opendkim.conf")],
                self.root / "opendkim.log",
            )
            time.sleep(0.5)
        self._postfix("start")
        time.sleep(1)

    def stop(self) -> None:
        self._postfix("stop")
        time.sleep(2)
        self._children.stop()

    def pids(self) -> list[int]:
        pid = self.root / "spool" / "pid" / "master.pid"
        return [*self._children.pids, int(pid.read_text())]

    def filled(self, count: int) -> None:
        """As they come from other servers, while nothing may leave."""
        self._set("defer_transports=smtp")
        letters = [
            Letter(foreign(number).encode(), stuff(fixed(4096, number, "x@sink.test")))
            for number in range(count)
        ]
        send_all(self.port, letters, 20, 1_000_000, 1200.0)

    def drain(self) -> None:
        self._set("defer_transports=")
        self._run("postqueue", "-f")

    def send_bulk(self, count: int) -> None:
        """By SMTP, as programs for bulk mail hand it over."""
        letters = []
        for each in fast_numbers(count):
            octets = fixed(4096, each, foreign(each))
            octets = octets.replace(b"<sender@example.com>", f"<{SENDER}>".encode(), 1)
            letters.append(Letter(foreign(each).encode(), stuff(octets)))
        send_all(self.submission, letters, 10, 1_000_000, 1200.0, SENDER)

    def _set(self, setting: str) -> None:
        self._run("postconf", "-e", setting)
        self._postfix("reload")
        time.sleep(1)

    def _postfix(self, verb: str) -> None:
        self._run("postfix", verb)

    def _run(self, program: str, *words: str) -> None:
        with (self.root / "postfix.log").open("ab") as log:
            subprocess.run(
                [f"/usr/sbin/{program}", "-c", self.root / "etc", *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                check=False,
            )


@contextmanager
def running(way_out: WayOut) -> Iterator[None]:
    """Started, and stopped whatever happens."""
    way_out.start()
    try:
        yield
    finally:
        way_out.stop()
