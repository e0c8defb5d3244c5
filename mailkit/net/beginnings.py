"""What comes before the clerk's items: files that are written and synced."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from threading import Lock
from time import monotonic
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred

from mailkit.interfaces.lanes import Before
from mailkit.net.threads import Job, Threads

SLOW = 0.0025
"""Seconds that one beginning takes where many threads pay."""

MOST_AT_ONCE = 64
"""Beginnings that one thread takes at once: as many files may be open for it."""

TRIED = 4
"""Beginnings by which it is seen whether one thread is enough."""

MANY_FOR = 1.0
"""Seconds that many threads begin before one is tried again."""

_LOOKED_AT = 16


@define(eq=False)
class Item:
    """One piece of the clerk's work."""

    lanes: frozenset[Hashable]
    item: Any  # Any: `ILanes.clerk` binds its type to that of ``work``
    work: Callable[[list[Any]], Sequence[BaseException | None]]
    deferred: Deferred[None]

    def told(self, error: BaseException | None) -> Job:
        """Tells who waits for it, in the reactor's thread."""
        if error is None:
            return partial(self.deferred.callback, None)
        return partial(self.deferred.errback, error)


@define(eq=False)
class Beginnings:
    """
    One thread begins all that waits, and waits for it afterwards.

    On a disk that syncs in less time than it takes to pass the GIL from thread to
    thread and back, this is several times cheaper than a thread for each. Where the
    disk takes the time, or the CPUs are so busy that each sync is followed by a wait
    for one of them, as many threads as there are begin one each, and wait together.
    What one thread took of late tells which it is, by the median; many threads also
    wait for each other, so now and then one is tried alone.
    """

    _threads: Threads
    _take: Callable[[list[Item], bool], object]
    """Called in the thread, with those that are to be worked on, and whether no other
    thread begins what waits."""
    _tell: Callable[[list[Job]], object]
    _mutex: Lock = field(init=False, factory=Lock)
    _waiting: deque[tuple[Item, Before]] = field(init=False, factory=deque)
    _took: deque[float] = field(init=False, factory=lambda: deque(maxlen=_LOOKED_AT))
    _many_until: float = field(init=False, default=0.0)
    _at_work: int = field(init=False, default=0)
    # Only the reactor's thread touches this one.
    _is_called: bool = field(init=False, default=False)

    def add(self, item: Item, before: Before) -> bool:
        """One more; whether `begin` has to be called for it."""
        with self._mutex:
            self._waiting.append((item, before))
        was_called, self._is_called = self._is_called, True
        return not was_called

    def begin(self) -> None:
        """Have threads see to what waits."""
        self._is_called = False
        with self._mutex:
            most = self._threads.most if self._are_many else 1
            more = min(most - self._at_work, len(self._waiting))
            self._at_work += max(more, 0)
        for _ in range(more):
            self._threads.do(self._work)

    @property
    def _are_many(self) -> bool:
        return monotonic() < self._many_until

    def _work(self) -> None:
        while True:
            begun, is_alone = self._next()
            if not begun:
                return
            at = monotonic()
            rests: list[tuple[Item, Callable[[], object] | None]] = []
            failed: list[Job] = []
            for item, before in begun:
                try:
                    rests.append((item, before()))
                except BaseException as error:  # whatever it is, the caller gets it
                    failed.append(item.told(error))
            done: list[Item] = []
            for item, rest in rests:
                try:
                    if rest is not None:
                        rest()
                    done.append(item)
                except BaseException as error:  # as above
                    failed.append(item.told(error))
            if is_alone:
                self._judge((monotonic() - at) / len(begun))
            if failed:
                self._tell(failed)
            if done:
                self._take(done, is_alone)

    def _next(self) -> tuple[list[tuple[Item, Before]], bool]:
        """What to begin, and whether no other thread does."""
        with self._mutex:
            if are_many := self._are_many:
                most = 1
            elif self._at_work > 1:
                most = 0  # the others leave, and the last one goes on alone
            else:
                most = MOST_AT_ONCE if self._took else TRIED
            count = min(most, len(self._waiting))
            if not count:
                self._at_work -= 1
            return [self._waiting.popleft() for _ in range(count)], not are_many

    def _judge(self, seconds: float) -> None:
        """What each of some beginnings took one thread that was alone."""
        with self._mutex:
            self._took.append(seconds)
            if sorted(self._took)[(len(self._took) - 1) // 2] > SLOW:
                self._took.clear()
                self._many_until = monotonic() + MANY_FOR
