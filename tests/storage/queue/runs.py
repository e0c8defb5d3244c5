"""A queue at work on a disk that is written down, and what is found after a stop."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from attrs import define, evolve, field, frozen
from zope.interface import implementer

from mailkit.interfaces.queue import NewMessage
from mailkit.interfaces.storage import IContent
from mailkit.model.queueitem import (
    Attempt,
    DayStats,
    Fate,
    QueueId,
    QueueItem,
    Sealed,
    Selection,
)
from mailkit.storage.content import OctetsContent
from mailkit.storage.queue.store import QueueStore
from mailkit.storage.safefile import Files, Observer
from mailkit.storage.state.local import LocalBoard
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import TestClock
from mailkit.testing.contracts.messages import ALICE, message
from mailkit.testing.contracts.queuecase import (
    EVERYTHING,
    NET,
    NOW,
    ORG,
    OTHERS,
    US,
    attempt,
    queue_item,
    with_fate,
)
from mailkit.testing.lanes import DirectLanes

FAR = NOW + 1_000_000
"""When every wait is over."""

LATER = FAR + 1000
"""When every lease has ended, too."""

LARGE = b"%09d\r\n" % 7 * 20_000


@implementer(IContent)
@define(eq=False)
class LargeContent:
    """More than is written at once."""

    size: int = len(LARGE)
    octets: bytes | None = None

    async def read(self, start: int, count: int) -> bytes:
        return LARGE[start : start + min(count, 90_000)]


@frozen(eq=False)
class Step:
    """One thing that is asked of the queue."""

    name: str
    run: Callable[[QueueStore], Coroutine[Any, Any, object]]


@frozen
class State:
    """All that is waiting, and what is told of it."""

    items: tuple[QueueItem, ...]
    octets: tuple[bytes, ...] = field(repr=False)
    attempts: tuple[tuple[Attempt, ...], ...]
    stats: tuple[DayStats, ...]


IDS = [
    QueueId(f"{message}.{item}")
    for message in ("t1", "t2", "t3", "t4", "t5", "n1", "n2", "n3")
    for item in (1, 2)
]


def open_store(data: Path, observer: Observer | None = None) -> QueueStore:
    """A queue of its own process; all files are older than an hour for it."""
    clock = TestClock(time.time() + 7200)
    lanes, board = DirectLanes(), LocalBoard(clock)
    return QueueStore(data, lanes, board, clock, Files(observer))


async def look(store: QueueStore) -> State:
    """See everything."""
    items = await store.items(EVERYTHING)
    octets = []
    for item in items:
        content = await store.content(item.id)
        octets.append(await content.read(0, content.size))
    attempts = [tuple(await store.attempts(id)) for id in IDS]
    stats = await store.stats(None, "2000-01-01")
    return State(tuple(items), tuple(octets), tuple(attempts), tuple(stats))


def check(
    store: QueueStore, data: Path, allowed: Sequence[State], later: float = LATER
) -> None:
    """
    Hold a queue that was found to its promises.

    :raises AssertionError:
    """
    at_once(store.start())
    state = at_once(look(store))
    assert state in allowed, f"found {state}\n=== and not any of ===\n{allowed}"
    for item, octets in zip(state.items, state.octets, strict=True):
        assert item.size == len(octets)
    check_files(data)
    free = [item for item in state.items if not item.held]
    due = at_once(store.due(later, 100))
    assert {one.hop: one.count for one in due} == {
        hop: sum(item.hop == hop for item in free) for hop in {i.hop for i in free}
    }
    claimed = [
        item
        for one in due
        for item in at_once(store.claim(one.hop, OTHERS, later, later + 60, 100))
    ]
    assert sorted(item.id for item in claimed) == sorted(item.id for item in free)
    assert at_once(store.due(later, 100)) == []


def check_files(data: Path) -> None:
    """Every file is a message's, and every message's file is there."""
    with sqlite3.connect(data / "queue/queue.sqlite") as database:
        rows = database.execute("SELECT file FROM message").fetchall()
    database.close()
    found = {path.name for path in (data / "queue/content").iterdir()}
    assert found == {file for (file,) in rows}


def _claim(number: int) -> Step:
    async def run(store: QueueStore) -> None:
        for hop in (NET, ORG):
            await store.claim(hop, US, FAR, FAR + 1 + number, 10)

    return Step("claim", run)


def _record(id: str, fate: Fate, *caused: NewMessage, owner: str = US) -> Step:
    async def run(store: QueueStore) -> None:
        [item] = await store.items(Selection(ids=(id,)))
        next_try = NOW + 5 if fate is Fate.WAITING else None
        tried, after = attempt(item, fate), with_fate(item, fate)
        is_ours = await store.record(owner, item.id, tried, after, next_try, caused)
        assert is_ours == (owner == US)

    return Step(f"record {id} {fate.value} by {owner}", run)


def _notice(name: str, content: IContent) -> NewMessage:
    items = queue_item(name), queue_item(name, 2, ORG)
    return NewMessage(content=content, items=items, head=b"Received: x\r\n")


def _put_claimed(item: QueueItem) -> Step:
    async def run(store: QueueStore) -> None:
        await store.put(OctetsContent(message(5)), [item], b"", US, FAR)

    return Step(f"put {item.message}, claimed", run)


def _put(*items: QueueItem) -> Step:
    async def run(store: QueueStore) -> None:
        octets = OctetsContent(message(len(items)))
        await store.put(octets, items, b"Received: x\r\n")

    return Step(f"put {items[0].message}", run)


STEPS = (
    _put(queue_item("t1"), queue_item("t1", 2, ORG)),
    Step("put t2", lambda store: store.put(LargeContent(), [queue_item("t2")])),
    _put(evolve(queue_item("t3"), account=ALICE)),
    _put_claimed(queue_item("t5", 1, ORG)),
    _claim(1),
    _record("t5.1", Fate.SENT),
    _record("t1.2", Fate.FAILED, _notice("n3", LargeContent()), owner=OTHERS),
    _record("t1.1", Fate.WAITING, _notice("n1", LargeContent())),
    Step("seal t1", lambda store: store.seal("t1", Sealed(head=b"DKIM: x\r\n"))),
    Step(
        "seal t2",
        lambda store: store.seal("t2", Sealed(head=b"DKIM: y\r\n", octets=message(9))),
    ),
    Step("seal t2 again", lambda store: store.seal("t2", Sealed(octets=message(8)))),
    Step("renew", lambda store: store.renew(US, IDS, FAR + 3)),
    _record("t2.1", Fate.RELAYED),
    Step("give back", lambda store: store.give_back(US, IDS, NOW + 9)),
    Step("hold", lambda store: store.hold(Selection(account=ALICE), "suspended")),
    _put(evolve(queue_item("t4"), held="odd"), queue_item("t4", 2)),
    Step("release", lambda store: store.release(Selection(ids=("t3",)), NOW)),
    Step("retry", lambda store: store.retry(EVERYTHING, NOW)),
    Step("drop", lambda store: store.drop(Selection(ids=("t3", "t4.1")))),
    _claim(2),
    _record(
        "t1.2",
        Fate.FAILED,
        _notice("n1", OctetsContent(message(6))),  # which is there
        _notice("n2", OctetsContent(message(7))),
        _notice("n3", LargeContent()),
    ),
    _record("t1.1", Fate.SENT),
    _record("t4.2", Fate.SENT),
    _claim(3),
    *[
        _record(f"{name}.{number}", Fate.SENT)
        for name in ("n1", "n2", "n3")
        for number in (1, 2)
    ],
)
"""A day of a queue: every change, and at last nothing is left."""
