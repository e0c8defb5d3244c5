"""SQLite files of ours: opened, brought up to date, refused when they are newer.

``PRAGMA user_version`` is the version of the schema. An older file is changed in one
transaction after a copy was put beside it; a newer one is refused with one sentence.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from attrs import frozen

from mailkit.errors import Busy, Refused, StorageBroken, StorageFull

_PATIENCE = 10.0  # seconds that we wait for another process's transaction
_LOOK = 0.01  # seconds between two looks whether it is over, where SQLite does not look


class NewerDatabase(Refused):
    """The file was written by a newer mailkit; ``str`` is the sentence to show."""


@frozen
class Schema:
    """What a file has to look like."""

    version: int
    create: Sequence[str]
    """Statements that make the newest version out of nothing."""
    migrations: Mapping[int, Sequence[str]]
    """Statements that make the next version out of this one."""


def open_database(path: Path, schema: Schema) -> sqlite3.Connection:
    """
    Open or make the file; only its owner may read it. For a thread.

    The connection is in autocommit mode, WAL, and syncs every commit; it may be used
    by any thread, one at a time.

    :raises NewerDatabase: :raises StorageFull: :raises StorageBroken:
    """
    with translated(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make(path)
        connection = sqlite3.connect(
            path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
        )
        try:
            _prepare(connection, path, schema)
        except BaseException:
            connection.close()
            raise
        return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All that is written inside, or nothing; others wait meanwhile."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # some errors have rolled it back already
            connection.execute("ROLLBACK")
        raise


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """
    What SQLite and the file system complain about, in our own kinds.

    :raises StorageFull: :raises StorageBroken: :raises Busy:
    """
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        words = f"{path.name}: {error}"
        if code == sqlite3.SQLITE_FULL:
            raise StorageFull(words) from error
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise Busy(words) from error
        raise StorageBroken(words) from error
    except OSError as error:
        is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise (StorageFull if is_full else StorageBroken)(str(error)) from error


def _prepare(connection: sqlite3.Connection, path: Path, schema: Schema) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
    found = _known_version(connection, path, schema)
    use_wal(connection)
    connection.execute("PRAGMA synchronous = FULL")
    if found == schema.version:
        return
    with transaction(connection):
        # Another process may have been here before us.
        found = _known_version(connection, path, schema)
        if found == 0:
            steps = list(schema.create)
        else:
            if found < schema.version:
                # Nobody else changes it now, so that is what is copied.
                _copy(path, path.with_name(f"{path.name}.v{found}"))
            versions = range(found, schema.version)
            steps = [step for number in versions for step in schema.migrations[number]]
        for step in steps:
            connection.execute(step)
        connection.execute(f"PRAGMA user_version = {schema.version}")


def use_wal(connection: sqlite3.Connection, patience: float = _PATIENCE) -> None:
    """
    Write a log ahead; once for a file, which remembers it.

    Where another process does so at the same moment SQLite does not wait for it, as it
    does for transactions.

    :param patience: seconds that others may take.
    :raises sqlite3.OperationalError: if they take longer.
    """
    end = time.monotonic() + patience
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            is_busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not is_busy or time.monotonic() >= end:
                raise
        time.sleep(_LOOK)


def _known_version(connection: sqlite3.Connection, path: Path, schema: Schema) -> int:
    [found] = connection.execute("PRAGMA user_version").fetchone()
    if found > schema.version:
        raise NewerDatabase(
            f"{path} was written by a newer mailkit: it has version {found}, "
            f"and this program knows {schema.version}."
        )
    return int(found)


def _make(path: Path) -> None:
    """
    Make an empty file for its owner alone, unless there is one.

    One that is there is not opened: closing it would end the locks of all connections
    of this process, and the next process that closes its own would take the WAL away
    from under them (https://sqlite.org/howtocorrupt.html §2.2).
    """
    with suppress(FileExistsError):
        os.close(
            os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
        )


def _copy(path: Path, to: Path) -> None:
    _make(to)
    with (
        closing(sqlite3.connect(path)) as original,
        closing(sqlite3.connect(to)) as copy,
    ):
        original.backup(copy)
