"""Dots at the start of a line, doubled (RFC 5321 §4.5.2, RFC 1939 §3)."""

from __future__ import annotations


class DotStuffer:
    """
    Doubles leading dots of a text that comes in pieces, wherever those are cut.

    What is before the first piece counts as the end of a line.
    """

    __slots__ = ("_after_cr", "_at_start")

    def __init__(self) -> None:
        self._at_start = True
        self._after_cr = False

    def stuff(self, octets: bytes) -> bytes:
        """One more piece, ready to send."""
        if not octets:
            return b""
        stuffed = octets.replace(b"\r\n.", b"\r\n..")
        if self._at_start and octets.startswith(b"."):
            stuffed = b"." + stuffed
        elif self._after_cr and octets.startswith(b"\n."):
            stuffed = b"\n.." + stuffed[2:]
        self._at_start = octets.endswith(b"\r\n") or (
            self._after_cr and octets == b"\n"
        )
        self._after_cr = octets.endswith(b"\r")
        return stuffed

    def end(self) -> bytes:
        """The line that ends the text, after a CRLF where that is missing."""
        ending = b".\r\n" if self._at_start else b"\r\n.\r\n"
        self._at_start, self._after_cr = True, False
        return ending
