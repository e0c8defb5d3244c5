"""One page that is open, and what waits until it is told there."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from mailkit.services.live.news import LiveEvent, LookAnew

MOST_WAITING = 1000
"""Events that wait for a reader; with more, everything is to be looked at anew."""


@define(eq=False)
class Listener:
    """One page that is open; `Live.listen` makes it."""

    _clock: IReactorTime
    _left: Callable[[Listener], None]
    _events: deque[LiveEvent] = field(factory=deque, init=False)
    _waiter: Deferred[None] | None = field(default=None, init=False)
    is_closed: bool = field(default=False, init=False)
    gave_way: bool = field(default=False, init=False)
    """Whether it was closed for a newer one."""

    async def next(self, patience: float) -> LiveEvent | None:
        """
        What is to be told next.

        :returns: ``None`` where nothing happened in so many seconds, or where it is
            over: see `is_closed`.
        """
        if not self._events and not self.is_closed:
            self._waiter = Deferred()
            timer = self._clock.callLater(patience, self._wake)
            await self._waiter
            if timer.active():
                timer.cancel()
        return self._events.popleft() if self._events else None

    def give(self, event: LiveEvent) -> None:
        """Have it told."""
        if len(self._events) >= MOST_WAITING:
            self._events.clear()
            event = LiveEvent(event.mod_seq, LookAnew())
        self._events.append(event)
        self._wake()

    def close(self) -> None:
        """Listen no more; safe to call twice."""
        if not self.is_closed:
            self.is_closed = True
            self._left(self)
            self._wake()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            waiter.callback(None)
