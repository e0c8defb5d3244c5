"""Hosts to send to: Postfix's ``smtp-sink``, which costs little and counts."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import define, field

_COUNT = re.compile(rb"mesg=(\d+)")

FAST = tuple(f"127.5.0.{number}" for number in range(1, 9))
SLOW = ("127.5.0.9",)
"""Takes a second for each reply."""
SILENT = ("127.5.0.10",)
"""Takes connections and says nothing."""


def host_of(number: int) -> str:
    """The address of the host of a domain."""
    everybody = FAST + SLOW + SILENT
    return everybody[number % len(everybody)]


@define(eq=False)
class Sinks:
    """Some of them, at one port."""

    port: int
    _folder: Path
    _running: list[tuple[subprocess.Popen[bytes], Path]] = field(factory=list)

    def start(self, address: str, *words: str) -> None:
        """One more host."""
        log = self._folder / f"{address}-{len(self._running)}"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [_program(), "-u", "nobody", "-c", *words,
                 f"{address}:{self.port}", "1000"],
                stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self._running.append((process, log))

    @property
    def count(self) -> int:
        """Messages that came."""
        return sum(_count(log) for _, log in self._running)

    def wait(self, count: int, limit: float) -> bool:
        """Until so many came; whether they did."""
        end = time.monotonic() + limit
        while self.count < count:
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True

    def stop(self) -> None:
        for process, _ in self._running:
            process.terminate()
            process.wait()
        self._running = []


@contextmanager
def sinks(port: int, folder: Path, *, is_mixed: bool) -> Iterator[Sinks]:
    """All hosts there are: all fast, or of all kinds, as their addresses say."""
    folder.mkdir(exist_ok=True)
    folder.chmod(0o777)
    found = Sinks(port, folder)
    try:
        for address in FAST + SLOW + SILENT:
            if is_mixed and address in SLOW:
                found.start(address, "-w", "1")
            elif is_mixed and address in SILENT:
                found.start(address, "-W", "CONNECT:3600")
            else:
                found.start(address)
        time.sleep(0.3)
        yield found
    finally:
        found.stop()


def _program() -> str:
    return shutil.which("smtp-sink", path="/usr/sbin:/usr/bin:/usr/local/sbin") or ""


def _count(log: Path) -> int:
    with log.open("rb") as file:
        file.seek(max(log.stat().st_size - 200, 0))
        counts = _COUNT.findall(file.read())
    return int(counts[-1]) if counts else 0
