"""The web pages have as many visitors as the door lets in."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from mailkit.net.door import Door, DoorSettings
from mailkit.net.guarded import Guarded

GONE = Failure(ConnectionDone())


class Echo(Protocol):
    """Says what it hears."""

    def dataReceived(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(data)


def guarded(**limits: Any) -> Guarded:
    return Guarded(Factory.forProtocol(Echo), Door(DoorSettings(**limits)))


def peer(number: int) -> IAddress:
    return IPv4Address("TCP", f"192.0.2.{number}", 5)


def test_so_many_of_one_peer() -> None:
    factory = guarded(connections_per_peer=2)
    first, second = factory.buildProtocol(peer(1)), factory.buildProtocol(peer(1))
    assert first is not None
    assert second is not None
    assert factory.buildProtocol(peer(1)) is None
    assert factory.buildProtocol(peer(2)) is not None
    transport = StringTransport()
    first.makeConnection(transport)
    first.dataReceived(b"hello")
    assert transport.value() == b"hello"
    first.connectionLost(GONE)
    assert factory.buildProtocol(peer(1)) is not None
    assert factory.buildProtocol(peer(1)) is None


def test_so_many_of_all() -> None:
    factory = guarded(connections=1)
    assert factory.buildProtocol(peer(1)) is not None
    assert factory.buildProtocol(peer(2)) is None


def test_a_proxy_stands_for_many() -> None:
    proxies = (ip_network("192.0.2.1"),)
    factory = guarded(connections_per_peer=1, trusted_proxies=proxies)
    places = (peer(1), peer(1), UNIXAddress("/x"), UNIXAddress("/x"), None)
    assert all(factory.buildProtocol(place) is not None for place in places)
