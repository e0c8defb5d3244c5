"""
What the store costs by itself: ``python -m tests.bench.store [MESSAGES] [FOLDER]``.

Real lanes, a real disk, no protocol in front.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from datetime import date
from pathlib import Path
from typing import Any, TypeVar, cast

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IReactorCore, IReactorFromThreads, IReactorTime

from mailkit.interfaces.storage import NewMessage, Placement
from mailkit.model.address import AccountName
from mailkit.model.flags import DELETED, FLAGGED, SEEN, FlagAction, FlagChange
from mailkit.model.mailbox import INBOX, MailboxName, Want
from mailkit.model.query import AllOf, Arrived, HasFlag, HeaderContains, Not
from mailkit.model.uidset import ALL_UIDS, UIDSet
from mailkit.net.lanes import Lanes
from mailkit.storage.content import OctetsContent
from mailkit.storage.maildir.store import MaildirStore
from tests.storage.maildir.doubles import Board

T = TypeVar("T")

HEADER = (
    b"Received: from mx.example.net (mx.example.net [192.0.2.1])\r\n"
    b"\tby mail.example.org with ESMTPS id abc123; Sat, 21 Nov 2026 10:00:00 +0000\r\n"
    b'From: "A. Sender" <sender@example.net>\r\nTo: alice@example.org\r\n'
    b"Subject: Benchmark message %d\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\n"
    b"Message-ID: <%d@example.net>\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n\r\n"
)
BODY = b"All work and no play makes this a dull message, line by line.\r\n" * 58


def message(number: int) -> OctetsContent:
    """About 4 KiB."""
    return OctetsContent(HEADER % (number, number) + BODY)


async def timed(name: str, count: int, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run once; print time and CPU, in all and for each of ``count``."""
    begun, cpu = time.perf_counter(), time.process_time()
    result = await work()
    took, cpu = time.perf_counter() - begun, time.process_time() - cpu
    print(
        f"{name:34} {took * 1e3:9.1f} ms  {took / count * 1e6:8.1f} us each"
        f"  cpu {cpu / count * 1e6:8.1f} us each  {count / took:9.0f}/s",
        flush=True,
    )
    return result


async def sessions(
    store: MaildirStore, accounts: list[AccountName], many: int, count: int
) -> None:
    """``many`` sessions deliver ``count`` messages in all, one after the other each."""

    async def session(number: int) -> None:
        for turn in range(count // many):
            to = [Placement(accounts[number % len(accounts)], INBOX)]
            await store.deliver(message(number * 1000 + turn), to)

    await gatherResults(
        [Deferred.fromCoroutine(session(number)) for number in range(many)]
    )


def store_at(folder: Path) -> MaildirStore:
    lanes = Lanes(cast(IReactorFromThreads, _reactor))
    return MaildirStore(folder, lanes, Board(), cast(IReactorTime, _reactor))


async def run(folder: Path, count: int) -> None:
    """Everything, in the order of the table of aims."""
    store = store_at(folder)
    alice = AccountName("alice@example.org")
    ten = [AccountName(f"a{n}@example.org") for n in range(10)]
    for account in [alice, *ten]:
        await store.create_account(account)
    for many in (10, 50):
        await timed(
            f"deliver, {many} sessions, 10 accounts",
            2000,
            lambda many=many: sessions(store, ten, many, 2000),  # type: ignore[misc]  # not inferred
        )
    await timed(
        "deliver, 50 sessions, 1 account",
        2000,
        lambda: sessions(store, ten[:1], 50, 2000),
    )
    box = await store.open(alice, INBOX)

    async def append(first: int, many: int) -> None:
        for number in range(first, first + many):
            await box.append([NewMessage(message(number))])

    await timed("append, first tenth", count // 10, lambda: append(0, count // 10))
    await append(count // 10, count - count // 5)
    await timed("append, last tenth", count // 10, lambda: append(count, count // 10))
    await timed("select (lists)", 1, lambda: box.snapshot(False))
    await timed("select again", 1, lambda: box.snapshot(False))
    await store.close()

    store = store_at(folder)
    box = await store.open(alice, INBOX)
    time.sleep(2.1)  # so that what the folder's mtime says is trusted
    await timed("select, cold", 1, lambda: box.snapshot(False))
    await timed("select, warm", 1, lambda: box.snapshot(False))
    await timed("status", 1, box.status)
    uids = list((await box.snapshot(False)).uids)

    async def fetch(want: Want) -> None:
        for start in range(0, len(uids), 500):
            some = uids[start : start + 500]
            await box.fetch(UIDSet(((some[0], some[-1]),)), want)

    for name in ("ENVELOPE", "ENVELOPE", "BODYSTRUCTURE", "FLAGS"):
        await timed(f"fetch {name}", count, lambda name=name: fetch(Want[name]))  # type: ignore[misc]  # not inferred
    everything = Want.FLAGS | Want.FACTS | Want.ENVELOPE
    await timed("fetch flags, facts, envelope", count, lambda: fetch(everything))
    await timed(
        "contents of 500",
        500,
        lambda: box.contents(UIDSet(((uids[0], uids[499]),))),
    )
    every_tenth = UIDSet.of(uids[::10])
    flagged = FlagChange(FlagAction.ADD, frozenset({FLAGGED}))
    seen = FlagChange(FlagAction.ADD, frozenset({SEEN}))
    word = FlagChange(FlagAction.ADD, frozenset({"$Label1"}))
    deleted = FlagChange(FlagAction.ADD, frozenset({DELETED}))
    await timed(
        "store of every tenth", count // 10, lambda: box.store(every_tenth, flagged)
    )
    await timed("store +FLAGS \\Seen", count, lambda: box.store(ALL_UIDS, seen))
    await timed("store +FLAGS $Label1", count, lambda: box.store(ALL_UIDS, word))
    unseen = AllOf((Not(HasFlag(SEEN)), HasFlag(FLAGGED)))
    await timed("search UNSEEN FLAGGED", 1, lambda: box.search(unseen))
    await timed("search FLAGGED", 1, lambda: box.search(HasFlag(FLAGGED)))
    await timed("search SINCE", 1, lambda: box.search(Arrived(date(2026, 1, 1))))
    subject = HeaderContains("Subject", "message 77")
    await timed("search SUBJECT", count, lambda: box.search(subject))
    await timed("changes since nothing", 1, lambda: box.changes_since(1))
    state = (await box.snapshot(False)).status.highest_mod_seq
    await timed("changes since now", 1, lambda: box.changes_since(state))
    sent = MailboxName("Sent")
    await timed("copy", count, lambda: box.copy(ALL_UIDS, sent))
    await timed("move", count, lambda: box.move(ALL_UIDS, MailboxName("Trash")))
    box = await store.open(alice, MailboxName("Trash"))
    await timed("store +FLAGS \\Deleted", count, lambda: box.store(ALL_UIDS, deleted))
    await timed("expunge", count, lambda: box.expunge(ALL_UIDS))
    await timed("close (writes behind)", count, store.close)
    (folder / "mail/example.org/alice/index.sqlite").unlink()
    store = store_at(folder)
    await timed("rebuild", count, lambda: store.open(alice, sent))
    await store.close()


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    folder = Path(tempfile.mkdtemp(dir=sys.argv[2] if len(sys.argv) > 2 else None))
    reactor = cast(IReactorCore, _reactor)

    def begin() -> None:
        done = Deferred.fromCoroutine(run(folder, count))
        done.addErrback(lambda failure: failure.printTraceback())
        done.addBoth(lambda _: reactor.stop())

    reactor.callWhenRunning(begin)
    reactor.run()
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
