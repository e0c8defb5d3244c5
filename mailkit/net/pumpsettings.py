"""What all connections have to keep to, and how TLS begins on them."""

from __future__ import annotations

import typing

from attrs import frozen
from twisted.internet.interfaces import ITransport
from twisted.internet.protocol import Protocol


class StartsTLS(typing.Protocol):
    """Puts TLS between a transport and a protocol."""

    def start(self, transport: ITransport, protocol: Protocol) -> None:
        """``protocol.transport`` is the secure one afterwards."""


@frozen
class PumpSettings:
    """What every connection has to keep to, whatever it speaks."""

    read_ahead: int = 65_536
    """Octets taken from a peer while its last command is still being handled."""

    slow_writer: int = 4_096
    """A peer that is not done with a command has to send this many octets in the
    time that the protocol allows for silence."""

    slow_reader: float = 300.0
    """Seconds within which a peer has to take what was written to it."""

    close_wait: float = 10.0
    """Seconds that the last words may take to leave before the connection is cut."""

    proxy_wait: float = 5.0
    """Seconds within which a trusted proxy has to say whom it speaks for."""

    turn: int = 64
    """Pipelined commands handled in a row before others get their turn."""

    dialogue: bool = False
    """Log every event and every response (level debug)."""
