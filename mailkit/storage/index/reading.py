"""What is read of the index, each answer by one query and one comprehension."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

from mailkit.model.flags import Flags
from mailkit.model.mailbox import (
    FlagRecord,
    MailboxChange,
    Records,
    Want,
)
from mailkit.model.uidset import UIDSet
from mailkit.storage.index.index import Index
from mailkit.storage.index.rows import UIDS, MailboxRow

_COLUMNS: tuple[tuple[Want, tuple[str, ...]], ...] = (
    (Want.MOD_SEQ, ("mod_seq",)),
    (Want.FLAGS, ("flags",)),
    (Want.FACTS, ("size", "internal_date")),
    (Want.IDS, ("save_date", "email_id", "thread_id")),
    (Want.ENVELOPE, ("envelope",)),
    (Want.BODY, ("body",)),
    (Want.BODYSTRUCTURE, ("bodystructure",)),
    (Want.PREVIEW, ("preview",)),
    (Want.HEADER_FIELDS, ("header_fields",)),
)
"""What is read for what is wanted."""

_NUMBERS = frozenset({"uid", "mod_seq", "size", "internal_date", "save_date"})
_SQL = {"uid": "{id} & 4294967295", "flags": "flags || keywords"}

RENDERED = (
    Want.ENVELOPE | Want.BODY | Want.BODYSTRUCTURE | Want.PREVIEW | Want.HEADER_FIELDS
)
"""What needs a message to be rendered."""

_SMALL = Want.FLAGS | Want.FACTS | Want.IDS | Want.MOD_SEQ
"""What is in the small rows."""


_TABLES: tuple[tuple[str, Want], ...] = (
    ("message", _SMALL),
    ("overview", Want.ENVELOPE),
    ("structure", Want.BODYSTRUCTURE),
    ("rendered", Want.BODY | Want.PREVIEW | Want.HEADER_FIELDS),
)
"""What is where, the first to be looked at first."""


@cache
def _columns(want: Want) -> tuple[str, ...]:
    names = [name for one, names in _COLUMNS if one in want for name in names]
    return ("uid", *names)


@cache
def _select(want: Want, is_joined: bool) -> str:
    """The query for what is wanted, and for no more: each column costs."""
    key = _key(want)
    shown = []
    for name in _columns(want):
        value = _SQL.get(name, name).format(id=key)
        if is_joined:
            mark = _mark_of(name).hex()
            value = f"CAST(group_concat({value}, x'{mark}') AS BLOB)"
        shown.append(value)
    return f"SELECT {', '.join(shown)} FROM {joined_tables(want)}"


@cache
def tables_of(want: Want) -> tuple[str, ...]:
    """The tables that what is wanted is in."""
    found = [table for table, wants in _TABLES if wants & want]
    return tuple(found or ["message"])


def joined_tables(want: Want) -> str:
    """The same as one; each row by its key, whatever else there is an index of."""
    first, *others = tables_of(want)
    joins = [f" CROSS JOIN {table} USING (id)" for table in others]
    return f"{first} NOT INDEXED{''.join(joins)}"


def _mark_of(name: str) -> bytes:
    """What stands between the values of a column; none of them holds it."""
    if name in _NUMBERS:
        return b","
    return b"\n" if name in ("flags", "email_id", "thread_id") else b"\0"


def records(index: Index, row: MailboxRow, uids: UIDSet, want: Want) -> Records:
    """
    Messages with those UIDs, ascending; all of them must be rendered if wanted.

    SQLite joins the values of a column: that is one step for it, in which other
    threads work, and no object for a row.
    """
    names = _columns(want)
    found = spans(index, row, uids, _select(want, True), _key(want), is_joined=True)
    found = [one for one in found if one[0] is not None]
    if not found:
        return Records(0, {})
    marks = list(map(_mark_of, names))
    joined: list[bytes] = [
        mark.join(column)
        for mark, column in zip(marks, zip(*found, strict=True), strict=True)
    ]
    count = joined[0].count(b",")
    if any(text.count(mark) != count for mark, text in zip(marks, joined, strict=True)):
        return _by_rows(index, row, uids, want)
    texts: dict[str, Callable[[], list[bytes]]] = {}
    columns: dict[str, Callable[[], Sequence[object]]] = {}
    for name, mark, text in zip(names, marks, joined, strict=True):
        split = partial(text.split, mark)
        if name in _NUMBERS:
            texts[name] = split
            columns[name] = partial(_numbers, split)
        elif name == "flags":
            columns[name] = partial(_flags, index, split)
        elif mark == b"\n":
            columns[name] = partial(text.decode().split, "\n")
        else:
            columns[name] = split
    return Records(count + 1, columns, texts)


def _by_rows(index: Index, row: MailboxRow, uids: UIDSet, want: Want) -> Records:
    """The same, where octets hold NUL."""
    names = _columns(want)
    found = spans(index, row, uids, _select(want, False), _key(want))
    made = dict(zip(names, zip(*found, strict=True), strict=True))
    if "flags" in made:
        made["flags"] = tuple([index.texts[text.encode()] for text in made["flags"]])
    columns = {name: partial(tuple, column) for name, column in made.items()}
    return Records(len(found), columns)


def _key(want: Want) -> str:
    return f"{tables_of(want)[0]}.id"


def _numbers(split: Callable[[], list[bytes]]) -> list[int]:
    return list(map(int, split()))


def _flags(index: Index, split: Callable[[], list[bytes]]) -> list[Flags]:
    return list(map(index.texts.__getitem__, split()))


def spans(
    index: Index,
    row: MailboxRow,
    uids: UIDSet,
    select: str,
    key: str = "id",
    *,
    is_joined: bool = False,
) -> list[tuple[Any, ...]]:
    """What ``select`` says of messages with those UIDs, ascending."""
    execute = index.database.execute
    order = "" if is_joined else f" ORDER BY {key}"  # a joined one is in that order
    if len(uids.ranges) == 1:
        low, high = uids.ranges[0]
        # Spelt with parameters, so that SQLite need not read it anew each time.
        sql = f"{select} WHERE {key} BETWEEN ? AND ?{order}"
        return execute(sql, (row.key(low), row.key(high))).fetchall()
    found: list[tuple[Any, ...]] = []
    for condition in conditions(row, uids, key):
        found += execute(f"{select} WHERE {condition}{order}")
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


def unrendered_above(index: Index, key: int, most: int) -> list[tuple[int, str]]:
    """The first keys above one, of any mailbox, that nobody rendered; and names."""
    return index.database.all(  # two columns each
        "SELECT id, name FROM message WHERE thread_id = '' AND id > ?"
        " ORDER BY id LIMIT ?",
        key,
        most,
    )


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


_SINGLES = 1000
