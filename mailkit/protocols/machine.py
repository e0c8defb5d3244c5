"""The shape that all protocol machines share."""

from __future__ import annotations

from typing import Protocol


class Machine(Protocol):
    """A protocol without I/O: octets in, events out, octets out."""

    def receive(self, octets: bytes) -> None:
        """Take what the peer sent, in pieces of any size."""

    def next_event(self) -> object | None:
        """The next event, or ``None`` when more octets are needed first."""

    def take_output(self) -> bytes:
        """Octets to send to the peer; they are forgotten here."""

    def secured(self) -> None:
        """TLS is on: forget every octet and all knowledge from before."""
