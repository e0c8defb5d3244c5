"""
What a worker and its parent say to each other: JSON objects over a socket pair.

The parent begins with ``{"number": …}`` and all that the worker needs to serve; the
worker says ``{"ready": true}`` or ``{"failed": "why"}``. After that:

* worker → parent ``{"alive": true}``, at each beat of its reactor;
* parent → worker ``{"reload": "text of the config"}``;
* worker → parent ``{"ask": n}``: the metrics of the others, please; the parent passes
  ``{"tell": m}`` on, the others say ``{"told": m, "text": …}``, and the one that asked
  gets ``{"answer": n, "texts": […]}``.

Whoever sees the socket end knows that the other is gone.
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory, connectionDone
from twisted.protocols.basic import Int32StringReceiver
from twisted.python.failure import Failure

Word = dict[str, Any]  # Any: JSON
"""One thing that is said; its first key says what it is."""

BEAT = 2.0
"""Seconds between two signs of life."""

LONGEST = 1 << 24
"""Octets of one; the texts of all metrics are the longest."""

_LENGTH = struct.Struct("!I")


def say(tie: socket.socket, word: Word) -> None:
    """Say something before the reactor runs. Blocks."""
    octets = json.dumps(word).encode()
    tie.sendall(_LENGTH.pack(len(octets)) + octets)


def hear(tie: socket.socket) -> Word | None:
    """
    What the other says before the reactor runs; ``None``: it is gone. Blocks.

    :raises TimeoutError: if the socket has a timeout and nothing comes.
    """
    head = _receive(tie, _LENGTH.size)
    octets = _receive(tie, _LENGTH.unpack(head)[0]) if head else b""
    if not octets:
        return None
    word: Word = json.loads(octets)
    return word


def _receive(tie: socket.socket, count: int) -> bytes:
    """So many octets, or none."""
    octets = b""
    while len(octets) < count:
        try:
            piece = tie.recv(count - len(octets))
        except ConnectionError:
            return b""
        if not piece:
            return b""
        octets += piece
    return octets


class Tie(Int32StringReceiver):
    """One end of it, once the reactor runs."""

    MAX_LENGTH = LONGEST

    def __init__(self, heard: Callable[[Word], None], lost: Callable[[], None]) -> None:
        self._heard = heard
        self._lost = lost
        self.is_open = False

    def connectionMade(self) -> None:
        self.is_open = True

    def say(self, word: Word) -> None:
        """Say something; nothing happens once the other is gone."""
        if self.is_open:
            self.sendString(json.dumps(word).encode())

    def stringReceived(self, string: bytes) -> None:
        self._heard(json.loads(string))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        super().connectionLost(reason)
        self.is_open = False
        self._lost()


class TieFactory(Factory):
    """Makes the one that it was given."""

    noisy = False

    def __init__(self, tie: Tie) -> None:
        self._tie = tie

    def buildProtocol(self, addr: IAddress | None) -> Tie:
        return self._tie


def adopt(tie: Tie, connection: socket.socket, reactor: Any) -> None:
    """
    Go on with a socket that was spoken over by `say` and `hear`; it is closed here.

    :param reactor: Twisted's, which has no type of its own.
    """
    connection.setblocking(False)
    with connection:
        reactor.adoptStreamConnection(
            connection.fileno(), socket.AF_UNIX, TieFactory(tie)
        )
