"""A search, asked of the index of words and the index of mail together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from attrs import define, field

from mailkit.interfaces.search import Hit
from mailkit.model.conversation import Place
from mailkit.model.finding import HasKeyword, Mark, Marked, Not, Sized, Sought
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
_LABELLED = "m.id IN (SELECT id FROM mail.marked WHERE keyword = ?)"
_LARGE = "FROM mail.message WHERE size > ?"
_LARGER = f"m.id IN (SELECT id {_LARGE})"
_NEWER_IN_THREAD = """
    SELECT d.id FROM mail.message m CROSS JOIN document d
        ON d.key = key_of(m.email_id)
    WHERE m.joined = 1 AND m.thread_id = ? AND d.id >= ? AND %s
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
    _found_above: set[int] | None = field(init=False, default=None)

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
        few = self._few(conditions)
        write = Conditions(self._numbers, AMONG_ALL)
        if few is not None:
            where = write.all(conditions)
            chosen, of = few
            values = [*of, below, low, *write.values]
            if match is not None:
                where += f" AND {AMONG_ALL}"
                values.append(match)
            sql = _FROM_PLACES % (chosen, where)
        elif match is not None:
            sql = _FROM_WORDS % write.all(conditions)
            values = [match, below, low, *write.values]
        else:
            sql = _FROM_DOCUMENTS % write.all(conditions)
            values = [below, low, *write.values]
        return map(_Row._make, self._database.execute(sql, values))

    def _few(self, conditions: tuple[Sought, ...]) -> tuple[str, list[object]] | None:
        """A condition that few messages meet, found without looking at the others."""
        names = mailboxes_of(conditions)
        if names is not None:
            numbers = [self._numbers[name] for name in names if name in self._numbers]
            if sum(self._sizes[number] for number in numbers) <= FEW:
                ranges = [
                    f"m.id BETWEEN {number << 32} AND {(number << 32) + 0xFFFFFFFF}"
                    for number in numbers
                ]
                return f"({' OR '.join(ranges) or '0'})", []
        for one in conditions:
            match one:
                case Marked(Mark.STARRED) if self._marked("\\flagged") <= FEW:
                    return "m.flags & 4 <> 0", []
                case HasKeyword(keyword) if self._marked(keyword.lower()) <= FEW:
                    return _LABELLED, [keyword.lower()]
                case Not(Marked(Mark.READ)) if self._unread() <= FEW:
                    return "m.flags & 1 = 0", []
                case Sized(octets, True) if self._larger(octets) <= FEW:
                    # By their numbers: no index has them, and they are looked up once.
                    return _LARGER, [octets]
        return None

    def _marked(self, keyword: str) -> int:
        sql = "SELECT sum(messages) FROM mail.tally WHERE keyword = ?"
        [count] = self._database.one(sql, keyword) or (0,)
        return count or 0

    def _unread(self) -> int:
        [count] = self._database.one("SELECT sum(unseen) FROM mail.mailbox") or (0,)
        return count or 0

    def _larger(self, octets: int) -> int:
        """As far as it is of interest; all rows are looked at, but in their order."""
        sql = f"SELECT count(*) FROM (SELECT 1 {_LARGE} LIMIT ?)"
        [count] = self._database.one(sql, octets, FEW + 1) or (0,)
        return int(count)

    def _is_above(self, row: _Row, after: int) -> bool:
        """Whether the conversation was on a page above, by a newer message of it."""
        write = Conditions(self._numbers, EVERY_WORD)
        where = write.all(self._compiled.conditions)
        values: list[object] = [row.thread_id, after, *write.values]
        newer = self._database.execute(_NEWER_IN_THREAD % where, values)
        if self._compiled.match is None:
            return newer.fetchone() is not None
        return any(id in self._above(self._compiled.match, after) for [id] in newer)

    def _above(self, match: str, after: int) -> set[int]:
        """
        Documents from there on that have the words: asked for once.

        FTS5 puts the lists of a beginning together anew for each question.
        """
        if self._found_above is None:
            sql = "SELECT rowid FROM words WHERE words MATCH ? AND words.rowid >= ?"
            self._found_above = {
                id for [id] in self._database.execute(sql, (match, after))
            }
        return self._found_above
