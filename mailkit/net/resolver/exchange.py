"""One question to one server, by UDP or TCP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import ClientFactory, DatagramProtocol, connectionDone
from twisted.protocols.basic import Int16StringReceiver
from twisted.python.failure import Failure

from mailkit.errors import Unavailable
from mailkit.net.resolver.question import Sent
from mailkit.net.resolver.servers import Server

MOST_STRANGERS = 10
"""Datagrams to one port that are no answer: more of them, and somebody is guessing."""


class Silent(Unavailable):
    """The server did not answer in time."""


class Closed(Unavailable):
    """The server does not listen, or hung up."""


class CaseLost(Unavailable):
    """The answer would be right, had the server kept upper and lower case."""


class Guessed(Unavailable):
    """Somebody sends forged answers in the hope of hitting the right one."""


@define(eq=False)
class Exchange:
    """
    Sends questions and waits for what is an answer to them.

    Each question has a socket of its own, bound to a port that the kernel picks at
    random (RFC 5452 §9.2) and connected, so that nobody else's datagrams come in.

    :param reactor: Twisted's, which has no type of its own.
    """

    _reactor: Any

    async def by_datagram(self, server: Server, sent: Sent, seconds: float) -> bytes:
        """:raises Silent: :raises Closed: :raises CaseLost: :raises Guessed:"""
        answered: Deferred[bytes] = Deferred()
        protocol = _Datagrams(server, sent, answered)
        interface = "::" if ":" in server.host else ""
        try:
            port = self._reactor.listenUDP(0, protocol, interface)
        except (CannotListenError, OSError) as error:
            raise Closed(f"{server}: {error}") from error
        try:
            try:
                protocol.ask()
            except OSError as error:
                raise Closed(f"{server}: {error.strerror}") from error
            return await self._within(server, answered, seconds)
        finally:
            port.stopListening()

    async def by_stream(self, server: Server, sent: Sent, seconds: float) -> bytes:
        """
        By TCP (RFC 7766 §5), where case tells nothing: nobody can forge an answer.

        :raises Silent: :raises Closed:
        """
        answered: Deferred[bytes] = Deferred()
        factory = _Streams(server, sent, answered)
        connector = self._reactor.connectTCP(
            server.host, server.port, factory, timeout=seconds
        )
        try:
            return await self._within(server, answered, seconds)
        finally:
            connector.disconnect()

    async def _within(
        self, server: Server, answered: Deferred[bytes], seconds: float
    ) -> bytes:
        late = self._reactor.callLater(seconds, answered.cancel)
        try:
            return await answered
        except CancelledError:
            if late.active():  # somebody else lost interest
                raise
            raise Silent(f"{server} does not answer") from None
        finally:
            if late.active():
                late.cancel()


class _Datagrams(DatagramProtocol):
    noisy = False

    def __init__(self, server: Server, sent: Sent, answered: Deferred[bytes]) -> None:
        self._server = server
        self._sent = sent
        self._answered: Deferred[bytes] | None = answered
        self._strangers = 0
        self._expected = (server.host.partition("%")[0], server.port)

    def ask(self) -> None:
        assert self.transport is not None
        self.transport.connect(self._server.host, self._server.port)
        self.transport.write(self._sent.octets, None)

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        sent = self._sent
        host, port = addr[:2]
        if (host.partition("%")[0], port) != self._expected:
            self._count_stranger()
        elif sent.is_answered_by(datagram) or sent.is_refused_by(datagram):
            self._end(lambda answered: answered.callback(datagram))
        elif sent.is_answered_loosely_by(datagram):
            self._fail(CaseLost(f"{self._server} does not keep case"))
        else:
            self._count_stranger()

    def connectionRefused(self) -> None:
        self._fail(Closed(f"{self._server} does not listen"))

    def _count_stranger(self) -> None:
        self._strangers += 1
        if self._strangers > MOST_STRANGERS:
            self._fail(Guessed(f"forged answers of {self._server}"))

    def _fail(self, error: Exception) -> None:
        self._end(lambda answered: answered.errback(error))

    def _end(self, how: Callable[[Deferred[bytes]], None]) -> None:
        answered, self._answered = self._answered, None
        if answered is not None and not answered.called:
            how(answered)


class _Stream(Int16StringReceiver):
    def __init__(self, owner: _Streams) -> None:
        self._owner = owner

    def connectionMade(self) -> None:
        self.sendString(self._owner.sent.octets)

    def stringReceived(self, string: bytes) -> None:
        self._owner.heard(string)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._owner.lost()


class _Streams(ClientFactory):
    """The client of one question."""

    noisy = False

    def __init__(self, server: Server, sent: Sent, answered: Deferred[bytes]) -> None:
        self._server = server
        self.sent = sent
        self._answered = answered

    def buildProtocol(self, addr: IAddress | None) -> _Stream:
        return _Stream(self)

    def heard(self, octets: bytes) -> None:
        if self._answered.called:
            return
        sent = self.sent
        if sent.is_answered_loosely_by(octets) or sent.is_refused_by(octets):
            self._answered.callback(octets)
        else:
            self._answered.errback(Closed(f"{self._server} answers something else"))

    def lost(self) -> None:
        if not self._answered.called:
            self._answered.errback(Closed(f"{self._server} hung up"))

    def clientConnectionFailed(self, connector: object, reason: Failure) -> None:
        self.lost()
