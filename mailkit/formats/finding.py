"""
The words of the search box: ``from:ann -in:trash "cod liver" (tea OR coffee)``.

All terms have to match; ``OR`` joins the two beside it and binds closer than standing
together does; ``-`` negates what follows it; an operator may have a word, a phrase or
a group. Whatever cannot be understood is a plain word, and a note says so: nothing that
a person types is an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

from attrs import define, field, frozen

from mailkit.model.finding import (
    Aged,
    AllOf,
    AnyOf,
    Dated,
    Field,
    HasMessageId,
    Labelled,
    Mark,
    Marked,
    Not,
    Sized,
    Sought,
    Unit,
    Within,
    Words,
)


@frozen
class Limits:
    """How much of what was typed is looked at."""

    characters: int = 2000
    terms: int = 100
    depth: int = 20
    """Groups within groups; deeper ones are taken as if they had no brackets."""


DEFAULT_LIMITS = Limits()


@frozen
class Note:
    """Something that was not taken as an operator."""

    operator: str
    value: str


@frozen
class Read:
    """What was typed, understood."""

    sought: Sought
    notes: tuple[Note, ...] = ()
    is_cut: bool = False
    """More was typed than is looked at."""


_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
    | (?P<minus>-(?=[^\s)-]))
    | (?P<open>\()
    | (?P<close>\))
    | (?P<operator>[A-Za-z_][A-Za-z0-9_]*):
    | "(?P<phrase>[^"]*)"?
    | (?P<word>[^\s()"]+)
    """,
    re.VERBOSE,
)

_AGE = re.compile(r"(\d{1,5})([dmy])", re.IGNORECASE)
_SIZE = re.compile(r"(\d{1,12})([kmg]?)b?", re.IGNORECASE)
_DAY = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})")
_FACTORS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_FIELDS = {one.value: one for one in Field if one.value}


def read(text: str, limits: Limits = DEFAULT_LIMITS) -> Read:
    """Understand what somebody typed; any text gives something."""
    reader = _Reader(_tokens(text[: limits.characters]), limits)
    sought = reader.all()
    is_cut = reader.is_cut or len(text) > limits.characters
    return Read(sought, tuple(reader.notes), is_cut)


_Token = tuple[str, str]
"""Kind and text."""


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or ""
        if kind == "space":
            continue
        found.append((kind, match[kind]))
        # What stands apart from an operator is no value of it.
        if kind == "operator" and text[match.end() : match.end() + 1].isspace():
            found.append(("nothing", ""))
    return found


