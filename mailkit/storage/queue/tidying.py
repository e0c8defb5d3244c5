"""What a stop may have left: files without rows, and what must never be, the reverse.

Files are listed before rows are read. What is then a file alone was left behind, or
is being put just now, which its age tells.
"""

from __future__ import annotations

from attrs import define, field

from mailkit.storage.index.database import Database
from mailkit.storage.queue.changing import Changing
from mailkit.storage.queue.octets import Octets, name_of, number_of

GRACE = 3600.0
"""Seconds after which a file that no row tells of was left behind."""

LONGEST_LEASE = 3600.0
"""Seconds that a claim may still have; one that has more began by a wrong clock."""

LONGEST_WAIT = 30 * 86400.0
"""The same for the next attempt; what its sender holds may wait longer, and so may
bulk mail, whose moments are chosen one after the other."""

LOST = "the file with its octets is missing"
"""Why an item is held whose octets are lost."""


@define(eq=False)
class Findings:
    """Messages and files that do not go together."""

    lost: list[int] = field(factory=list)
    """Keys of messages without a file."""
    orphans: list[str] = field(factory=list)
    """Files without a message."""


def look(octets: Octets, database: Database, now: float) -> Findings:
    """Compare all files with all rows. Blocks."""
    found = Findings()
    files = octets.names()
    for key, name in database.execute("SELECT key, file FROM message"):
        number = number_of(name)
        if number in files:
            files.discard(number)
        elif not octets.has(name):
            found.lost.append(key)
    found.orphans += [
        name for name in map(name_of, sorted(files)) if octets.age(name, now) > GRACE
    ]
    return found


@define(eq=False)
class HoldLost:
    """Hold items whose octets are lost; their ids."""

    messages: list[int]
    octets: Octets

    def __call__(self, changing: Changing) -> list[str]:
        execute = changing.database.execute
        ids: list[str] = []
        for key in self.messages:
            row = execute("SELECT file FROM message WHERE key = ?", (key,)).fetchone()
            # It may have left, or been written anew, since we looked.
            if row is None or self.octets.has(row[0]):
                continue
            for id, hop in execute(_HOLD, (LOST, key)).fetchall():
                ids.append(id)
                changing.touch(hop)
        return ids


_HOLD = """
    UPDATE item SET held = iif(held = '', ?, held), ready = NULL
    WHERE message = ? RETURNING id, hop
"""


def is_doubtful(database: Database, now: float) -> bool:
    """Whether a clock that was wrong has put anything off; all rows are looked at."""
    values = (now + LONGEST_LEASE, now + LONGEST_WAIT)
    found = database.one(f"SELECT 1 FROM item WHERE {_DOUBTFUL} LIMIT 1", *values)
    return found is not None


@define(eq=False)
class Distrust:
    """Free what a clock that was wrong, and is right again, has put off for years."""

    def __call__(self, changing: Changing) -> int:
        now = changing.now
        rows = changing.database.execute(
            _DISTRUST, (now, now, now + LONGEST_LEASE, now + LONGEST_WAIT)
        ).fetchall()
        for (hop,) in rows:
            changing.touch(hop)
        return len(rows)


_DOUBTFUL = "until > ? OR (next_try > ? AND (rate IS NULL OR attempts > 0))"
_DISTRUST = f"""
    UPDATE item SET owner = NULL, until = NULL,
        next_try = iif(rate IS NULL OR attempts > 0, min(next_try, ?), next_try),
        ready = iif(
            held = '',
            max(
                iif(rate IS NULL OR attempts > 0, min(next_try, ?), next_try),
                ifnull(hold_until, 0)
            ),
            NULL
        )
    WHERE {_DOUBTFUL} RETURNING hop
"""
