"""Mail out: forwarded, submitted and signed, waiting in tens of thousands."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from attrs import define

from tests.bench.corpus import fixed
from tests.bench.processes import Meter, pss_kib
from tests.bench.report import Aim, Figure, Report, Row
from tests.bench.senders import Letter, send_all, stuff
from tests.bench.sinks import FAST, Sinks, sinks
from tests.bench.waysout import (
    DOMAINS,
    SENDER,
    OurWayOut,
    PostfixWayOut,
    WayOut,
    foreign,
    onward,
    running,
)
from tests.interop.outside import Outside, outside

FORWARDED = Row("forwarded 4 KiB, 10 sessions, to sinks", "msg/s", Aim(times=1))
SIGNED = Row(
    "submitted 4 KiB, RSA alone, to sinks", "msg/s", Aim(times=1, at_least=300)
)
BOTH = Row("the same, both signatures", "msg/s", Aim(at_least=300))
BULK = Row("5,000 different ones at once, signed", "msg/s", Aim(times=1, at_least=300))
DRAINED = Row("a waiting queue, to fast hosts", "msg/s", Aim(times=1))
MIXED = Row("the same, a fifth slow or silent: the others", "msg/s", Aim(times=1))
STARTED = Row("start with 100,000 waiting", "ms", Aim(at_most=2000))
MEMORY = Row("memory then (RSS)", "MiB", Aim(at_most=100))

FAST_DOMAINS = [number for number in range(DOMAINS) if number % 10 < len(FAST)]


@define(eq=False, kw_only=True)
class Amounts:
    """How much work is done."""

    messages: int = 2000
    bulk: int = 5000
    drained: int = 50_000
    mixed: int = 10_000
    waiting: int = 100_000
    limit: float = 600.0


@define(eq=False)
class Sending:
    """All of it, on one server after the other."""

    amounts: Amounts
    report: Report
    scratch: Path
    world: Outside
    first_port: int
    only: Sequence[str]

    def measure(self) -> None:
        """Every row."""
        sink = self.first_port + 50
        theirs = PostfixWayOut(self.scratch / "postfix-out", self.first_port, sink)
        ours = OurWayOut(
            self.scratch / "mailkit-out", self.world, self.first_port + 10, sink, "rsa"
        )
        for way_out in (theirs, ours):
            if way_out.name.replace(" ", "-") not in self.only:
                continue
            if reason := way_out.lacks():
                print(f"{way_out.name}: skipped: {reason}")
                continue
            print(f"{way_out.name}: {way_out.version()}", flush=True)
            self.report.versions.setdefault(way_out.name, way_out.version())
            way_out.prepare()
            self._everything(way_out, sink)
        if ours.name in self.only:
            both = OurWayOut(
                self.scratch / "mailkit-both", self.world, self.first_port + 20, sink
            )
            both.prepare()
            with self._sinks(sink) as hosts, running(both):
                self._submitted(both, hosts, BOTH)
                self._bulk(both, hosts)
            self._waiting(self.first_port + 30, sink)

    def _everything(self, way_out: WayOut, sink: int) -> None:
        with self._sinks(sink) as hosts, running(way_out):
            self._forwarded(way_out, hosts)
            self._submitted(way_out, hosts, SIGNED)
            if way_out.name != "mailkit":  # which signs these by both keys, below
                self._bulk(way_out, hosts)
            self._drained(way_out, hosts, DRAINED, self.amounts.drained)
        with self._sinks(sink, is_mixed=True) as hosts, running(way_out):
            self._drained(way_out, hosts, MIXED, self.amounts.mixed)

    def _sinks(
        self, port: int, *, is_mixed: bool = False
    ) -> AbstractContextManager[Sinks]:
        folder = self.scratch / f"sinks-{time.monotonic_ns()}"
        return sinks(port, folder, is_mixed=is_mixed)

    # -- rows

    def _forwarded(self, way_out: WayOut, hosts: Sinks) -> None:
        self._send(
            way_out, hosts, FORWARDED, onward, "sender@example.com", way_out.port
        )

    def _submitted(self, way_out: WayOut, hosts: Sinks, row: Row) -> None:
        self._send(way_out, hosts, row, foreign, SENDER, way_out.submission)

    def _send(
        self,
        way_out: WayOut,
        hosts: Sinks,
        row: Row,
        recipient: Callable[[int], str],
        sender: str,
        port: int,
    ) -> None:
        password = way_out.password if sender == SENDER else ""

        def send(first: int, count: int) -> None:
            letters = [
                self._letter(recipient, at, sender) for at in range(first, count)
            ]
            before = hosts.count
            limit = self.amounts.limit
            send_all(port, letters, 10, 1_000_000, limit, sender, password)
            if not hosts.wait(before + len(letters), limit):
                raise TimeoutError(f"{hosts.count - before} of {len(letters)} came")

        send(0, 100)
        self._measured(way_out, row, self.amounts.messages, send)

    def _letter(
        self, recipient: Callable[[int], str], number: int, sender: str
    ) -> Letter:
        number = FAST_DOMAINS[number % len(FAST_DOMAINS)] + DOMAINS * number
        to = recipient(number)
        octets = fixed(4096, number, to)
        octets = octets.replace(b"<sender@example.com>", f"<{sender}>".encode(), 1)
        return Letter(to.encode(), stuff(octets))

    def _bulk(self, way_out: WayOut, hosts: Sinks) -> None:
        """By one person to many: `mailkit send`, whose own CPU counts as well."""
        before = hosts.count

        def send(first: int, count: int) -> None:
            way_out.send_bulk(count)
            if not hosts.wait(before + count, self.amounts.limit):
                raise TimeoutError(f"{hosts.count - before} of {count} came")

        self._measured(way_out, BULK, self.amounts.bulk, send)

    def _drained(self, way_out: WayOut, hosts: Sinks, row: Row, count: int) -> None:
        """Until all are there but those for hosts that are slow or silent."""
        way_out.filled(count)
        before = hosts.count
        wanted = count * len(FAST_DOMAINS) // DOMAINS if row is MIXED else count

        def drain(first: int, count: int) -> None:
            way_out.drain()
            if not hosts.wait(before + wanted, self.amounts.limit):
                raise TimeoutError(f"{hosts.count - before} of {wanted} came")

        self._measured(way_out, row, wanted, drain)

    def _measured(
        self, way_out: WayOut, row: Row, count: int, work: Callable[[int, int], None]
    ) -> None:
        meter = Meter(way_out.pids)
        commands = _ended_cpu()
        try:
            with meter:
                work(0, count)
        except (OSError, TimeoutError) as problem:
            self.report.add(way_out.name, row, Figure(None, None, f"{problem}"[:200]))
            return
        cpu = meter.cpu
        if row is BULK:
            cpu += _ended_cpu() - commands
        self.report.add(
            way_out.name, row, Figure(count / meter.wall, 1000 * cpu / count)
        )

    def _waiting(self, port: int, sink: int) -> None:
        ours = OurWayOut(self.scratch / "mailkit-waiting", self.world, port, sink)
        ours.prepare()
        ours.fill(self.amounts.waiting, 3600)
        began = time.perf_counter()
        with running(ours):
            took = 1000 * (time.perf_counter() - began)
            self.report.add(ours.name, STARTED, Figure(took))
            time.sleep(5)
            rss = pss_kib(ours.pids(), "Rss") / 1024
            self.report.add(ours.name, MEMORY, Figure(rss))


def _ended_cpu() -> float:
    """Seconds of all programs that were run here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(
    report: Report, scratch: Path, first_port: int, only: Sequence[str], is_quick: bool
) -> None:
    """All of it."""
    amounts = Amounts()
    if is_quick:
        amounts = Amounts(
            messages=500, bulk=1000, drained=5000, mixed=2000, waiting=10_000
        )
    with outside() as world:
        Sending(amounts, report, scratch, world, first_port, only).measure()
