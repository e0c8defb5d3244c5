"""
The one module of the store that changes files: write, rename, link, unlink, sync.

Every change goes through a `Files`, commits of SQLite included. An observer handed to
it sees each `Operation` before and after it is made, so a test can write down what
happened, stop before any step, or have any step fail (STORE.md §6).
"""

from __future__ import annotations

import errno
import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum, auto
from typing import Protocol

from attrs import define, field, frozen

from mailkit.errors import StorageBroken, StorageFull


class Verb(Enum):
    """What an operation does to ``path``."""

    CREATE = auto()
    """Makes an empty file that was not there."""
    WRITE = auto()
    """Adds ``octets`` at the end."""
    DATE = auto()
    """Sets the modification time to ``seconds``."""
    SYNC = auto()
    """Makes the octets of a file durable, not its name."""
    SYNC_FOLDER = auto()
    """Makes the names in a folder durable."""
    RENAME = auto()
    """Gives the file or folder the name ``to``, in place of what has it."""
    LINK = auto()
    """Gives the file the further name ``to``, which must be free."""
    UNLINK = auto()
    MAKE_FOLDER = auto()
    REMOVE_FOLDER = auto()
    COMMIT = auto()
    """Commits a transaction; ``is_full`` says whether the whole WAL is synced."""
    CHECKPOINT = auto()
    """Moves what is in a WAL into its database; changes nothing that is read."""


@frozen(eq=False)
class Operation:
    """One change, as an observer sees it."""

    verb: Verb
    path: str
    to: str = ""
    octets: bytes = field(default=b"", repr=False)
    seconds: float = 0.0
    is_full: bool = False
    connection: sqlite3.Connection | None = field(default=None, repr=False)
    """Of a COMMIT; after it, ``serialize()`` is the database as committed."""


class Observer(Protocol):
    """Sees operations in the thread that makes them."""

    def before(self, operation: Operation) -> None:
        """Raise ``OSError`` to have it fail, anything else to end the program there."""

    def after(self, operation: Operation) -> None:
        """It was made."""


@define(eq=False)
class Files:
    """The hand that changes files. May be used from any thread."""

    observer: Observer | None = None

    def create(self, path: str) -> NewFile:
        """Begin a new file; the name must be free."""
        if self.observer is None:
            return NewFile(self, path, os.open(path, _NEW, 0o600))
        operation = Operation(Verb.CREATE, path)
        self.observer.before(operation)
        new = NewFile(self, path, os.open(path, _NEW, 0o600))
        self.observer.after(operation)
        return new

    def sync_folder(self, path: str) -> None:
        """Make what was renamed, linked and unlinked in a folder durable."""
        with self._seen(Verb.SYNC_FOLDER, path):
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def rename(self, old: str, new: str) -> None:
        if self.observer is None:
            os.rename(old, new)
            return
        with self._seen(Verb.RENAME, old, new):
            os.rename(old, new)

    def link(self, old: str, new: str) -> None:
        """
        Give a file one more name, or copy it where that cannot be.

        :raises FileExistsError: if ``new`` is there.
        """
        try:
            with self._seen(Verb.LINK, old, new):
                os.link(old, new)
        except OSError as error:
            if error.errno not in _CANNOT_LINK:
                raise
            self.copy(old, new)

    def copy(self, old: str, new: str) -> None:
        """A file of its own with the same octets and date, durable but for its name."""
        with open(old, "rb") as source:
            copied = self.create(new)
            try:
                while piece := source.read(_PIECE):
                    copied.write(piece)
                copied.finish(os.fstat(source.fileno()).st_mtime)
            except BaseException:
                copied.discard()
                raise

    def unlink(self, path: str) -> bool:
        """Take a name away; whether it was there."""
        with self._seen(Verb.UNLINK, path):
            try:
                os.unlink(path)
            except FileNotFoundError:
                return False
        return True

    def make_folder(self, path: str) -> None:
        """Make a folder; nothing happens if it is there."""
        with self._seen(Verb.MAKE_FOLDER, path), suppress(FileExistsError):
            os.mkdir(path, 0o700)

    def make_folders(self, path: str) -> None:
        """Make a folder and those above it, durably."""
        if os.path.isdir(path):
            return
        above = os.path.dirname(path)
        self.make_folders(above)
        self.make_folder(path)
        self.sync_folder(above)

    def replace(self, path: str, octets: bytes) -> None:
        """Let a small file hold ``octets``, wholly or not at all, and durably."""
        beside = path + ".new"
        self.unlink(beside)
        new = self.create(beside)
        try:
            new.write(octets)
            new.finish()
        except BaseException:
            new.discard()
            raise
        self.rename(beside, path)
        self.sync_folder(os.path.dirname(path))

    def remove_tree(self, path: str) -> None:
        """Take away a folder and all in it; nothing happens if it is not there."""
        try:
            entries = list(os.scandir(path))
        except FileNotFoundError:
            return
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                self.remove_tree(entry.path)
            else:
                self.unlink(entry.path)
        with self._seen(Verb.REMOVE_FOLDER, path), suppress(FileNotFoundError):
            os.rmdir(path)

    def commit(self, connection: sqlite3.Connection, path: str, is_full: bool) -> None:
        """End the transaction of a connection whose ``synchronous`` is as told."""
        if self.observer is None:
            connection.execute("COMMIT")
            return
        operation = Operation(Verb.COMMIT, path, is_full=is_full, connection=connection)
        self.observer.before(operation)
        connection.execute("COMMIT")
        self.observer.after(operation)

    def checkpoint(self, connection: sqlite3.Connection, path: str) -> None:
        """Move a WAL into its database, as far as nobody is in the way."""
        with self._seen(Verb.CHECKPOINT, path):
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")

    @contextmanager
    def _seen(self, verb: Verb, path: str, to: str = "") -> Iterator[None]:
        if self.observer is None:
            yield
            return
        operation = Operation(verb, path, to)
        self.observer.before(operation)
        yield
        self.observer.after(operation)


