"""What lists and conversations show of messages, read from their rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from mailkit.formats.overviewed import said
from mailkit.model.conversation import Person, Place, Summary
from mailkit.model.mailbox import MailboxName
from mailkit.model.verdict import Verdict
from mailkit.storage.index.database import Row
from mailkit.storage.index.index import Index
from mailkit.storage.index.rows import SHIFT, UIDS
from mailkit.storage.summaries import summary_of, with_place

Names = Mapping[int, MailboxName]
"""Mailboxes by their numbers."""

_WRITERS = 10
"""Messages of a conversation whose authors a list shows: the first and the latest."""

_SELECT = """
    SELECT message.id, flags, keywords, size, internal_date, email_id, thread_id,
        verdict, attachments, envelope, preview
"""
_ALL = "FROM message CROSS JOIN overview USING (id) CROSS JOIN rendered USING (id)"


def summaries(index: Index, names: Names, keys: Iterable[int]) -> dict[int, Summary]:
    """By key, each as it is in its place."""
    listed = ",".join(map(str, keys))
    rows = index.database.execute(f"{_SELECT} {_ALL} WHERE message.id IN ({listed})")
    return {row[0]: _summary(index, names, row) for row in rows if _is_in(names, row)}


def of_conversation(index: Index, names: Names, thread_id: str) -> list[Summary]:
    """All messages of a conversation, oldest first, each once."""
    rows = index.database.execute(
        f"""
        {_SELECT} FROM message INDEXED BY message_thread
        CROSS JOIN overview USING (id) CROSS JOIN rendered USING (id)
        WHERE joined = 1 AND thread_id = ? ORDER BY internal_date, message.id
        """,
        (thread_id,),
    ).fetchall()
    return _each_once(index, names, rows)


def of_messages(
    index: Index, names: Names, email_ids: Sequence[str]
) -> dict[str, Summary]:
    """By EMAILID, each with all of its places."""
    if not email_ids:
        return {}
    rows = index.database.execute(
        f"""
        {_SELECT} FROM message INDEXED BY message_email
        CROSS JOIN overview USING (id) CROSS JOIN rendered USING (id)
        WHERE joined = 1 AND email_id IN ({",".join("?" * len(email_ids))})
        ORDER BY internal_date, message.id
        """,
        list(email_ids),
    ).fetchall()
    return {one.email_id: one for one in _each_once(index, names, rows)}


def _each_once(index: Index, names: Names, rows: Sequence[Row]) -> list[Summary]:
    found: dict[str, Summary] = {}
    for row in rows:
        if not _is_in(names, row):
            continue
        known = found.get(row[5])
        if known is None:
            found[row[5]] = _summary(index, names, row)
        else:
            flags = index.sets[row[1], row[2]]
            found[row[5]] = with_place(known, _place(names, row[0]), flags)
    return list(found.values())


def _summary(index: Index, names: Names, row: Row) -> Summary:
    key, bits, keywords, size, date, email_id, thread_id, verdict, attachments = row[:9]
    return summary_of(
        row[9],
        row[10],
        email_id=email_id,
        thread_id=thread_id,
        place=_place(names, key),
        flags=index.sets[bits, keywords],
        size=size,
        internal_date=float(date),
        has_attachments=bool(attachments),
        verdict=None if verdict is None else Verdict.from_text(verdict),
    )


def _is_in(names: Names, row: Row) -> bool:
    return row[0] >> SHIFT in names


def _place(names: Names, key: int) -> Place:
    return Place(names[key >> SHIFT], key & UIDS)


class Member(NamedTuple):
    """One message of a conversation, as far as its row in a list goes."""

    group: str
    key: int
    flags: int
    keywords: str
    has_attachments: int
    email_id: str


def members(
    index: Index, groups: Sequence[str], column: str, beside: str
) -> dict[str, list[Member]]:
    """All messages of each group, oldest first."""
    if not groups:
        return {}
    name = "message_thread" if column == "thread_id" else "message_email"
    rows = index.database.execute(
        f"""
        SELECT {column}, message.id, flags, keywords, attachments, email_id
        FROM message INDEXED BY {name}
        WHERE joined = 1 AND {column} IN ({",".join("?" * len(groups))}) AND {beside}
        ORDER BY {column}, internal_date, message.id
        """,
        list(groups),
    )
    found: dict[str, list[Member]] = {group: [] for group in groups}
    for row in map(Member._make, rows):
        found[row.group].append(row)
    return found


def writers(
    index: Index, groups: Iterable[Sequence[Member]], known: Mapping[int, Summary]
) -> Iterator[tuple[Person, ...]]:
    """
    Who wrote, of each, oldest first, each once.

    :param known: messages that were read already, by key.
    """
    chosen = [list(_chosen(group)) for group in groups]
    wrote = {key: one.from_ for key, one in known.items()}
    unknown = ",".join(str(k) for keys in chosen for k in keys if k not in wrote)
    rows = index.database.execute(
        f"SELECT id, envelope FROM overview WHERE id IN ({unknown})"
    )
    wrote.update((key, said(octets).from_) for key, octets in rows)
    for keys in chosen:
        found: dict[str, Person] = {}
        for key in keys:
            for person in wrote.get(key, ()):
                found.setdefault(person.address.lower(), person)
        yield tuple(found.values())


def _chosen(group: Sequence[Member]) -> Iterable[int]:
    keys = {member.email_id: member.key for member in reversed(group)}
    ordered = list(reversed(keys.values()))
    if len(ordered) <= _WRITERS:
        return ordered
    return [ordered[0], *ordered[1 - _WRITERS :]]
