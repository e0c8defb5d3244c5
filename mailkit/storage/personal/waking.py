"""``<data>/waking.sqlite``: which account has the next message to come back.

Only a table of contents: times are kept with each account. An entry is never later
than the account's first time: whoever changes one holds the account's database, and
says so here before that change is committed. What is too early costs a look.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from attrs import define, field

from mailkit.model.address import AccountName
from mailkit.storage.database import Schema, open_database, translated
from mailkit.storage.personal.tables import storable

SCHEMA = Schema(
    version=1,
    create=(
        """CREATE TABLE waking (
            account TEXT PRIMARY KEY,
            at REAL NOT NULL
        ) WITHOUT ROWID""",
        "CREATE INDEX waking_at ON waking (at)",
        # There is a row once every account's times are in the table.
        "CREATE TABLE settled (is_settled INTEGER PRIMARY KEY)",
    ),
    migrations={},
)

_SOONER = """INSERT INTO waking VALUES (?, ?)
    ON CONFLICT (account) DO UPDATE SET at = excluded.at WHERE excluded.at < at"""


@define(eq=False)
class Waking:
    """
    The table of one data folder; other processes may write and read it too.

    All of it blocks, and may be called from any thread.
    """

    _path: Path
    _mutex: Lock = field(init=False, factory=Lock)
    _connection: sqlite3.Connection | None = field(init=False, default=None)

    def sooner(self, account: AccountName, at: float) -> None:
        """Have an account looked at then, or before."""
        with self._database() as database:
            database.execute(_SOONER, (storable(account), at))

    def correct(self, account: AccountName, at: float | None) -> None:
        """Say when an account's first message comes back, if there is one."""
        with self._database() as database:
            if at is None:
                sql = "DELETE FROM waking WHERE account = ?"
                database.execute(sql, (storable(account),))
            else:
                sql = "INSERT OR REPLACE INTO waking VALUES (?, ?)"
                database.execute(sql, (storable(account), at))

    def due(self, now: float, most: int) -> list[AccountName]:
        """Accounts to look at, the oldest first."""
        with self._database() as database:
            rows = database.execute(
                "SELECT account FROM waking WHERE at <= ? ORDER BY at LIMIT ?",
                (now, most),
            )
            return [AccountName(account) for (account,) in rows]

    def next_due(self) -> float | None:
        """When the next is to be looked at."""
        with self._database() as database:
            [at] = database.execute("SELECT min(at) FROM waking").fetchone()
            return None if at is None else float(at)

    def is_settled(self) -> bool:
        """Whether every account's times are in the table."""
        with self._database() as database:
            row = database.execute("SELECT 1 FROM settled").fetchone()
            return row is not None

    def note_settled(self) -> None:
        """They are."""
        with self._database() as database:
            database.execute("INSERT OR IGNORE INTO settled VALUES (1)")

    def close(self) -> None:
        """Let go of the file; it is opened again if need be."""
        with self._mutex:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        # A statement alone is a transaction of its own.
        with self._mutex, translated(self._path):
            if self._connection is None:
                self._connection = open_database(self._path, SCHEMA)
            yield self._connection
