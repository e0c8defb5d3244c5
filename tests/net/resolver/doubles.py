"""A network of little servers without a socket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from attrs import define, field
from twisted.internet.address import IPv4Address
from twisted.internet.error import CannotListenError, ConnectionRefusedError
from twisted.internet.interfaces import IUDPTransport
from twisted.internet.protocol import ClientFactory, DatagramProtocol
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from mailkit.testing.clock import TestClock
from mailkit.testing.dns import LittleServer

Place = tuple[str, int]


@define(eq=False)
class Wire:
    """One UDP socket of the resolver: port and transport in one."""

    _net: Net
    protocol: DatagramProtocol
    to: Place = ("", 0)
    is_open: bool = True

    def connect(self, host: str, port: int) -> None:
        if self._net.no_route:
            raise OSError(101, "Network is unreachable")
        self.to = (host, port)

    def write(self, octets: bytes, addr: Place | None) -> None:
        self._net.sent.append((self.to, octets))
        self._net.answer(self, octets)

    def stopListening(self) -> None:
        self.is_open = False

    def hear(self, octets: bytes, source: Place | None = None) -> None:
        """A datagram comes in."""
        if self.is_open:
            self.protocol.datagramReceived(octets, source or self.to)


class Connector:
    """What `connectTCP` returns."""

    def disconnect(self) -> None:
        """Nothing to close."""


@define(eq=False, init=False)
class Net(TestClock):
    """Time, and servers at their places; whoever is not there refuses."""

    def __init__(self) -> None:
        super().__init__()
        self.servers: dict[Place, LittleServer] = {}
        self.sent: list[tuple[Place, bytes]] = []
        self.wires: list[Wire] = []
        self.streams: list[tuple[Place, bytes]] = []
        self.no_ports = self.no_route = False
        self.forge: Callable[[Wire, bytes], None] = lambda wire, octets: None
        """Called with each question before its answer is on its way."""

    def serve(self, host: str, records: str = "", **vices: Any) -> LittleServer:
        """A server at port 53 of a host. Any: fields of `LittleServer`."""
        server = self.servers[host, 53] = LittleServer(records, **vices)
        return server

    def listenUDP(
        self, port: int, protocol: DatagramProtocol, interface: str = ""
    ) -> Wire:
        if self.no_ports:
            raise CannotListenError(interface, port, OSError(24, "Too many files"))
        wire = Wire(self, protocol)
        protocol.transport = cast(IUDPTransport, wire)  # as much of it as is used
        self.wires.append(wire)
        return wire

    def answer(self, wire: Wire, octets: bytes) -> None:
        self.forge(wire, octets)
        server = self.servers.get(wire.to)
        if server is None:
            self.callLater(0.01, wire.protocol.connectionRefused)
            return
        answer = server.answer(octets)
        if answer is not None:
            self.callLater(0.01, wire.hear, answer)

    def connectTCP(
        self, host: str, port: int, factory: ClientFactory, timeout: float = 30
    ) -> Connector:
        connector = Connector()
        server = self.servers.get((host, port))
        if server is None or server.is_deaf_to_streams:
            refused = Failure(ConnectionRefusedError())
            self.callLater(0.01, factory.clientConnectionFailed, connector, refused)
            return connector
        protocol: Any = factory.buildProtocol(IPv4Address("TCP", host, port))
        transport = StringTransport()
        protocol.makeConnection(transport)
        asked = transport.value()[2:]
        self.streams.append(((host, port), asked))
        answer = server.answer(asked, is_stream=True)
        if answer is not None:
            framed = len(answer).to_bytes(2, "big") + answer
            self.callLater(0.01, protocol.dataReceived, framed)
        return connector


@define
class Outcome:
    """What became of a coroutine."""

    values: list[Any] = field(factory=list)
    errors: list[BaseException] = field(factory=list)

    @property
    def is_done(self) -> bool:
        return bool(self.values or self.errors)
