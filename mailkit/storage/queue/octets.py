"""
The octets of messages that wait: one file each, written once.

A file is durable, its name too, before a row tells of it; it is taken away once no
row does. What a stop leaves in between is a file that nobody knows.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial

from attrs import define, field
from zope.interface import implementer

from mailkit.errors import MailkitError, StorageBroken
from mailkit.interfaces.lanes import ILanes
from mailkit.interfaces.storage import IContent
from mailkit.storage.queue.reading import MessageFile
from mailkit.storage.safefile import Files, NewFile, told_as_ours

AT_ONCE = 128 * 1024
"""Octets of a message up to which it is written and read in one go."""

PIECE = 1 << 20
"""Octets of a larger one that are in memory at a time."""

_NAME = 16  # hexadecimal digits


@define(eq=False)
class Octets:
    """The folder of all content files."""

    folder: str
    _files: Files
    _lanes: ILanes

    def make(self) -> None:
        """Make the folder. Blocks."""
        self._files.make_folders(self.folder)

    def sync(self) -> None:
        """Make the names of what was written durable. Blocks."""
        self._files.sync_folder(self.folder)

    def write(self, name: str, pieces: Sequence[bytes]) -> Callable[[], None]:
        """
        Write a file; what is returned makes it durable but for its name. Both block.

        :raises StorageFull: :raises StorageBroken: with nothing left of it.
        """
        with told_as_ours():
            new = self._files.create(self.path(name))
            try:
                for piece in pieces:
                    new.write(piece)
                new.hurry()
            except BaseException:
                new.discard()
                raise
        return partial(_finish, new)

    async def write_large(self, name: str, head: bytes, content: IContent) -> None:
        """The same from a content that is not in memory."""
        sync = self._lanes.sync
        new = await sync(partial(self._begin, name, head))
        try:
            at = 0
            while at < content.size:
                piece = await content.read(at, PIECE)
                if not piece:
                    raise StorageBroken("the message is shorter than it was")
                await sync(partial(_told_write, new, piece))
                at += len(piece)
        except MailkitError:
            await sync(partial(self._discard, new))
            raise
        await sync(partial(_finish, new))

    def remove(self, name: str) -> None:
        """Take a file away, if it is there. Blocks."""
        with told_as_ours():
            self._files.unlink(self.path(name))

    def names(self) -> set[int]:
        """All that are there, as `number_of` has them. Blocks."""
        with os.scandir(self.folder) as entries:
            return {
                number
                for entry in entries
                if (number := number_of(entry.name)) is not None
            }

    def age(self, name: str, now: float) -> float:
        """Seconds since it was written; 0 where it is gone. Blocks."""
        try:
            return now - os.stat(self.path(name)).st_mtime
        except FileNotFoundError:
            return 0.0

    def has(self, name: str) -> bool:
        """Whether it is there. Blocks."""
        return os.path.exists(self.path(name))

    def read(self, message: MessageFile) -> QueuedContent:
        """
        A message, with its octets if it is small. Blocks.

        :raises StorageBroken: if the file is not there or not whole.
        """
        path = self.path(message.file)
        size = message.size - len(message.head)
        with told_as_ours():
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                found = os.fstat(descriptor).st_size
                if found != size:
                    raise StorageBroken(f"{path} has {found} octets instead of {size}")
                octets = None
                if message.size <= AT_ONCE:
                    octets = message.head + os.read(descriptor, size)
            finally:
                os.close(descriptor)
        return QueuedContent(message.size, octets, message.head, path, self._lanes)

    def of(self, message: MessageFile, octets: bytes) -> QueuedContent:
        """A message whose file is known to have these octets."""
        path, whole = self.path(message.file), message.head + octets
        return QueuedContent(message.size, whole, message.head, path, self._lanes)

    def path(self, name: str) -> str:
        return f"{self.folder}/{name}"

    def _begin(self, name: str, head: bytes) -> NewFile:
        with told_as_ours():
            new = self._files.create(self.path(name))
            try:
                new.write(head)
            except BaseException:
                new.discard()
                raise
            return new

    def _discard(self, new: NewFile) -> None:
        with told_as_ours():
            new.discard()


@implementer(IContent)
@define(eq=False)
class QueuedContent:
    """A message as it leaves: what was put above it, and its file."""

    size: int
    octets: bytes | None = field(repr=False)
    _head: bytes = field(repr=False)
    _path: str
    _lanes: ILanes

    async def read(self, start: int, count: int) -> bytes:
        """:raises StorageBroken: if the message has left meanwhile."""
        if self.octets is not None:
            return self.octets[start : start + count]
        count = min(count, self.size - start)
        above = self._head[start : start + count] if count > 0 else b""
        if len(above) >= count:
            return above
        start = max(0, start - len(self._head))
        work = partial(_read, self._path, start, count - len(above))
        return above + await self._lanes.sync(work)


def number_of(name: str) -> int | None:
    """The name of a content file as a number; ``None`` for what is none of ours."""
    if len(name) != _NAME:
        return None
    try:
        number = int(name, 16)
    except ValueError:
        return None
    return number if name_of(number) == name else None


def name_of(number: int) -> str:
    """`number_of` undone."""
    return f"{number:0{_NAME}x}"


def _read(path: str, start: int, count: int) -> bytes:
    with told_as_ours():
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            octets = os.pread(descriptor, count, start)
            while len(octets) < count:
                more = os.pread(descriptor, count - len(octets), start + len(octets))
                if not more:
                    raise StorageBroken(f"{path} is shorter than it was")
                octets += more
            return octets
        finally:
            os.close(descriptor)


def _told_write(new: NewFile, piece: bytes) -> None:
    with told_as_ours():
        new.write(piece)


def _finish(new: NewFile) -> None:
    with told_as_ours():
        try:
            new.finish()
        except BaseException:
            new.discard()
            raise
