"""Work that blocks, kept off the reactor."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

from zope.interface import Interface

T = TypeVar("T")
Item = TypeVar("Item")

Before = Callable[[], "Callable[[], object] | None"]
"""Begins something; what it returns, if anything, waits until that is done."""


class ILanes(Interface):
    """
    Runs blocking work in threads.

    An account is either in its lane or with the clerk; the other waits its turn,
    and no thread waits for a lock.
    """

    async def run(lane: Hashable, work: Callable[[], T]) -> T:
        """Long work of one account: in order within the lane, beside other lanes."""

    async def sync(work: Callable[[], T]) -> T:
        """Writing and syncing of one file; many at a time, in no order."""

    async def clerk(
        lanes: Sequence[Hashable],
        item: Item,
        work: Callable[[list[Item]], Sequence[BaseException | None]],
        before: Before | None = None,
    ) -> None:
        """
        Short work of all accounts: what waits for one ``work`` goes to it together.

        ``work`` returns for each item ``None`` or the error that its caller gets.
        Items whose lanes are busy wait for the next batch. ``before`` is done first,
        as by `sync`, and so is what it returns, perhaps after the ``before`` of
        others; the item then waits without another turn of the reactor, and if one
        of the two raises, ``work`` never sees the item.
        """

    async def hash(work: Callable[[], T]) -> T:
        """Dear work that releases the GIL (password hashes): at most 4 at a time."""

    async def close() -> None:
        """Finish what has begun, take nothing new."""
