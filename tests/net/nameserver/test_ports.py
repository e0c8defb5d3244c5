"""Questions as they come in by UDP and TCP."""

from __future__ import annotations

from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import dns.message
import pytest
from twisted.internet import reactor
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.protocol import DatagramProtocol
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import TestCase

from mailkit.net.listeners import PortTaken
from mailkit.net.nameserver.ports import (
    LONGER,
    MOST_PENDING,
    MOST_PIPELINED,
    DatagramSide,
    NameServerPorts,
    StreamFactory,
    StreamSide,
)
from mailkit.net.nameserver.server import NameServer, Way
from mailkit.net.nameserver.settings import NameServerSettings
from mailkit.net.resolver import forwarding
from mailkit.net.resolver.forwarding import Forwarder
from mailkit.net.resolver.servers import Server
from mailkit.testing.clock import TestClock
from tests.net.nameserver.doubles import Served

ZONE = "@ A 192.0.2.1"
QUERY = dns.message.make_query("example.org", "A", id=7).to_wire()
IDLE = NameServerSettings().idle


class Slow:
    """A server whose answers the test gives."""

    def __init__(self, connections: int = 10) -> None:
        self.settings = NameServerSettings(connections=connections)
        self.asked: list[Deferred[list[bytes]]] = []

    def answer(self, octets: bytes, host: str, way: Way) -> Awaitable[list[bytes]]:
        deferred: Deferred[list[bytes]] = Deferred()
        self.asked.append(deferred)
        return deferred


class Transport(StringTransport):
    """What a TCP connection has and `StringTransport` has not."""

    is_aborted = False
    streaming: Any = None

    def setTcpNoDelay(self, enabled: bool) -> None:
        """As asked."""

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        self.streaming = producer

    def abortConnection(self) -> None:
        self.is_aborted = True

    def pauseProducing(self) -> None:
        self.producerState = "paused"

    def resumeProducing(self) -> None:
        self.producerState = "producing"


