"""
Fills one account as the pages of `tests.bench.web` want it, while no server runs::

    python -m tests.bench.webfilling DATA ACCOUNT MESSAGES PEOPLE

Mail as in `tests.bench.conversations`, looked into for searches, and people whom one
has written to; quickly, as nothing is synced.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from twisted.internet import reactor, task
from twisted.internet.defer import Deferred

from mailkit.model.address import AccountName
from mailkit.model.conversation import InMailbox, Person
from mailkit.model.mailbox import INBOX
from mailkit.storage.maildir.personal import MaildirPersonal
from mailkit.storage.search.index import SearchIndex
from tests.bench.conversations import BEGIN, fill
from tests.bench.corpus import FIRST, LAST
from tests.bench.store import store_at

AT_ONCE = 500


def people(count: int) -> list[Person]:
    """So many, many of whom have the same first name."""
    chance = random.Random("people")
    found = []
    for number in range(count):
        first, last = chance.choice(FIRST), chance.choice(LAST)
        address = f"{first}.{last}.{number}@d{number % 300}.example".lower()
        found.append(Person(f"{first} {last}", address))
    return found


async def note(personal: MaildirPersonal, account: AccountName, count: int) -> None:
    """People of some years."""
    known: Sequence[Person] = people(count)
    for start in range(0, count, AT_ONCE):
        some = known[start : start + AT_ONCE]
        is_sent = start // AT_ONCE % 3 == 0
        await personal.note(account, some, BEGIN + 3000.0 * start, is_sent)


async def run(clock: Any, data: Path, account: AccountName, counts: list[int]) -> None:
    """Everything; ``clock`` is Twisted's reactor, which has no type of its own."""
    messages, known = counts
    store = store_at(data)
    await fill(store, messages, account)
    await store.conversations.join(account)
    await store.conversations.page(account, InMailbox(INBOX), None, 1)
    search = SearchIndex(data, store, store.conversations, store.lanes, clock)
    while await search.catch_up(account, 20_000):
        pass
    await note(MaildirPersonal(store, store.lanes, data), account, known)
    await search.close()
    await store.close()


def main(clock: Any, data: str, account: str, *counts: str) -> Deferred[None]:
    """As the command line has it."""
    work = run(clock, Path(data), AccountName(account), [int(one) for one in counts])
    return Deferred.fromCoroutine(work)


if __name__ == "__main__":
    os.fsync = os.fdatasync = lambda fd: None
    task.react(main, sys.argv[1:], reactor)
