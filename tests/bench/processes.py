"""What processes cost: CPU time and memory from ``/proc``."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from attrs import define, field

_TICK = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


def family(roots: Iterable[int]) -> dict[int, int]:
    """These processes and all below them, with the ticks of CPU that each took."""
    below: dict[int, list[int]] = {}
    ticks: dict[int, int] = {}
    for entry in os.listdir(_PROC):
        if not entry.isdigit():
            continue
        try:
            stat = (_PROC / entry / "stat").read_text()
        except OSError:
            continue  # it has ended
        words = stat[stat.rindex(")") + 2 :].split()
        below.setdefault(int(words[1]), []).append(int(entry))
        ticks[int(entry)] = sum(int(word) for word in words[11:15])
    waiting = [pid for pid in roots if pid in ticks]
    found: dict[int, int] = {}
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found[pid] = ticks[pid]
            waiting += below.get(pid, [])
    return found


def cpu_seconds(roots: Iterable[int]) -> float:
    """CPU of a whole family, its ended children included."""
    return sum(family(roots).values()) / _TICK


def cpu_exactly(roots: Iterable[int]) -> float:
    """CPU of processes without children, in seconds, as exactly as the system knows."""
    total = 0
    for pid in roots:
        for thread in (_PROC / str(pid) / "task").iterdir():
            try:
                total += int((thread / "schedstat").read_text().split()[0])
            except OSError:
                continue  # it has ended
    return total / 1e9


def pss_kib(roots: Iterable[int], kind: str = "Pss") -> int:
    """Memory of a whole family, what is shared counted once; or only one kind of it."""
    total = 0
    for pid in family(roots):
        try:
            lines = (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()
        except OSError:
            continue  # it has ended
        total += sum(
            int(line.split()[1]) for line in lines if line.startswith(f"{kind}:")
        )
    return total


@define(eq=False)
class Meter:
    """``with Meter(target.pids) as meter:`` measures what is done in the block."""

    pids: Callable[[], list[int]]
    wall: float = 0.0
    cpu: float = 0.0
    """Seconds of CPU of the server, in steps of 10 ms."""
    _cpu_before: float = field(init=False, default=0.0)
    _began: float = field(init=False, default=0.0)

    def __enter__(self) -> Meter:
        self._cpu_before = cpu_seconds(self.pids())
        self._began = time.perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.wall = time.perf_counter() - self._began
        self.cpu = cpu_seconds(self.pids()) - self._cpu_before


@define(eq=False)
class Children:
    """Processes that were started here, and only those."""

    _processes: list[subprocess.Popen[bytes]] = field(factory=list)

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self._processes]

    @property
    def have_ended(self) -> bool:
        return any(process.poll() is not None for process in self._processes)

    def start(
        self, words: Sequence[str], log: Path, more: Mapping[str, str] | None = None
    ) -> None:
        """Start one; ``more`` goes into its environment."""
        with log.open("ab") as output:
            self._processes.append(
                subprocess.Popen(
                    words,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    cwd=log.parent,
                    env={**os.environ, **(more or {})},
                )
            )

    def stop(self) -> None:
        """SIGTERM, and SIGKILL for those that are still there 15 seconds later."""
        for process in self._processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self._processes:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes = []
