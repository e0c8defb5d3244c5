"""What an administrator does to many items: hold, release, retry, drop."""

from __future__ import annotations

from attrs import define

from mailkit.model.queueitem import QueueItem, Selection
from mailkit.storage.queue import selecting
from mailkit.storage.queue.changing import Changing
from mailkit.storage.queue.rows import storable
from mailkit.storage.queue.selecting import Condition


@define(eq=False)
class Update:
    """Change the first of a selection for which something holds; how many."""

    selection: Selection
    most: int
    which: Condition
    change: Condition
    may_be_due: bool = True
    """Whether they may be tried at once then."""

    def __call__(self, changing: Changing) -> int:
        database = changing.database
        keys = selecting.keys(database, self.selection, self.most, more=self.which)
        words = f"UPDATE item SET {self.change.words} WHERE key = ? RETURNING hop"
        for key in keys:
            row = database.one(words, *self.change.values, key)
            if row is not None:
                changing.touch(row[0])
        changing.is_told |= self.may_be_due
        return len(keys)


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


def hold(selection: Selection, reason: str, most: int) -> Update:
    """Try no more."""
    which = Condition("item.held = ''")
    change = Condition("held = ?, ready = NULL", (storable(reason) or "held",))
    return Update(selection, most, which, change, may_be_due=False)


def release(selection: Selection, now: float, most: int) -> Update:
    """
    End holds of both sorts; bulk mail keeps its moments.

    Whose an item was that nobody has any more stays known: that one may have sent it.
    """
    which = Condition("(item.held <> '' OR item.hold_until > ?)", (now,))
    change = Condition(
        f"held = '', hold_until = NULL, next_try = iif({_IS_PACED}, next_try, ?),"
        f" ready = iif(until > ?, until, iif({_IS_PACED}, next_try, ?))",
        (now, now, now),
    )
    return Update(selection, most, which, change)


def retry(selection: Selection, now: float, most: int) -> Update:
    """Try soon what waits for its next try; bulk mail, if it is named."""
    paced = "" if selection.ids else f" AND NOT ({_IS_PACED})"
    which = Condition(
        f"item.held = '' AND item.next_try > ? AND {_IS_FREE}{paced}", (now, now)
    )
    change = Condition(
        "next_try = ?, ready = max(?, ifnull(hold_until, 0)), owner = NULL",
        (now, now),
    )
    return Update(selection, most, which, change)


_IS_PACED = "rate IS NOT NULL AND attempts = 0"
_IS_FREE = "(item.owner IS NULL OR item.until <= ?)"
