"""One SQLite file of an account: transactions that say how durable they are."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from attrs import define, field

from mailkit.errors import StorageBroken
from mailkit.storage.database import use_wal
from mailkit.storage.safefile import Files

Row = tuple[Any, ...]  # what SQLite gives: each query knows its own columns

BUSY_SECONDS = 30.0
"""How long a commit waits for another process's."""


@define(eq=False)
class Database:
    """
    An open database; used by one thread at a time.

    A transaction is durable against loss of power when it was begun as full, and
    carries with it those before it that were not.
    """

    path: str
    files: Files = field(repr=False)
    connection: sqlite3.Connection = field(repr=False)
    _is_full: bool = True
    execute: Callable[..., sqlite3.Cursor] = field(init=False, repr=False)
    executemany: Callable[..., sqlite3.Cursor] = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self.execute = self.connection.execute
        self.executemany = self.connection.executemany

    @classmethod
    def open(
        cls,
        path: str,
        files: Files,
        pragmas: Sequence[str],
        first: Sequence[str] = (),
        *,
        makes: bool = True,
    ) -> Database:
        """
        Open, and make if need be, for its owner alone; the tables are the caller's.

        It has a log that is written ahead. What SQLite puts beside it may be read by as
        many as the file. ``ATTACH`` understands URIs.

        :param first: pragmas for a file that is made, before there is anything in it.
        :param makes: if not, a file that is missing stays so.
        :raises FileNotFoundError: if it is missing and not to be made.
        """
        _keep_to_owner(path, makes)
        # SQLite itself makes none: who took the file away meanwhile is told apart.
        connection = sqlite3.connect(
            f"{Path(os.path.abspath(path)).as_uri()}?mode=rw",
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
            uri=True,
        )
        try:
            if first and not os.path.getsize(path):
                for pragma in first:
                    connection.execute(pragma)
            use_wal(connection, BUSY_SECONDS)
            for pragma in pragmas:
                connection.execute(pragma)
        except BaseException:
            connection.close()
            raise
        return cls(path, files, connection)

    @contextmanager
    def transaction(self, is_full: bool) -> Iterator[None]:
        """Change something: committed at the end, or not at all."""
        self.begin(is_full)
        try:
            yield
            self.commit()
        except BaseException:
            self.rollback()
            raise

    @contextmanager
    def reading(self) -> Iterator[None]:
        """All that is read inside is as it was at one moment; change nothing."""
        self.execute("BEGIN")
        try:
            yield
        finally:
            self.rollback()

    def begin(self, is_full: bool) -> None:
        """Begin to change; what is read from now on stays true."""
        if is_full is not self._is_full:
            level = "FULL" if is_full else "NORMAL"
            self.execute(f"PRAGMA synchronous = {level}")
            self._is_full = is_full
        self.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        self.files.commit(self.connection, self.path, self._is_full)

    def rollback(self) -> None:
        """Undo what is not committed; safe to call when nothing was begun."""
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")

    def one(self, sql: str, *values: object) -> Row | None:
        """The first row of an answer."""
        row: Row | None = self.execute(sql, values).fetchone()
        return row

    def all(self, sql: str, *values: object) -> list[Row]:
        """The whole answer."""
        return self.execute(sql, values).fetchall()

    @property
    def version(self) -> int:
        """``PRAGMA user_version``; 0 for a file that was just made."""
        row = self.one("PRAGMA user_version")
        return 0 if row is None else int(row[0])

    def data_version(self) -> int:
        """Another number after each commit by another connection."""
        row = self.one("PRAGMA data_version")
        return 0 if row is None else int(row[0])

    def checkpoint(self) -> None:
        """Move the WAL into the file, unless somebody is in the way."""
        self.files.checkpoint(self.connection, self.path)

    def close(self) -> None:
        self.connection.close()


def _keep_to_owner(path: str, makes: bool) -> None:
    if makes:
        with suppress(FileExistsError):
            os.close(
                os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            )
            return
    # Not by a descriptor: closing it would end the locks of another connection
    # (https://sqlite.org/howtocorrupt.html §2.2).
    if os.stat(path).st_mode & 0o077:
        os.chmod(path, 0o600)


def has_wal(path: str) -> bool:
    """Whether commits may be in a WAL that nobody synced."""
    try:
        return os.stat(path + "-wal").st_size > 0
    except FileNotFoundError:
        return False


def is_damaged(error: sqlite3.Error) -> bool:
    """Whether the file, and not the moment, is to blame."""
    code = getattr(error, "sqlite_errorcode", None)
    # The low octet is the primary code (https://sqlite.org/rescode.html).
    return code is not None and code & 0xFF in _DAMAGED


def is_sound(path: str) -> bool:
    """
    Whether SQLite finds nothing wrong with a file.

    One that is missing, or cannot be looked at now, is not known to be damaged.
    """
    if not os.path.exists(path):
        return True
    try:
        with closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as connection:
            rows = connection.execute("PRAGMA integrity_check(1)").fetchall()
    except sqlite3.Error as error:
        return not is_damaged(error)
    return rows == [("ok",)]


def refuse_newer(database: Database, version: int) -> None:
    """
    Make sure that this program is not older than the file.

    :raises StorageBroken: in one sentence.
    """
    found = database.version
    if found > version:
        raise StorageBroken(
            f"{database.path} was written by a newer version of mailkit"
            f" (schema {found}, this one knows {version})"
        )


_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
