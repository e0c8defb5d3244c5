"""Ports that another process has bound for this one."""

from __future__ import annotations

import os
import socket
from typing import Any

from attrs import define, field
from twisted.internet.address import UNIXAddress
from twisted.internet.defer import Deferred, execute
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IListeningPort,
    IProtocolFactory,
    IReadDescriptor,
    IStreamServerEndpoint,
)
from twisted.internet.protocol import DatagramProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

AT_ONCE = 64
"""Connections that are accepted in a row."""

PAUSE = 1.0
"""Seconds without accepting, where it fails: for want of descriptors mostly."""


@implementer(IStreamServerEndpoint)
@define(eq=False)
class AdoptedEndpoint:
    """A socket that listens already, by its descriptor; it is closed here."""

    _reactor: Any  # Twisted's, which has no type of its own
    _descriptor: int
    _family: int

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        return execute(self._listen, protocolFactory)

    def _listen(self, factory: IProtocolFactory) -> IListeningPort:
        try:
            os.set_blocking(self._descriptor, False)
            if self._family == socket.AF_UNIX:
                # Twisted's own would unlink a path that is not this process's.
                shared = socket.socket(fileno=os.dup(self._descriptor))
                port = UNIXAcceptor(self._reactor, shared, factory)
                port.startListening()
                return port
            adopted: IListeningPort = self._reactor.adoptStreamPort(
                self._descriptor, self._family, factory
            )
            return adopted
        finally:
            os.close(self._descriptor)


@define(eq=False)
class AdoptedDatagrams:
    """A UDP socket by its descriptor, which is closed here; others read it as well."""

    _reactor: Any  # Twisted's, which has no type of its own
    _descriptor: int
    _family: int

    def open(self, protocol: DatagramProtocol) -> IListeningPort:
        """Read from it."""
        try:
            os.set_blocking(self._descriptor, False)
            adopted: IListeningPort = self._reactor.adoptDatagramPort(
                self._descriptor, self._family, protocol, 65535
            )
            return adopted
        finally:
            os.close(self._descriptor)


@implementer(IListeningPort, IReadDescriptor)
@define(eq=False)
class UNIXAcceptor:
    """Accepts from a Unix socket that other processes accept from as well."""

    log = Logger()

    _reactor: Any  # Twisted's, which has no type of its own
    _socket: socket.socket
    _factory: IProtocolFactory
    _pause: IDelayedCall | None = field(init=False, default=None)

    def startListening(self) -> None:
        self._factory.doStart()
        self._reactor.addReader(self)

    def stopListening(self) -> None:
        """Close this process's descriptor; the socket stays for the others."""
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
        self._reactor.removeReader(self)
        self._socket.close()
        self._factory.doStop()

    def getHost(self) -> IAddress:
        return UNIXAddress(self._socket.getsockname())

    def fileno(self) -> int:
        return self._socket.fileno()

    def logPrefix(self) -> str:
        return "unix"

    def doRead(self) -> None:
        try:
            for _ in range(AT_ONCE):
                connection, _peer = self._socket.accept()
                with connection:
                    connection.setblocking(False)
                    self._reactor.adoptStreamConnection(
                        connection.fileno(), socket.AF_UNIX, self._factory
                    )
        except BlockingIOError:
            return  # another process was faster
        except OSError as error:
            self.log.warn("cannot accept: {reason}", reason=error.strerror)
            self._reactor.removeReader(self)
            self._pause = self._reactor.callLater(PAUSE, self._go_on)

    def connectionLost(self, reason: Failure) -> None:
        """The reactor has no more use for it; `stopListening` is what closes."""

    def _go_on(self) -> None:
        self._pause = None
        self._reactor.addReader(self)
