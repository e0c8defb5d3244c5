"""When messages of one account come back, and how actions are undone."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from mailkit.model.mailbox import MailboxName
from mailkit.model.snooze import Snooze, Woken
from mailkit.storage.index.database import Database
from mailkit.storage.personal.tables import storable

WOKEN_FOR = 14 * 86400.0
"""Seconds for which it is known of a message that it came back."""


def snoozes(database: Database) -> list[Snooze]:
    """The next to come first."""
    rows = database.all(
        "SELECT email_id, until, back_to FROM snooze ORDER BY until, email_id"
    )
    return [Snooze(email_id, until, MailboxName(to)) for email_id, until, to in rows]


def snooze(database: Database, put: Sequence[Snooze]) -> None:
    """Have messages come back; within a transaction."""
    database.executemany(
        "INSERT OR REPLACE INTO snooze VALUES (?, ?, ?)",
        [(one.email_id, one.until, storable(one.back_to)) for one in put],
    )
    _forget(database, "email_id", [one.email_id for one in put])


def unsnooze(database: Database, email_ids: Collection[str]) -> None:
    """Have them not come back by themselves."""
    with database.transaction(is_full=True):
        database.executemany(
            "DELETE FROM snooze WHERE email_id = ?", [(one,) for one in email_ids]
        )


def next_time(database: Database) -> float | None:
    """When the next message comes back."""
    row = database.one("SELECT min(until) FROM snooze")
    return None if row is None else row[0]


def woke(database: Database, put: Sequence[Woken]) -> None:
    """Remember that they came back; what came back long ago is forgotten."""
    latest = max((one.since for one in put), default=0.0)
    with database.transaction(is_full=True):
        database.execute("DELETE FROM woken WHERE since < ?", (latest - WOKEN_FOR,))
        database.executemany(
            "INSERT OR REPLACE INTO woken VALUES (?, ?, ?)",
            [(one.email_id, one.thread_id, one.since) for one in put],
        )


def woken(database: Database) -> list[Woken]:
    """The latest first."""
    rows = database.all(
        "SELECT email_id, thread_id, since FROM woken ORDER BY since DESC, email_id"
    )
    return [Woken(*row) for row in rows]


def forget_woken(database: Database, thread_ids: Collection[str]) -> None:
    """Remember of them no more."""
    known = {one.thread_id for one in woken(database)}
    if known.isdisjoint(thread_ids):
        return  # as nearly always: nothing to sync
    with database.transaction(is_full=True):
        _forget(database, "thread_id", thread_ids)


def _forget(database: Database, column: str, values: Collection[str]) -> None:
    database.executemany(
        f"DELETE FROM woken WHERE {column} = ?", [(value,) for value in values]
    )


def keep_undo(database: Database, token: str, steps: str, until: float) -> None:
    """Not synced: whoever loses power has other things to undo."""
    with database.transaction(is_full=False):
        database.execute(
            "INSERT OR REPLACE INTO undo VALUES (?, ?, ?)", (token, until, steps)
        )


def undo_steps(database: Database, token: str, now: float) -> str | None:
    """What was kept, until its time is over."""
    row = database.one(
        "SELECT steps FROM undo WHERE token = ? AND until > ?", token, now
    )
    return None if row is None else row[0]


def drop_undo(database: Database, token: str) -> bool:
    """Whether it was there."""
    with database.transaction(is_full=False):
        cursor = database.execute("DELETE FROM undo WHERE token = ?", (token,))
    return cursor.rowcount > 0


def clear_undo(database: Database, now: float) -> None:
    """Forget those whose time is over."""
    if database.one("SELECT 1 FROM undo WHERE until <= ?", now) is not None:
        with database.transaction(is_full=False):
            database.execute("DELETE FROM undo WHERE until <= ?", (now,))
