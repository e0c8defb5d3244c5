"""One thing after the other, for each draft."""

from __future__ import annotations

from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager

from attrs import define, field
from twisted.internet.defer import DeferredLock


@define(eq=False)
class Turns:
    """
    A lock for each key, kept as long as somebody has it or waits.

    What is waited for within a turn is our own disk, never a peer.
    """

    _locks: dict[Hashable, DeferredLock] = field(factory=dict, init=False)

    @asynccontextmanager
    async def of(self, key: Hashable) -> AsyncIterator[None]:
        """Wait until nobody else is at it."""
        lock = self._locks.setdefault(key, DeferredLock())
        await lock.acquire()
        try:
            yield
        finally:
            lock.release()
            if not lock.locked and not lock.waiting:
                self._locks.pop(key, None)
