"""The text of a message between DATA and the dot, in blocks of whole lines."""

from __future__ import annotations

from mailkit.model.reply import Reply
from mailkit.protocols.buffer import Buffer
from mailkit.protocols.smtp.limits import Limits

BARE = Reply(550, "6.0", "The message has a bare CR, a bare LF or a NUL octet")
"""RFC 5321 §2.3.8: CR and LF are sent together only; §4.5.2 knows no NUL."""

LONG_LINE = Reply(554, "6.0", "The message has a line that is too long")

TOO_LARGE = Reply(552, "3.4", "The message is larger than we take")
"""RFC 1870 §6.3."""


class TextReader:
    """
    Takes dot-stuffed text out of a buffer (RFC 5321 §4.5.2).

    Only ``CRLF . CRLF`` ends it. Every other way to write an end that somebody else
    may believe in holds a bare CR or LF, and text with one of those is read to its
    true end, thrown away, and refused: the session stays in step.
    """

    __slots__ = (
        "_at_line_start",
        "_buffer",
        "_limits",
        "_searched",
        "is_over",
        "refusal",
        "size",
        "wasted",
    )

    def __init__(self, buffer: Buffer, limits: Limits) -> None:
        self._buffer = buffer
        self._limits = limits
        # Where a CRLF may begin that was not seen yet.
        self._searched = 0
        # Whether what precedes the buffer is the end of a line.
        self._at_line_start = True
        self.is_over = False
        self.refusal: Reply | None = None
        """Why the text cannot be taken."""
        self.size = 0
        """Octets so far, stuffing taken out (RFC 1870 §6)."""
        self.wasted = 0
        """Octets that were read only to be thrown away."""

    def next_block(self) -> bytes:
        """Some whole lines, or nothing: more octets are needed, or it `is_over`."""
        buffer = self._buffer
        while True:
            if self._at_line_start and buffer.startswith(b".\r\n"):
                buffer.take(3)
                self.is_over = True
                return b""
            if buffer.find(b"\r\n", self._searched) < 0:
                self._wait()
                return b""
            block = self._unstuffed()
            if self.refusal is None:
                return block
            self.wasted += len(block)

    def _wait(self) -> None:
        waiting = len(self._buffer)
        if self.refusal is not None or waiting > self._limits.text_line + 1:
            # The last octet may be the CR of the line's end.
            self.refusal = self.refusal or LONG_LINE
            if waiting > 2:
                self._at_line_start = False
                self.wasted += len(self._buffer.take(waiting - 1))
                waiting = 1
        self._searched = max(waiting - 1, 0)

    def _unstuffed(self) -> bytes:
        """Take all whole lines up to the end of the text."""
        buffer = self._buffer
        self._searched = 0
        dot = buffer.find(b"\r\n.")
        end = buffer.find(b"\r\n.\r\n", dot) if dot >= 0 else -1
        if end < 0:
            end = buffer.rfind(b"\r\n")
        block = buffer.take(end + 2)
        if self.refusal is None:
            self._check(block)
        if self._at_line_start and block.startswith(b"."):
            block = block[1:]
        self._at_line_start = True
        if 0 <= dot < end:
            block = block.replace(b"\r\n.", b"\r\n")
        self.size += len(block)
        if self.size > self._limits.message_size and self.refusal is None:
            self.refusal = TOO_LARGE
        return block

    def _check(self, block: bytes) -> None:
        if not is_text(block):
            self.refusal = BARE
        elif has_long_line(block, self._limits.text_line):
            self.refusal = LONG_LINE


def is_text(block: bytes) -> bool:
    """Whether CR and LF come in pairs only, and there is no NUL."""
    special = len(block) - len(block.translate(None, b"\r\n\0"))
    return special == 2 * block.count(b"\r\n")


def has_long_line(block: bytes, limit: int) -> bool:
    """Whether a line of ``block`` is longer than ``limit`` octets without its CRLF."""
    at = 0
    while len(block) - at > limit + 2:
        end = block.rfind(b"\r\n", at, at + limit + 2)
        if end < 0:
            return True
        at = end + 2
    return False
