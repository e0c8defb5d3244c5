"""Searches in the large account of `tests.bench.conversations`."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable
from datetime import UTC

from mailkit.formats.finding import read
from mailkit.interfaces.lanes import ILanes
from mailkit.interfaces.search import Found
from mailkit.interfaces.storage import NewMessage
from mailkit.model.address import AccountName
from mailkit.model.conversation import Everything
from mailkit.model.mailbox import INBOX
from mailkit.services.finding.meaning import Meaning, make_out
from mailkit.storage.content import OctetsContent
from mailkit.storage.maildir.store import MaildirStore
from mailkit.storage.search.index import SearchIndex
from tests.bench.corpus import message, short
from tests.bench.report import Aim, Figure, Report, Row

SEARCHES = {
    "a word of most messages": "meeting",
    "the beginning of a word": "meet",
    "two words and a field": "invoice budget from:anna",
    "a phrase": '"the project"',
    "a word that is rare": '"long 700"',
    "a word, with files": "meeting has:attachment",
    "a word, starred": "meeting is:starred",
    "a word in Sent": "meeting in:sent",
    "no word, unread": "is:unread",
    "anything but a word": "-meeting",
    "old mail": "meeting before:2020-10-01",
    "words that no message has": "zeppelin",
}
INDEXED = Row("search: a message is looked into", "ms", Aim(at_most=0.3))
SHARE = Row("search: the index, of the octets stored", "%", Aim(at_most=30))
SHORT = Row("search: the index, of mail of 4 KiB", "%", Aim(at_most=30))
AIM = Aim(at_most=150)
OTHER = AccountName("bob@example.org")
THIRD = AccountName("carol@example.org")
MESSAGES = 2000

Spread = Callable[
    [Callable[[], Awaitable[object]], int],
    Awaitable[tuple[float, float, float, float]],
]


async def measure(
    report: Report,
    store: MaildirStore,
    lanes: ILanes,
    account: AccountName,
    spread: Spread,
) -> None:
    """Fill the index, and ask."""
    search = SearchIndex(store.data, store, store.conversations, lanes, store.clock)
    used = time.process_time()
    count = (await store.conversations.count(account, Everything())).total
    while await search.catch_up(account, 20_000):
        pass
    each = (time.process_time() - used) * 1e3 / count
    report.add("mailkit", INDEXED, Figure(each, each))
    share = await _share(store, search, OTHER, message)
    report.add("mailkit", SHARE, Figure(share, 0.0))
    share = await _share(store, search, THIRD, short)
    report.add("mailkit", SHORT, Figure(share, 0.0))
    mailboxes = await store.mailboxes(account)
    meaning = Meaning(store.clock.seconds(), UTC, mailboxes, [])
    for title, text in SEARCHES.items():
        sought = make_out(read(text).sought, meaning).sought

        async def ask() -> Found:
            return await search.find(account, sought, grouped=True)  # noqa: B023  # awaited at once

        middle, late, cpu, late_cpu = await spread(ask, 50)
        note = f"p50 {middle:.1f} ms, p95 of CPU {late_cpu:.1f} ms"
        row = Row(f"search: {title}, first page, p95", "ms", AIM)
        report.add("mailkit", row, Figure(late, cpu, note))
    await search.close()


async def _share(
    store: MaildirStore,
    search: SearchIndex,
    account: AccountName,
    make: Callable[[int], bytes],
) -> float:
    """Of an account with such mail."""
    await store.create_account(account)
    for start in range(0, MESSAGES, 500):
        letters = [
            NewMessage(OctetsContent(make(number)), internal_date=3180.0 * number)
            for number in range(start, start + 500)
        ]
        await store.append(account, INBOX, letters)
    while await search.catch_up(account, 20_000):
        pass
    octets = os.path.getsize(f"{store.house.path_of(account)}/search.sqlite")
    return 100 * octets / await store.used(account)
