"""
Threads for what blocks: lanes, the clerk, syncs and hashes (STORE.md §5).

All order is kept here, under one mutex that is held for moments; the threads know
nothing but the next piece of work. The reactor is woken once for all that was done
since it last looked.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import partial
from queue import SimpleQueue
from threading import Lock, Thread
from time import monotonic
from typing import Any, TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads, IReactorTime
from zope.interface import implementer

from mailkit.errors import LocalMisuse
from mailkit.interfaces.lanes import Before, ILanes
from mailkit.metrics import Metrics
from mailkit.net.beginnings import Beginnings, Item
from mailkit.net.threads import Job, Threads

T = TypeVar("T")
Piece = TypeVar("Piece")

MOST_IN_A_BATCH = 256
"""Items that the clerk takes at once; their replies share a few reactor turns."""

LONGEST_TURN = 0.005
"""Seconds that one reactor turn may spend on telling what was done."""

LONGEST_UNTOLD = 0.001
"""Seconds for which what was done waits for more of its lane, to be told with it."""

Work = Callable[[], Job]
"""Work of a lane; it does not raise, and its result tells what came of it."""


@implementer(ILanes)
@define(eq=False)
class Lanes:
    """
    The one way to threads. All methods are called in the reactor's thread, whose
    reactor tells the time as well.

    A caller that stops waiting (a cancelled Deferred) stops no work.
    """

    _reactor: IReactorFromThreads
    _metrics: Metrics | None = None
    lane_threads: int = 8
    sync_threads: int = 16
    hash_threads: int = 4
    _is_closed: bool = field(init=False, default=False)
    _unfinished: int = field(init=False, default=0)
    _idle: Deferred[None] | None = field(init=False, default=None)
    _done: _Done = field(init=False)
    _order: _Order = field(init=False)
    _syncs: Threads = field(init=False)
    _beginnings: Beginnings = field(init=False)
    _clock: IReactorTime = field(init=False)
    _hashes: Threads = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._done = _Done(self._reactor.callFromThread)
        self._order = _Order(
            Threads("lane", self.lane_threads), self._done, self._metrics
        )
        self._syncs = Threads("sync", self.sync_threads)
        self._beginnings = Beginnings(self._syncs, self._order.take, self._done.tell)
        self._hashes = Threads("hash", self.hash_threads)
        self._clock = IReactorTime(self._reactor)

    async def run(self, lane: Hashable, work: Callable[[], T]) -> T:
        deferred: Deferred[T] = self._begin()
        self._order.add_run(lane, partial(_outcome, work, deferred))
        return await self._end(deferred, "lane")

    async def sync(self, work: Callable[[], T]) -> T:
        deferred: Deferred[T] = self._begin()
        self._syncs.do(partial(self._done.do, work, deferred))
        return await self._end(deferred, "sync")

    async def clerk(
        self,
        lanes: Sequence[Hashable],
        item: Piece,
        work: Callable[[list[Piece]], Sequence[BaseException | None]],
        before: Before | None = None,
    ) -> None:
        deferred: Deferred[None] = self._begin()
        one = Item(frozenset(lanes), item, work, deferred)
        if before is None:
            self._order.add_items([one])
        elif self._beginnings.add(one, before):
            # Those that come in the same turn of the reactor begin together.
            self._clock.callLater(0, self._beginnings.begin)
        await self._end(deferred, "clerk")

    async def hash(self, work: Callable[[], T]) -> T:
        deferred: Deferred[T] = self._begin()
        self._hashes.do(partial(self._done.do, work, deferred))
        return await self._end(deferred, "hash")

    async def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        if self._unfinished:
            self._idle = Deferred()
            await self._idle
        self._order.end()
        self._syncs.end()
        self._hashes.end()

    def _begin(self) -> Deferred[Any]:  # Any: of whatever the caller's work returns
        if self._is_closed:
            raise LocalMisuse("the lanes are closed")
        self._unfinished += 1
        deferred: Deferred[Any] = Deferred()  # Any: as above
        deferred.addBoth(self._count_off)
        return deferred

    def _count_off(self, result: T) -> T:
        self._unfinished -= 1
        if self._idle is not None and not self._unfinished:
            self._idle.callback(None)
        return result

    async def _end(self, deferred: Deferred[T], kind: str) -> T:
        if self._metrics is None:
            return await deferred
        begun = monotonic()
        self._metrics.lane_entered(kind)
        try:
            return await deferred
        finally:
            self._metrics.lane_left(kind, monotonic() - begun)


@define(eq=False)
class _Lane:
    """One account: in whose hand it is, and who waits for it."""

    is_busy: bool = False
    jobs: deque[Work] = field(factory=deque)
    items: int = 0
    """How many of the clerk's items wait for it, alone or with others."""


