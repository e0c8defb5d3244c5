"""What is sought, as SQL over the index of words and the index of mail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import define, field, frozen

from mailkit.formats.searchable import ATTACHED, message_token, wanted
from mailkit.model.finding import (
    AllOf,
    AnyOf,
    Came,
    Field,
    HasKeyword,
    HasMessageId,
    InMailboxes,
    Mark,
    Marked,
    Not,
    Sized,
    Sought,
    Words,
)
from mailkit.model.mailbox import MailboxName
from mailkit.storage.search.schema import COLUMNS, PER_HOUR, number

_MARKS = {
    Mark.STARRED: "m.flags & 4 <> 0",
    Mark.READ: "m.flags & 1 <> 0",
}

EVERY_WORD = "EXISTS (SELECT 1 FROM words WHERE words.rowid = d.id AND words MATCH ?)"
"""For a few messages."""

AMONG_ALL = "d.id IN (SELECT rowid FROM words WHERE words MATCH ?)"
"""For many."""


@frozen
class Compiled:
    """A search, taken apart."""

    match: str | None
    """For FTS5; ``None``: no word decides alone."""
    conditions: tuple[Sought, ...]
    """All of them hold as well."""


def taken_apart(sought: Sought) -> Compiled:
    """Find the words that every hit has."""
    parts = sought.sought if isinstance(sought, AllOf) else (sought,)
    texts: list[str] = []
    others: list[Sought] = []
    for part in parts:
        match = _match(part)
        if match is None:
            others.append(part)
        elif match:
            texts.append(match)
    return Compiled(_joined(texts, "AND") or None, tuple(others))


def mailboxes_of(conditions: tuple[Sought, ...]) -> frozenset[MailboxName] | None:
    """In which mailboxes every hit is; ``None``: in any."""
    found: frozenset[MailboxName] | None = None
    for one in conditions:
        if isinstance(one, InMailboxes):
            found = one.names if found is None else found & one.names
    return found


def bounds_of(conditions: tuple[Sought, ...], drift: int) -> tuple[int, int | None]:
    """
    Numbers below and from which there is no hit.

    :param drift: how far documents are from the first number of their hour.
    """
    low, high = 0, None
    for one in conditions:
        if isinstance(one, Came):
            if one.since is not None:
                low = max(low, number(int(one.since)))
            if one.before is not None:
                end = number(int(one.before)) + PER_HOUR + drift
                high = end if high is None else min(high, end)
    return low, high


@define
class Conditions:
    """Writes conditions on ``d``, a document, and ``m``, a place of its message."""

    _mailboxes: Mapping[MailboxName, int]
    """The numbers that the index of mail has for them."""
    _words: str
    """`EVERY_WORD` or `AMONG_ALL`."""
    values: list[object] = field(factory=list)

    def all(self, sought: tuple[Sought, ...]) -> str:
        """Each of them holds."""
        return " AND ".join(map(self.one, sought)) or "1"

    def one(self, sought: Sought) -> str:
        """
        One condition, in brackets; its values go to `values`.

        :raises ValueError: if something is not made out.
        """
        match = _match(sought)
        if match is not None:
            if not match:
                return "1"
            self.values.append(match)
            return self._words
        match sought:
            case AllOf(inner):
                return f"({self.all(inner)})"
            case AnyOf(inner):
                return f"({' OR '.join(map(self.one, inner))})"
            case Not(inner):
                return f"NOT {self.one(inner)}"
            case Marked(mark):
                return f"({_MARKS[mark]})"
            case InMailboxes(names):
                return self._in_mailboxes(names)
            case HasKeyword(keyword):
                self.values.append(f" {keyword.lower()} ")
                return "(instr(lower(m.keywords), ?) > 0)"
            case Came(since, before):
                return self._came(since, before)
            case Sized(octets, is_larger):
                self.values.append(octets)
                return f"(m.size {'>' if is_larger else '<'} ?)"
            case _:
                raise ValueError(f"{type(sought).__name__} is not made out")

    def _in_mailboxes(self, names: frozenset[MailboxName]) -> str:
        numbers = [self._mailboxes[name] for name in names if name in self._mailboxes]
        self.values += numbers
        return f"(m.id >> 32 IN ({', '.join('?' * len(numbers))}))"

    def _came(self, since: float | None, before: float | None) -> str:
        texts = ["1"]
        if since is not None:
            texts.append("m.internal_date >= ?")
            self.values.append(since)
        if before is not None:
            texts.append("m.internal_date < ?")
            self.values.append(before)
        return f"({' AND '.join(texts)})"


def _match(sought: Sought) -> str | None:
    """
    An expression of FTS5, where words alone decide.

    Empty: everything matches; ``None``: words alone do not decide.
    """
    match sought:
        case Words(text, where, is_phrase):
            return _words(text, where, is_phrase)
        case HasMessageId(message_id):
            return _phrase("marks", [message_token(message_id)], is_beginning=False)
        case Marked(Mark.ATTACHMENT):
            return _phrase("marks", [ATTACHED], is_beginning=False)
        case AllOf(inner):
            texts = list(map(_match, inner))
            known = [text for text in texts if text]
            return None if None in texts else _joined(known, "AND")
        case AnyOf(inner):
            texts = list(map(_match, inner))
            known = [text for text in texts if text]
            if None in texts:
                return None
            return _joined(known, "OR") if len(known) == len(texts) else ""
    return None


def _joined(texts: list[str], word: str) -> str:
    if len(texts) == 1:
        return texts[0]
    return f" {word} ".join(f"({text})" for text in texts)


def _words(text: str, where: Field, is_phrase: bool) -> str:
    found, is_beginning = wanted(text, is_phrase=is_phrase)
    column = "- marks" if where is Field.ANYWHERE else COLUMNS[where.value]
    return _phrase(column, found, is_beginning)


def _phrase(column: str, found: Sequence[str], is_beginning: bool) -> str:
    if not found:
        return ""
    return f'{column} : "{" ".join(found)}"{" *" if is_beginning else ""}'
