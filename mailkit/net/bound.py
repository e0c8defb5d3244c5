"""
Ports that one process binds and others accept from.

A TCP port has a socket for each worker (``SO_REUSEPORT``): the kernel deals the
connections out. Whatever else there is (Unix sockets, what systemd hands in, the
numbers) has one socket that all workers accept from.
"""

from __future__ import annotations

import os
import socket
from typing import Any

from attrs import define, field
from twisted.internet.abstract import isIPv6Address
from twisted.internet.defer import Deferred, succeed
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import (
    IListeningPort,
    IStreamServerEndpoint,
)
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure

from mailkit.net.listeners import port_taken

DATAGRAMS = "dns-udp"
"""What the UDP side of a name server is called."""

SHAREABLE = ("tcp", "tcp6", "unix", "systemd")
"""Kinds of endpoint that several processes can accept from."""


@define(eq=False)
class Bound:
    """One endpoint of the config, bound and listening; nobody accepts here."""

    service: str
    description: str
    _sockets: list[socket.socket]
    """One for each worker, or one for all."""
    _backlog: int = 50
    _port: IListeningPort | None = None
    """Twisted's own, for what has to be put away at the end."""

    def socket_of(self, number: int) -> socket.socket:
        """What worker ``number`` (from 1) accepts from."""
        return self._sockets[(number - 1) % len(self._sockets)]

    def rest(self, number: int) -> None:
        """
        Have the kernel deal that worker's connections to the others for a while.

        Those that wait in its own queue are cut.
        """
        if len(self._sockets) > 1:
            self.socket_of(number).shutdown(socket.SHUT_RDWR)

    def wake(self, number: int) -> None:
        """End a `rest`; nothing happens without one."""
        if len(self._sockets) > 1:
            self.socket_of(number).listen(self._backlog)

    def close(self) -> Deferred[None]:
        """Listen no more, as far as it is up to this process."""
        if self._port is not None:
            closing: Deferred[None] | None = self._port.stopListening()
            return closing if closing is not None else succeed(None)
        for one in self._sockets:
            one.close()
        return succeed(None)


def bind(
    service: str, description: str, workers: int, is_dealt: bool, reactor: Any
) -> Bound:
    """
    Bind one endpoint string for all workers.

    :param is_dealt: whether each worker gets its own part of the connections.
    :param reactor: Twisted's, which has no type of its own.
    :raises PortTaken: if it cannot be.
    """
    binder = _Binder(reactor, workers if is_dealt else 1)
    endpoint: IStreamServerEndpoint = serverFromString(binder, description)
    failed: list[Failure] = []
    endpoint.listen(Factory()).addErrback(failed.append)
    if failed:
        raise port_taken(service, description, failed[0].value)
    return Bound(service, description, binder.sockets, binder.backlog, binder.port)


def beside(bound: Bound) -> Bound:
    """
    A UDP socket on the address and port of a TCP one, for all workers.

    The kernel hands each datagram to one of them, whoever is there.

    :raises PortTaken: if it cannot be.
    """
    stream = bound.socket_of(1)
    one = socket.socket(stream.family, socket.SOCK_DGRAM)
    try:
        one.setblocking(False)
        one.bind(stream.getsockname())
    except OSError as error:
        one.close()
        raise port_taken(bound.service, bound.description, error) from error
    return Bound(DATAGRAMS, bound.description, [one])


@define(eq=False)
class _Binder:
    """Stands in for the reactor, so that Twisted reads endpoint strings for us."""

    _reactor: Any
    _count: int
    sockets: list[socket.socket] = field(init=False, factory=list)
    backlog: int = field(init=False, default=50)
    port: IListeningPort | None = field(init=False, default=None)

    def listenTCP(
        self, port: int, factory: Factory, backlog: int = 50, interface: str = ""
    ) -> None:
        self.backlog = backlog
        try:
            # Two that share a port are not told of each other: one that does not
            # share is, so that a server is not started twice.
            with _bound(interface, port, is_shared=False) as probe:
                port = probe.getsockname()[1]
            for _ in range(self._count):
                one = _bound(interface, port, is_shared=self._count > 1)
                self.sockets.append(one)
                one.listen(backlog)
        except OSError as error:
            for one in self.sockets:
                one.close()
            raise CannotListenError(interface, port, error) from error

    def listenUNIX(
        self,
        address: str,
        factory: Factory,
        backlog: int = 50,
        mode: int = 0o666,
        wantPID: bool = False,
    ) -> None:
        port = self._reactor.listenUNIX(address, factory, backlog, mode, wantPID)
        port.stopReading()
        self.port = port
        self.sockets = [port.socket]

    def adoptStreamPort(
        self,
        fileDescriptor: int,
        addressFamily: int,
        factory: Factory,
    ) -> None:
        self.sockets = [socket.socket(fileno=os.dup(fileDescriptor))]


def _bound(interface: str, port: int, *, is_shared: bool) -> socket.socket:
    """A socket on that port, as Twisted makes them; it does not listen yet."""
    family = socket.AF_INET
    address: Any = (interface, port)
    if isIPv6Address(interface):
        family = socket.AF_INET6
        flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        [(*_, address), *_] = socket.getaddrinfo(
            interface, port, family, socket.SOCK_STREAM, flags=flags
        )
    one = socket.socket(family, socket.SOCK_STREAM)
    try:
        one.setblocking(False)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if is_shared:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        one.bind(address)
    except OSError:
        one.close()
        raise
    return one