@define
class _Reader:
    _tokens: list[_Token]
    _limits: Limits
    notes: list[Note] = field(factory=list)
    is_cut: bool = False
    _at: int = 0
    _terms: int = 0

    def all(self) -> Sought:
        """All there is; a bracket that closes nothing is passed over."""
        found: list[Sought] = []
        while self._at < len(self._tokens):
            found += self._terms_of(0, Field.ANYWHERE)
            self._at += 1
        return _one(found)

    def _terms_of(self, depth: int, where: Field) -> list[Sought]:
        """Up to a bracket that closes, or the end."""
        found: list[Sought] = []
        is_joined = False
        while self._at < len(self._tokens):
            kind, text = self._tokens[self._at]
            if kind == "close":
                break
            if kind == "word" and text == "OR":
                is_joined = bool(found)
                self._at += 1
                continue
            term = self._term(depth, where)
            if term is None:
                continue
            if is_joined:
                found[-1] = _either(found[-1], term)
            else:
                found.append(term)
            is_joined = False
        return found

    def _term(self, depth: int, where: Field) -> Sought | None:
        """One term; ``None`` for what means nothing."""
        kind, text = self._tokens[self._at]
        self._at += 1
        match kind:
            case "minus":
                negated = self._term(depth, where)
                return None if negated is None else Not(negated)
            case "open":
                return self._group(depth, where)
            case "operator":
                return self._operated(text, depth)
            case "phrase":
                text = " ".join(text.split())
                return self._counted(Words(text, where, is_phrase=True), text)
            case _:
                return self._counted(Words(text, where), text)

    def _group(self, depth: int, where: Field) -> Sought | None:
        if depth == self._limits.depth:
            return None
        found = self._terms_of(depth + 1, where)
        self._at += 1
        return _one(found) if found else None

    def _counted(self, sought: Sought, text: str) -> Sought | None:
        if not text:
            return None
        self._terms += 1
        if self._terms > self._limits.terms:
            self.is_cut = True
            return None
        return sought

    def _operated(self, name: str, depth: int) -> Sought | None:
        folded = name.lower()
        kind, value = self._value()
        if folded in _FIELDS:
            where = _FIELDS[folded]
            if kind == "open":
                return self._group(depth, where)
            if kind == "phrase":
                value = " ".join(value.split())
            return self._counted(Words(value, where, kind == "phrase"), value)
        make = _MAKERS.get(folded)
        sought = None if make is None else make(value)
        if sought is None:
            # No operator of ours, or nothing that it can mean: a plain word.
            if kind == "open":
                self._at -= 1
                value = ""
            if not value.startswith("//"):  # an address of a page
                self.notes.append(Note(name, value))
            text = f"{name}:{value}"
            return self._counted(Words(text), text)
        return self._counted(sought, value)

    def _value(self) -> _Token:
        """What follows an operator; a bracket that closes is left where it is."""
        if self._at == len(self._tokens):
            return "nothing", ""
        kind, text = self._tokens[self._at]
        if kind == "close":
            return "nothing", ""
        self._at += 1
        if kind == "operator":
            # `rfc822msgid:a:b`: all of it up to a space.
            return "word", f"{text}:{self._value()[1]}"
        if kind == "minus":
            return "word", f"-{self._value()[1]}"
        return kind, text


def _one(found: list[Sought]) -> Sought:
    return found[0] if len(found) == 1 else AllOf(tuple(found))


def _either(first: Sought, second: Sought) -> Sought:
    if isinstance(first, AnyOf):
        return AnyOf((*first.sought, second))
    return AnyOf((first, second))


def _has(value: str) -> Sought | None:
    marks = {"attachment": Mark.ATTACHMENT, "star": Mark.STARRED}
    mark = marks.get(value.lower())
    return None if mark is None else Marked(mark)


def _is(value: str) -> Sought | None:
    match value.lower():
        case "unread":
            return Not(Marked(Mark.READ))
        case "read":
            return Marked(Mark.READ)
        case "starred":
            return Marked(Mark.STARRED)
    return None


def _within(value: str) -> Sought | None:
    return Within(value) if value else None


def _labelled(value: str) -> Sought | None:
    return Labelled(value) if value else None


def _day(value: str) -> date | None:
    match = _DAY.fullmatch(value)
    if match is None:
        return None
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None


def _before(value: str) -> Sought | None:
    day = _day(value)
    return None if day is None else Dated(before=day)


def _after(value: str) -> Sought | None:
    day = _day(value)
    return None if day is None else Dated(since=day)


def _aged(is_older: bool) -> Callable[[str], Sought | None]:
    def make(value: str) -> Sought | None:
        match = _AGE.fullmatch(value)
        if match is None:
            return None
        return Aged(int(match[1]), Unit(match[2].lower()), is_older)

    return make


def _sized(is_larger: bool) -> Callable[[str], Sought | None]:
    def make(value: str) -> Sought | None:
        match = _SIZE.fullmatch(value)
        if match is None:
            return None
        return Sized(int(match[1]) * _FACTORS[match[2].lower()], is_larger)

    return make


def _message_id(value: str) -> Sought | None:
    message_id = value.strip("<>")
    return HasMessageId(message_id) if message_id else None


_MAKERS: dict[str, Callable[[str], Sought | None]] = {
    "has": _has,
    "is": _is,
    "in": _within,
    "label": _labelled,
    "before": _before,
    "after": _after,
    "older_than": _aged(True),
    "newer_than": _aged(False),
    "larger": _sized(True),
    "smaller": _sized(False),
    "rfc822msgid": _message_id,
}

OPERATORS = (*_FIELDS, *_MAKERS)
"""Every operator there is, for help and for completion."""
