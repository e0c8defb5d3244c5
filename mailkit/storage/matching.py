"""
Which messages a query means, exactly (RFC 9051 §6.4.4).

A store first asks `Matcher.by_facts`, which needs no octets, and reads the message
only where the answer is ``None``. Text is compared decoded and without regard to
case (RFC 5051 in effect: compatibility forms, case folded, composed); whatever the
number of text keys, a message is decoded once.
"""

from __future__ import annotations

import datetime
import unicodedata
from collections.abc import Callable
from typing import Protocol

from attrs import define, field

from mailkit.formats import body, charset, date, encodedword, header, mime
from mailkit.formats.fields import parameter
from mailkit.formats.limits import DEFAULT_LIMITS, Limits
from mailkit.model.flags import SYSTEM_FLAGS, Flags, canonical_flag
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


class Facts(Protocol):
    """What a store knows of a message without its octets; dates in seconds."""

    @property
    def uid(self) -> int: ...
    @property
    def mod_seq(self) -> int: ...
    @property
    def flags(self) -> Flags: ...
    @property
    def size(self) -> int: ...
    @property
    def internal_date(self) -> int: ...
    @property
    def save_date(self) -> int: ...
    @property
    def email_id(self) -> str: ...
    @property
    def thread_id(self) -> str: ...


Judge = Callable[[Facts, "Text | None"], "bool | None"]


@define(eq=False)
class Matcher:
    """One query, made ready to be put to many messages."""

    query: Query
    limits: Limits = DEFAULT_LIMITS
    _judge: Judge = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._judge = _judge_of(self.query)

    def by_facts(self, facts: Facts) -> bool | None:
        """Yes, no, or ``None`` where the octets decide."""
        return self._judge(facts, None)

    def by_octets(self, facts: Facts, octets: bytes) -> bool:
        """The answer, with the whole message at hand."""
        return bool(self._judge(facts, Text(octets, self.limits)))

    def matches(self, facts: Facts, read: Callable[[], bytes]) -> bool:
        """The answer; ``read`` is called only if the octets decide."""
        known = self._judge(facts, None)
        return self.by_octets(facts, read()) if known is None else known


def fold(text: str) -> str:
    """The form in which texts are compared."""
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFKC", text)


@define(eq=False)
class Text:
    """What can be searched of one message, each part decoded when first wanted."""

    _octets: bytes = field(repr=False)
    _limits: Limits
    _body: int = field(init=False, default=-1)
    _fields: dict[bytes, list[bytes]] | None = field(init=False, default=None)
    _values: dict[bytes, list[str]] = field(init=False, factory=dict)
    _header: str | None = field(init=False, default=None, repr=False)
    _inside: str | None = field(init=False, default=None, repr=False)

    def values(self, name: bytes) -> list[str]:
        """The folded texts of all fields of a lower-case name."""
        if self._fields is None:
            self._fields = {}
            for _, found, value in self._scan():
                self._fields.setdefault(found.lower(), []).append(value)
        if name not in self._values:
            self._values[name] = [
                fold(encodedword.decode(header.unfold(value)))
                for value in self._fields.get(name, ())
            ]
        return self._values[name]

    def header_text(self) -> str:
        """The message's own header, a line a field."""
        if self._header is None:
            self._header = _header_text(self._octets, 0, self._end(), self._limits)
        return self._header

    def body_text(self) -> str:
        """Every text in the body, and the headers of the parts in it."""
        if self._inside is None:
            root = mime.scan(self._octets, self._limits, body=self._end())
            self._inside = fold(_inside(self._octets, root, self._limits))
        return self._inside

    def sent(self) -> datetime.date | None:
        """The day of the Date field, in the zone in which it was written."""
        value = header.first(self._octets, b"date", self._limits)
        moment = None if value is None else date.parse(value)
        return None if moment is None else moment.date()

    def _end(self) -> int:
        if self._body < 0:
            self._body = header.find_end(self._octets)
        return self._body

    def _scan(self) -> list[header.FieldOctets]:
        return header.scan(self._octets, 0, self._end(), self._limits)


def _header_text(octets: bytes, start: int, end: int, limits: Limits) -> str:
    block = octets[start : min(end, start + limits.header_size)]
    block = block.replace(b"\r\n", b"\n").replace(b"\n ", b" ").replace(b"\n\t", b"\t")
    if b"=?" not in block:
        return fold(charset.decode(block))
    return fold("\n".join(map(encodedword.decode, block.split(b"\n"))))


