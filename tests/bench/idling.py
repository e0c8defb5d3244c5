"""IDLE and logins: how soon a change is told, what waiting costs, who comes in."""

from __future__ import annotations

import os
import select
import statistics
import time
from functools import partial

from tests.bench.corpus import fixed
from tests.bench.processes import pss_kib
from tests.bench.readers import IMAP, log_in_all
from tests.bench.reading import READER, fill
from tests.bench.report import Aim, Row
from tests.bench.senders import Courier, letters_for, send_all, stuff
from tests.bench.targets import NAMES, PASSWORD, address, stored, wait_stored
from tests.bench.work import Bench, expect

IDLER = "u32"
WAITERS = NAMES[10:20]
"""Whose INBOX has a hundred messages."""
WARM = NAMES[0]
"""Who logs in again and again."""
STRANGERS = NAMES[33:45]
A_MAILBOX = 40
"""Sessions with the large mailbox; an account may have fifty."""

SAME = Row("250 to EXISTS, same process", "ms", Aim(at_most=3))
OTHER = Row("250 to EXISTS, another process", "ms", Aim(at_most=20))
DROPPED = Row("file dropped into new/ to EXISTS", "ms", Aim(at_most=1200))
IDLE = Row("PSS of an idle session, INBOX of 100", "KiB", Aim(at_most=40))
LARGER = Row("the same, each further 10,000 messages", "KiB", Aim(at_most=45))
ONCE = Row("INBOX of 10,000, once for all its sessions", "KiB")
REMEMBERED = Row("logins, remembered", "/s", Aim(at_least=2000))
FRESH = Row("logins, fresh", "/s", Aim(at_least=25))


def notices(bench: Bench) -> None:
    """From the 250 of a message to the EXISTS that an idling session hears."""
    session = bench.imap(IDLER)
    session.ask("SELECT INBOX")
    session.idle()
    _deliveries(bench, session, SAME, bench.target.ports.smtp)
    _deliveries(bench, session, OTHER, bench.target.start_second().smtp)
    maildir = bench.target.maildir(IDLER)
    owner = maildir.stat()
    waits = []
    for number in range(5):
        name = f"{time.time():.6f}.dropped{number}.example.net"
        path = maildir / "tmp" / name
        path.write_bytes(fixed(4096, number, address(IDLER)))
        os.chown(path, owner.st_uid, owner.st_gid)
        time.sleep(0.3)
        began = time.perf_counter()
        path.rename(maildir / "new" / name)
        _hear(session)
        waits.append(time.perf_counter() - began)
    note = f"the longest of 5; the median {1000 * statistics.median(waits):.0f}"
    bench.add(DROPPED, 1000 * max(waits), note=note)
    session.done()
    session.logout()


def memory(bench: Bench) -> None:
    """
    What sessions take that only wait.

    Of a large mailbox there is what its first SELECT takes, and what each further
    session takes that selected the same. What one takes that knows another state of
    it is less than what the allocator has left over from that SELECT: to be seen in
    ``tests/services/imap/test_memory.py``.
    """
    limit, port = bench.sizes.limit, bench.target.ports.smtp
    if stored(bench.target, WAITERS[0]) < 100:
        recipients = [address(name) for name in WAITERS]
        letters = list(letters_for(recipients, 1000, partial(fixed, 2048)))
        send_all(port, letters, 10, 1000, limit)
        wait_stored(bench.target, dict.fromkeys(WAITERS, 100), limit)
    fill(bench)
    bench.restart()
    in_all, small = _idle(bench, WAITERS, bench.sizes.idlers)
    bench.add(IDLE, in_all)
    bench.restart()
    by_10_000 = 10_000 / bench.sizes.messages
    _once(bench, by_10_000)
    _, large = _idle(bench, (READER,), A_MAILBOX)
    further = max(0.0, (large - small) * by_10_000)
    bench.add(LARGER, further, note=f"{large:.1f} in all")


def logins(bench: Bench) -> None:
    """Connections that log in and out, ten at a time."""
    port, limit = bench.target.ports.imap, bench.sizes.limit
    with bench.measured(FRESH, len(STRANGERS)):
        logins = [address(name) for name in STRANGERS]
        log_in_all(port, logins, PASSWORD, 10, limit)
    bench.imap(WARM).logout()
    with bench.measured(REMEMBERED, 4000):
        log_in_all(port, [address(WARM)] * 4000, PASSWORD, 10, limit)


def _deliveries(bench: Bench, session: IMAP, row: Row, port: int) -> None:
    courier = Courier(port)
    waits = []
    for number in range(20):
        time.sleep(0.1)
        courier.prepare(address(IDLER).encode())
        courier.send(stuff(fixed(4096, number, address(IDLER))))
        kept = told = 0.0
        while not (kept and told):
            ready, _, _ = select.select(
                [part for part in (courier.connection, session.socket)], [], [], 30
            )
            now = time.perf_counter()
            expect(bool(ready), "no EXISTS within 30 seconds")
            if courier.connection in ready:
                courier.answer()
                kept = now
            if session.socket in ready and b"EXISTS" in session.line():
                told = now
        waits.append(max(0.0, told - kept))
    courier.close()
    note = f"the median of 20; the longest {1000 * max(waits):.1f}"
    bench.add(row, 1000 * statistics.median(waits), note=note)


def _hear(session: IMAP) -> None:
    while b"EXISTS" not in session.line():
        pass


def _once(bench: Bench, by_10_000: float) -> None:
    """What the first SELECT of the large mailbox takes."""
    sessions = [bench.imap(account) for account in (WAITERS[0], READER)]
    sessions[0].ask("SELECT INBOX")
    total, own = _taken(bench)
    sessions[1].ask("SELECT INBOX")
    total_then, own_then = _taken(bench)
    note = f"{total_then - total:,} with mapped files"
    bench.add(ONCE, (own_then - own) * by_10_000, note=note)
    for session in sessions:
        session.logout()


def _idle(bench: Bench, accounts: tuple[str, ...], count: int) -> tuple[float, float]:
    """
    KiB a session: what the second half of so many adds, in all and of its own.

    The rest is pages of files that are mapped, which go when others need the memory.
    """
    sessions: list[IMAP] = []

    def open_more() -> tuple[int, int]:
        for number in range(count // 2):
            session = bench.imap(accounts[number % len(accounts)])
            session.ask("SELECT INBOX")
            session.idle()
            sessions.append(session)
        return _taken(bench)

    # The first half fills what an account takes, and what earlier work left free.
    before = open_more()
    after = open_more()
    for session in sessions:
        session.close()
    in_all, own = [b - a for a, b in zip(before, after, strict=True)]
    return in_all / (count // 2), own / (count // 2)


def _taken(bench: Bench) -> tuple[int, int]:
    """KiB of the server, in all and of its own, once nothing happens any more."""
    _settle()
    pids = bench.target.pids()
    return pss_kib(pids), pss_kib(pids, "Pss_Anon")


def _settle() -> None:
    time.sleep(1)
