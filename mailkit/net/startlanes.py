"""Lanes for a process whose reactor does not run yet, or never will."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Hashable, Sequence
from typing import Any, TypeVar

from attrs import define, field
from zope.interface import implementer

from mailkit.errors import LocalMisuse
from mailkit.interfaces.lanes import Before, ILanes
from mailkit.net.directlanes import DirectLanes

T = TypeVar("T")
Item = TypeVar("Item")


def finish(coroutine: Coroutine[Any, Any, T]) -> T:
    """
    Run a coroutine that waits for nothing but `StartLanes` before their start.

    :raises LocalMisuse: if it waits for something else.
    """
    try:
        coroutine.send(None)
    except StopIteration as end:
        value: T = end.value
        return value
    coroutine.close()
    raise LocalMisuse("it waits for a reactor that does not run")


@implementer(ILanes)
@define(eq=False)
class StartLanes:
    """
    Does all work at once in the thread that asks, until `start` hands over.

    So a server opens its databases before it says that it is there, and the command
    does all it has to do without a reactor.
    """

    _lanes: ILanes = field(factory=DirectLanes, init=False)

    def start(self, lanes: ILanes) -> None:
        """The reactor is about to run: everything goes to ``lanes`` from now on."""
        self._lanes = lanes

    async def run(self, lane: Hashable, work: Callable[[], T]) -> T:
        return await self._lanes.run(lane, work)

    async def sync(self, work: Callable[[], T]) -> T:
        return await self._lanes.sync(work)

    async def clerk(
        self,
        lanes: Sequence[Hashable],
        item: Item,
        work: Callable[[list[Item]], Sequence[BaseException | None]],
        before: Before | None = None,
    ) -> None:
        await self._lanes.clerk(lanes, item, work, before)

    async def hash(self, work: Callable[[], T]) -> T:
        return await self._lanes.hash(work)

    async def close(self) -> None:
        await self._lanes.close()
