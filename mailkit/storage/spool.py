"""Messages on their way in: small ones in memory, large ones in files without names."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from functools import partial
from tempfile import TemporaryFile
from typing import IO, TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from zope.interface import implementer

from mailkit.errors import LocalMisuse, StorageFull, Unavailable
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
    _asked: float = field(init=False, default=-math.inf)
    _trouble: Unavailable | None = field(init=False, default=None)
    """Why nothing is taken, by the disk's last answer."""
    log = Logger()

    def __attrs_post_init__(self) -> None:
        os.makedirs(self._folder, 0o700, exist_ok=True)

    def begin(self) -> ISpoolFile:
        self.check()
        return SpoolFile(self, self._lanes)

    def check(self) -> None:
        """
        Hold that there is room, by the disk's last answer.

        Nobody waits for the next one, which a thread asks for; but nobody is refused
        by an old one either.

        :raises StorageFull: while less is free than is kept free.
        :raises StorageBroken: if the disk gave no answer.
        """
        if self._is_old():
            if self._trouble is None:
                self.do_later(self._ask)
            else:
                self._ask()
        self._hold()

    async def look(self) -> None:
        """`check`, and wait for an answer that is not old."""
        if self._is_old():
            await self._lanes.sync(self._ask)
        self._hold()

    def do_later(self, work: Callable[[], None]) -> None:
        """Have a thread do what nobody waits for; at once, where all threads ended."""
        doing = Deferred.fromCoroutine(self._do(work))
        doing.addErrback(lambda failure: self.log.failure("spool failed", failure))

    async def _do(self, work: Callable[[], None]) -> None:
        try:
            await self._lanes.sync(work)
        except LocalMisuse:
            work()

    def _is_old(self) -> bool:
        """Whether the disk is to be asked now, and is by whoever hears that."""
        now = self._now()
        if 0 <= now - self._asked < FREE_IS_GOOD_FOR:
            return False
        self._asked = now
        return True

    def _ask(self) -> None:
        """Ask the disk. Blocks."""
        try:
            with told_as_ours():
                is_full = self._free(self._folder) < KEPT_FREE
        except Unavailable as error:
            self._trouble = error
        else:
            self._trouble = StorageFull(self._folder) if is_full else None

    def _hold(self) -> None:
        if self._trouble is not None:
            raise self._trouble.with_traceback(None)

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
            await self._spool.look()
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
            file, self._file = self._file, None
            # Its octets on the disk are given back then, which may take a while.
            self._spool.do_later(file.close)


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
