"""SMTP in: messages a second until the last one is in its mailbox."""

from __future__ import annotations

from functools import partial

from tests.bench.corpus import fixed
from tests.bench.report import Aim, Row
from tests.bench.senders import letters_for, send_all
from tests.bench.targets import NAMES, address, stored, wait_stored
from tests.bench.work import Bench, expect

FOREVER = 1_000_000
RECIPIENTS = NAMES[:10]

TEN = Row("SMTP in 4 KiB, 10 sessions", "msg/s", Aim(times=3, cpu=1.0))
FIFTY = Row("SMTP in 4 KiB, 50 sessions", "msg/s", Aim(times=3, cpu=1.0))
EACH = Row("SMTP in 4 KiB, one connection a message", "msg/s", Aim(times=3, cpu=1.0))
SLOW = Row("SMTP in 4 KiB, 50 sessions, +2 ms a sync", "msg/s", Aim(times=4))
LARGE = Row("SMTP in 100 KiB, 10 sessions", "msg/s", Aim(times=3))


def deliver(
    bench: Bench, row: Row, count: int, size: int, sessions: int, a_session: int
) -> None:
    """So many messages of this size, to ten accounts in turn."""
    target, limit = bench.target, bench.sizes.limit
    recipients = [address(name) for name in RECIPIENTS]
    letters = list(letters_for(recipients, count, partial(fixed, size)))
    before = {name: stored(target, name) for name in RECIPIENTS}
    wanted = {
        name: before[name] + len(range(at, count, len(RECIPIENTS)))
        for at, name in enumerate(RECIPIENTS)
    }
    with bench.measured(row, count):
        send_all(target.ports.smtp, letters, sessions, a_session, limit)
        expect(wait_stored(target, wanted, limit), "not all are in their mailboxes")


def smtp(bench: Bench) -> None:
    """Shipped defaults on the disk as it is."""
    small, large = bench.sizes.small, bench.sizes.large
    # The first hundred find cold caches and processes that are not there yet.
    warm = Row("SMTP in 4 KiB, the first 100", "msg/s")
    deliver(bench, warm, 100, 4096, 10, FOREVER)
    deliver(bench, TEN, small, 4096, 10, FOREVER)
    deliver(bench, FIFTY, small, 4096, 50, FOREVER)
    deliver(bench, EACH, small, 4096, 10, 1)
    deliver(bench, LARGE, large, 100 * 1024, 10, FOREVER)


def slow_disk(bench: Bench) -> None:
    """On a disk that takes 2 ms more for each sync."""
    warm = Row("SMTP in 4 KiB, +2 ms a sync, the first 100", "msg/s")
    deliver(bench, warm, 100, 4096, 10, FOREVER)
    deliver(bench, SLOW, bench.sizes.small, 4096, 50, FOREVER)
