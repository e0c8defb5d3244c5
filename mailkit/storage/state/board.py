"""
A notice board for all processes of one data folder, by datagram sockets (STORE.md §3).

Each process that hears has a socket below ``<data>/run/``; whoever publishes sends to
all of them. A socket that nobody reads any more is swept away by the next publisher. A
notice is lost when a receiver is too busy to take it: notices are hints.
"""

from __future__ import annotations

import errno
import os
import secrets
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Lock

from attrs import define, field
from twisted.internet.interfaces import (
    IReactorFDSet,
    IReactorFromThreads,
    IReadDescriptor,
)
from twisted.python.failure import Failure
from zope.interface import implementer

from mailkit.interfaces.notices import INoticeBoard
from mailkit.interfaces.storage import IWatch
from mailkit.storage.state.local import LocalBoard

LONGEST = 4096
"""Octets of one notice."""

_PREFIX = "notices."
_LONGEST_PATH = 100  # sockaddr_un has 108
_SETTLED = 1.0
_AT_ONCE = 100


@implementer(INoticeBoard)
@define(eq=False)
class SocketBoard:
    """
    `publish` may be called from any thread, before the reactor runs and without it.

    The process has a socket from the first `hear` until `close`.
    """

    _folder: str
    _reactor: IReactorFromThreads
    _local: LocalBoard = field(init=False)
    _descriptor: int = field(init=False)
    _reach: str = field(init=False)
    _sender: socket.socket = field(init=False)
    _receiver: _Receiver | None = field(init=False, default=None)
    _mutex: Lock = field(init=False, factory=Lock)
    _others: list[str] = field(init=False, factory=list)
    _changed: float = field(init=False, default=-1.0)

    def __attrs_post_init__(self) -> None:
        self._local = LocalBoard(self._reactor)
        os.makedirs(self._folder, 0o700, exist_ok=True)
        # The address of a socket is short; a descriptor reaches any folder.
        self._descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        is_short = len(os.fsencode(self._folder)) + 30 < _LONGEST_PATH
        self._reach = self._folder if is_short else f"/proc/self/fd/{self._descriptor}"
        self._sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sender.setblocking(False)

    def publish(self, topic: str, text: str = "") -> None:
        self._local.publish(topic, text)
        octets = f"{topic}\0{text}".encode(errors="surrogatepass")
        with self._mutex:
            if self._descriptor < 0:
                return
            for name in self._look():
                self._send(name, octets)

    def hear(self, topic: str, hear: Callable[[str], None]) -> IWatch:
        if self._receiver is None and self._descriptor >= 0:
            name = f"{_PREFIX}{os.getpid()}.{secrets.token_hex(4)}"
            self._receiver = _Receiver(
                f"{self._reach}/{name}", name, self._local.publish
            )
            self._receiver.start(self._reactor)
        return self._local.hear(topic, hear)

    def close(self) -> None:
        """Hear nothing from others any more. Safe to call twice."""
        if self._receiver is not None:
            self._receiver.stop(self._reactor)
            self._receiver = None
        with self._mutex:
            if self._descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor = -1
                self._sender.close()

    def _look(self) -> list[str]:
        """The sockets of the other processes; listed again if the folder changed."""
        try:
            changed = os.fstat(self._descriptor).st_mtime
            # Two changes may fall into one tick of the file system's clock.
            if changed != self._changed or abs(time.time() - changed) < _SETTLED:
                self._changed = changed
                mine = self._receiver.name if self._receiver else ""
                self._others = [
                    name
                    for name in os.listdir(self._descriptor)
                    if name.startswith(_PREFIX) and name != mine
                ]
        except OSError:
            self._others = []
        return self._others

    def _send(self, name: str, octets: bytes) -> None:
        try:
            self._sender.sendto(octets, f"{self._reach}/{name}")
        except ConnectionRefusedError:
            # Bound once, and its process is gone.
            with suppress(OSError):
                os.unlink(name, dir_fd=self._descriptor)
        except OSError as error:
            # Too busy, or gone since we looked: it finds the change by looking.
            if error.errno == errno.ENOENT:
                self._changed = -1.0


@implementer(IReadDescriptor)
@define(eq=False)
class _Receiver:
    """This process's socket."""

    _address: str
    name: str
    _publish: Callable[[str, str], None]
    _socket: socket.socket = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(self._address)

    def start(self, reactor: object) -> None:
        IReactorFDSet(reactor).addReader(self)

    def stop(self, reactor: object) -> None:
        IReactorFDSet(reactor).removeReader(self)
        self._socket.close()
        with suppress(OSError):
            os.unlink(self._address)

    def fileno(self) -> int:
        return self._socket.fileno()

    def logPrefix(self) -> str:  # noqa: N802 - Twisted calls it
        return "notices"

    def doRead(self) -> None:  # noqa: N802 - Twisted calls it
        for _ in range(_AT_ONCE):
            try:
                octets = self._socket.recv(LONGEST)
            except BlockingIOError:
                return
            topic, _, text = octets.decode(errors="replace").partition("\0")
            self._publish(topic, text)

    def connectionLost(self, reason: Failure) -> None:  # noqa: N802 - Twisted calls it
        """The reactor has no more use for it; `stop` is what closes."""
