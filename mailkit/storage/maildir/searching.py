"""SEARCH: what the index can tell by SQL, the rest by reading (RFC 9051 §6.4.4)."""

from __future__ import annotations

import datetime

from mailkit.formats.rendered import KEPT_FIELDS
from mailkit.model.flags import SYSTEM_FLAGS, canonical_flag
from mailkit.model.mailbox import Want
from mailkit.model.query import (
    AllOf,
    AnyOf,
    Arrived,
    BodyContains,
    Everything,
    HasEmailId,
    HasFlag,
    HasThreadId,
    HeaderContains,
    Larger,
    ModifiedSince,
    Not,
    Query,
    Saved,
    Sent,
    Smaller,
    TextContains,
    Uids,
)
from mailkit.model.uidset import UIDSet
from mailkit.storage.index import reading
from mailkit.storage.index.index import Index
from mailkit.storage.index.joining import join_those
from mailkit.storage.index.rows import BITS, MailboxRow
from mailkit.storage.maildir.home import Home
from mailkit.storage.maildir.keywords import Keywords
from mailkit.storage.maildir.naming import thread_id
from mailkit.storage.maildir.reads import octets_of, render_missing
from mailkit.storage.matching import Matcher

PIECE = 500
"""Messages whose octets are looked at in one go."""


def search(home: Home, index: Index, row: MailboxRow, query: Query) -> UIDSet:
    """Messages that match, exactly."""
    keywords = Keywords(home, index, row)
    terms = query.queries if isinstance(query, AllOf) else (query,)
    told: list[str | None] = []
    room = _MOST_TERMS
    for term in terms:
        weight = _weight(term)
        room -= weight if weight <= room else 0
        told.append(_sql(term, row, keywords) if weight <= room else None)
    known = " AND ".join(f"({sql})" for sql in told if sql is not None) or "1"
    rest = tuple(term for term, sql in zip(terms, told, strict=True) if sql is None)
    found = index.database.execute(
        f"SELECT id & 4294967295 FROM message WHERE id BETWEEN ? AND ? AND {known}",
        (row.first_key, row.last_key),
    ).fetchall()
    uids = UIDSet.of([uid for (uid,) in found])
    if not rest or not uids:
        return uids
    return _read(home, index, row, [uid for (uid,) in found], AllOf(rest))


def _weight(query: Query, depth: int = 0) -> int:
    """How much SQL a query is; too much for any if it is too deep (SQLite's limits)."""
    if depth > _DEEPEST:
        return _MOST_TERMS + 1
    match query:
        case Not(inner):
            return _weight(inner, depth + 1)
        case AllOf(queries) | AnyOf(queries):
            return sum(_weight(inner, depth + 1) for inner in queries)
        case Uids(uids):
            return len(uids.ranges)
        case _:
            return 1


def _read(
    home: Home, index: Index, row: MailboxRow, uids: list[int], query: Query
) -> UIDSet:
    matcher = Matcher(query)
    in_header = _needs_kept_fields(query)
    want = (
        Want.FLAGS
        | Want.FACTS
        | Want.IDS
        | Want.MOD_SEQ
        | (Want.HEADER_FIELDS if in_header else Want(0))
    )
    matching: list[int] = []
    for start in range(0, len(uids), PIECE):
        some = UIDSet.of(uids[start : start + PIECE])
        if in_header:
            render_missing(home, index, row, some)
            join_those(index, row, some, thread_id)
        for record in reading.records(index, row, some, want):
            answer = matcher.by_facts(record)
            if answer is None:
                if in_header:
                    octets: bytes | None = record.header_fields + b"\r\n"
                else:
                    octets = octets_of(home, index, row, record.uid)
                answer = octets is not None and matcher.by_octets(record, octets)
            if answer:
                matching.append(record.uid)
    return UIDSet.of(matching)


