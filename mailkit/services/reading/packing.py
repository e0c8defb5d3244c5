"""All files of a message in one archive, packed while it is read."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from attrs import define, field

from mailkit.formats.displayed import FilePart
from mailkit.services.reading.message import OpenMessage, Reading

_PACKED_ALREADY = ("image/", "video/", "audio/", "application/zip", "application/gzip")


async def pack(
    reading: Reading,
    message: OpenMessage,
    files: Sequence[FilePart],
    write: Callable[[bytes], Awaitable[None]],
) -> None:
    """
    Write a ZIP archive of files, one after the other, each packed in a thread.

    No more than one of them is in memory twice.

    :param write: takes octets, and returns when there is room for more.
    """
    archive = _Archive(message.summary.internal_date)
    names = distinct_names([one.name for one in files])
    for one, name in zip(files, names, strict=True):
        octets = await reading.octets_of(message, one)
        await write(await reading.in_thread(partial(archive.add, name, one, octets)))
    await write(archive.end())


def distinct_names(names: list[str]) -> list[str]:
    """The same names, with a number where one is there already, whatever its case."""
    seen: set[str] = set()
    numbers: dict[str, int] = {}  # given last, by name: thousands may have the same
    found: list[str] = []
    for name in names:
        stem, dot, ending = name.rpartition(".")
        if not stem:
            stem, dot, ending = name, "", ""
        wanted = name.casefold()
        number = numbers.get(wanted, 1)
        while name.casefold() in seen:
            number += 1
            name = f"{stem} ({number}){dot}{ending}"
        numbers[wanted] = number
        seen.add(name.casefold())
        found.append(name)
    return found


@define(eq=False)
class _Archive:
    """Says what is to be written so far; it never goes back."""

    _when: float
    _out: _Forward = field(init=False)
    _zip: zipfile.ZipFile = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._out = _Forward()
        self._zip = zipfile.ZipFile(self._out, "w")

    def add(self, name: str, one: FilePart, octets: bytes) -> bytes:
        year = time.gmtime(self._when).tm_year
        year = min(max(1980, year), 2107)  # ZIP knows no others
        entry = zipfile.ZipInfo(name, (year, *time.gmtime(self._when)[1:6]))
        entry.external_attr = 0o600 << 16
        entry.compress_type = zipfile.ZIP_DEFLATED
        if one.media_type.startswith(_PACKED_ALREADY):
            entry.compress_type = zipfile.ZIP_STORED
        self._zip.writestr(entry, octets, compresslevel=3)
        return self._out.take()

    def end(self) -> bytes:
        self._zip.close()
        return self._out.take()


class _Forward(io.RawIOBase):
    """A file that is written from its beginning to its end only."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, octets: object) -> int:
        piece = bytes(memoryview(octets))  # type: ignore[arg-type]  # zipfile writes bytes or views, typed as any Buffer
        self._pieces.append(piece)
        return len(piece)

    def take(self) -> bytes:
        found = b"".join(self._pieces)
        self._pieces.clear()
        return found