@define(eq=False)
class _Order:
    """
    Who is next: each lane goes to its own work and to the clerk by turns.

    A lane for which the clerk has items is left free, once it is, until the clerk
    took them; what the clerk lets go of goes to the lane's own work first.
    """

    _threads: Threads
    _done: _Done
    _metrics: Metrics | None
    _mutex: Lock = field(init=False, factory=Lock)
    _lanes: dict[Hashable, _Lane] = field(init=False, factory=dict)
    _items: deque[Item] = field(init=False, factory=deque)
    _bell: SimpleQueue[bool] = field(init=False, factory=SimpleQueue)
    _has_clerk: bool = field(init=False, default=False)
    """Whether some thread is at the items; none leaves while it could do one."""
    _clerk: Thread | None = field(init=False, default=None)

    def add_run(self, name: Hashable, work: Work) -> None:
        with self._mutex:
            lane = self._lane(name)
            lane.jobs.append(work)
            if not lane.is_busy and not lane.items:
                self._start(name, lane)

    def add_items(self, items: Iterable[Item]) -> None:
        with self._mutex:
            self._add(items)
            self._call_clerk()

    def take(self, items: Iterable[Item], is_alone: bool) -> None:
        """
        In any thread: see to these items.

        Where nobody is at the items this very thread is the clerk for a while: to
        wake another one would take longer than most batches do.

        :param is_alone: whether it has to be back after one batch, as nobody else
            begins what waits.
        """
        with self._mutex:
            self._add(items)
            batch = [] if self._has_clerk else self._next_batch()
        if not is_alone:
            self._do_batches(batch)
        elif batch:
            results = self._do_batch(batch)
            with self._mutex:
                self._release(batch)
                self._has_clerk = False
                if self._items:
                    self._call_clerk()
            self._done.tell(results)

    def end(self) -> None:
        self._threads.end()
        if self._clerk is not None:
            self._bell.put(False)
            self._clerk.join()
            self._clerk = None

    def _add(self, items: Iterable[Item]) -> None:
        for item in items:
            self._items.append(item)
            for name in item.lanes:
                self._lane(name).items += 1

    def _lane(self, name: Hashable) -> _Lane:
        lane = self._lanes.get(name)
        if lane is None:
            lane = self._lanes[name] = _Lane()
        return lane

    def _start(self, name: Hashable, lane: _Lane) -> None:
        lane.is_busy = True
        self._threads.do(partial(self._do_jobs, name, lane, lane.jobs.popleft()))

    def _do_jobs(self, name: Hashable, lane: _Lane, work: Work) -> None:
        """Do it, and what waits behind it, unless somebody else has to wait for it."""
        told: list[Job] = []
        begun = monotonic()
        goes_on = True
        while goes_on:
            told.append(work())
            with self._mutex:
                goes_on = bool(lane.jobs) and not lane.items
                goes_on = goes_on and not self._threads.are_short
                if goes_on:
                    work = lane.jobs.popleft()
            if not goes_on or monotonic() - begun > LONGEST_UNTOLD:
                self._done.tell(told)
                told, begun = [], monotonic()
        with self._mutex:
            lane.is_busy = False
            if lane.items:
                self._call_clerk()
            elif lane.jobs:
                self._start(name, lane)
            else:
                del self._lanes[name]

    def _call_clerk(self) -> None:
        """Have the clerk's own thread look at the items, unless somebody does."""
        if self._has_clerk:
            return
        self._has_clerk = True
        if self._clerk is None:
            self._clerk = Thread(target=self._live, name="clerk", daemon=True)
            self._clerk.start()
        self._bell.put(True)

    def _live(self) -> None:
        """What the clerk's own thread does all its life."""
        while self._bell.get():
            with self._mutex:
                batch = self._next_batch()
            self._do_batches(batch)

    def _next_batch(self) -> list[Item]:
        batch = self._take_batch()
        self._has_clerk = bool(batch)
        return batch

    def _do_batches(self, batch: list[Item]) -> None:
        """Be the clerk until there is nothing that can be done."""
        while batch:
            results = self._do_batch(batch)
            # The lanes first: their next work begins while the reactor is told.
            with self._mutex:
                self._release(batch)
                batch = self._next_batch()
            self._done.tell(results)

    def _do_batch(self, batch: list[Item]) -> list[Job]:
        if self._metrics is not None:
            self._metrics.clerk_took(len(batch))
        errors: Sequence[BaseException | None]
        try:
            errors = batch[0].work([item.item for item in batch])
            if len(errors) != len(batch):
                raise LocalMisuse(f"{len(errors)} results of {len(batch)} items")
        except BaseException as error:  # whatever it is, the callers get it
            errors = [error] * len(batch)
        return [item.told(error) for item, error in zip(batch, errors, strict=True)]

    def _take_batch(self) -> list[Item]:
        """Items of one kind whose lanes are free, none before an earlier one."""
        batch: list[Item] = []
        left: list[Item] = []
        # Lanes that an item of another kind, or one that must wait, has before us.
        passed: set[Hashable] = set()
        items = self._items
        while items and len(batch) < MOST_IN_A_BATCH:
            item = items.popleft()
            if (
                (not batch or item.work == batch[0].work)
                and passed.isdisjoint(item.lanes)
                and not any(self._lanes[name].is_busy for name in item.lanes)
            ):
                batch.append(item)
            else:
                left.append(item)
                passed |= item.lanes
        items.extendleft(reversed(left))
        for item in batch:
            for name in item.lanes:
                lane = self._lanes[name]
                lane.is_busy = True
                lane.items -= 1
        return batch

    def _release(self, batch: list[Item]) -> None:
        for name in {name for item in batch for name in item.lanes}:
            lane = self._lanes[name]
            lane.is_busy = False
            if lane.jobs:
                self._start(name, lane)
            elif not lane.items:
                del self._lanes[name]


