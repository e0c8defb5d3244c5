"""
Lists of conversations in a large account, without a page or a protocol around them::

    python -m tests.bench.conversations [MESSAGES] [FOLDER]

Real lanes and real files, which nobody syncs while they are made.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from attrs import define, field
from twisted.internet import reactor as _reactor
from twisted.internet import task
from twisted.internet.defer import Deferred

from mailkit.interfaces.conversations import IConversations
from mailkit.interfaces.storage import NewMessage
from mailkit.model.address import AccountName
from mailkit.model.conversation import (
    Cursor,
    Everything,
    Flagged,
    InMailbox,
    Labelled,
    View,
)
from mailkit.model.mailbox import INBOX, MailboxName
from mailkit.storage.content import OctetsContent
from mailkit.storage.maildir.store import MaildirStore
from tests.bench import searching
from tests.bench.corpus import FIRST, LAST, WORDS
from tests.bench.report import Aim, Figure, Report, Row
from tests.bench.store import store_at

ALICE = AccountName("alice@example.org")
MESSAGES = 100_000
TIMES = 200
AT_ONCE = 500
BEGIN = 1_600_000_000
MAILBOXES = [INBOX] * 14 + [MailboxName(name) for name in ("Sent", "Archive") * 3]
VIEWS: dict[str, View] = {
    "INBOX": InMailbox(INBOX),
    "all mail": Everything(),
    "starred": Flagged(),
    "a label": Labelled("$l_work"),
}
FIRST_PAGE = Row("conversations: first page of INBOX, p95", "ms", Aim(at_most=10))
DEEP_PAGE = Row("conversations: a page at depth of INBOX, p95", "ms", Aim(at_most=10))
ONE = Row("conversations: one of 20 messages, p95", "ms", Aim(at_most=40))
COUNT = Row("conversations: counters of INBOX, p95", "ms")
JOINED = Row("conversations: a message joins", "ms")
ROWS = (FIRST_PAGE, DEEP_PAGE, ONE, COUNT, JOINED)


@define(eq=False)
class Mailing:
    """Mail of some years, four of ten an answer to another."""

    chance: random.Random = field(factory=lambda: random.Random("conversations"))
    _recent: list[tuple[int, str, tuple[int, ...]]] = field(factory=list, init=False)

    def message(self, number: int) -> NewMessage:
        """The next one, about 1 KiB, seven minutes after the last."""
        chance = self.chance
        before: tuple[int, ...] = ()
        subject = " ".join(chance.sample(WORDS, 4))
        if number % 100 < 20 and number % 1000 > 100:
            # One conversation of a thousand messages' time has twenty of them.
            before = tuple(range(number - number % 100, number))[-10:]
            subject = f"Re: long {number // 100}"
        elif self._recent and chance.random() < 0.4:
            parent, subject, above = chance.choice(self._recent)
            before = (*above, parent)[-10:]
            subject = subject if subject.startswith("Re: ") else f"Re: {subject}"
        self._recent = [*self._recent[-200:], (number, subject, before)]
        first, last = chance.choice(FIRST), chance.choice(LAST)
        author = f'"{first}" <{first}.{number % 97}@example.com>'.lower()
        named = " ".join(f"<{one}@example.com>" for one in before)
        references = f"References: {named}\r\n" if before else ""
        text = " ".join(chance.choices(WORDS, k=120))
        octets = (
            f"Return-Path: <{first}@example.com>\r\nFrom: {author}\r\n"
            f"To: Alice <alice@example.org>, {last} <x@example.net>\r\n"
            f"Subject: {subject}\r\nDate: Thu, 1 Jan 2026 12:00:00 +0000\r\n"
            f"Message-ID: <{number}@example.com>\r\n{references}"
            "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
            f"\r\n{text}\r\n"
        )
        flags = {"\\Seen"} if chance.random() < 0.9 else set()
        flags |= {"\\Flagged"} if chance.random() < 0.03 else set()
        flags |= {"$l_work"} if chance.random() < 0.05 else set()
        return NewMessage(
            OctetsContent(octets.encode()), frozenset(flags), BEGIN + 420.0 * number
        )


async def fill(store: MaildirStore, count: int, account: AccountName = ALICE) -> None:
    """So many messages, in three mailboxes."""
    await store.create_account(account)
    mailing = Mailing()
    waiting: dict[MailboxName, list[NewMessage]] = {}
    for number in range(count):
        name = mailing.chance.choice(MAILBOXES)
        some = waiting.setdefault(name, [])
        some.append(mailing.message(number))
        if len(some) == AT_ONCE:
            await store.append(account, name, waiting.pop(name))
    for name, rest in waiting.items():
        await store.append(account, name, rest)


async def spread(
    work: Callable[[], Awaitable[object]], times: int = TIMES
) -> tuple[float, float, float, float]:
    """Milliseconds: the middle one and that of one in twenty, and of CPU the same."""
    took: list[float] = []
    cpu: list[float] = []
    for _ in range(times):
        begun, used = time.perf_counter(), time.process_time()
        await work()
        took.append(time.perf_counter() - begun)
        cpu.append(time.process_time() - used)
    took.sort()
    cpu.sort()
    middle, late = times // 2, times * 95 // 100
    return took[middle] * 1e3, took[late] * 1e3, cpu[middle] * 1e3, cpu[late] * 1e3


async def run(report: Report, folder: Path, count: int) -> None:
    """Everything, in one account."""
    sync = os.fsync
    os.fsync = os.fdatasync = lambda fd: None
    store = store_at(folder)
    try:
        await fill(store, count)
    finally:
        os.fsync = os.fdatasync = sync
    conversations = store.conversations
    used = time.process_time()
    await conversations.join(ALICE)
    await conversations.page(ALICE, InMailbox(INBOX), None, 1)
    joined = (time.process_time() - used) * 1e3 / count
    report.add("mailkit", JOINED, Figure(joined, joined))

    async def tell(row: Row, work: Callable[[], Awaitable[object]]) -> None:
        middle, late, cpu, late_cpu = await spread(work)
        note = f"p50 {middle:.2f} ms, p95 of CPU {late_cpu:.2f} ms"
        report.add("mailkit", row, Figure(late, cpu, note))

    for name, view in VIEWS.items():
        deep = await _cursor_at(conversations, view, 0.7)
        first, at_depth = FIRST_PAGE, DEEP_PAGE
        if name != "INBOX":
            first = Row(first.title.replace("INBOX", name), "ms", first.aim)
            at_depth = Row(at_depth.title.replace("INBOX", name), "ms", first.aim)
        await tell(first, lambda view=view: conversations.page(ALICE, view))  # type: ignore[misc]  # not inferred
        await tell(
            at_depth,
            lambda view=view, deep=deep: conversations.page(ALICE, view, deep),  # type: ignore[misc]  # not inferred
        )
    inbox = InMailbox(INBOX)
    await tell(COUNT, lambda: conversations.count(ALICE, inbox))
    long = await _conversation_of(conversations, 20)
    await tell(ONE, lambda: conversations.conversation(ALICE, long))
    await searching.measure(report, store, store.lanes, ALICE, spread)
    await store.close()


async def _cursor_at(
    conversations: IConversations, view: View, share: float
) -> Cursor | None:
    """A place so far down in a list."""
    newest = (await conversations.page(ALICE, view, None, 1)).rows[0].cursor
    return Cursor(int(newest.internal_date * (1 - share) + BEGIN * share), 0)


async def _conversation_of(conversations: IConversations, messages: int) -> str:
    page = None
    while True:
        page = await conversations.page(
            ALICE, Everything(), None if page is None else page.next
        )
        for row in page.rows:
            if row.messages >= messages:
                return row.thread_id


def measure(report: Report, scratch: Path, is_quick: bool) -> None:
    """In a process of its own, as a reactor runs once."""
    folder = scratch / "conversations"
    folder.mkdir()
    count = MESSAGES // 10 if is_quick else MESSAGES
    command = [sys.executable, "-m", "tests.bench.conversations", str(count)]
    told = subprocess.run([*command, str(folder)], check=True, stdout=subprocess.PIPE)
    for title, *facts in json.loads(told.stdout.splitlines()[-1]):
        row = next((row for row in ROWS if row.title == title), Row(title, "ms"))
        report.add("mailkit", row, Figure(*facts))


def main(words: list[str]) -> None:
    """As the command line has it; the last line is for other programs."""
    report = Report()
    count = int(words[0]) if words else MESSAGES
    folder = Path(tempfile.mkdtemp(dir=words[1] if len(words) > 1 else None))

    def begin(clock: object) -> Deferred[None]:
        return Deferred.fromCoroutine(run(report, folder, count))

    try:
        task.react(begin, (), _reactor)
    finally:
        print(report.table())
        print(f"the files may go: {folder}")
        told = [
            (title, figure.value, figure.cpu, figure.note)
            for title, figures in report.figures.items()
            for figure in figures.values()
        ]
        print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1:])
