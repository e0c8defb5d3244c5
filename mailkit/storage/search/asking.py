"""A search, asked of the index of words and the index of mail together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from attrs import define, field

from mailkit.interfaces.search import Hit
from mailkit.model.conversation import Place
from mailkit.model.finding import Mark, Marked, Sought
from mailkit.model.mailbox import MailboxName
from mailkit.storage.index.database import Database
from mailkit.storage.maildir.home import name_of
from mailkit.storage.search.compiled import (
    AMONG_ALL,
    EVERY_WORD,
    Compiled,
    Conditions,
    bounds_of,
    mailboxes_of,
    taken_apart,
)
from mailkit.storage.search.schema import EMAIL_ID

FEW = 4000
"""Messages in so few mailboxes are looked at one by one; in more the words go first."""

_HIGHEST = 1 << 62

_FROM_WORDS = f"""
    SELECT d.id, m.email_id, m.id, m.thread_id
    FROM words CROSS JOIN document d ON d.id = words.rowid
        CROSS JOIN mail.message m ON m.email_id = {EMAIL_ID}
            AND m.joined = 1
    WHERE words MATCH ? AND words.rowid < ? AND words.rowid >= ? AND %s
    ORDER BY words.rowid DESC
"""
_FROM_DOCUMENTS = f"""
    SELECT d.id, m.email_id, m.id, m.thread_id
    FROM document d CROSS JOIN mail.message m ON m.email_id = {EMAIL_ID}
            AND m.joined = 1
    WHERE d.id < ? AND d.id >= ? AND %s
    ORDER BY d.id DESC
"""
_FROM_PLACES = """
    SELECT d.id, m.email_id, m.id, m.thread_id
    FROM mail.message m CROSS JOIN document d ON d.key = key_of(m.email_id)
    WHERE m.joined = 1 AND %s AND d.id < ? AND d.id >= ? AND %s
    ORDER BY d.id DESC
"""
_NEWER_IN_THREAD = """
    SELECT 1 FROM mail.message m CROSS JOIN document d ON d.key = key_of(m.email_id)
    WHERE m.joined = 1 AND m.thread_id = ? AND d.id > ? AND %s
    LIMIT 1
"""


class _Row(NamedTuple):
    id: int
    email_id: str
    place: int
    thread_id: str


@define(eq=False)
class Asking:
    """One search of one account; for a thread."""

    _database: Database
    _sought: Sought
    _names: dict[int, MailboxName] = field(init=False)
    _sizes: dict[int, int] = field(init=False)
    _numbers: Mapping[MailboxName, int] = field(init=False)
    _compiled: Compiled = field(init=False)

    def __attrs_post_init__(self) -> None:
        rows = self._database.all("SELECT id, folder, messages FROM mail.mailbox")
        self._names = {id: name_of(folder) for id, folder, _ in rows}
        self._sizes = {id: messages for id, _, messages in rows}
        self._numbers = {name: id for id, name in self._names.items()}
        self._compiled = taken_apart(self._sought)

    def hits(self, after: int | None, most: int, *, grouped: bool) -> list[Hit]:
        """Those below ``after``, at most so many."""
        found: list[Hit] = []
        documents: set[int] = set()
        threads: set[str] = set()
        for row in self._rows(_HIGHEST if after is None else after):
            if row.id in documents or (grouped and row.thread_id in threads):
                continue
            documents.add(row.id)
            if grouped:
                threads.add(row.thread_id)
                if after is not None and self._is_above(row, after):
                    continue
            place = Place(self._names[row.place >> 32], row.place & 0xFFFFFFFF)
            found.append(Hit(place, row.email_id, row.thread_id, row.id))
            if len(found) == most:
                break
        return found

    def _rows(self, below: int) -> Iterator[_Row]:
        """Places of documents that match, falling."""
        match, conditions = self._compiled.match, self._compiled.conditions
        [drift] = self._database.one("SELECT drift FROM state") or (0,)
        low, high = bounds_of(conditions, drift)
        below = below if high is None else min(below, high)
        few = self._few()
        write = Conditions(self._numbers, AMONG_ALL)
        if few is not None:
            where = write.all(conditions)
            values = [below, low, *write.values]
            if match is not None:
                where += f" AND {AMONG_ALL}"
                values.append(match)
            sql = _FROM_PLACES % (few, where)
        elif match is not None:
            sql = _FROM_WORDS % write.all(conditions)
            values = [match, below, low, *write.values]
        else:
            sql = _FROM_DOCUMENTS % write.all(conditions)
            values = [below, low, *write.values]
        return map(_Row._make, self._database.execute(sql, values))

    def _few(self) -> str | None:
        """A condition that few messages meet, found without looking at the others."""
        conditions = self._compiled.conditions
        names = mailboxes_of(conditions)
        if names is not None:
            numbers = [self._numbers[name] for name in names if name in self._numbers]
            if sum(self._sizes[number] for number in numbers) <= FEW:
                ranges = [
                    f"m.id BETWEEN {number << 32} AND {(number << 32) + 0xFFFFFFFF}"
                    for number in numbers
                ]
                return f"({' OR '.join(ranges) or '0'})"
        if Marked(Mark.STARRED) in conditions and self._starred_are_few():
            return "m.flags & 4 <> 0"
        return None

    def _starred_are_few(self) -> bool:
        [count] = self._database.one(
            "SELECT count(*) FROM (SELECT 1 FROM mail.message"
            " WHERE flags & 4 <> 0 LIMIT ?)",
            FEW + 1,
        ) or (0,)
        return bool(count <= FEW)

    def _is_above(self, row: _Row, after: int) -> bool:
        """Whether the conversation was on a page above, by a newer message of it."""
        write = Conditions(self._numbers, EVERY_WORD)
        where = write.all(self._compiled.conditions)
        values: list[object] = [row.thread_id, after - 1, *write.values]
        if self._compiled.match is not None:
            where += f" AND {EVERY_WORD}"
            values.append(self._compiled.match)
        sql = _NEWER_IN_THREAD % where
        return self._database.execute(sql, values).fetchone() is not None
