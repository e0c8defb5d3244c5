"""Lines from the buffer, cut where they exceed a limit."""

from __future__ import annotations

from mailkit.protocols.buffer import Buffer

HEAD = 300
"""Octets that are kept of the front of a cut line: its tag and more."""
TAIL = 32
"""Octets that are kept of its end: the announcement of a literal, if there is one."""


class LineReader:
    """
    Takes lines out of a buffer and never lets a long one pile up in it.

    After `take` returned a line, `was_cut` says that it was longer than the limit:
    what was returned then is its front and its end only.
    """

    __slots__ = ("_buffer", "_head", "was_cut")

    def __init__(self, buffer: Buffer) -> None:
        self._buffer = buffer
        self._head = b""
        self.was_cut = False

    def take(self, limit: int) -> bytes | None:
        """
        One line without its CRLF, or ``None`` when its end has not come.

        :param limit: octets without CRLF that are not too many.
        """
        buffer = self._buffer
        line = buffer.take_line()
        if line is None:
            # The last octet may be the CR, which is no part of the line.
            if self._head:
                buffer.take(max(len(buffer) - TAIL - 1, 0))
            elif len(buffer) > limit + 1:
                self._head = buffer.take(max(len(buffer) - TAIL - 1, 0))[:HEAD]
            return None
        self.was_cut = bool(self._head) or len(line) > limit
        if self.was_cut:
            line = (self._head or line[:HEAD]) + line[-TAIL:]
            self._head = b""
        return line
