"""The server as people run it: a process of its own, on free ports of loopback."""

from __future__ import annotations

import fcntl
import os
import random
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from attrs import define, field

SERVICES = (
    "smtp",
    "submission",
    "submissions",
    "lmtp",
    "imap",
    "imaps",
    "pop3",
    "pop3s",
    "metrics",
)

PASSWORD = "correct horse battery"

TWISTD = (sys.executable, "-c", "from twisted.scripts.twistd import run; run()")
"""``twistd`` of the very Python that runs the tests."""

MAILKIT = (sys.executable, "-m", "mailkit.app.cli")
"""The ``mailkit`` command of the same."""

WORDS = ("-n", "--pidfile=", "mailkit", "--config")
"""What follows ``twistd``."""

ENVIRONMENT = {
    **{k: v for k, v in os.environ.items() if not k.startswith("MAILKIT_")},
    "PYTHONPATH": str(Path(__file__).parents[2]),  # the code that is tested
    "PYTHONUNBUFFERED": "1",
}
"""Of every process that is started here."""

PATIENCE = 60.0
"""Seconds that a process may take for anything, on a machine that has much else to do;
how long things take is measured in `tests.bench`, and never here."""

STARTING = 180.0
"""Seconds until it listens, or until a command has done its work."""


def need(*programs: str) -> None:
    """Skip a test where a program is missing; ``.ci/run`` installs them all."""
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")


COUNTER = Path(tempfile.gettempdir()) / f"mailkit-ports-{os.getuid()}"
"""The port that was given last, to whichever process of the tests."""

FIRST_PORT, LAST_PORT = 10_000, 20_000
"""The system gives none between them to a client, see ``ip_local_port_range``."""


def free_ports(count: int) -> list[int]:
    """
    Ports of loopback that nobody listens on, and that no other test was given lately.

    They go round in a file, so that two processes of tests never choose the same while
    their servers still load, and are still free for a server that is started again.
    They are free at every address, as some tests have hosts at several.
    """
    ports: list[int] = []
    with COUNTER.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        port = int(file.read() or random.randrange(FIRST_PORT, LAST_PORT))
        while len(ports) < count:
            port = port + 1 if port < LAST_PORT else FIRST_PORT
            with socket.socket() as one, suppress(OSError):
                one.bind(("", port))
                ports.append(port)
        file.truncate(0)
        file.write(str(port))
    return ports


def wait_until(what: str, is_so: object, seconds: float = PATIENCE) -> None:
    """Look again and again until ``is_so()``; real processes cannot be awaited."""
    assert callable(is_so)
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.02)


def remove(folder: Path) -> None:
    """Remove the folder of programs that end just now, and may still write there."""

    def is_gone() -> bool:
        shutil.rmtree(folder, ignore_errors=True)
        return not folder.exists()

    wait_until(f"{folder} is removed", is_gone)


def can_connect(port: int) -> bool:
    """Whether somebody listens there."""
    return can_connect_to("127.0.0.1", port)


def can_connect_to(address: str, port: int) -> bool:
    """The same at another address."""
    try:
        socket.create_connection((address, port), 5).close()
    except OSError:
        return False
    return True


