"""Answers that are written bit by bit, no quicker than they are read."""

from __future__ import annotations

from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IPushProducer, ITCPTransport
from twisted.web.server import Request
from zope.interface import implementer

from mailkit.errors import PeerGone


@implementer(IPushProducer)
@define(eq=False)
class RequestOutlet:
    """The `mailkit.web.answers.Outlet` of one request."""

    _request: Request
    _is_gone: bool = field(default=False, init=False)
    _is_full: bool = field(default=False, init=False)
    _waiters: list[Deferred[None]] = field(factory=list, init=False)
    _gone_waiters: list[Deferred[None]] = field(factory=list, init=False)

    @classmethod
    def of(cls, request: Request) -> RequestOutlet:
        """Begin to write; the head of the answer is set already."""
        outlet = cls(request)
        if request.channel is None:  # the reader left while the answer was made
            outlet._is_gone = True
            return outlet
        request.notifyFinish().addBoth(outlet._over)
        request.registerProducer(outlet, True)
        return outlet

    async def write(self, octets: bytes) -> None:
        self._check()
        self._request.write(octets)
        if self._is_full:
            waiter: Deferred[None] = Deferred()
            self._waiters.append(waiter)
            await waiter
            self._check()

    async def gone(self) -> None:
        if not self._is_gone:
            waiter: Deferred[None] = Deferred()
            self._gone_waiters.append(waiter)
            await waiter

    def finish(self) -> None:
        """
        All is written, or nobody reads it; who called the page ends the request.

        A transport tells us that the reader has left before it tells the request, which
        is then still ended in the usual way (Klein does). A stream of HTTP/2 tells the
        request alone.
        """
        if self._request.producer is self and self._request.channel is not None:
            self._request.unregisterProducer()

    def _check(self) -> None:
        if self._is_gone:
            raise PeerGone("the browser has left")

    def _over(self, _: object) -> None:
        self._is_gone = True
        self._wake(self._waiters)
        self._wake(self._gone_waiters)

    def _wake(self, waiters: list[Deferred[None]]) -> None:
        woken = list(waiters)
        waiters.clear()
        for waiter in woken:
            waiter.callback(None)

    # -- IPushProducer

    def pauseProducing(self) -> None:
        self._is_full = True

    def resumeProducing(self) -> None:
        self._is_full = False
        self._wake(self._waiters)

    def stopProducing(self) -> None:
        self._over(None)


def broken_off(request: Request) -> Deferred[bytes]:
    """
    Go on no further with an answer that was begun.

    The connection is cut: an end that looks like one would tell the reader that it
    has all. By HTTP/2 it is cut for all that goes on in it: Twisted can reset a stream
    alone, but with the code of one that went well. The answer is nothing, and comes
    when the connection is gone.
    """
    if request.channel is None:
        return succeed(b"")
    gone = request.notifyFinish()
    request.unregisterProducer()
    channel: Any = request.channel  # of HTTP/1.1, or a stream of HTTP/2
    transport = channel.transport or channel._conn.transport  # it has no public name
    ITCPTransport(transport).abortConnection()
    return gone.addBoth(lambda _: b"")
