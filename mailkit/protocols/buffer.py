"""The one buffer of all text protocols: in it only CRLF ends a line."""

from __future__ import annotations

from mailkit.errors import Malformed


class LineTooLong(Malformed):
    """A line exceeded what its reader takes; all of it is gone from the buffer."""


class Buffer:
    """
    Octets that came and were not taken yet.

    A line that never ends is cut off by its reader's limit: the search for CRLF
    never begins twice at the same octet, so a slow endless line costs what it weighs.
    """

    __slots__ = ("_is_overlong", "_octets", "_searched")

    def __init__(self) -> None:
        self._octets = bytearray()
        self._searched = 0
        self._is_overlong = False

    def __len__(self) -> int:
        return len(self._octets)

    def add(self, octets: bytes) -> None:
        """Take what the peer sent."""
        self._octets += octets

    def clear(self) -> None:
        """Forget everything."""
        self._octets.clear()
        self._searched = 0
        self._is_overlong = False

    def take_line(self) -> bytes | None:
        """One line without its CRLF, or ``None`` when its end has not come."""
        end = self._octets.find(b"\r\n", self._searched)
        if end < 0:
            self._searched = max(len(self._octets) - 1, 0)
            return None
        line = bytes(self._octets[:end])
        del self._octets[: end + 2]
        self._searched = 0
        return line

    def take_short_line(self, most: int) -> bytes | None:
        """
        Like `take_line`, for a line of up to ``most`` octets with its CRLF.

        Of a longer one no more than that is ever kept.

        :raises LineTooLong: when the end of one has come.
        """
        line = self.take_line()
        if line is None:
            if len(self._octets) >= most:
                # Its CR may have come: the search goes on at the last octet.
                del self._octets[:-1]
                self._searched = 0
                self._is_overlong = True
            return None
        if self._is_overlong or len(line) + 2 > most:
            self._is_overlong = False
            raise LineTooLong("Line too long")
        return line

    def peek(self, count: int) -> bytes:
        """The next octets, left where they are."""
        return bytes(self._octets[:count])

    def take(self, most: int) -> bytes:
        """Up to ``most`` octets from the front."""
        octets = bytes(self._octets[:most])
        del self._octets[: len(octets)]
        self._searched = 0
        return octets

    def startswith(self, octets: bytes) -> bool:
        """Whether the next octets are these."""
        return self._octets.startswith(octets)

    def find(self, octets: bytes, start: int = 0) -> int:
        """Where ``octets`` begin, or -1."""
        return self._octets.find(octets, start)

    def rfind(self, octets: bytes) -> int:
        """Where ``octets`` begin for the last time, or -1."""
        return self._octets.rfind(octets)