@define(eq=False)
class NewFile:
    """A file that is being written; `finish` or `discard` ends it."""

    _files: Files
    path: str
    _descriptor: int
    _begun: float = field(init=False, factory=time.time)

    def write(self, octets: bytes) -> None:
        observer = self._files.observer
        operation = Operation(Verb.WRITE, self.path, octets=octets)
        if observer is not None:
            observer.before(operation)
        written = os.write(self._descriptor, octets)
        while written < len(octets):
            written += os.write(self._descriptor, memoryview(octets)[written:])
        if observer is not None:
            observer.after(operation)

    def hurry(self) -> None:
        """Have the disk begin with its octets, so that `finish` waits for less."""
        if sys.platform == "linux":
            # Written to the disk before they may be forgotten; nothing is waited for.
            os.posix_fadvise(self._descriptor, 0, 0, os.POSIX_FADV_DONTNEED)

    def finish(self, date: float | None = None) -> None:
        """Make it durable, with a modification time if one is given."""
        observer = self._files.observer
        if observer is None:
            if date is not None and not self._is_of(date):
                os.utime(self._descriptor, (date, date))
            os.fsync(self._descriptor)
        else:
            if date is not None:
                operation = Operation(Verb.DATE, self.path, seconds=date)
                observer.before(operation)
                os.utime(self._descriptor, (date, date))
                observer.after(operation)
            operation = Operation(Verb.SYNC, self.path)
            observer.before(operation)
            os.fsync(self._descriptor)
            observer.after(operation)
        self._close()

    def _is_of(self, date: float) -> bool:
        """Whether its own date is surely in that whole second, to save a call."""
        return int(self._begun - _CLOCK_TICK) == date == int(time.time())

    def discard(self) -> None:
        """Take it away again; safe to call after an error of `finish`."""
        self._close()
        self._files.unlink(self.path)

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


@contextmanager
def told_as_ours() -> Iterator[None]:
    """
    Turn what the disk and the database raise into what mailkit says.

    :raises StorageFull: :raises StorageBroken:
    """
    try:
        yield
    except OSError as error:
        raise translated(error) from error
    except sqlite3.Error as error:
        raise translated(error) from error


def translated(error: OSError | sqlite3.Error) -> StorageFull | StorageBroken:
    """The kind of an error of the disk or the database."""
    if isinstance(error, OSError):
        is_full = error.errno in _FULL
    else:
        is_full = (
            error.sqlite_errorcode == sqlite3.SQLITE_FULL if _has_code(error) else False
        )
    return (StorageFull if is_full else StorageBroken)(str(error))


def _has_code(error: sqlite3.Error) -> bool:
    # Only errors that SQLite itself raised carry one.
    return getattr(error, "sqlite_errorcode", None) is not None


def keeps_its_name(error: OSError) -> bool:
    """Whether it is this one file that cannot be renamed or unlinked: an immutable
    one, say. Others in its folder can, and to try again is of no use by itself."""
    return error.errno in _OF_ONE_FILE


_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_PIECE = 1 << 20
_CLOCK_TICK = 0.02
"""Seconds by which the kernel may date a file too early; it counts in ticks."""
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_OF_ONE_FILE = frozenset({errno.EPERM, errno.EBUSY, errno.EISDIR})
_CANNOT_LINK = frozenset({errno.EXDEV, errno.EMLINK, errno.EPERM})
