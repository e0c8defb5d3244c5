"""IMAP and POP3: a mailbox of ten thousand messages, filled and read."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import cache

from tests.bench.corpus import date_of, message
from tests.bench.processes import Meter
from tests.bench.report import Aim, Row
from tests.bench.senders import Letter, send_all, stuff
from tests.bench.targets import address, stored, wait_stored
from tests.bench.work import Bench, expect

READER = "u30"
"""Whose INBOX has ten thousand messages."""
FETCHER = "u31"
"""Who reads by POP3."""
AGAIN = 5
"""Times that a short command is asked; the median counts."""
BODIES = 500

APPEND = Row("IMAP APPEND", "msg/s", Aim(times=4))
EVENLY = Row("IMAP APPEND, last tenth against first", "%", Aim(at_least=90))
SELECT_COLD = Row("SELECT cold", "ms", Aim(times=1.5))
SELECT_WARM = Row("SELECT warm", "ms", Aim(times=1.5))
FLAGS = Row("FETCH FLAGS", "ms", Aim(times=1.5))
ENVELOPE_FIRST = Row("FETCH ENVELOPE, first after restart", "ms", Aim(times=20))
ENVELOPE = Row("FETCH ENVELOPE, again", "ms", Aim(times=4))
STRUCTURE_FIRST = Row("FETCH BODYSTRUCTURE, first", "ms", Aim(times=1.5))
STRUCTURE = Row("FETCH BODYSTRUCTURE, again", "ms", Aim(times=1.5))
BODY = Row(f"FETCH BODY[] of {BODIES}", "ms", Aim(times=1))
STORE = Row("STORE +FLAGS", "ms", Aim(times=4))
SINCE = Row("SEARCH SINCE", "ms", Aim(times=4))
UNSEEN = Row("SEARCH UNSEEN FLAGGED", "ms", Aim(at_most=3))
RETR = Row("POP3 RETR", "msg/s", Aim(times=1))
RETR_FIRST = Row("POP3 RETR, first after restart", "msg/s", Aim(times=1))


@cache
def messages(count: int) -> tuple[bytes, ...]:
    """The mailbox, the same for every server."""
    return tuple(message(number) for number in range(count))


def fill(bench: Bench) -> None:
    """Have the reader's mailbox filled by APPEND, unless it is."""
    count = bench.sizes.messages
    if stored(bench.target, READER) >= count:
        return
    mailbox = messages(count)
    tenth = max(1, count // 10)
    marks: list[float] = []
    session = bench.imap(READER)
    with bench.measured(APPEND, count):
        for number, octets in enumerate(mailbox):
            if number in (0, tenth, count - tenth):
                marks.append(time.perf_counter())
            session.append("INBOX", octets, date_of(number))
        marks.append(time.perf_counter())
    session.logout()
    if len(marks) == 4:
        first, last = marks[1] - marks[0], marks[3] - marks[2]
        note = f"{tenth / first:,.0f} and {tenth / last:,.0f} msg/s"
        bench.add(EVENLY, 100 * first / last, note=note)


def imap(bench: Bench) -> None:
    """Fill it, start again with cold caches, read it, change it."""
    fill(bench)
    bench.restart()
    count = bench.sizes.messages
    exists = b"* %d EXISTS" % count
    session = bench.imap(READER)
    with bench.measured(SELECT_COLD):
        expect(exists in session.ask("SELECT INBOX"), "SELECT: another EXISTS")
    session.logout()
    _select_warm(bench, exists)
    session = bench.imap(READER)
    session.ask("SELECT INBOX")

    def fetch(items: str, until: int = count) -> Callable[[], bytes]:
        def ask() -> bytes:
            octets = session.ask(f"FETCH 1:{until} ({items})")
            expect(octets.count(b" FETCH (") >= until, f"{items}: not every message")
            return octets

        return ask

    overview = fetch("UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE")
    with bench.measured(ENVELOPE_FIRST):
        overview()
    _again(bench, ENVELOPE, overview)
    _again(bench, FLAGS, fetch("UID FLAGS"))
    structure = fetch("BODYSTRUCTURE")
    with bench.measured(STRUCTURE_FIRST):
        structure()
    _again(bench, STRUCTURE, structure)
    bodies = min(BODIES, count)
    _again(bench, BODY, fetch("BODY.PEEK[]", bodies))
    with bench.measured(STORE):
        octets = session.ask("STORE 1:* +FLAGS (\\Seen)")
        expect(octets.count(b" FETCH (") >= count, "STORE: not every message")
    session.ask("STORE 1:* -FLAGS.SILENT (\\Seen)")
    session.ask(f"STORE 1:{bodies} +FLAGS.SILENT (\\Flagged)")
    _again(bench, SINCE, lambda: session.ask("SEARCH SINCE 1-Jun-2024"))
    found = b" %d" % bodies
    _again(bench, UNSEEN, lambda: session.ask("SEARCH UNSEEN FLAGGED"), found)
    session.logout()


def pop3(bench: Bench) -> None:
    """RETR of messages that SMTP brought, first cold and then warm."""
    count = 1000
    if stored(bench.target, FETCHER) < count:
        recipient = address(FETCHER)
        letters = [
            Letter(recipient.encode(), stuff(octets)) for octets in messages(count)
        ]
        limit = bench.sizes.limit
        send_all(bench.target.ports.smtp, letters, 4, count, limit)
        expect(
            wait_stored(bench.target, {FETCHER: count}, limit),
            "not all are in their mailbox",
        )
    bench.restart()
    for row in (RETR_FIRST, RETR):
        session = bench.pop3(FETCHER)
        expect(int(session.ask("STAT").split()[1]) == count, "STAT: another number")
        with bench.measured(row, count):
            for number in range(1, count + 1):
                session.ask_much(f"RETR {number}")
        session.quit()


def _select_warm(bench: Bench, exists: bytes) -> None:
    """Each by a new session, as clients do it."""
    sessions = [bench.imap(READER) for _ in range(AGAIN)]
    waiting = iter(sessions)
    _again(bench, SELECT_WARM, lambda: next(waiting).ask("SELECT INBOX"), exists)
    for session in sessions:
        session.logout()


def _again(
    bench: Bench, row: Row, ask: Callable[[], bytes], wanted: bytes = b""
) -> None:
    """A short command a few times."""
    seconds = []
    with Meter(bench.target.pids) as meter:
        for _ in range(AGAIN):
            began = time.perf_counter()
            octets = ask()
            seconds.append(time.perf_counter() - began)
            expect(wanted in octets, f"{row.title}: {octets[:100]!r}")
    bench.add(row, 1000 * statistics.median(seconds), 1000 * meter.cpu / AGAIN)
