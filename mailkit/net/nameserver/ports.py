"""The ports of the name server: UDP and TCP beside each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define, field
from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IListeningPort,
    IPushProducer,
    IReactorTime,
    IStreamServerEndpoint,
)
from twisted.internet.protocol import DatagramProtocol, Factory, connectionDone
from twisted.logger import Logger
from twisted.protocols.basic import Int16StringReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from mailkit.net.listeners import port_taken
from mailkit.net.nameserver.server import NameServer, Way

Serving = Callable[[], NameServer]
"""The server as it is now; `reload` puts others in its place."""

MOST_PENDING = 1000
"""Questions by UDP that are being answered; more of them are dropped."""
MOST_PIPELINED = 32
"""Questions of one connection that are being answered; then it has to wait."""
LONGER = 6
"""How many times as long as for a question it may take until an answer is read."""
TRIES = 20
"""For port 0: how often to look for a number that is free twice."""

Datagrams = Callable[[DatagramProtocol], IListeningPort]
"""Opens the UDP side some other way: a socket that the parent bound."""


class DatagramSide(DatagramProtocol):
    """Questions by UDP."""

    log = Logger()
    noisy = False

    def __init__(self, server: Serving) -> None:
        self._server = server
        self._pending = 0

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        if self._pending >= MOST_PENDING or addr[1] == 0:
            return
        self._pending += 1
        Deferred.fromCoroutine(self._answer(datagram, addr)).addErrback(self._failed)

    async def _answer(self, octets: bytes, addr: Any) -> None:
        try:
            answers = await self._server().answer(octets, addr[0], Way.UDP)
        finally:
            self._pending -= 1
        if self.transport is not None:
            for answer in answers:
                self.transport.write(answer, addr)

    def _failed(self, failure: Failure) -> None:
        self.log.failure("no answer, for a bug", failure)


@implementer(IPushProducer)
class StreamSide(Int16StringReceiver):
    """Questions by TCP, answered in the order in which answers are ready (RFC 7766)."""

    log = Logger()

    def __init__(self, factory: StreamFactory, host: str) -> None:
        self._owner = factory
        self._host = host
        self._pending = 0
        self._is_full = False
        self._idle: IDelayedCall | None = None
        self._connection: Any = None  # the transport, with all that TCP has

    def connectionMade(self) -> None:
        self._connection = self.transport
        self._owner.open.add(self)
        if len(self._owner.open) > self._owner.server().settings.connections:
            self._connection.abortConnection()
            return
        self._connection.setTcpNoDelay(True)
        # What was answered and is not read holds up what is asked.
        self._connection.registerProducer(self, True)
        self._wait()

    def stringReceived(self, string: bytes) -> None:
        self._wait()
        self._pending += 1
        self._flow()
        answering = Deferred.fromCoroutine(self._answer(string))
        answering.addErrback(self._failed)

    async def _answer(self, octets: bytes) -> None:
        try:
            answers = await self._owner.server().answer(octets, self._host, Way.TCP)
        finally:
            self._pending -= 1
            self._flow()
        if self.connected:
            for answer in answers:
                self.sendString(answer)
            self._wait()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._owner.open.discard(self)
        if self._idle is not None and self._idle.active():
            self._idle.cancel()

    def cut(self) -> None:
        """End the connection now."""
        self._connection.abortConnection()

    def lengthLimitExceeded(self, length: int) -> None:
        """There is no such length: the limit is all that 16 bits can say."""

    # -- flow

    def pauseProducing(self) -> None:
        self._is_full = True
        self._flow()
        self._wait()

    def resumeProducing(self) -> None:
        self._is_full = False
        self._flow()
        self._wait()

    def stopProducing(self) -> None:
        """The connection is lost, which is told elsewhere."""

    def _flow(self) -> None:
        if not self.connected:
            return
        if self._is_full or self._pending >= MOST_PIPELINED:
            self._connection.pauseProducing()
        else:
            self._connection.resumeProducing()

    def _wait(self) -> None:
        """Begin to wait for the next question, or for a long answer to be read."""
        if self._idle is not None and self._idle.active():
            self._idle.cancel()
        if not self.connected:
            return
        seconds = self._owner.server().settings.idle * (LONGER if self._is_full else 1)
        self._idle = self._owner.clock.callLater(
            seconds, self._connection.abortConnection
        )

    def _failed(self, failure: Failure) -> None:
        self.log.failure("no answer, for a bug", failure)
        self._connection.abortConnection()


class StreamFactory(Factory):
    """The TCP side, and its connections."""

    noisy = False

    def __init__(self, server: Serving, clock: IReactorTime) -> None:
        self.server = server
        self.clock = clock
        self.open: set[StreamSide] = set()

    def buildProtocol(self, addr: IAddress | None) -> StreamSide:
        return StreamSide(self, getattr(addr, "host", ""))

    def cut_all(self) -> None:
        """End every connection."""
        for side in list(self.open):
            side.cut()


@define(eq=False)
class NameServerPorts(Service):
    """
    One entry of ``[listen] dns``: TCP as it says, and UDP on the same address.

    :param reactor: Twisted's, which has no type of its own.
    :param datagrams: how to open the UDP side; ``None``: here.
    """

    log = Logger()

    description: str
    """The endpoint string as in the config."""
    endpoint: IStreamServerEndpoint
    server: Serving
    _reactor: Any
    _datagrams: Datagrams | None = None
    port: IListeningPort | None = field(default=None, init=False)
    """The TCP side; UDP has the same number."""
    _udp: IListeningPort | None = field(default=None, init=False)
    _factory: StreamFactory = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._factory = StreamFactory(self.server, self._reactor)

    def privilegedStartService(self) -> None:
        """:raises PortTaken: if either cannot be bound."""
        super().privilegedStartService()
        for left in range(TRIES - 1, -1, -1):
            port = self._open()
            try:
                self._udp = self._open_udp(port)
            except CannotListenError as error:
                port.stopListening()
                if not left or not _is_any_port(self.description):
                    raise port_taken("dns", self.description, error) from error
            else:
                self.port = port
                break
        self.log.info("dns listens on {where}", where=self.description)

    def stopService(self) -> Deferred[None]:
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        ports, self.port, self._udp = (self.port, self._udp), None, None
        for port in ports:
            closing = port.stopListening() if port is not None else None
            if closing is not None:
                await closing
        self._factory.cut_all()

    def _open(self) -> IListeningPort:
        opened: list[IListeningPort] = []
        failed: list[Failure] = []
        self.endpoint.listen(self._factory).addCallbacks(opened.append, failed.append)
        if failed:
            raise port_taken("dns", self.description, failed[0].value)
        return opened[0]

    def _open_udp(self, port: IListeningPort) -> IListeningPort:
        side = DatagramSide(self.server)
        if self._datagrams is not None:
            return self._datagrams(side)
        address: Any = port.getHost()
        opened: IListeningPort = self._reactor.listenUDP(
            address.port, side, address.host, maxPacketSize=65535
        )
        return opened


def _is_any_port(description: str) -> bool:
    return description.split(":")[1:2] in (["0"], ["port=0"])
