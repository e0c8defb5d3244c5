"""A message with another header than the one it came with."""

from __future__ import annotations

from attrs import define, field
from zope.interface import implementer

from mailkit.errors import StorageBroken
from mailkit.formats.header import find_end, first
from mailkit.interfaces.storage import IContent

_PIECE = 64 * 1024


@implementer(IContent)
@define(eq=False)
class Reheaded:
    """The body of ``original`` from ``start`` on, below ``header``."""

    header: bytes = field(repr=False)
    original: IContent
    start: int

    @property
    def size(self) -> int:
        return len(self.header) + self.original.size - self.start

    @property
    def octets(self) -> bytes | None:
        whole = self.original.octets
        return None if whole is None else self.header + whole[self.start :]

    async def read(self, start: int, count: int) -> bytes:
        above = self.header[start : start + count]
        if len(above) == count:
            return above
        below = max(start - len(self.header), 0) + self.start
        return above + await self.original.read(below, count - len(above))


@implementer(IContent)
@define(eq=False)
class Rewritten:
    """A message that was written anew, in memory."""

    octets: bytes = field(repr=False)

    @property
    def size(self) -> int:
        return len(self.octets)

    async def read(self, start: int, count: int) -> bytes:
        return self.octets[start : start + count]


async def read_header(content: IContent, most: int) -> bytes:
    """
    The header of a message with its empty line; all, where no body follows.

    :param most: a header that is longer is cut somewhere behind that.
    """
    if content.octets is not None:
        whole = content.octets
        end = find_end(whole, 0, min(len(whole), most + _PIECE))
        return whole[:end]
    octets = b""
    while len(octets) <= most:
        piece = await content.read(len(octets), _PIECE)
        octets += piece
        end = find_end(octets)
        if end < len(octets) or not piece:
            return octets[:end]
    return octets


async def read_whole(content: IContent) -> bytes:
    """
    All of a message, whatever it weighs.

    :raises StorageBroken: if it ends too soon.
    """
    if content.octets is not None:
        return content.octets
    pieces: list[bytes] = []
    at = 0
    while at < content.size:
        piece = await content.read(at, content.size - at)
        if not piece:
            raise StorageBroken("the message is shorter than it was")
        pieces.append(piece)
        at += len(piece)
    return b"".join(pieces)


def message_id_of(top: bytes) -> str:
    """The Message-ID of a header; empty, where it has none."""
    at = 0
    if not top[:10].lower().startswith(b"message-id"):
        at = top.lower().find(b"\nmessage-id") + 1
        if not at:
            return ""
    value = first(top[at : at + 2000], b"Message-ID")
    return "" if value is None else value.decode("utf-8", "replace")
