"""Lanes for a command that does much of the same: work is gathered, then done."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from zope.interface import implementer

from mailkit.errors import LocalMisuse, MailkitError
from mailkit.interfaces.lanes import Before, ILanes
from mailkit.net.directlanes import DirectLanes

T = TypeVar("T")
Item = TypeVar("Item")

THREADS = 16
"""Files that are written and synced at the same time."""


@define(eq=False)
class _Waiting:
    """What somebody wants the clerk to do."""

    item: Any  # whatever the work takes
    work: Callable[[list[Any]], Sequence[BaseException | None]]
    before: Before | None
    done: Deferred[None] = field(factory=Deferred)
    error: BaseException | None = None


@implementer(ILanes)
@define(eq=False)
class GatheringLanes(DirectLanes):
    """
    `DirectLanes` whose clerk does the work of many coroutines together.

    It waits until nobody goes on without it: `finish` has it done then, again and
    again.
    """

    _waiting: list[_Waiting] = field(init=False, factory=list)
    _threads: ThreadPoolExecutor = field(
        init=False, factory=lambda: ThreadPoolExecutor(THREADS)
    )

    def finish(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """
        Run a coroutine to its end.

        :raises LocalMisuse: if it waits for something else than these lanes.
        """
        results: list[T | Failure] = []
        Deferred.fromCoroutine(coroutine).addBoth(results.append)
        while not results:
            if not self._waiting:
                raise LocalMisuse("it waits for a reactor that does not run")
            self._do_waiting()
        result = results[0]
        if isinstance(result, Failure):
            result.raiseException()
        assert not isinstance(result, Failure)
        return result

    async def clerk(
        self,
        lanes: Sequence[Hashable],
        item: Item,
        work: Callable[[list[Item]], Sequence[BaseException | None]],
        before: Before | None = None,
    ) -> None:
        waiting = _Waiting(item, work, before)
        self._waiting.append(waiting)
        await waiting.done

    async def close(self) -> None:
        self._threads.shutdown()
        await super().close()

    def _do_waiting(self) -> None:
        """One batch for each kind of work; then whoever waited goes on."""
        batch, self._waiting = self._waiting, []
        shares = [batch[first::THREADS] for first in range(min(THREADS, len(batch)))]
        list(self._threads.map(_prepare, shares))
        ready = [one for one in batch if one.error is None]
        while ready:
            work = ready[0].work
            group = [one for one in ready if one.work == work]
            ready = [one for one in ready if one.work != work]
            errors = work([one.item for one in group])
            for one, error in zip(group, errors, strict=True):
                one.error = error
        for one in batch:
            if one.error is None:
                one.done.callback(None)
            else:
                one.done.errback(Failure(one.error))


def _prepare(share: Sequence[_Waiting]) -> None:
    """In a thread; what fails is told to whoever waits."""
    rests: list[tuple[_Waiting, Callable[[], object]]] = []
    for one in share:
        try:
            rest = None if one.before is None else one.before()
        except MailkitError as error:
            one.error = error
        else:
            if rest is not None:
                rests.append((one, rest))
    for one, rest in rests:
        try:
            rest()
        except MailkitError as error:
            one.error = error
