"""
Messages pushed to a list in Redis, or published to a channel.

One connection serves all items of a route. It is made when there is something to push,
and made anew for the next item when it was lost: until then mail waits in the queue.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from attrs import define, field
from twisted.internet.defer import Deferred, DeferredSemaphore
from zope.interface import implementer

from mailkit.errors import Unavailable, Unreachable
from mailkit.interfaces.queue import Carried, IRouteEnd
from mailkit.interfaces.storage import IContent
from mailkit.model.queueitem import Fate, QueueItem, Report
from mailkit.model.target import ToRedis
from mailkit.net.routes.body import told_as_json

AT_ONCE = 4
"""Messages that are in memory at a time: one value of Redis is one piece."""


class Unheard(Unavailable):
    """The connection was lost after something was sent and before it was answered."""


class Connection(Protocol):
    """What is asked of Redis."""

    @property
    def is_lost(self) -> bool:
        """Whether it can be used no more."""

    async def push(self, key: str, value: bytes) -> int:
        """
        Put a value at the end of a list; how many are in it then.

        :raises Unheard: :raises Unavailable: if Redis says no.
        """

    async def publish(self, channel: str, value: bytes) -> int:
        """Tell all who listen; how many did. Raises as `push`."""

    async def close(self) -> None:
        """Hang up."""


Connect = Callable[[ToRedis], Awaitable[Connection]]
"""Makes a connection. :raises Unreachable:"""


@implementer(IRouteEnd)
@define(eq=False)
class IntoRedis:
    """One list or channel."""

    _target: ToRedis
    _connect: Connect
    is_final: bool = True
    _connection: Connection | None = field(default=None, init=False)
    _connecting: list[Deferred[None]] | None = field(default=None, init=False)
    """Who waits for a connection that is being made."""
    _room: DeferredSemaphore = field(
        init=False, factory=lambda: DeferredSemaphore(AT_ONCE)
    )
    _is_closed: bool = field(default=False, init=False)

    async def carry(self, item: QueueItem, content: IContent) -> Carried:
        connection = await self._ready()
        await self._room.acquire()
        try:
            return await self._tell(connection, item, content)
        finally:
            self._room.release()

    async def close(self) -> None:
        self._is_closed = True
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    # -- within

    async def _ready(self) -> Connection:
        """A connection that is there, or a new one for all who wait for it."""
        while self._connecting is not None:
            turn: Deferred[None] = Deferred()
            self._connecting.append(turn)
            await turn
        if self._connection is not None and not self._connection.is_lost:
            return self._connection
        if self._is_closed:
            raise Unreachable("the route was changed")
        self._connecting = []
        try:
            self._connection = await self._connect(self._target)
        finally:
            waiting, self._connecting = self._connecting, None
            for turn in waiting:
                turn.callback(None)
        return self._connection

    async def _tell(
        self, connection: Connection, item: QueueItem, content: IContent
    ) -> Carried:
        target = self._target
        value = await self._value(item, content)
        try:
            if not target.is_published:
                count = await connection.push(target.key, value)
                words = f"pushed to {target.key}, which has {count}"
                return _all(item, Fate.RELAYED, "2.1.5", words)
            count = await connection.publish(target.key, value)
        except Unheard as error:
            done = _all(item, Fate.WAITING, "4.4.2", str(error))
            return Carried(reports=done.reports, is_doubtful=True)
        if not count:
            words = f"nobody listens to {target.key}"
            return _all(item, Fate.WAITING, "4.3.0", words)
        return _all(
            item, Fate.RELAYED, "2.1.5", f"published to {count} on {target.key}"
        )

    async def _value(self, item: QueueItem, content: IContent) -> bytes:
        body = await told_as_json(item, content, self._target.is_whole)
        pieces: list[bytes] = []
        await body.pieces(pieces.append)
        return b"".join(pieces)


def _all(item: QueueItem, fate: Fate, status: str, words: str) -> Carried:
    reports = tuple(Report(each.path, fate, status, words) for each in item.waiting)
    return Carried(reports=reports)
