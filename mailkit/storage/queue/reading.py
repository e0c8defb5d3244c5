"""What is asked of the queue and changes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from mailkit.errors import NoSuchItem
from mailkit.model.address import DomainName
from mailkit.model.queueitem import (
    Attempt,
    DayStats,
    DueHop,
    QueueId,
    QueueItem,
    Selection,
)
from mailkit.storage.index.database import Database
from mailkit.storage.queue import rows, selecting
from mailkit.storage.queue.days import Counts, stats_of
from mailkit.storage.queue.rows import storable

MOST_COUNTED = 1000
"""Due items of one hop that are counted."""


@frozen
class MessageFile:
    """Where the octets of a message are."""

    file: str
    head: bytes
    size: int
    """With the head."""


def due(database: Database, now: float, most: int) -> list[DueHop]:
    """Hops with items to be tried, longest waiting first."""
    found: list[DueHop] = []
    for key, domain, route, oldest in database.all(DUE, now, most):
        [[count]] = database.all(COUNT_DUE, key, now, MOST_COUNTED)
        hop = rows.hop_of(domain, route)
        found.append(DueHop(hop=hop, count=count, oldest=oldest))
    return found


def next_time(database: Database, now: float) -> float | None:
    """When more is due than now."""
    row = database.one(NEXT_TIME, now)
    return None if row is None else float(row[0])


def claimed(database: Database, owner: str, now: float) -> list[int]:
    """Keys of what somebody has claimed; all items are looked at."""
    rows = database.all(
        "SELECT key FROM item WHERE owner = ? AND until > ?", owner, now
    )
    return [key for (key,) in rows]


def content(database: Database, id: QueueId) -> MessageFile:
    """:raises NoSuchItem:"""
    row = database.one(CONTENT, storable(id))
    if row is None:
        raise NoSuchItem(id)
    return MessageFile(*row)


def items(
    database: Database, selection: Selection, after: QueueId | None, most: int
) -> list[QueueItem]:
    """A page. :raises NoSuchItem: if ``after`` was forgotten, or never was."""
    beyond = 0
    if after is not None:
        key = selecting.key_of(database, after)
        if key is None:
            raise NoSuchItem(after)
        beyond = key
    keys = selecting.keys(database, selection, most, beyond)
    return selecting.items(database, keys)


def attempts(database: Database, id: QueueId) -> list[Attempt]:
    """Oldest first."""
    key = selecting.key_of(database, id)
    found = [] if key is None else database.all(ATTEMPTS, key)
    return [rows.attempt_of(text) for (text,) in found]


def stats(
    database: Database, domain: DomainName | None, since: str
) -> Sequence[DayStats]:
    """By day and domain."""
    times: dict[tuple[str, str], dict[int, int]] = {}
    values = (since,) if domain is None else (since, storable(domain))
    only = "" if domain is None else " AND domain = ?"
    for day, name, bucket, delivered in database.all(f"{TIMES}{only}", *values):
        times.setdefault((day, name), {})[bucket] = delivered
    return [
        stats_of((day, name), Counts(*counts), times.get((day, name), {}))
        for day, name, *counts in database.all(
            f"{STATS}{only} ORDER BY day, domain", *values
        )
    ]


DUE = """
    SELECT key, domain, route, next FROM hop INDEXED BY hop_next
    WHERE next <= ? ORDER BY next LIMIT ?
"""
COUNT_DUE = """
    SELECT count(*) FROM (
        SELECT 1 FROM item INDEXED BY item_due WHERE hop = ? AND ready <= ? LIMIT ?
    )
"""
NEXT_TIME = """
    SELECT ready FROM item INDEXED BY item_ready
    WHERE ready > ? ORDER BY ready LIMIT 1
"""
CONTENT = """
    SELECT message.file, message.head, message.size FROM item
    CROSS JOIN message ON message.key = item.message WHERE item.id = ?
"""
ATTEMPTS = "SELECT told FROM attempt WHERE item = ? ORDER BY number"
STATS = "SELECT * FROM stat WHERE day >= ?"
TIMES = "SELECT day, domain, bucket, delivered FROM stat_time WHERE day >= ?"
