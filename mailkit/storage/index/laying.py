"""
Many messages laid out by SQLite itself, without an object for any of them.

`group_concat` copies each value once, and that is the last column, where the large one
mostly is; all that stands before it is the separator. So what is made anew for each
message is short, and other threads work meanwhile.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from functools import cache
from itertools import product

from mailkit.model.layout import Laid, Layout, Stretch
from mailkit.model.mailbox import Want
from mailkit.model.uidset import UIDSet
from mailkit.storage.index.index import Index
from mailkit.storage.index.reading import joined_tables, tables_of
from mailkit.storage.index.rows import BITS, MailboxRow
from mailkit.storage.index.weighing import first_part


def can_lay_out(layout: Layout) -> bool:
    """Whether `lay_out` knows all columns, and this SQLite does as it relies on."""
    known = all(name in _COLUMNS for _, name in layout.columns)
    return known and bool(layout.columns) and _uses_every_separator()


def lay_out(
    index: Index,
    row: MailboxRow,
    stretches: Sequence[Stretch],
    layout: Layout,
    most: int,
) -> Laid:
    """What ``layout`` says of those that exist; all of them are rendered, if wanted."""
    uids = UIDSet(tuple([(low, high) for _, low, high in stretches]))
    _, later = first_part(index, row, uids, layout.want, most)
    until = later.ranges[0][0] if later else stretches[-1].high + 1
    sql = _select(tuple([name for _, name in layout.columns]), layout.want)
    texts = [_escaped(text) for text, _ in layout.columns]
    marks = [_COLUMNS[name][0] for _, name in layout.columns[:-1]]
    between = "".join([text + mark for text, mark in zip(texts, marks, strict=False)])
    begin, end = _escaped(layout.begin), _escaped(layout.end)
    format_ = f"{end}{begin}%d{between}{texts[-1]}"
    octets: list[bytes] = []
    count = 0
    rest: list[Stretch] = []
    for number, low, high in stretches:
        if low >= until:
            rest.append(Stretch(number, low, high))
            continue
        if high >= until:
            rest.append(Stretch(number + until - low, until, high))
            high = until - 1
        first, others, found = index.database.execute(
            sql, (format_, row.key(low) - number, row.key(low), row.key(high))
        ).fetchone()
        if found:
            octets += first[len(layout.end) :], others, layout.end
            count += found
    return Laid(octets, count, tuple(rest))


def _escaped(text: bytes) -> str:
    return text.decode().replace("%", "%%")


@cache
def _select(columns: tuple[str, ...], want: Want) -> str:
    """
    One query, hence of one moment: what stands before the first, and all from there.

    Its parameters are the format, what a key is above its number, and two keys.
    """
    key = f"{tables_of(want)[0]}.id"
    *before, last = [_COLUMNS[name][1].format(key=key) for name in columns]
    separator = f"printf({', '.join(['?1', f'{key} - ?2', *before])})"
    rows = f"FROM {joined_tables(want)} WHERE {key} BETWEEN ?3 AND ?4"
    return f"""
        SELECT (SELECT CAST({separator} AS BLOB) {rows} ORDER BY {key} LIMIT 1),
            CAST(group_concat({last}, {separator}) AS BLOB), count(*) {rows}
    """


@cache
def _uses_every_separator() -> bool:
    """Whether `group_concat` takes each row's own separator, as it always has."""
    with closing(sqlite3.connect(":memory:")) as connection:
        [[text]] = connection.execute(
            "SELECT group_concat(column1, column2)"
            " FROM (VALUES ('1', 'a'), ('2', 'b'), ('3', 'c'))"
        )
    return bool(text == "1b2c3")


def _flags() -> str:
    """
    Flags as a list in parentheses.

    All sets of system flags are spelt out, those that are seen most often first.
    """
    lists = {
        sum(BITS[flag] for flag in chosen): " ".join(sorted(chosen))
        for chosen in (
            tuple([flag for flag, has in zip(BITS, bits, strict=True) if has])
            for bits in product((False, True), repeat=len(BITS))
        )
    }
    whens = " ".join([f"WHEN {bits} THEN '({lists[bits]})'" for bits in sorted(lists)])
    system = f"CASE flags {whens} END"
    return (
        f"CASE keywords WHEN '' THEN {system}"
        f" ELSE '(' || trim(trim({system}, '()') || keywords) || ')' END"
    )


_COLUMNS: dict[str, tuple[str, str]] = {
    "uid": ("%d", "{key} & 4294967295"),
    "size": ("%d", "size"),
    "internal_date": ("%s", "date"),
    "flags": ("%s", _flags()),
    "envelope": ("%s", "envelope"),
    "body": ("%s", "body"),
    "bodystructure": ("%s", "bodystructure"),
    "preview": ("%s", "preview"),
}
"""How a column is written, and where it is; none that may hold NUL (``%s``)."""
