"""
FETCH responses (RFC 9051 §7.5.2), made for ten thousand messages at a time.

A list of items is compiled once: into a template and, for each item, a column of
values out of rows. After that no code of ours runs for a row and an item; rows go
through `bytes.__mod__` and one join.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Sequence
from functools import lru_cache
from operator import itemgetter

from attrs import frozen

from mailkit.errors import LocalMisuse
from mailkit.formats.rendered import KEPT_FIELDS
from mailkit.model.mailbox import FlagRecord, MessageRecord, Want
from mailkit.protocols.imap.items import (
    Attribute,
    FetchItem,
    FetchSection,
    SectionKind,
)
from mailkit.protocols.imap.write.dates import date_time
from mailkit.protocols.imap.write.flags import FLAG_LISTS, RECENT_FLAG_LISTS
from mailkit.protocols.imap.write.strings import literal, literal8

NOBODY: frozenset[int] = frozenset()
END = b")\r\n"
"""What ends a response that `begin` began."""

_Rows = Sequence[MessageRecord]
_Column = Callable[[_Rows, Container[int]], Iterable[object]]

_FIELD = {name: place for place, name in enumerate(MessageRecord._fields)}


def _field(name: str) -> _Column:
    take = itemgetter(_FIELD[name])
    return lambda rows, recent: map(take, rows)


def _flags(rows: _Rows, recent: Container[int]) -> Iterable[bytes]:
    if not recent:
        return map(FLAG_LISTS.__getitem__, map(itemgetter(_FIELD["flags"]), rows))
    plain, with_recent = FLAG_LISTS, RECENT_FLAG_LISTS
    return [(with_recent if r.uid in recent else plain)[r.flags] for r in rows]


def _date(name: str) -> _Column:
    take = itemgetter(_FIELD[name])
    return lambda rows, recent: map(date_time, map(take, rows))


def _id(name: str) -> _Column:
    take = itemgetter(_FIELD[name])
    return lambda rows, recent: [
        b"(%b)" % value.encode("ascii") if value else b"NIL"
        for value in map(take, rows)
    ]


@frozen
class _Kind:
    """How one attribute is had, and what for."""

    form: bytes
    column: _Column
    want: Want


_KINDS: dict[Attribute, _Kind] = {
    Attribute.UID: _Kind(b"UID %d", _field("uid"), Want(0)),
    Attribute.FLAGS: _Kind(b"FLAGS %b", _flags, Want.FLAGS),
    Attribute.INTERNALDATE: _Kind(
        b"INTERNALDATE %b", _date("internal_date"), Want.FACTS
    ),
    Attribute.SIZE: _Kind(b"RFC822.SIZE %d", _field("size"), Want.FACTS),
    Attribute.ENVELOPE: _Kind(b"ENVELOPE %b", _field("envelope"), Want.ENVELOPE),
    Attribute.BODY: _Kind(b"BODY %b", _field("body"), Want.BODY),
    Attribute.BODYSTRUCTURE: _Kind(
        b"BODYSTRUCTURE %b", _field("bodystructure"), Want.BODYSTRUCTURE
    ),
    Attribute.PREVIEW: _Kind(b"PREVIEW %b", _field("preview"), Want.PREVIEW),
    Attribute.SAVEDATE: _Kind(b"SAVEDATE %b", _date("save_date"), Want.IDS),
    Attribute.EMAILID: _Kind(b"EMAILID %b", _id("email_id"), Want.IDS),
    Attribute.THREADID: _Kind(b"THREADID %b", _id("thread_id"), Want.IDS),
}


@frozen(eq=False)
class Template:
    """
    A list of items, compiled; all of them are kept ready in the rows.

    ``recent`` holds the UIDs that are ``\\Recent`` here, for rev1 clients.
    """

    want: Want
    """What the rows have to be asked for."""
    _line: bytes
    _part: bytes
    _columns: tuple[_Column, ...]

    def lines(
        self,
        rows: _Rows,
        numbers: Iterable[int],
        recent: Container[int] = NOBODY,
    ) -> bytes:
        """A whole response for each row, its sequence number beside it."""
        columns = [column(rows, recent) for column in self._columns]
        return b"".join(map(self._line.__mod__, zip(numbers, *columns, strict=True)))

    def parts(self, rows: _Rows, recent: Container[int] = NOBODY) -> list[bytes]:
        """For each row the items alone, to stand between `begin` and `END`."""
        if not self._columns:
            return [b""] * len(rows)
        columns = [column(rows, recent) for column in self._columns]
        return list(map(self._part.__mod__, zip(*columns, strict=True)))


def is_ready(item: FetchItem) -> bool:
    """Whether rows have it ready, so that no message needs to be read for it."""
    return isinstance(item, Attribute) or (
        isinstance(item, FetchSection)
        and item.kind is SectionKind.HEADER_FIELDS
        and not item.part
        and KEPT_FIELDS.issuperset(_names(item))
    )


@lru_cache(maxsize=128)
def template_of(items: tuple[FetchItem, ...]) -> Template:
    """
    Compile items, all of which are `is_ready`.

    :raises LocalMisuse: where one is not.
    """
    kinds = [_kind(item) for item in items]
    want = Want(0)
    for kind in kinds:
        want |= kind.want
    part = b" ".join([kind.form for kind in kinds])
    columns = tuple([kind.column for kind in kinds])
    return Template(want, b"* %%d FETCH (%b)\r\n" % part, part, columns)


def fetch_lines(
    rows: _Rows,
    numbers: Iterable[int],
    items: tuple[FetchItem, ...],
    recent: Container[int] = NOBODY,
) -> bytes:
    """A whole response for each row; `template_of` and `Template.lines` at once."""
    return template_of(items).lines(rows, numbers, recent)


def flag_lines(
    flagged: Iterable[tuple[int, FlagRecord]],
    recent: Container[int] = NOBODY,
    uid: bool = False,
) -> bytes:
    """Sequence numbers and their flags, after STORE or as news; with UID or without."""
    plain, with_recent = FLAG_LISTS, RECENT_FLAG_LISTS
    if uid:
        return b"".join(
            [
                b"* %d FETCH (UID %d FLAGS %b)\r\n"
                % (n, r.uid, (with_recent if r.uid in recent else plain)[r.flags])
                for n, r in flagged
            ]
        )
    return b"".join(
        [
            b"* %d FETCH (FLAGS %b)\r\n"
            % (n, (with_recent if r.uid in recent else plain)[r.flags])
            for n, r in flagged
        ]
    )


# --- one message, piece by piece


def begin(number: int) -> bytes:
    """The start of a response; items follow with one space between, then `END`."""
    return b"* %d FETCH (" % number


def section(name: bytes, octets: bytes | None, is_binary: bool = False) -> bytes:
    """
    An item with octets of the message; ``None``, no such part, is NIL.

    NUL makes it a literal8 where that may be (BINARY); elsewhere it becomes ``?``,
    since no literal may hold it (RFC 9051 §4.3).
    """
    if octets is None:
        return b"%b NIL" % name
    if b"\0" not in octets:
        return b"%b %b" % (name, literal(octets))
    if is_binary:
        return b"%b %b" % (name, literal8(octets))
    return b"%b %b" % (name, literal(octets.replace(b"\0", b"?")))


def section_head(name: bytes, size: int, is_literal8: bool = False) -> bytes:
    """
    An item whose ``size`` octets follow in pieces of any size.

    That NUL is not in them, unless it is a literal8, is the caller's care.
    """
    mark = b"~" if is_literal8 else b""
    return b"%b %b{%d}\r\n" % (name, mark, size)


def binary_size(name: bytes, size: int) -> bytes:
    """BINARY.SIZE of a part (RFC 3516 §4.3)."""
    return b"%b %d" % (name, size)


def _names(item: FetchSection) -> frozenset[bytes]:
    return frozenset([field.lower().encode("ascii") for field in item.fields])


def _kind(item: FetchItem) -> _Kind:
    if isinstance(item, Attribute):
        return _KINDS[item]
    if isinstance(item, FetchSection) and is_ready(item):
        return _section_kind(item)
    raise LocalMisuse(f"{item.name!r} is not kept ready")


def _section_kind(item: FetchSection) -> _Kind:
    # Each match is a wanted field, whole, or another line, of which nothing is kept.
    names = b"|".join(map(re.escape, sorted(_names(item))))
    field = rb"((?:%b)[ \t]*+:.*+(?:\n[ \t].*+)*+\n?)|.*+\n?" % names
    select = re.compile(field, re.IGNORECASE).findall
    start = 0 if item.partial is None else item.partial.start
    end = None if item.partial is None else start + item.partial.count
    take = itemgetter(_FIELD["header_fields"])

    def column(rows: _Rows, recent: Container[int]) -> Iterable[bytes]:
        found = [
            (b"".join(select(octets)) + b"\r\n").replace(b"\0", b"?")[start:end]
            for octets in map(take, rows)
        ]
        return [b"{%d}\r\n%b" % (len(octets), octets) for octets in found]

    form = item.name.replace(b"%", b"%%") + b" %b"
    return _Kind(form, column, Want.HEADER_FIELDS)
