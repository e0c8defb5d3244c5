"""
``account.sqlite``: what no file can tell (STORE.md §1).

Every commit is durable when it returns.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from attrs import define

from mailkit.model.mailbox import MailboxName, SpecialUse
from mailkit.storage.index.database import Database, refuse_newer
from mailkit.storage.personal import tables as personal
from mailkit.storage.safefile import Files

VERSION = 3
"""``PRAGMA user_version``; an older file is changed to this one when it is opened."""

_TABLES = (
    "CREATE TABLE subscription (name TEXT PRIMARY KEY) WITHOUT ROWID",
    "CREATE TABLE special_use (mailbox_id TEXT PRIMARY KEY, use TEXT NOT NULL)",
    # Keywords of a message whose file name has no letters for them.
    """
    CREATE TABLE keyword (
        mailbox_id TEXT NOT NULL,
        uid INTEGER NOT NULL,
        keywords TEXT NOT NULL,
        PRIMARY KEY (mailbox_id, uid)
    ) WITHOUT ROWID
    """,
    # Folders that are being renamed: pairs of old and new.
    "CREATE TABLE rename (id INTEGER PRIMARY KEY, folders TEXT NOT NULL)",
    "CREATE TABLE number (name TEXT PRIMARY KEY, value INTEGER NOT NULL)",
)

_STEPS: dict[int, tuple[str, ...]] = {
    0: _TABLES,
    1: personal.TABLES,
    2: personal.SEARCHES,
}
"""What makes the next version out of this one, each on its own; 0 is an empty file."""

_PRAGMAS = ("PRAGMA synchronous = FULL",)

Renames = list[tuple[str, str]]
"""Folders, old name and new."""


@define(eq=False)
class Aside:
    """The file as it is open now."""

    database: Database

    @classmethod
    def open(cls, path: str, files: Files) -> Aside:
        """:raises StorageBroken: if a newer program wrote it."""
        database = Database.open(path, files, _PRAGMAS)
        try:
            refuse_newer(database, VERSION)
            if database.version < VERSION:
                with database.transaction(is_full=True):
                    _change(database)
        except BaseException:
            database.close()
            raise
        return cls(database)

    def close(self) -> None:
        self.database.close()

    def subscriptions(self) -> set[MailboxName]:
        return {name for (name,) in self.database.all("SELECT * FROM subscription")}

    def subscribe(self, names: Iterable[MailboxName], *, wish: bool) -> None:
        sql = (
            "INSERT OR IGNORE INTO subscription VALUES (?)"
            if wish
            else "DELETE FROM subscription WHERE name = ?"
        )
        with self.database.transaction(is_full=True):
            self.database.executemany(sql, [(name,) for name in names])

    def special_uses(self) -> dict[str, SpecialUse]:
        """MAILBOXID → what it is for."""
        rows = self.database.all("SELECT mailbox_id, use FROM special_use")
        return {mailbox_id: SpecialUse(use) for mailbox_id, use in rows}

    def set_special_uses(self, uses: Mapping[str, SpecialUse]) -> None:
        """Have these, and no others."""
        with self.database.transaction(is_full=True):
            self.database.execute("DELETE FROM special_use")
            self.database.executemany(
                "INSERT INTO special_use VALUES (?, ?)",
                [(mailbox_id, use.value) for mailbox_id, use in uses.items()],
            )

    def keywords(self, mailbox_id: str) -> dict[int, str]:
        """UID → keywords as the index spells them, of those without letters."""
        rows = self.database.all(
            "SELECT uid, keywords FROM keyword WHERE mailbox_id = ?", mailbox_id
        )
        return dict(rows)

    def set_keywords(self, mailbox_id: str, keywords: Mapping[int, str]) -> None:
        """Replace those of some messages; an empty text takes them away."""
        with self.database.transaction(is_full=True):
            self.database.executemany(
                "INSERT OR REPLACE INTO keyword VALUES (?, ?, ?)",
                [(mailbox_id, uid, text) for uid, text in keywords.items() if text],
            )
            self.database.executemany(
                "DELETE FROM keyword WHERE mailbox_id = ? AND uid = ?",
                [(mailbox_id, uid) for uid, text in keywords.items() if not text],
            )

    def forget_mailbox(self, mailbox_id: str) -> None:
        with self.database.transaction(is_full=True):
            for table in ("special_use", "keyword"):
                self.database.execute(
                    f"DELETE FROM {table} WHERE mailbox_id = ?", (mailbox_id,)
                )

    def renames(self) -> list[tuple[int, Renames]]:
        """RENAMEs that were begun."""
        rows = self.database.all("SELECT id, folders FROM rename ORDER BY id")
        return [
            (number, [(old, new) for old, new in json.loads(folders)])
            for number, folders in rows
        ]

    def begin_rename(self, folders: Renames) -> int:
        with self.database.transaction(is_full=True):
            cursor = self.database.execute(
                "INSERT INTO rename (folders) VALUES (?)", (json.dumps(folders),)
            )
        return int(cursor.lastrowid or 0)

    def end_rename(self, number: int) -> None:
        with self.database.transaction(is_full=True):
            self.database.execute("DELETE FROM rename WHERE id = ?", (number,))

    def next_uid_validities(self, count: int, least: int) -> int:
        """
        The first of ``count`` numbers that no mailbox of the account ever had.

        :param least: seconds since 1970, or more if higher ones were seen.
        """
        with self.database.transaction(is_full=True):
            row = self.database.one(
                "SELECT value FROM number WHERE name = 'uid_validity'"
            )
            first = max(least, int(row[0]) + 1 if row else 1)
            self.database.execute(
                "INSERT OR REPLACE INTO number VALUES ('uid_validity', ?)",
                (first + count - 1,),
            )
        return first


def _change(database: Database) -> None:
    """Bring it up to date, all at once; another process may have been here before."""
    for version in range(database.version, VERSION):
        for step in _STEPS[version]:
            database.execute(step)
    database.execute(f"PRAGMA user_version = {VERSION}")
