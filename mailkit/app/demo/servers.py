"""The two servers: configs, people and processes."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from attrs import define, field, frozen

import mailkit
from mailkit.app.cli.desk import open_with
from mailkit.app.demo.authority import Authority
from mailkit.app.demo.places import Place
from mailkit.app.find import NAME, read_text
from mailkit.app.newpassword import make_password
from mailkit.errors import Unavailable
from mailkit.model.account import Role

PATIENCE = 60.0
"""Seconds that anything may take, on a machine with much else to do."""
PREFIX = "MAILKIT_"
"""Of variables that are settings."""
LOOK = 0.05
"""Seconds between two looks at what another process does."""

CONFIG = """\
hostname = "{host}"
data = "data"

[listen]
{listen}

[tls]
certificate = "certificate.pem"
key = "key.pem"
trust = "{trust}"

# Whom we ask about names: our own name server, then that of the other.
[dns]
servers = ["{dns}", "{other_dns}"]

[nameserver]
addresses = ["{address}"]

# Mail goes to loopback addresses, and not to port 25.
[relay]
allow = ["127.0.0.0/8"]
port = {smtp}
https_port = {https}
"""


class DemoFailed(Unavailable):
    """What the story tells did not happen; the text says what."""


@frozen
class Person:
    """Somebody with an account."""

    name: str
    address: str
    password: str = field(repr=False)

    @property
    def mailbox(self) -> str:
        """As in From and To."""
        return f"{self.name} <{self.address}>"


@define(eq=False)
class DemoServer:
    """One of the two, with its folder and its only inhabitant."""

    domain: str
    place: Place
    folder: Path
    person: Person
    trust: Path
    run: Callable[[Sequence[str]], str]
    """Runs the ``mailkit`` command, and gives what it prints."""
    process: subprocess.Popen[bytes] | None = None

    @property
    def host(self) -> str:
        """What the server is called."""
        return f"mail.{self.domain}"

    @property
    def config(self) -> Path:
        """For ``mailkit --config``."""
        return self.folder / NAME

    @property
    def log(self) -> Path:
        """What it tells."""
        return self.folder / "server.log"

    def context(self) -> ssl.SSLContext:
        """TLS of clients that trust the authority of the demo alone."""
        return ssl.create_default_context(cafile=str(self.trust))

    def prepare(self, other: Place, authority: Authority) -> None:
        """Write the config, and make the domain and the account."""
        names = [self.host, f"mta-sts.{self.domain}", self.place.address]
        authority.sign(self.folder, names)
        self.config.write_text(self._config(other), encoding="utf-8")
        settings = read_text(self.config.read_text(encoding="utf-8"), self.config)
        with open_with(settings.settings) as at:
            who, actor = self.person, at.actor
            at.do(at.administration.domains.add(actor, self.domain))
            accounts = at.administration.accounts
            at.do(accounts.add(actor, who.address, who.password, Role.ADMIN))

    def _config(self, other: Place) -> str:
        listen = [
            f'{service} = ["tcp:{port}:interface={self.place.address}"]'
            for service, port in self.place.ports.items()
        ]
        return CONFIG.format(
            host=self.host,
            listen="\n".join(listen),
            trust=self.trust,
            dns="{}:{}".format(*self.place.at("dns")),
            other_dns="{}:{}".format(*other.at("dns")),
            address=self.place.address,
            smtp=other.ports["smtp"],
            https=other.ports["https"],
        )

    # -- its process

    def start(self) -> None:
        """Start it; `wait` until it is there."""
        command = (sys.executable, "-m", "twisted", "mailkit", "--config", NAME)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment(),
                start_new_session=True,  # Ctrl-C is for the demo
            )

    def wait(self) -> None:
        """:raises DemoFailed: unless all its ports answer soon."""

        def is_there() -> bool:
            assert self.process is not None
            if self.process.poll() is not None:
                raise DemoFailed(f"{self.host} has ended: {self._last_words()}")
            return all(map(self._answers, self.place.ports))

        wait_until(f"{self.host} does not answer", is_there)

    def end(self) -> None:
        """Ask it to end; `stop` waits until it has."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        """End it in peace."""
        self.end()
        process, self.process = self.process, None
        if process is None:
            return
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _answers(self, service: str) -> bool:
        try:
            socket.create_connection(self.place.at(service), 1.0).close()
        except OSError:
            return False
        return True

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()
        return lines[-1] if lines else "without a word"

    # -- the command

    def command(self, *words: str) -> str:
        """
        What ``mailkit`` prints about this server.

        :raises MailkitError: if it refuses.
        """
        return self.run(["--config", str(self.config), *words])


@define(eq=False)
class Pair:
    """Both servers, and the folder that all of it is in."""

    folder: Path
    authority: Authority
    east: DemoServer
    west: DemoServer

    def start(self) -> None:
        """Start both, and wait for them."""
        for server in (self.east, self.west):
            server.start()
        for server in (self.east, self.west):
            server.wait()

    def stop(self) -> None:
        """End both, at the same time."""
        for server in (self.east, self.west):
            server.end()
        for server in (self.east, self.west):
            server.stop()


def make_pair(
    folder: Path,
    places: tuple[Place, Place],
    authority: Authority,
    run: Callable[[Sequence[str]], str],
) -> Pair:
    """
    Two servers that know of each other, ready to be started.

    :param run: runs the ``mailkit`` command.
    """
    made = [
        DemoServer(domain, place, folder / domain, person, authority.path, run)
        for domain, place, person in (
            ("east.test", places[0], _person("Anna", "east.test")),
            ("west.test", places[1], _person("Ben", "west.test")),
        )
    ]
    for server, other in zip(made, reversed(places), strict=True):
        server.folder.mkdir()
        server.prepare(other, authority)
    return Pair(folder, authority, *made)


def _person(name: str, domain: str) -> Person:
    return Person(name, f"{name.lower()}@{domain}", make_password())


def environment() -> dict[str, str]:
    """For the processes: this very mailkit, and no settings from outside."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(PREFIX)
    }
    here = str(Path(mailkit.__file__).parents[1])
    paths = [here, *filter(None, [kept.get("PYTHONPATH", "")])]
    return {**kept, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}


def wait_until(otherwise: str, is_so: Callable[[], bool]) -> None:
    """
    Look again and again.

    :raises DemoFailed: if it is not so in time.
    """
    end = time.monotonic() + PATIENCE
    while not is_so():
        if time.monotonic() > end:
            raise DemoFailed(f"{otherwise} ({PATIENCE:.0f} s)")
        time.sleep(LOOK)
