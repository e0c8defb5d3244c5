"""A message on its way to a program: read in pieces, as fast as they are taken."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from mailkit.errors import StorageBroken
from mailkit.formats import routed
from mailkit.interfaces.storage import IContent
from mailkit.model.queueitem import QueueItem

PIECE = 48 * 1024
"""Octets of a message that are in memory at a time; a multiple of three, so that base64
of the pieces is that of the whole."""


@define(eq=False)
class Body:
    """Some octets, a message perhaps, and some octets."""

    head: bytes = field(default=b"", repr=False)
    content: IContent | None = None
    is_base64: bool = False
    tail: bytes = field(default=b"", repr=False)

    @property
    def length(self) -> int:
        """Octets in all."""
        size = 0 if self.content is None else self.content.size
        if self.is_base64:
            size = (size + 2) // 3 * 4
        return len(self.head) + size + len(self.tail)

    async def pieces(self, take: Callable[[bytes], Deferred[None] | None]) -> None:
        """
        Hand over all of it; ``take`` may have the next piece wait.

        :raises StorageBroken: if the message is shorter than it was.
        """
        for octets in (self.head, None, self.tail):
            if octets is None:
                await self._content_pieces(take)
            elif octets:
                await _handed(take, octets)

    async def _content_pieces(
        self, take: Callable[[bytes], Deferred[None] | None]
    ) -> None:
        if self.content is None:
            return
        at = 0
        while at < self.content.size:
            piece = await _exactly(self.content, at, PIECE)
            at += len(piece)
            await _handed(take, b64encode(piece) if self.is_base64 else piece)


async def _handed(
    take: Callable[[bytes], Deferred[None] | None], octets: bytes
) -> None:
    turn = take(octets)
    if turn is not None:
        await turn


async def _exactly(content: IContent, at: int, count: int) -> bytes:
    """As many octets as there are, up to ``count``, though they come in pieces."""
    count = min(count, content.size - at)
    octets: bytes = await content.read(at, count)
    while len(octets) < count:
        more = await content.read(at + len(octets), count - len(octets))
        if not more:
            raise StorageBroken("the message is shorter than it was")
        octets += more
    return octets


async def told_as_json(item: QueueItem, content: IContent, is_whole: bool) -> Body:
    """
    What a program is told of a message.

    :param is_whole: whether the message itself is in it, as base64 under ``whole``.
    """
    octets = await _exactly(content, 0, routed.LOOKED_AT)
    line = routed.write(routed.facts_of(item, octets, content.size))
    if not is_whole:
        return Body(line)
    return Body(line[:-1] + b',"whole":"', content, is_base64=True, tail=b'"}')


class FeedStoppedError(Exception):
    """Nobody wants the rest."""


@implementer(IPushProducer)
@define(eq=False)
class Feed:
    """
    Writes a body as fast as it is taken.

    :param moved: called with each piece.
    """

    _body: Body
    _moved: Callable[[], None]
    _is_stopped: bool = field(default=False, init=False)
    _is_paused: bool = field(default=False, init=False)
    _turn: Deferred[None] | None = field(default=None, init=False)

    async def run(self, write: Callable[[bytes], object]) -> None:
        """:raises FeedStoppedError: if the taker went."""

        def take(octets: bytes) -> Deferred[None] | None:
            if self._is_stopped:
                raise FeedStoppedError
            self._moved()
            write(octets)
            if self._is_paused and not self._is_stopped:
                self._turn = Deferred()
            return self._turn

        await self._body.pieces(take)

    def pauseProducing(self) -> None:
        self._is_paused = True

    def resumeProducing(self) -> None:
        self._is_paused = False
        self._go_on()

    def stopProducing(self) -> None:
        self._is_stopped = True
        self._go_on()

    def _go_on(self) -> None:
        turn, self._turn = self._turn, None
        if turn is not None:
            turn.callback(None)
