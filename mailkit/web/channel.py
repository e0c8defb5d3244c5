"""
Connections of HTTP/1.1 as Twisted reads them, less what it takes and should not.

Where a proxy stands before us, both have to read the same: what is doubtful is refused.
"""

from __future__ import annotations

from twisted.web.http import HTTPChannel, _GenericHTTPChannelProtocol

_LONGEST_NUMBER = 18
"""Digits of a length; Python reads no more than 4300, and says so by an exception."""


class Channel(HTTPChannel):
    """One connection; a request that is not to be trusted is answered 400."""

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


def make_channel() -> _GenericHTTPChannelProtocol:
    """For each connection; becomes one of HTTP/2 where TLS has said so."""
    return _GenericHTTPChannelProtocol(Channel())
