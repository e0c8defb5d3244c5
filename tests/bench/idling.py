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
    """What sessions take that only wait."""
    limit, port = bench.sizes.limit, bench.target.ports.smtp
    if stored(bench.target, WAITERS[0]) < 100:
        recipients = [address(name) for name in WAITERS]
        letters = list(letters_for(recipients, 1000, partial(fixed, 2048)))
        send_all(port, letters, 10, 1000, limit)
        wait_stored(bench.target, dict.fromkeys(WAITERS, 100), limit)
    fill(bench)
    bench.restart()
    small = _idle(bench, WAITERS, bench.sizes.idlers)
    bench.add(IDLE, small)
    bench.restart()
    large = _idle(bench, (READER,), A_MAILBOX)
    further = (large - small) * 10_000 / bench.sizes.messages
    bench.add(LARGER, max(0.0, further), note=f"{large:.0f} KiB with it")


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


def _idle(bench: Bench, accounts: tuple[str, ...], count: int) -> float:
    """KiB a session: what the second half of so many adds."""
    sessions: list[IMAP] = []

    def open_more() -> int:
        for number in range(count // 2):
            session = bench.imap(accounts[number % len(accounts)])
            session.ask("SELECT INBOX")
            session.idle()
            sessions.append(session)
        _settle()
        return pss_kib(bench.target.pids())

    # The first half fills what an account takes, and what earlier work left free.
    before = open_more()
    after = open_more()
    for session in sessions:
        session.close()
    return (after - before) / (count // 2)


def _settle() -> None:
    time.sleep(1)
