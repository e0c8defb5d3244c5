"""Which items a `Selection` means, found by an index each."""

from __future__ import annotations

import heapq
import json
from collections.abc import Sequence

from attrs import evolve, frozen

from mailkit.model.queueitem import QueueItem, Selection
from mailkit.storage.index.database import Database
from mailkit.storage.queue import rows
from mailkit.storage.queue.rows import storable


@frozen
class Condition:
    """Words of SQL about ``item``, and their values."""

    words: str
    values: tuple[object, ...] = ()


ANY = Condition("1")


@frozen
class Part:
    """Items that one index finds, by arrival."""

    index: str
    conditions: tuple[Condition, ...]

    def select(self, what: str, *more: Condition, end: str = "") -> Condition:
        """A whole statement."""
        conditions = (*self.conditions, *more)
        hint = f" INDEXED BY {self.index}" if self.index else ""
        words = " AND ".join(condition.words for condition in conditions) or "1"
        values = sum((condition.values for condition in conditions), ())
        return Condition(f"SELECT {what} FROM item{hint} WHERE {words}{end}", values)


def parts(database: Database, selection: Selection) -> list[Part]:
    """What together is the selection; no item is in two of them."""
    by_index: list[tuple[str, Condition]] = []
    if selection.account is not None:
        account = storable(selection.account)
        by_index.append(("item_account", Condition("item.account = ?", (account,))))
    if selection.rate:
        rate = storable(selection.rate)
        by_index.append(("item_rate", Condition("item.rate = ?", (rate,))))
    if selection.is_held:
        by_index.append(("item_held", Condition("item.held <> ''")))
    rest: list[Condition] = []
    if selection.is_held is False:
        rest.append(Condition("item.held = ''"))
    if selection.rate == "":
        rest.append(Condition("item.rate IS NULL"))
    index, conditions = "", (*[condition for _, condition in by_index], *rest)
    if by_index:
        index = by_index[0][0]
    if selection.ids:
        index = ""
        keys = json.dumps(_keys_of(database, selection.ids))
        wanted = Condition("item.key IN (SELECT value FROM json_each(?))", (keys,))
        conditions = (wanted, *conditions)
    if selection.domain is None:
        return [Part(index, conditions)]
    hops = database.all(
        "SELECT key FROM hop WHERE domain = ?", storable(selection.domain)
    )
    if not selection.ids:
        index = "item_hop"
    return [Part(index, (Condition("item.hop = ?", hop), *conditions)) for hop in hops]


def keys(
    database: Database,
    selection: Selection,
    most: int,
    after: int = 0,
    more: Condition = ANY,
) -> list[int]:
    """Keys of the first items of a selection, by arrival."""
    beyond = Condition("item.key > ?", (after,))
    found: list[list[int]] = []
    for part in parts(database, selection):
        statement = part.select(
            "item.key", beyond, more, end=f" ORDER BY item.key LIMIT {most:d}"
        )
        rows = database.all(statement.words, *statement.values)
        found.append([key for (key,) in rows])
    return list(heapq.merge(*found))[:most]


def count(database: Database, selection: Selection) -> int:
    """How many items a selection means."""
    total = 0
    for part in parts(database, selection):
        statement = part.select("count(*)")
        row = database.one(statement.words, *statement.values)
        total += 0 if row is None else row[0]
    return total


def items(database: Database, keys: Sequence[int]) -> list[QueueItem]:
    """Items of ascending keys."""
    found = database.all(_ITEMS, json.dumps(keys))
    return [
        evolve(rows.item_of(row, rows.hop_of(*row[-3:-1])), claimed_until=row[-1])
        for row in found
    ]


def key_of(database: Database, id: str) -> int | None:
    """The key of an item, or of one that is gone and not forgotten."""
    row = database.one(_KEY, storable(id)) or database.one(_PAST_KEY, storable(id))
    return None if row is None else int(row[0])


def _keys_of(database: Database, ids: Sequence[str]) -> list[int]:
    text = json.dumps([storable(id) for id in ids])
    return sorted({key for (key,) in database.all(_KEYS, text, text)})


_KEY = "SELECT key FROM item WHERE id = ?"
_PAST_KEY = "SELECT item FROM past WHERE id = ?"
_KEYS = """
    SELECT item.key FROM json_each(?) AS wanted
    CROSS JOIN item ON item.id = wanted.value
    UNION ALL
    SELECT item.key FROM json_each(?) AS wanted
    CROSS JOIN message ON message.name = wanted.value
    CROSS JOIN item ON item.message = message.key
"""
_ITEMS = f"""
    SELECT {rows.ITEM}, hop.domain, hop.route, item.until FROM json_each(?) AS wanted
    CROSS JOIN item ON item.key = wanted.value
    CROSS JOIN message ON message.key = item.message
    CROSS JOIN hop ON hop.key = item.hop
"""
