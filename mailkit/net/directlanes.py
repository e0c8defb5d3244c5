"""Lanes without threads: all work is done at once, where it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

from attrs import define
from zope.interface import implementer

from mailkit.errors import LocalMisuse
from mailkit.interfaces.lanes import Before, ILanes

T = TypeVar("T")
Item = TypeVar("Item")


@implementer(ILanes)
@define(eq=False)
class DirectLanes:
    """
    Does each piece of work in the thread that asks, before the call returns.

    So a coroutine that waits for nothing but lanes runs through without a reactor,
    and a batch of the clerk holds one item.
    """

    is_closed: bool = False

    async def run(self, lane: Hashable, work: Callable[[], T]) -> T:
        return self._do(work)

    async def sync(self, work: Callable[[], T]) -> T:
        return self._do(work)

    async def clerk(
        self,
        lanes: Sequence[Hashable],
        item: Item,
        work: Callable[[list[Item]], Sequence[BaseException | None]],
        before: Before | None = None,
    ) -> None:
        if before is not None:
            rest = self._do(before)
            if rest is not None:
                self._do(rest)
        [error] = self._do(lambda: work([item]))
        if error is not None:
            raise error

    async def hash(self, work: Callable[[], T]) -> T:
        return self._do(work)

    async def close(self) -> None:
        self.is_closed = True

    def _do(self, work: Callable[[], T]) -> T:
        if self.is_closed:
            raise LocalMisuse("the lanes are closed")
        return work()
