"""One transaction over the queue, and what many changes in it do only once."""

from __future__ import annotations

from attrs import define, field

from mailkit.model.queueitem import NextHop
from mailkit.storage.index.database import Database
from mailkit.storage.queue.days import Days, day_of
from mailkit.storage.queue.rows import storable

KEPT_FOR = 30 * 86400.0
"""Seconds for which attempts are kept once their item is gone."""

STATS_KEPT_FOR = 400 * 86400.0
"""Seconds for which numbers of a day are kept."""

PRUNED_AT_ONCE = 200
"""Rows that are pruned in one transaction."""


@define(eq=False)
class Changing:
    """A transaction that several changes share; `finish` comes before its commit."""

    database: Database
    now: float
    days: Days = field(init=False, factory=Days)
    leftover: list[str] = field(init=False, factory=list)
    """Names of files that nobody needs once this is committed."""
    is_told: bool = False
    """Whether something may be due that nobody in any process knows of."""
    _hops: set[int] = field(init=False, factory=set)

    def hop(self, hop: NextHop) -> int:
        """The key of a hop that gets an item."""
        name = storable(hop.domain), storable(hop.route)
        found = self.database.one(_HOP, *name)
        if found is not None:
            return int(found[0])
        cursor = self.database.execute(
            "INSERT INTO hop VALUES (NULL, ?, ?, NULL)", name
        )
        return int(cursor.lastrowid or 0)

    def touch(self, hop: int) -> None:
        """Some of the hop's items are ready at another time than before, or gone."""
        self._hops.add(hop)

    def remove(self, key: int, id: str, message: int, hop: int) -> None:
        """An item is no more, and its octets are not with the last of its message."""
        execute = self.database.execute
        execute("DELETE FROM item WHERE key = ?", (key,))
        execute(
            "INSERT OR REPLACE INTO past (id, item, gone) VALUES (?, ?, ?)",
            (id, key, self.now),
        )
        if execute(_HAS_ITEMS, (message,)).fetchone() is None:
            [file] = execute(_DROP_MESSAGE, (message,)).fetchone()
            self.leftover.append(file)
        self.touch(hop)

    def finish(self) -> None:
        """Write what is written once for all changes."""
        for hop in self._hops:
            self._renew(hop)
        self._add_days()

    def prune(self) -> bool:
        """Forget some of what was kept long enough; whether there may be more."""
        return self._prune_attempts() | self._prune_days()

    def _renew(self, hop: int) -> None:
        execute = self.database.execute
        first = execute(_FIRST_READY, (hop,)).fetchone()
        if first is not None:
            execute(_SET_NEXT, (first[0], hop, first[0]))
        elif execute("SELECT 1 FROM item WHERE hop = ? LIMIT 1", (hop,)).fetchone():
            execute(_SET_NEXT, (None, hop, None))
        else:
            execute("DELETE FROM hop WHERE key = ?", (hop,))

    def _add_days(self) -> None:
        counts, times = self.days.counts, self.days.times
        self.database.executemany(
            _ADD_COUNTS,
            [
                (*day, one.accepted, one.delivered, one.deferred, one.bounced)
                for day, one in counts.items()
            ],
        )
        if times:
            self.database.executemany(
                _ADD_TIMES,
                [
                    (*day, bucket, delivered)
                    for day, buckets in times.items()
                    for bucket, delivered in buckets.items()
                ],
            )

    def _prune_attempts(self) -> bool:
        rows = self.database.all(_OLDEST_PAST, PRUNED_AT_ONCE)
        old = [(key, item) for key, item, gone in rows if gone < self.now - KEPT_FOR]
        execute = self.database.executemany
        execute("DELETE FROM attempt WHERE item = ?", [(item,) for _, item in old])
        execute("DELETE FROM past WHERE key = ?", [(key,) for key, _ in old])
        return len(old) == PRUNED_AT_ONCE

    def _prune_days(self) -> bool:
        first = day_of(self.now - STATS_KEPT_FOR)
        old = self.database.all(_OLD_DAYS, first, PRUNED_AT_ONCE)
        execute = self.database.executemany
        execute("DELETE FROM stat WHERE day = ? AND domain = ?", old)
        execute("DELETE FROM stat_time WHERE day = ? AND domain = ?", old)
        return len(old) == PRUNED_AT_ONCE


_HOP = "SELECT key FROM hop WHERE domain = ? AND route = ?"
_HAS_ITEMS = "SELECT 1 FROM item WHERE message = ? LIMIT 1"
_DROP_MESSAGE = "DELETE FROM message WHERE key = ? RETURNING file"
_FIRST_READY = """
    SELECT ready FROM item INDEXED BY item_due
    WHERE hop = ? AND ready IS NOT NULL ORDER BY ready LIMIT 1
"""
_SET_NEXT = "UPDATE hop SET next = ? WHERE key = ? AND next IS NOT ?"
_ADD_COUNTS = """
    INSERT INTO stat VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (day, domain) DO UPDATE SET
        accepted = accepted + excluded.accepted,
        delivered = delivered + excluded.delivered,
        deferred = deferred + excluded.deferred,
        bounced = bounced + excluded.bounced
"""
_ADD_TIMES = """
    INSERT INTO stat_time VALUES (?, ?, ?, ?)
    ON CONFLICT (day, domain, bucket) DO UPDATE SET
        delivered = delivered + excluded.delivered
"""
_OLDEST_PAST = "SELECT key, item, gone FROM past ORDER BY key LIMIT ?"
_OLD_DAYS = "SELECT day, domain FROM stat WHERE day < ? ORDER BY day LIMIT ?"
