"""What an administrator does to many items: hold, release, retry, drop."""

from __future__ import annotations

from attrs import define

from mailkit.model.queueitem import QueueItem, Selection
from mailkit.storage.queue import selecting
from mailkit.storage.queue.changing import Changing
from mailkit.storage.queue.rows import storable
from mailkit.storage.queue.selecting import Condition


@define(eq=False)
class Hold:
    """Try no more."""

    selection: Selection
    reason: str
    most: int

    def __call__(self, changing: Changing) -> int:
        reason = storable(self.reason) or "held"
        return _update(
            changing,
            self.selection,
            self.most,
            Condition("item.held = ''"),
            Condition("held = ?, ready = NULL", (reason,)),
        )


@define(eq=False)
class Release:
    """End holds of both sorts."""

    selection: Selection
    now: float
    most: int

    def __call__(self, changing: Changing) -> int:
        now = self.now
        changing.is_told = True
        return _update(
            changing,
            self.selection,
            self.most,
            Condition("(item.held <> '' OR item.hold_until > ?)", (now,)),
            Condition(
                "held = '', hold_until = NULL, next_try = ?,"
                " ready = iif(until > ?, until, ?),"
                " owner = iif(until > ?, owner, NULL)",
                (now, now, now, now),
            ),
        )


@define(eq=False)
class Retry:
    """Try soon what waits for its next try."""

    selection: Selection
    now: float
    most: int

    def __call__(self, changing: Changing) -> int:
        now = self.now
        changing.is_told = True
        return _update(
            changing,
            self.selection,
            self.most,
            Condition(
                f"item.held = '' AND item.next_try > ? AND {_IS_FREE}", (now, now)
            ),
            Condition(
                "next_try = ?, ready = max(?, ifnull(hold_until, 0)), owner = NULL",
                (now, now),
            ),
        )


@define(eq=False)
class Drop:
    """Take out what is not being tried."""

    selection: Selection
    most: int

    def __call__(self, changing: Changing) -> list[QueueItem]:
        database = changing.database
        free = Condition(_IS_FREE, (changing.now,))
        keys = selecting.keys(database, self.selection, self.most, more=free)
        items = selecting.items(database, keys)
        for key, item in zip(keys, items, strict=True):
            [message, hop] = database.execute(
                "SELECT message, hop FROM item WHERE key = ?", (key,)
            ).fetchone()
            changing.remove(key, storable(item.id), message, hop)
        return items


def _update(
    changing: Changing,
    selection: Selection,
    most: int,
    which: Condition,
    change: Condition,
) -> int:
    """Change the first of a selection for which ``which`` holds; how many."""
    keys = selecting.keys(changing.database, selection, most, more=which)
    words = f"UPDATE item SET {change.words} WHERE key = ? RETURNING hop"
    for key in keys:
        row = changing.database.one(words, *change.values, key)
        if row is not None:
            changing.touch(row[0])
    return len(keys)


_IS_FREE = "(item.owner IS NULL OR item.until <= ?)"