@define(eq=False)
class _Done:
    """What is done and not told yet; tells it in the reactor's thread."""

    _call_from_thread: Callable[[Job], object]
    _mutex: Lock = field(init=False, factory=Lock)
    _calls: list[Job] = field(init=False, factory=list)
    _is_woken: bool = field(init=False, default=False)
    # Only the reactor's thread touches this one.
    _telling: deque[Job] = field(init=False, factory=deque)

    def do(self, work: Callable[[], T], deferred: Deferred[T]) -> None:
        """Do it here, in a thread, and have the result told."""
        self.tell([_outcome(work, deferred)])

    def tell(self, calls: list[Job]) -> None:
        with self._mutex:
            self._calls += calls
            wakes, self._is_woken = not self._is_woken, True
        if wakes:
            self._call_from_thread(self._drain)

    def _drain(self) -> None:
        with self._mutex:
            self._telling += self._calls
            self._calls.clear()
        end = monotonic() + LONGEST_TURN
        while self._telling:
            self._telling.popleft()()
            if monotonic() > end:
                break
        with self._mutex:
            self._is_woken = bool(self._telling or self._calls)
        if self._is_woken:
            self._call_from_thread(self._drain)


def _outcome(work: Callable[[], T], deferred: Deferred[T]) -> Job:
    """Do it here, in a thread; what tells its result."""
    try:
        return partial(deferred.callback, work())
    except BaseException as error:  # whatever it is, the caller gets it
        return partial(deferred.errback, error)
