"""The top of a message that comes in pieces (RFC 1939 §7, TOP)."""

from __future__ import annotations

from attrs import define, field


@define
class Top:
    """Lets the header, the empty line and the first lines of the body through."""

    lines: int
    """Lines of the body that are still wanted."""
    is_done: bool = field(default=False, init=False)
    _tail: bytes = field(default=b"\r\n", init=False)
    _in_body: bool = field(default=False, init=False)

    def take(self, octets: bytes) -> bytes:
        """As much of this piece as belongs to the top."""
        begin = 0
        if not self._in_body:
            # What ended the last piece may be half of the empty line.
            joined = self._tail + octets
            end = joined.find(b"\r\n\r\n")
            if end < 0:
                self._tail = joined[-3:]
                return octets
            begin = end + 4 - len(self._tail)
            self._in_body = True
            self._tail = b""
        end = self._body_end(octets, begin)
        self._tail = octets[-1:]
        return octets[:end]

    def _body_end(self, octets: bytes, at: int) -> int:
        while self.lines:
            end = octets.find(b"\n", at)
            if end < 0:
                return len(octets)
            # A CRLF that is cut in two ends its line at the LF.
            if (octets[end - 1 : end] if end else self._tail) == b"\r":
                self.lines -= 1
            at = end + 1
        self.is_done = True
        return at
