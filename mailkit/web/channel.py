"""
Connections of HTTP as Twisted reads them, less what it takes and should not.

Where a proxy stands before us, both have to read the same: what is doubtful is refused.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.error import ConnectionLost
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel, _GenericHTTPChannelProtocol

from mailkit.web.turns import TooManySignals, Turns

_LONGEST_NUMBER = 18
"""Digits of a length; Python reads no more than 4300, and says so by an exception."""

_ENHANCE_YOUR_CALM = 0x0B  # RFC 9113 §7


class Channel(HTTPChannel):
    """One of HTTP/1.1; a request that is not to be trusted is answered 400."""

    def headerReceived(self, line: bytes) -> bool:
        name, _, value = line.partition(b":")
        name, value = name.lower(), value.strip(b" \t")
        is_wrong = name == b"content-length" and len(value) > _LONGEST_NUMBER
        if name == b"host":
            # RFC 9112 §3.2: one Host field, and no more.
            is_wrong = self.requests[-1].requestHeaders.hasHeader(b"host")
        if is_wrong:
            self._respondToBadRequestAndDisconnect()
            return False
        return bool(super().headerReceived(line))

    def lineReceived(self, line: bytes) -> None:
        # RFC 9112 §5.2: a field that goes on in a second line is refused, too.
        if self.requests and not self._handlingRequest and line[:1] in (b" ", b"\t"):
            self._respondToBadRequestAndDisconnect()
            return
        super().lineReceived(line)


class Connection(_GenericHTTPChannelProtocol):
    """One of either version: it becomes one of HTTP/2 where TLS has said so."""

    log = Logger()

    def dataReceived(self, octets: bytes) -> None:
        transport = self._channel.transport
        is_h2 = getattr(transport, "negotiatedProtocol", None) == b"h2"
        if is_h2 and self._negotiatedProtocol is None:
            super().dataReceived(b"")  # that makes it one of HTTP/2
            made: Any = self._channel  # Twisted's `H2Connection`
            made.priority = Turns(made.priority)
        try:
            super().dataReceived(octets)
        except TooManySignals:
            self._calm()

    def _calm(self) -> None:
        """End a connection of HTTP/2."""
        channel: Any = self._channel  # as above
        self.log.info(
            "{peer} sends too many PRIORITY frames: its connection is ended",
            peer=getattr(channel.getPeer(), "host", "unix"),
        )
        channel.conn.close_connection(error_code=_ENHANCE_YOUR_CALM)
        # As Twisted ends one that resets too many streams; it offers no other way.
        channel._terminate(Failure(ConnectionLost("Too many PRIORITY frames")))


def make_channel() -> Connection:
    """For each connection."""
    return Connection(Channel())
