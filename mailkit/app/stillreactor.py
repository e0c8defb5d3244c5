"""What stands in for a reactor where none will ever run: in most commands."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from attrs import define, field
from twisted.internet.interfaces import (
    IDelayedCall,
    IReactorFDSet,
    IReactorFromThreads,
    IReactorTime,
)
from zope.interface import implementer


@implementer(IReactorTime, IReactorFromThreads, IReactorFDSet)
@define(eq=False)
class StillReactor:
    """
    Tells the time, and calls nobody.

    A command is done before anything would be due: what waits for its call is written
    when it is closed. Twisted's own reactor brings sockets and TLS with it, which take
    longer to load than a command takes.
    """

    _waiting: set[IDelayedCall] = field(factory=set, init=False)

    def seconds(self) -> float:
        return time.time()

    def callLater(
        self, delay: float, callable: Callable[..., Any], *args: Any, **kw: Any
    ) -> IDelayedCall:  # Any: as Twisted has it
        call: IDelayedCall = _NeverCalled(self._waiting, self.seconds() + delay)
        self._waiting.add(call)
        return call

    def getDelayedCalls(self) -> list[IDelayedCall]:
        return list(self._waiting)

    def callFromThread(
        self, callable: Callable[..., Any], *args: Any, **kw: Any
    ) -> None:  # Any: as above
        """Nobody hears."""

    def addReader(self, reader: object) -> None:
        """Nobody reads."""

    def addWriter(self, writer: object) -> None:
        """Nobody writes."""

    def removeReader(self, reader: object) -> None:
        """It was never read."""

    def removeWriter(self, writer: object) -> None:
        """It was never written to."""

    def removeAll(self) -> list[Any]:
        return []

    def getReaders(self) -> list[Any]:
        return []

    def getWriters(self) -> list[Any]:
        return []


@implementer(IDelayedCall)
@define(eq=False)
class _NeverCalled:
    """A call that is cancelled, or forgotten."""

    _waiting: set[IDelayedCall]
    _time: float

    def getTime(self) -> float:
        return self._time

    def cancel(self) -> None:
        self._waiting.discard(self)

    def delay(self, secondsLater: float) -> None:
        self._time += secondsLater

    def reset(self, secondsFromNow: float) -> None:
        self._time = time.time() + secondsFromNow

    def active(self) -> bool:
        return self in self._waiting
