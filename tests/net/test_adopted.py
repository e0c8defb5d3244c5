"""Ports that were bound by another process; sockets are the test's."""

from __future__ import annotations

import errno
import os
import socket
from typing import Any

import pytest
from attrs import define, field
from twisted.internet.address import UNIXAddress
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IListeningPort, IReadDescriptor
from twisted.internet.protocol import DatagramProtocol, Factory
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from zope.interface.verify import verifyObject

from mailkit.net.adopted import AT_ONCE, AdoptedDatagrams, AdoptedEndpoint, UNIXAcceptor


class Reactor(Clock):
    """Remembers what it reads and adopts."""

    def __init__(self) -> None:
        super().__init__()
        self.readers: set[object] = set()
        self.adopted: list[tuple[int, int]] = []

    def addReader(self, reader: object) -> None:
        self.readers.add(reader)

    def removeReader(self, reader: object) -> None:
        self.readers.discard(reader)

    def adoptStreamPort(self, descriptor: int, family: int, factory: object) -> str:
        self.adopted.append((descriptor, family))
        return "a port"

    def adoptDatagramPort(
        self, descriptor: int, family: int, protocol: object, most: int
    ) -> str:
        assert most == 65535
        self.adopted.append((descriptor, family))
        return "a UDP port"

    def adoptStreamConnection(self, fd: int, family: int, factory: object) -> None:
        self.adopted.append((fd, family))


@define(eq=False)
class Connection:
    number: int
    is_open: bool = True

    def setblocking(self, on: bool) -> None:
        assert not on

    def fileno(self) -> int:
        return self.number

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *problem: object) -> None:
        self.is_open = False


@define(eq=False)
class Waiting:
    """A listening socket, and who waits there."""

    coming: list[Any] = field(factory=list)
    is_open: bool = True

    def accept(self) -> tuple[Connection, str]:
        if not self.coming:
            raise BlockingIOError
        one = self.coming.pop(0)
        if isinstance(one, OSError):
            raise one
        return one, ""

    def fileno(self) -> int:
        return 5

    def getsockname(self) -> str:
        return "/run/lmtp"

    def close(self) -> None:
        self.is_open = False


def opened(coming: list[Any]) -> tuple[Reactor, Any, UNIXAcceptor]:
    reactor, waiting = Reactor(), Waiting(coming)
    acceptor = UNIXAcceptor(reactor, waiting, Factory())  # type: ignore[arg-type]  # doubles, of what it asks for
    acceptor.startListening()
    return reactor, waiting, acceptor


def test_tcp_is_twisteds() -> None:
    reactor = Reactor()
    descriptor = os.open(os.devnull, os.O_RDONLY)
    ports: list[object] = []
    endpoint = AdoptedEndpoint(reactor, descriptor, socket.AF_INET)
    endpoint.listen(Factory()).addCallback(ports.append)
    assert ports == ["a port"]
    assert reactor.adopted == [(descriptor, socket.AF_INET)]
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_unix_is_ours() -> None:
    reactor = Reactor()
    one, two = socket.socketpair()
    ports: list[Any] = []
    with two:
        endpoint = AdoptedEndpoint(reactor, one.detach(), socket.AF_UNIX)
        endpoint.listen(Factory()).addCallback(ports.append)
        [port] = ports
        assert isinstance(port, UNIXAcceptor)
        assert reactor.readers == {port}
        port.stopListening()
        assert two.recv(1) == b""  # nobody has it open any more


def test_all_that_wait_are_accepted() -> None:
    connections = [Connection(number) for number in range(AT_ONCE + 1)]
    reactor, _, acceptor = opened(list(connections))
    assert verifyObject(IListeningPort, acceptor)
    assert verifyObject(IReadDescriptor, acceptor)
    acceptor.doRead()
    assert len(reactor.adopted) == AT_ONCE
    acceptor.doRead()
    acceptor.doRead()
    assert reactor.adopted[-1] == (AT_ONCE, socket.AF_UNIX)
    assert not any(connection.is_open for connection in connections)


def test_it_pauses_where_accepting_fails() -> None:
    full = OSError(errno.EMFILE, "Too many open files")
    reactor, waiting, acceptor = opened([Connection(1), full, full, Connection(2)])
    acceptor.doRead()
    assert reactor.readers == set()
    reactor.advance(1)
    assert reactor.readers == {acceptor}
    acceptor.doRead()
    acceptor.stopListening()
    reactor.advance(1)
    assert reactor.readers == set()
    assert not waiting.is_open


def test_it_says_where_it_is() -> None:
    _, waiting, acceptor = opened([])
    assert acceptor.getHost() == UNIXAddress("/run/lmtp")
    assert (acceptor.fileno(), acceptor.logPrefix()) == (5, "unix")
    acceptor.connectionLost(Failure(ConnectionDone()))
    assert waiting.is_open


def test_a_udp_socket_is_read_from() -> None:
    reactor = Reactor()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
        descriptor = os.dup(ours.fileno())
        adopted = AdoptedDatagrams(reactor, descriptor, socket.AF_INET)
        assert str(adopted.open(DatagramProtocol())) == "a UDP port"
        assert not os.get_blocking(ours.fileno())
    assert reactor.adopted == [(descriptor, socket.AF_INET)]
    with pytest.raises(OSError):
        os.fstat(descriptor)
