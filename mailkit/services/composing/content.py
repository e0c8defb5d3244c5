"""A message that is being written, as octets: made while it is read."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from itertools import accumulate

from attrs import define, field
from zope.interface import implementer

from mailkit.errors import StorageBroken
from mailkit.formats.letter import Base64, FilePlace, Letter, Piece, write
from mailkit.interfaces.storage import IContent

_LINE = 57
"""Octets of a file in a line of base64."""

_WRITTEN = 78
"""What such a line has, its end included."""

_PIECE = 256 * 1024


@implementer(IContent)
@define(eq=False)
class LetterContent:
    """
    A letter with its files, which stay where they are.

    Nothing of a file is held; each part of the message can be read by itself.
    """

    _pieces: list[Piece]
    _files: Mapping[int, IContent]
    size: int = field(init=False)
    octets: bytes | None = field(init=False)
    _starts: list[int] = field(init=False)

    def __attrs_post_init__(self) -> None:
        sizes = [self._size_of(piece) for piece in self._pieces]
        self._starts = [0, *accumulate(sizes)]
        self.size = self._starts.pop()
        plain = [piece for piece in self._pieces if isinstance(piece, bytes)]
        is_plain = len(plain) == len(self._pieces)
        self.octets = b"".join(plain) if is_plain else None

    async def read(self, start: int, count: int) -> bytes:
        if self.octets is not None:
            return self.octets[start : start + count]
        found: list[bytes] = []
        end = min(start + count, self.size)
        number = bisect_right(self._starts, start) - 1
        while start < end:
            piece, begun = self._pieces[number], self._starts[number]
            stop = min(end, begun + self._size_of(piece))
            if isinstance(piece, bytes):
                found.append(piece[start - begun : stop - begun])
            else:
                found.append(await self._read(piece, start - begun, stop - begun))
            start, number = stop, number + 1
        return b"".join(found)

    async def _read(self, place: FilePlace, start: int, end: int) -> bytes:
        """Part of a file as it is written."""
        file = self._files[place.number]
        if not place.is_base64:
            return await read_exactly(file, start, end - start)
        line = start // _WRITTEN
        last = -(-end // _WRITTEN)
        first_octet = line * _LINE
        count = min(last * _LINE, file.size) - first_octet
        writer = Base64()
        written: list[bytes] = []
        while count:
            piece = await read_exactly(file, first_octet, min(count, _PIECE))
            written.append(writer.feed(piece))
            first_octet += len(piece)
            count -= len(piece)
        written.append(writer.end())
        front = line * _WRITTEN
        return b"".join(written)[start - front : end - front]

    def _size_of(self, piece: Piece) -> int:
        if isinstance(piece, bytes):
            return len(piece)
        return piece.size_of(self._files[piece.number].size)


async def read_exactly(content: IContent, start: int, count: int) -> bytes:
    """:raises StorageBroken: if it ends too soon."""
    pieces: list[bytes] = []
    while count:
        piece = await content.read(start, min(count, _PIECE))
        if not piece:
            raise StorageBroken("a file is shorter than it was")
        pieces.append(piece)
        start += len(piece)
        count -= len(piece)
    return b"".join(pieces)


def content_of(
    letter: Letter, files: Mapping[int, IContent], *, shows_blind: bool = False
) -> LetterContent:
    """
    The message that a letter becomes.

    :param files: by `LetterFile.number`.
    :raises CannotCompose:
    """
    return LetterContent(write(letter, shows_blind=shows_blind), files)
