"""Messages on their way in: small ones in memory, large ones in files without names."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import partial
from tempfile import TemporaryFile
from typing import IO, TypeVar

from attrs import define, field
from zope.interface import implementer

from mailkit.errors import LocalMisuse, StorageFull
from mailkit.interfaces.lanes import ILanes
from mailkit.interfaces.storage import IContent, ISpool, ISpoolFile
from mailkit.storage.content import OctetsContent
from mailkit.storage.safefile import told_as_ours

T = TypeVar("T")

IN_MEMORY = 128 * 1024
"""Octets of a message up to which no file is made, and that are written at once."""

KEPT_FREE = 0.05
"""The share of the disk below which no new mail is taken."""

FREE_IS_GOOD_FOR = 1.0
"""Seconds for which the disk is not asked again."""


def free_share(folder: str) -> float:
    """How much of the disk below a folder is free for us, from 0 to 1."""
    disk = os.statvfs(folder)
    return disk.f_bavail / disk.f_blocks if disk.f_blocks else 1.0


@implementer(ISpool)
@define(eq=False)
class Spool:
    """
    A folder for what is too large to be held in memory.

    Its files never have a name, so nothing is left of them once they are closed or
    the process is gone.
    """

    _folder: str
    _lanes: ILanes
    _free: Callable[[str], float] = free_share
    _now: Callable[[], float] = time.monotonic
    _asked: float = field(init=False, default=-FREE_IS_GOOD_FOR)
    _has_room: bool = field(init=False, default=True)

    def __attrs_post_init__(self) -> None:
        os.makedirs(self._folder, 0o700, exist_ok=True)

    def begin(self) -> ISpoolFile:
        self.check()
        return SpoolFile(self, self._lanes)

    def check(self) -> None:
        """:raises StorageFull: while less is free than is kept free."""
        now = self._now()
        if not 0 <= now - self._asked < FREE_IS_GOOD_FOR:
            self._asked = now
            with told_as_ours():
                self._has_room = self._free(self._folder) >= KEPT_FREE
        if not self._has_room:
            raise StorageFull(self._folder)

    def make_file(self) -> IO[bytes]:
        """A new file without a name. Blocks."""
        return TemporaryFile("w+b", buffering=0, dir=self._folder)


@implementer(ISpoolFile)
@define(eq=False)
class SpoolFile:
    """One message that is being received."""

    _spool: Spool
    _lanes: ILanes
    size: int = field(init=False, default=0)
    _pieces: list[bytes] = field(init=False, factory=list, repr=False)
    _in_memory: int = field(init=False, default=0)
    _file: IO[bytes] | None = field(init=False, default=None)
    _readers: int = field(init=False, default=0)
    """How many threads are at work on the file just now."""
    _is_discarded: bool = field(init=False, default=False)

    async def write(self, octets: bytes) -> None:
        self._pieces.append(octets)
        self.size += len(octets)
        self._in_memory += len(octets)
        if self._in_memory > IN_MEMORY:
            self._spool.check()
            await self._write_out()

    async def finish(self) -> IContent:
        if self.size <= IN_MEMORY:
            return OctetsContent(b"".join(self._pieces))
        if self._pieces:
            await self._write_out()
        return _SpooledContent(self, self.size)

    def discard(self) -> None:
        self._is_discarded = True
        self._pieces.clear()
        self._close()

    async def read(self, start: int, count: int) -> bytes:
        """Part of what was written out."""
        return await self._with_file(lambda file: _read(file, start, count))

    async def _write_out(self) -> None:
        octets = b"".join(self._pieces)
        self._pieces.clear()
        self._in_memory = 0
        if self._file is None:
            file = await self._lanes.sync(partial(_told, self._spool.make_file))
            self._file = file
        await self._with_file(lambda file: _write(file, octets))

    async def _with_file(self, work: Callable[[IO[bytes]], bytes]) -> bytes:
        """Do something with the file in a thread; it stays open meanwhile."""
        file = self._file
        if file is None or self._is_discarded:
            self._close()
            raise LocalMisuse("the message was discarded")
        self._readers += 1
        try:
            return await self._lanes.sync(partial(_told, partial(work, file)))
        finally:
            self._readers -= 1
            if self._is_discarded:
                self._close()

    def _close(self) -> None:
        if self._file is not None and not self._readers:
            self._file.close()
            self._file = None


@implementer(IContent)
@define(eq=False)
class _SpooledContent:
    """A large message, good until it is discarded."""

    _spooled: SpoolFile
    size: int
    octets: bytes | None = field(init=False, default=None)

    async def read(self, start: int, count: int) -> bytes:
        return await self._spooled.read(start, count)


def _told(work: Callable[[], T]) -> T:
    with told_as_ours():
        return work()


def _write(file: IO[bytes], octets: bytes) -> bytes:
    rest = memoryview(octets)
    while rest:
        rest = rest[file.write(rest) :]
    return b""


def _read(file: IO[bytes], start: int, count: int) -> bytes:
    pieces: list[bytes] = []
    while count:
        piece = os.pread(file.fileno(), count, start)
        if not piece:
            break
        pieces.append(piece)
        start += len(piece)
        count -= len(piece)
    return b"".join(pieces)