class Datagrams:
    """The socket of the UDP side."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, Any]] = []

    def write(self, octets: bytes, addr: Any) -> None:
        self.sent.append((octets, addr))


def framed(octets: bytes) -> bytes:
    return len(octets).to_bytes(2, "big") + octets


def stream_of(
    server: Any, clock: TestClock | None = None
) -> tuple[StreamSide, Transport]:
    """Any: `NameServer`, or what stands in for it."""
    factory = StreamFactory(lambda: server, clock or TestClock())
    return join(factory)


def join(factory: StreamFactory) -> tuple[StreamSide, Transport]:
    side = factory.buildProtocol(IPv4Address("TCP", "192.0.2.9", 5))
    transport = Transport()
    side.makeConnection(transport)
    return side, transport


def datagrams_of(server: Any) -> tuple[DatagramSide, Datagrams]:
    """Any: as above."""
    side, sockets = DatagramSide(lambda: server), Datagrams()
    stand_in: Any = sockets
    side.transport = stand_in
    return side, sockets


@pytest.fixture
def server(tmp_path: Path) -> NameServer:
    return Served(tmp_path, {"example.org": ZONE}).server


def test_by_udp(server: NameServer) -> None:
    side, sockets = datagrams_of(server)
    side.datagramReceived(QUERY, ("192.0.2.9", 5353))
    [(answer, addr)] = sockets.sent
    assert addr == ("192.0.2.9", 5353)
    assert dns.message.from_wire(answer).answer
    side.datagramReceived(QUERY, ("192.0.2.9", 0))
    side.datagramReceived(b"", ("192.0.2.9", 5353))
    assert len(sockets.sent) == 1


def test_too_many_by_udp_are_dropped() -> None:
    slow = Slow()
    side, sockets = datagrams_of(slow)
    for _ in range(MOST_PENDING + 10):
        side.datagramReceived(QUERY, ("192.0.2.9", 5353))
    assert len(slow.asked) == MOST_PENDING
    slow.asked[0].callback([b"x"])
    side.datagramReceived(QUERY, ("192.0.2.9", 5353))
    assert len(slow.asked) == MOST_PENDING + 1
    side.transport = None
    slow.asked[1].callback([b"too late"])
    assert len(sockets.sent) == 1


def test_by_tcp_octet_by_octet(server: NameServer) -> None:
    """RFC 7766 §8: two octets of length, then the message."""
    side, transport = stream_of(server)
    for octet in framed(QUERY) * 2:
        side.dataReceived(bytes([octet]))
    written = transport.value()
    size = int.from_bytes(written[:2], "big")
    assert len(written) == 2 * (2 + size)
    assert dns.message.from_wire(written[2 : 2 + size]).answer


def test_answers_go_out_as_they_come(server: NameServer) -> None:
    """RFC 7766 §6.2.1.1."""
    slow = Slow()
    side, transport = stream_of(slow)
    side.dataReceived(framed(QUERY) * 2)
    slow.asked[1].callback([b"two"])
    slow.asked[0].callback([b"one", b"more"])
    assert transport.value() == framed(b"two") + framed(b"one") + framed(b"more")


def test_who_asks_too_much_has_to_wait() -> None:
    slow = Slow()
    side, transport = stream_of(slow)
    side.dataReceived(framed(QUERY) * MOST_PIPELINED)
    assert transport.producerState == "paused"
    slow.asked[0].callback([])
    assert transport.producerState == "producing"
    transport.streaming.pauseProducing()
    assert transport.producerState == "paused"
    slow.asked[1].callback([b"x"])
    assert transport.producerState == "paused"
    transport.streaming.resumeProducing()
    assert transport.producerState == "producing"
    transport.streaming.stopProducing()


def test_silence_ends_a_connection(server: NameServer) -> None:
    clock = TestClock()
    side, transport = stream_of(server, clock)
    clock.advance(IDLE - 1)
    side.dataReceived(framed(QUERY))
    clock.advance(IDLE - 1)
    assert not transport.is_aborted
    clock.advance(1)
    assert transport.is_aborted


def test_a_long_answer_may_be_read_slowly(server: NameServer) -> None:
    clock = TestClock()
    _, transport = stream_of(server, clock)
    transport.streaming.pauseProducing()
    clock.advance(LONGER * IDLE - 1)
    assert not transport.is_aborted
    clock.advance(1)
    assert transport.is_aborted


def test_connections_are_counted() -> None:
    factory = StreamFactory(lambda: Slow(connections=2), TestClock())  # type: ignore[arg-type,return-value]  # as much of a server as is asked
    joined = [join(factory) for _ in range(3)]
    assert [transport.is_aborted for _, transport in joined] == [False, False, True]
    joined[2][0].connectionLost()
    joined[0][0].connectionLost()
    assert not join(factory)[1].is_aborted
    factory.cut_all()
    assert joined[1][1].is_aborted


def test_an_answer_for_somebody_who_left() -> None:
    slow = Slow()
    clock = TestClock()
    side, transport = stream_of(slow, clock)
    side.dataReceived(framed(QUERY))
    side.connected = 0
    side.connectionLost()
    slow.asked[0].callback([b"x"])
    assert transport.value() == b""
    assert clock.getDelayedCalls() == []


class BugTests(TestCase):
    """A bug is logged, and costs one answer."""

    def test_by_both_ways(self) -> None:
        slow = Slow()
        udp, sockets = datagrams_of(slow)
        udp.datagramReceived(QUERY, ("192.0.2.9", 5353))
        tcp, transport = stream_of(slow)
        tcp.dataReceived(framed(QUERY))
        for asked in slow.asked:
            asked.errback(ZeroDivisionError())
        assert len(self.flushLoggedErrors(ZeroDivisionError)) == 2
        assert sockets.sent == []
        assert transport.is_aborted


class SocketTests(TestCase):
    """Real ports of loopback."""

    def setUp(self) -> None:
        self.served = Served(Path(self.mktemp()), {"example.org": ZONE})

    def ports(self, description: str, **more: Any) -> NameServerPorts:
        """Any: of `NameServerPorts`."""
        endpoint = serverFromString(reactor, description)
        ports = NameServerPorts(
            description, endpoint, lambda: self.served.server, reactor, **more
        )
        self.addCleanup(lambda: ports.stopService())
        return ports

    def test_one_number_for_both(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._one_number_for_both())

    async def _one_number_for_both(self) -> None:
        ports = self.ports("tcp:0:interface=127.0.0.1")
        ports.privilegedStartService()
        assert ports.port is not None
        address: Any = ports.port.getHost()
        # Nobody is silent here: what is late is this machine, and is waited for.
        self.patch(forwarding, "SECONDS", 60.0)
        forward = Forwarder(reactor, (Server("127.0.0.1", address.port),))
        response = dns.message.from_wire(await forward(QUERY))
        assert (response.id, len(response.answer)) == (7, 1)
        with self.assertRaisesRegex(PortTaken, "dns: cannot listen on"):
            self.ports(
                f"tcp:{address.port}:interface=127.0.0.1"
            ).privilegedStartService()

    def test_the_number_is_taken_by_udp(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._the_number_is_taken_by_udp())

    async def _the_number_is_taken_by_udp(self) -> None:
        real: Any = reactor
        udp = real.listenUDP(0, DatagramProtocol(), "127.0.0.1")
        self.addCleanup(udp.stopListening)
        number = udp.getHost().port
        with self.assertRaisesRegex(PortTaken, "in use"):
            self.ports(f"tcp:{number}:interface=127.0.0.1").privilegedStartService()

    def test_a_socket_that_somebody_else_bound(self) -> None:
        real: Any = reactor
        opened: list[DatagramProtocol] = []

        def open_udp(side: DatagramProtocol) -> Any:
            opened.append(side)
            return real.listenUDP(0, side, "127.0.0.1")

        ports = self.ports("tcp:0:interface=127.0.0.1", datagrams=open_udp)
        ports.privilegedStartService()
        assert isinstance(opened[0], DatagramSide)