def _needs_kept_fields(query: Query) -> bool:
    """Whether the header fields in the index decide."""
    match query:
        case Not(inner):
            return _needs_kept_fields(inner)
        case AllOf(queries) | AnyOf(queries):
            return all(map(_needs_kept_fields, queries))
        case HeaderContains(name, _):
            return name.lower().encode("ascii", "replace") in KEPT_FIELDS
        case BodyContains() | TextContains():
            return False
        case _:
            return True


def _sql(query: Query, row: MailboxRow, keywords: Keywords) -> str | None:
    """A condition on the small rows that is exactly the query, if there is one."""
    match query:
        case Everything():
            return "1"
        case Uids(uids):
            return _uids_sql(uids, row)
        case HasFlag(flag):
            return _flag_sql(canonical_flag(flag), keywords)
        case Larger(octets):
            return f"size > {octets:d}"
        case Smaller(octets):
            return f"size < {octets:d}"
        case Arrived(since, before):
            return _days_sql("internal_date", since, before)
        case Saved(since, before):
            return _days_sql("save_date", since, before)
        case ModifiedSince(mod_seq):
            return f"mod_seq >= {mod_seq:d}"
        case HasEmailId(email_id):
            return f"email_id = {_quoted(email_id)}"
        case HasThreadId():
            # A message has none in the index until it is rendered.
            return None
        case Not(inner):
            sql = _sql(inner, row, keywords)
            return None if sql is None else _opposite(inner, sql)
        case AllOf(queries):
            return _joined(" AND ", "1", queries, row, keywords)
        case AnyOf(queries):
            return _joined(" OR ", "0", queries, row, keywords)
        case Sent() | HeaderContains() | BodyContains() | TextContains():
            return None


def _opposite(query: Query, sql: str) -> str:
    if isinstance(query, HasFlag):
        bit = BITS.get(canonical_flag(query.flag))
        if bit is not None:
            # Spelt as the partial index on unseen messages is.
            return f"flags & {bit} = 0"
    return f"NOT ({sql})"


def _joined(
    word: str,
    nothing: str,
    queries: tuple[Query, ...],
    row: MailboxRow,
    keywords: Keywords,
) -> str | None:
    parts = [_sql(query, row, keywords) for query in queries]
    known = [f"({part})" for part in parts if part is not None]
    return None if len(known) < len(parts) else word.join(known) or nothing


def _flag_sql(flag: str, keywords: Keywords) -> str:
    if flag in SYSTEM_FLAGS:
        return f"flags & {BITS[flag]} <> 0"
    known = keywords.known.get(flag.lower())
    if known is None:
        return "0"
    return f"instr(keywords, {_quoted(f' {known[0]} ')}) > 0"


def _uids_sql(uids: UIDSet, row: MailboxRow) -> str | None:
    if len(uids.ranges) > _MOST_RANGES:
        return None
    return (
        " OR ".join(
            f"id BETWEEN {row.key(low)} AND {row.key(high)}"
            for low, high in uids.ranges
        )
        or "0"
    )


def _days_sql(
    column: str, since: datetime.date | None, before: datetime.date | None
) -> str:
    conditions = []
    if since is not None:
        conditions.append(f"{column} >= {_seconds(since)}")
    if before is not None:
        conditions.append(f"{column} < {_seconds(before)}")
    return " AND ".join(conditions) or "1"


def _seconds(day: datetime.date) -> int:
    return (day - _EPOCH).days * 86400


def _quoted(text: str) -> str:
    """As a literal of SQL; NUL, which would end it early, is in no keyword or id."""
    return "'" + text.replace("'", "''").replace("\0", "") + "'"


_EPOCH = datetime.date(1970, 1, 1)
_MOST_RANGES = 200
_MOST_TERMS = 500
"""Of one condition: SQLite nests as many as there are, and no more than 1000."""
_DEEPEST = 10
"""Parentheses inside parentheses: its parser has room for some 30."""