@define
class Server:
    """One server over one data folder; it can be stopped, killed and started again."""

    folder: Path
    ports: dict[str, int] = field(factory=dict)
    process: subprocess.Popen[bytes] | None = None
    settings: str = ""
    """More lines of ``mailkit.toml``: whole tables."""
    workers: int = 1
    program: Sequence[str] = TWISTD
    """Another ``twistd``, where a test needs a server that is put together anew."""
    _domains: set[str] = field(factory=set, init=False)
    """Those that were asked for."""

    def __attrs_post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ports = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))
        self.write_config()

    @property
    def config(self) -> Path:
        return self.folder / "mailkit.toml"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def certificate(self) -> Path:
        """To be trusted by clients that check."""
        return next(iter((self.data / "tls").glob("*cert*.pem")))

    @property
    def log(self) -> str:
        return (self.folder / "server.log").read_text(errors="replace")

    def maildir(self, address: str) -> Path:
        local_part, _, domain = address.partition("@")
        return self.data / "mail" / domain / local_part / "Maildir"

    def write_config(self) -> None:
        lines = ['hostname = "localhost"', 'data = "data"']
        lines += [f"workers = {self.workers}", "[listen]"]
        lines += [
            f'{service} = ["tcp:{port}:interface=127.0.0.1"]'
            for service, port in self.ports.items()
        ]
        self.config.write_text("\n".join([*lines, self.settings, ""]))

    def refusal(self) -> str:
        """Start in vain: the one line that says why; the status is 1."""
        done = subprocess.run(
            [*self.program, *WORDS, str(self.config)],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=STARTING,
            check=False,
            env=ENVIRONMENT,
        )
        assert done.returncode == 1
        [line] = done.stderr.splitlines()
        return line

    def start(self) -> None:
        """Start, and wait until every port answers."""
        log = (self.folder / "server.log").open("ab")
        self.process = subprocess.Popen(
            [*self.program, *WORDS, str(self.config)],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=ENVIRONMENT,
        )
        log.close()

        def all_answer() -> bool:
            if self.process is None or self.process.poll() is not None:
                raise AssertionError(f"the server has ended:\n{self.log}")
            return all(can_connect(port) for port in self.ports.values())

        wait_until("the server listens", all_answer, STARTING)

    def stop(self) -> int:
        """SIGTERM; how it ended."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL: nothing more is written."""
        self._end(signal.SIGKILL)

    def _end(self, number: int) -> int:
        process, self.process = self.process, None
        if process is None:
            return 0
        process.send_signal(number)
        try:
            return process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"it would not end:\n{self.log}") from None

    def command(self, *words: str, stdin: str = "", ok: bool = True) -> str:
        """The ``mailkit`` command; what it prints."""
        done = subprocess.run(
            [*MAILKIT, "--config", str(self.config), *words],
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=STARTING,
            check=False,
            env=ENVIRONMENT,
        )
        if ok and done.returncode:
            raise AssertionError(f"mailkit {words}: {done.stdout}{done.stderr}")
        return done.stdout

    def add(self, address: str, *words: str) -> None:
        """An account with the password of all tests; its domain is made on demand."""
        self._add_domain(address)
        self.command(
            "account", "add", address, "--password-stdin", *words, stdin=PASSWORD + "\n"
        )

    def add_all(self, *addresses: str) -> None:
        """More of them by one process."""
        for address in addresses:
            self._add_domain(address)
        lines = [f"{address},{PASSWORD}\n" for address in addresses]
        self.command("account", "import", "-", stdin="".join(lines))

    def await_known(self, address: str) -> None:
        """Of what a command adds a server that runs hears by and by."""

        def is_known() -> bool:
            with smtplib.SMTP("127.0.0.1", self.ports["smtp"]) as smtp:
                smtp.ehlo()
                smtp.mail("")
                return smtp.rcpt(address)[0] == 250

        wait_until(f"the server has heard of {address}", is_known)

    def _add_domain(self, address: str) -> None:
        domain = address.partition("@")[2]
        if domain not in self._domains:
            # Refused if a test has made it; without it the account is refused.
            self.command("domain", "add", domain, ok=False)
            self._domains.add(domain)

    def messages(self, address: str) -> list[bytes]:
        """
        What is in the INBOX, as files, in the order of their names.

        A file gets another name when it is flagged or moved to ``cur``: one that has
        gone since they were listed is there under that.
        """
        while True:
            files = {
                path.name.partition(":")[0]: path
                for part in ("new", "cur")
                for path in (self.maildir(address) / part).glob("*")
            }
            with suppress(FileNotFoundError):
                return [files[name].read_bytes() for name in sorted(files)]


def run(
    *words: str,
    stdin: bytes = b"",
    cwd: Path | None = None,
    codes: Sequence[int] = (0,),
) -> str:
    """A program of somebody else's; what it prints on both streams."""
    done = subprocess.run(
        words,
        input=stdin,
        capture_output=True,
        timeout=STARTING,
        cwd=cwd,
        check=False,
    )
    said = (done.stdout + done.stderr).decode(errors="replace")
    assert done.returncode in codes, f"{words} ended with {done.returncode}:\n{said}"
    return said
