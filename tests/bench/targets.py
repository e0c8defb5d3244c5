"""What the benchmark knows about a server, and what all of them have in common."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Protocol

from attrs import frozen

DOMAIN = "bench.test"
PASSWORD = "benchpw"
NAMES = tuple(f"u{number}" for number in range(48))
SLOW_SYNC_US = 2000


@frozen
class Ports:
    """Where a server listens on loopback."""

    smtp: int
    imap: int
    pop3: int


class Target(Protocol):
    """
    A server that can be measured.

    Its accounts are `NAMES` at `DOMAIN`, all with `PASSWORD`.
    """

    @property
    def name(self) -> str: ...

    @property
    def ports(self) -> Ports: ...

    def lacks(self) -> str:
        """Why it cannot be measured here; empty if it can."""

    def version(self) -> str: ...

    def prepare(self, root: Path) -> None:
        """Write its configuration into an empty folder and make its accounts."""

    def start(self, environment: dict[str, str]) -> None:
        """Start it; it listens when this returns."""

    def stop(self) -> None: ...

    def pids(self) -> list[int]:
        """Processes whose families are the server."""

    def maildir(self, account: str) -> Path:
        """Where the mail for one of `NAMES` ends."""

    def start_second(self) -> Ports:
        """Another process over the same mail; until `stop`."""

    def metrics(self) -> str:
        """What it says about itself; empty if it says nothing."""


def address(account: str) -> str:
    """Address and login of one of `NAMES`."""
    return f"{account}@{DOMAIN}"


def stored(target: Target, account: str) -> int:
    """How many messages are in the INBOX."""
    maildir = target.maildir(account)
    return sum(
        len(os.listdir(maildir / part))
        for part in ("new", "cur")
        if (maildir / part).is_dir()
    )


def wait_stored(target: Target, wanted: dict[str, int], limit: float) -> bool:
    """Wait until every account has so many; whether that came true."""
    end = time.monotonic() + limit
    waiting = dict(wanted)
    while waiting:
        for account in list(waiting):
            if stored(target, account) >= waiting[account]:
                del waiting[account]
        if waiting:
            if time.monotonic() > end:
                return False
            time.sleep(0.01)
    return True


def wait_listening(ports: Ports, limit: float = 30.0) -> None:
    """:raises TimeoutError: if one is still closed."""
    end = time.monotonic() + limit
    for port in (ports.smtp, ports.imap, ports.pop3):
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if time.monotonic() > end:
                    raise TimeoutError(f"nobody listens on port {port}") from None
                time.sleep(0.05)


def slow_sync(scratch: Path) -> dict[str, str]:
    """
    The environment in which a sync takes 2 ms more, made with ``cc``.

    :raises OSError: without a compiler.
    """
    if shutil.which("cc") is None:
        raise OSError("cc is not installed")
    library = scratch / "slowsync.so"
    source = Path(__file__).with_name("slowsync.c")
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-O2", "-o", library, source, "-ldl"], check=True
    )
    library.chmod(0o755)
    return {"LD_PRELOAD": str(library), "SLOWSYNC_US": str(SLOW_SYNC_US)}


def said_by(*words: str) -> str:
    """What a short program prints."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip()
