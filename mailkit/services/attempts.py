"""How much of a kind is done at once: logins that are looked at, pictures fetched."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime


@define(eq=False)
class _Inside:
    count: int = 0
    waiting: deque[Deferred[None]] = field(factory=deque)

    def forget(self, waiter: Deferred[None]) -> None:
        """It does not want to come in any more."""
        if waiter in self.waiting:  # if not, its turn has come just now
            self.waiting.remove(waiter)


@define(eq=False)
class Attempts:
    """
    Few at a time for each key; the others wait until those have come to an end.
    """

    _clock: IReactorTime
    _inside: dict[str, _Inside] = field(factory=dict, init=False)

    @asynccontextmanager
    async def turn(self, keys: Sequence[str], most: int) -> AsyncIterator[None]:
        """
        Wait until fewer than ``most`` are within, of each key.

        :param keys: in an order that is the same for all who have two of them.
        """
        async with AsyncExitStack() as stack:
            for key in keys:
                await stack.enter_async_context(self._turn(key, most))
            yield

    @asynccontextmanager
    async def _turn(self, key: str, most: int) -> AsyncIterator[None]:
        inside = self._inside.setdefault(key, _Inside())
        if inside.count < most:
            inside.count += 1
        else:
            waiter: Deferred[None] = Deferred(inside.forget)
            inside.waiting.append(waiter)
            await waiter
        try:
            yield
        finally:
            self._leave(key, inside)

    def _leave(self, key: str, inside: _Inside) -> None:
        if inside.waiting:
            # Not at once: a thousand who wait would each stand upon the one before.
            waiter = inside.waiting.popleft()
            self._clock.callLater(0, self._let_in, key, inside, waiter)
            return
        inside.count -= 1
        if not inside.count:
            self._inside.pop(key, None)

    def _let_in(self, key: str, inside: _Inside, waiter: Deferred[None]) -> None:
        if waiter.called:  # it waits no more
            self._leave(key, inside)
        else:
            waiter.callback(None)