def _inside(octets: bytes, root: mime.Part, limits: Limits) -> str:
    texts: list[str] = []
    waiting = [root]
    while waiting:
        part = waiting.pop()
        if part is not root and part.body > part.start:
            texts.append(_header_text(octets, part.start, part.body, limits))
        if part.parts:
            waiting.extend(reversed(part.parts))
        elif part.type == b"text" or part.type == b"message":
            texts.append(_part_text(octets, part))
    return "\n".join(texts)


def _part_text(octets: bytes, part: mime.Part) -> str:
    inside = octets[part.body : part.end]
    encoding = part.encoding
    if encoding in body.ENCODED:
        inside = body.decode(inside, encoding)
    label = parameter(part.parameters, b"charset") or b""
    return charset.decode(inside, label)


def _judge_of(query: Query) -> Judge:
    match query:
        case Everything():
            return lambda facts, text: True
        case Uids(uids):
            return lambda facts, text: facts.uid in uids
        case HasFlag(flag):
            return _judge_flag(flag)
        case Larger(octets):
            return lambda facts, text: facts.size > octets
        case Smaller(octets):
            return lambda facts, text: facts.size < octets
        case Arrived(since, before):
            low, high = _seconds(since, 0), _seconds(before, _LATEST)
            return lambda facts, text: low <= facts.internal_date < high
        case Saved(since, before):
            low, high = _seconds(since, 0), _seconds(before, _LATEST)
            return lambda facts, text: low <= facts.save_date < high
        case ModifiedSince(mod_seq):
            return lambda facts, text: facts.mod_seq >= mod_seq
        case HasEmailId(email_id):
            return lambda facts, text: facts.email_id == email_id
        case HasThreadId(thread_id):
            return lambda facts, text: facts.thread_id == thread_id
        case Not(inner):
            return _judge_not(_judge_of(inner))
        case AllOf(queries):
            return _judge_all([_judge_of(inner) for inner in queries])
        case AnyOf(queries):
            return _judge_any([_judge_of(inner) for inner in queries])
        case _:
            return _judge_text(query)


def _judge_text(query: Sent | HeaderContains | BodyContains | TextContains) -> Judge:
    look = _look_of(query)
    return lambda facts, text: None if text is None else look(text)


def _look_of(
    query: Sent | HeaderContains | BodyContains | TextContains,
) -> Callable[[Text], bool]:
    match query:
        case Sent(since, before):
            low, high = since or datetime.date.min, before or datetime.date.max
            return lambda text: (day := text.sent()) is not None and low <= day < high
        case HeaderContains(name, wanted):
            octets, wanted = name.lower().encode("ascii", "replace"), fold(wanted)
            return lambda text: any(wanted in value for value in text.values(octets))
        case BodyContains(wanted):
            wanted = fold(wanted)
            return lambda text: wanted in text.body_text()
        case TextContains(wanted):
            wanted = fold(wanted)
            return lambda text: (
                wanted in text.header_text() or wanted in text.body_text()
            )


def _judge_flag(flag: str) -> Judge:
    flag = canonical_flag(flag)
    if flag in SYSTEM_FLAGS:
        return lambda facts, text: flag in facts.flags
    # Keywords keep the case in which they first came (RFC 9051 §2.3.2).
    folded = flag.lower()
    return lambda facts, text: any(one.lower() == folded for one in facts.flags)


def _judge_not(inner: Judge) -> Judge:
    def judge(facts: Facts, text: Text | None) -> bool | None:
        known = inner(facts, text)
        return None if known is None else not known

    return judge


def _judge_all(inner: list[Judge]) -> Judge:
    def judge(facts: Facts, text: Text | None) -> bool | None:
        answer: bool | None = True
        for one in inner:
            known = one(facts, text)
            if known is False:
                return False
            if known is None:
                answer = None
        return answer

    return judge


def _judge_any(inner: list[Judge]) -> Judge:
    def judge(facts: Facts, text: Text | None) -> bool | None:
        answer: bool | None = False
        for one in inner:
            known = one(facts, text)
            if known is True:
                return True
            if known is None:
                answer = None
        return answer

    return judge


_DAY = 86400
_EPOCH = datetime.date(1970, 1, 1)
_LATEST = 1 << 62


def _seconds(day: datetime.date | None, absent: int) -> int:
    return absent if day is None else (day - _EPOCH).days * _DAY
