"""What is read of the index, each answer by one query and one comprehension."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import repeat
from typing import Any

from mailkit.model.mailbox import FlagRecord, MailboxChange, MessageRecord, Want
from mailkit.model.uidset import UIDSet
from mailkit.storage.index.index import Index
from mailkit.storage.index.rows import UIDS, MailboxRow

_COLUMNS: tuple[tuple[Want, tuple[str, ...]], ...] = (
    (Want.FLAGS, ("flags", "keywords")),
    (Want.FACTS, ("size", "internal_date")),
    (Want.IDS, ("save_date", "email_id", "thread_id")),
    (Want.ENVELOPE, ("envelope",)),
    (Want.BODY, ("body",)),
    (Want.BODYSTRUCTURE, ("bodystructure",)),
    (Want.PREVIEW, ("preview",)),
    (Want.HEADER_FIELDS, ("header_fields",)),
)
"""What is read for what is wanted, in the order of a record."""

_ABSENT: dict[Want, list[Iterable[object]]] = {
    Want.FLAGS: [repeat(frozenset())],
    Want.FACTS: [repeat(0), repeat(0)],
    Want.IDS: [repeat(0), repeat(""), repeat("")],
    **{one: [repeat(b"")] for one, _ in _COLUMNS[3:]},
}
"""What stands in a record for what was not wanted; it never ends."""

RENDERED = (
    Want.ENVELOPE | Want.BODY | Want.BODYSTRUCTURE | Want.PREVIEW | Want.HEADER_FIELDS
)
"""What needs a message to be rendered."""


@cache
def select(want: Want) -> str:
    """The query for what is wanted, and for no more: each column costs."""
    columns = ["message.id & 4294967295", "mod_seq"]
    for one, names in _COLUMNS:
        if one in want:
            columns += names
    tables = "message JOIN rendered USING (id)" if want & RENDERED else "message"
    if want & RENDERED and not want & (Want.FLAGS | Want.FACTS | Want.IDS):
        # MODSEQ alone comes from the small rows, so they are joined all the same.
        tables = "rendered JOIN message USING (id)"
    return f"SELECT {', '.join(columns)} FROM {tables}"


def records(
    index: Index, row: MailboxRow, uids: UIDSet, want: Want
) -> list[MessageRecord]:
    """Messages with those UIDs, ascending; all of them must be rendered if wanted."""
    found = spans(index, row, uids, select(want), "message.id")
    if not found:
        return []
    # By columns, and without a NamedTuple's constructor, which costs three times
    # as much: no code of ours runs for a row.
    columns = iter(zip(*found, strict=True))
    uid, mod_seq = next(columns), next(columns)
    fields: list[Iterable[object]] = []
    for one, names in _COLUMNS:
        if one is Want.FLAGS and one in want:
            bits_and_keywords = zip(next(columns), next(columns), strict=True)
            fields.append(map(index.sets.__getitem__, bits_and_keywords))
        elif one in want:
            fields += [next(columns) for _ in names]
        else:
            fields += _ABSENT[one]
    everything = zip(uid, mod_seq, *fields)  # noqa: B905 (`repeat` does not end)
    return list(map(_new, repeat(MessageRecord), everything))


def spans(
    index: Index, row: MailboxRow, uids: UIDSet, select: str, key: str = "id"
) -> list[tuple[Any, ...]]:
    """What ``select`` says of messages with those UIDs, ascending."""
    execute = index.database.execute
    if len(uids.ranges) == 1:
        low, high = uids.ranges[0]
        # Spelt with parameters, so that SQLite need not read it anew each time.
        sql = f"{select} WHERE {key} BETWEEN ? AND ? ORDER BY {key}"
        return execute(sql, (row.key(low), row.key(high))).fetchall()
    found: list[tuple[Any, ...]] = []
    for condition in conditions(row, uids, key):
        found += execute(f"{select} WHERE {condition} ORDER BY {key}")
    return found


def conditions(row: MailboxRow, uids: UIDSet, key: str = "id") -> list[str]:
    """Conditions of SQL that together mean those messages, ascending and apart."""
    found: list[str] = []
    singles: list[str] = []
    for low, high in uids.ranges:
        if low >= row.uid_next:
            break
        if low == high and len(singles) < _SINGLES:
            singles.append(str(row.key(low)))
            continue
        if singles:
            found.append(f"{key} IN ({','.join(singles)})")
            singles = []
        if low == high:
            singles.append(str(row.key(low)))
        else:
            found.append(f"{key} BETWEEN {row.key(low)} AND {row.key(high)}")
    if singles:
        found.append(f"{key} IN ({','.join(singles)})")
    return found


def all_uids(index: Index, row: MailboxRow, above: int = 0) -> array[int]:
    """UIDs of all messages above one, ascending."""
    rows = index.database.execute(
        "SELECT id & 4294967295 FROM message WHERE id BETWEEN ? AND ?",
        (row.first_key + above + 1, row.last_key),
    ).fetchall()
    return array("I", [uid for (uid,) in rows])


def first_unseen(index: Index, row: MailboxRow) -> int:
    """The lowest UID of a message without ``\\Seen``; 0 where there is none."""
    if not row.unseen:
        return 0
    found = index.database.one(
        "SELECT min(id) FROM message WHERE id BETWEEN ? AND ? AND flags & 1 = 0",
        row.first_key,
        row.last_key,
    )
    return 0 if found is None or found[0] is None else int(found[0]) & UIDS


def count_from(index: Index, row: MailboxRow, uid: int) -> int:
    """How many messages have that UID or one above."""
    if uid >= row.uid_next:
        return 0
    found = index.database.one(
        "SELECT count(*) FROM message WHERE id BETWEEN ? AND ?",
        row.key(uid),
        row.last_key,
    )
    return 0 if found is None else int(found[0])


def is_unrendered(index: Index, row: MailboxRow) -> bool:
    """Whether the mailbox has messages that nobody rendered yet."""
    return bool(
        index.database.execute(
            "SELECT 1 FROM message WHERE thread_id = '' AND id BETWEEN ? AND ? LIMIT 1",
            (row.first_key, row.last_key),
        ).fetchone()
    )


def unrendered(index: Index, row: MailboxRow, uids: UIDSet) -> list[tuple[int, str]]:
    """Keys and names of those messages that nobody rendered yet."""
    found = spans(index, row, uids, "SELECT id, name, thread_id FROM message")
    return [(key, name) for key, name, thread_id in found if not thread_id]


def changes(index: Index, row: MailboxRow, mod_seq: int) -> MailboxChange:
    """What somebody missed who knew the state ``mod_seq``."""
    if row.mod_seq <= mod_seq:
        return MailboxChange(max(row.mod_seq, mod_seq))
    execute = index.database.execute
    # The index on mod_seq, whatever the planner thinks of the range of keys.
    changed = execute(
        """
        SELECT id & 4294967295, flags, keywords, mod_seq, arrived
        FROM message INDEXED BY message_mod_seq
        WHERE mod_seq > ? AND id BETWEEN ? AND ? ORDER BY id
        """,
        (mod_seq, row.first_key, row.last_key),
    ).fetchall()
    new, sets = tuple.__new__, index.sets
    arrived, flagged = [
        tuple(
            [
                new(FlagRecord, (u, sets[b, k], m))
                for u, b, k, m, a in changed
                if (a > mod_seq) is is_new
            ]
        )
        for is_new in (True, False)
    ]
    return MailboxChange(
        row.mod_seq,
        arrived,
        flagged,
        _vanished(index, row, mod_seq),
    )


def _vanished(index: Index, row: MailboxRow, mod_seq: int) -> UIDSet:
    if mod_seq < row.known_since:
        # The log does not reach back so far: all that is not there is gone.
        here = UIDSet.of(all_uids(index, row))
        every = UIDSet(((1, row.uid_next - 1),)) if row.uid_next > 1 else UIDSet()
        return every - here
    gone = index.database.all(
        """
        SELECT low, high FROM expunged INDEXED BY expunged_mod_seq
        WHERE mailbox = ? AND mod_seq > ? AND arrived <= ?
        """,
        row.id,
        mod_seq,
        mod_seq,
    )
    return UIDSet.of_ranges(gone)


def names_of(index: Index, row: MailboxRow, uids: UIDSet) -> list[tuple[int, str, int]]:
    """Key, file name and size of messages with those UIDs, ascending."""
    return spans(index, row, uids, "SELECT id, name, size FROM message")


def names(index: Index, keys: Sequence[int]) -> list[tuple[int, str, int]]:
    """Key, file name and size of messages, ascending."""
    listed = ",".join(map(str, keys))
    return index.database.all(  # three columns each
        f"SELECT id, name, size FROM message WHERE id IN ({listed}) ORDER BY id"
    )


_new = tuple.__new__
_SINGLES = 1000
