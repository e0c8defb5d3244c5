"""
Fills a queue with messages, as if they had come; quickly, as nothing is synced::

    python -m tests.bench.filling DATA COUNT DOMAINS SECONDS

Message ``n`` is for one recipient at ``d<n % DOMAINS>.sink.test``, and may be tried in
so many seconds.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from twisted.internet import reactor, task
from twisted.internet.defer import Deferred, gatherResults

from mailkit.model.address import DomainName
from mailkit.model.envelope import Envelope, Recipient
from mailkit.model.path import Path as MailPath
from mailkit.model.queueitem import NextHop, QueuedRecipient, QueueId, QueueItem
from mailkit.net.lanes import Lanes
from mailkit.storage.content import OctetsContent
from mailkit.storage.queue.store import QueueStore
from mailkit.storage.state.local import LocalBoard
from tests.bench.corpus import fixed

AT_ONCE = 500
SIZE = 4096


def item(number: int, domains: int, now: float, wait: float) -> QueueItem:
    """One of them."""
    domain = f"d{number % domains}.sink.test"
    return QueueItem(
        id=QueueId(f"f{number:015x}.1"),
        message=f"f{number:015x}",
        hop=NextHop(DomainName(domain)),
        envelope=Envelope(MailPath("sender", "example.com")),
        recipients=(QueuedRecipient(Recipient(MailPath(f"x{number}", domain))),),
        arrived=now,
        next_try=now + wait,
        size=SIZE,
        message_id=f"<{number}@example.com>",
        subject=f"Message {number}",
        is_sealed=True,
    )


async def fill(clock: Any, data: Path, count: int, domains: int, wait: float) -> None:
    """Put them all."""
    lanes = Lanes(clock)
    store = QueueStore(data, lanes, LocalBoard(clock), clock)
    now = time.time()
    for first in range(0, count, AT_ONCE):
        work = []
        for number in range(first, min(first + AT_ONCE, count)):
            one = item(number, domains, now, wait)
            octets = fixed(SIZE, number, str(one.recipients[0].path))
            work.append(Deferred.fromCoroutine(store.put(OctetsContent(octets), [one])))
        await gatherResults(work)
    await store.close()


def main(clock: Any, data: str, count: str, domains: str, wait: str) -> Deferred[None]:
    """As the command line has it."""
    work = fill(clock, Path(data), int(count), int(domains), float(wait))
    return Deferred.fromCoroutine(work)


if __name__ == "__main__":
    os.fsync = os.fdatasync = lambda fd: None
    task.react(main, sys.argv[1:], reactor)
