"""The octets of a message that comes by BDAT (RFC 3030 §2)."""

from __future__ import annotations

from mailkit.model.reply import Reply
from mailkit.protocols.buffer import Buffer
from mailkit.protocols.smtp.limits import Limits
from mailkit.protocols.smtp.text import (
    BARE,
    LONG_LINE,
    TOO_LARGE,
    has_long_line,
    is_text,
)


class ChunkReader:
    """
    Takes the chunks of one message out of a buffer, one after the other.

    Whatever is wrong with a chunk, all its octets are read: the session stays in
    step. Unless the message is binary it has to be made of lines, as with DATA.
    """

    __slots__ = (
        "_buffer",
        "_follows_cr",
        "_is_binary",
        "_left",
        "_limits",
        "_line",
        "is_last",
        "refusal",
        "size",
        "wasted",
    )

    def __init__(
        self,
        buffer: Buffer,
        limits: Limits,
        is_binary: bool = False,
        refusal: Reply | None = None,
    ) -> None:
        self._buffer = buffer
        self._limits = limits
        self._is_binary = is_binary
        self._left = 0
        # Octets of the line that the last block ended in, and whether with a CR.
        self._line = 0
        self._follows_cr = False
        self.is_last = False
        self.refusal = refusal
        """Why the octets cannot be taken."""
        self.size = 0
        """Octets of the message so far."""
        self.wasted = 0
        """Octets that were read only to be thrown away."""

    def begin(self, size: int, is_last: bool) -> None:
        """A BDAT came."""
        self._left = size
        self.is_last = is_last
        if self.size + size > self._limits.message_size:
            self.refusal = self.refusal or TOO_LARGE
        if is_last and not size and self._follows_cr:
            self.refusal = self.refusal or BARE

    @property
    def is_over(self) -> bool:
        """All octets of the last BDAT were taken."""
        return not self._left

    def next_block(self) -> bytes:
        """What has come of the chunk; nothing: more is needed, or it `is_over`."""
        block = self._buffer.take(self._left)
        if not block:
            return b""
        self._left -= len(block)
        self.size += len(block)
        if self.refusal is None and not self._is_binary:
            self._check(block)
        if self.refusal is None:
            return block
        self.wasted += len(block)
        return b""

    def _check(self, block: bytes) -> None:
        """Look for what is no line; chunks may be cut anywhere, in a CRLF too."""
        limit = self._limits.text_line
        if self._follows_cr:
            if not block.startswith(b"\n"):
                self.refusal = BARE
                return
            block = block[1:]
            self._line = 0
        self._follows_cr = block.endswith(b"\r")
        if self._follows_cr:
            if self.is_last and not self._left:
                self.refusal = BARE
                return
            block = block[:-1]
        if not is_text(block):
            self.refusal = BARE
            return
        first = block.find(b"\r\n")
        if first < 0:
            self._line += len(block)
            is_long = self._line > limit
        else:
            is_long = self._line + first > limit or has_long_line(block, limit)
            self._line = len(block) - block.rfind(b"\r\n") - 2
            is_long = is_long or self._line > limit
        if is_long:
            self.refusal = LONG_LINE
