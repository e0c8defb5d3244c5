"""
FETCH responses (RFC 9051 §7.5.2), made for ten thousand messages at a time.

A list of items is compiled once, into what makes a column of octets of each item.
After that no code of ours runs for a row and an item: the columns are laid into one
list, and that is joined.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Sequence
from functools import lru_cache

from attrs import frozen

from mailkit.errors import LocalMisuse
from mailkit.formats.rendered import KEPT_FIELDS
from mailkit.model.layout import Layout
from mailkit.model.mailbox import FlagRecord, MessageRecord, Records, Want
from mailkit.protocols.imap.items import (
    Attribute,
    FetchItem,
    FetchSection,
    SectionKind,
)
from mailkit.protocols.imap.write.dates import date_times
from mailkit.protocols.imap.write.flags import FLAG_LISTS, RECENT_FLAG_LISTS
from mailkit.protocols.imap.write.strings import literal, literal8

NOBODY: frozenset[int] = frozenset()
END = b")\r\n"
"""What ends a response that `begin` began."""

_Rows = Sequence[MessageRecord]
_Column = Callable[[Records, Container[int]], Iterable[bytes]]


def _field(name: str) -> _Column:
    return lambda rows, recent: rows.column(name)


def _number(name: str) -> _Column:
    return lambda rows, recent: rows.decimals(name)


def _flags(rows: Records, recent: Container[int]) -> Iterable[bytes]:
    flags = rows.column("flags")
    if not recent:
        return map(FLAG_LISTS.__getitem__, flags)
    plain, with_recent = FLAG_LISTS, RECENT_FLAG_LISTS
    return [
        (with_recent if uid in recent else plain)[one]
        for uid, one in zip(rows.column("uid"), flags, strict=True)
    ]


def _date(name: str) -> _Column:
    return lambda rows, recent: date_times(rows.column(name))


def _id(name: str) -> _Column:
    return lambda rows, recent: [
        b"(%b)" % value.encode("ascii") if value else b"NIL"
        for value in rows.column(name)
    ]


@frozen
class _Kind:
    """How one attribute is had, and what for."""

    name: bytes
    column: _Column
    want: Want
    field: str = ""
    """The field of a record that it is, if the store can write it as it is sent."""


_KINDS: dict[Attribute, _Kind] = {
    Attribute.UID: _Kind(b"UID", _number("uid"), Want(0), "uid"),
    Attribute.FLAGS: _Kind(b"FLAGS", _flags, Want.FLAGS, "flags"),
    Attribute.INTERNALDATE: _Kind(
        b"INTERNALDATE", _date("internal_date"), Want.FACTS, "internal_date"
    ),
    Attribute.SIZE: _Kind(b"RFC822.SIZE", _number("size"), Want.FACTS, "size"),
    Attribute.ENVELOPE: _Kind(
        b"ENVELOPE", _field("envelope"), Want.ENVELOPE, "envelope"
    ),
    Attribute.BODY: _Kind(b"BODY", _field("body"), Want.BODY, "body"),
    Attribute.BODYSTRUCTURE: _Kind(
        b"BODYSTRUCTURE", _field("bodystructure"), Want.BODYSTRUCTURE, "bodystructure"
    ),
    Attribute.PREVIEW: _Kind(b"PREVIEW", _field("preview"), Want.PREVIEW, "preview"),
    Attribute.SAVEDATE: _Kind(b"SAVEDATE", _date("save_date"), Want.IDS),
    Attribute.EMAILID: _Kind(b"EMAILID", _id("email_id"), Want.IDS),
    Attribute.THREADID: _Kind(b"THREADID", _id("thread_id"), Want.IDS),
}


@frozen(eq=False)
class Template:
    """
    A list of items, compiled; all of them are kept ready in the rows.

    ``recent`` holds the UIDs that are ``\\Recent`` here, for rev1 clients.
    """

    want: Want
    """What the rows have to be asked for."""
    layout: Layout | None
    """The same for a store that lays its rows out; ``None`` where that is not all."""
    _names: tuple[bytes, ...]
    """Of the items, a space before and after each."""
    _columns: tuple[_Column, ...]

    def lines(
        self,
        rows: _Rows,
        numbers: Iterable[int],
        recent: Container[int] = NOBODY,
    ) -> bytes:
        """A whole response for each row, its sequence number beside it."""
        numbers = list(numbers)
        count = len(rows)
        if len(numbers) != count:
            raise LocalMisuse(f"{len(numbers)} numbers for {count} messages")
        if not count:
            return b""
        # All pieces of all lines, a column at a time, and one join.
        width = 2 * len(self._columns) + 2
        pieces = [END] * (width * count)
        pieces[::width] = _beginnings(numbers)
        self._fill(pieces, 1, width, rows, recent)
        return b"".join(pieces)

    def parts(self, rows: _Rows, recent: Container[int] = NOBODY) -> list[bytes]:
        """For each row the items alone, to stand between `begin` and `END`."""
        count, width = len(rows), 2 * len(self._columns)
        if not count or not width:
            return [b""] * count
        pieces = [b""] * (width * count)
        self._fill(pieces, 0, width, rows, recent)
        return [
            b"".join(pieces[start : start + width])
            for start in range(0, width * count, width)
        ]

    def _fill(
        self,
        pieces: list[bytes],
        at: int,
        width: int,
        rows: _Rows,
        recent: Container[int],
    ) -> None:
        records = rows if isinstance(rows, Records) else Records.of(rows)
        for name, column in zip(self._names, self._columns, strict=True):
            pieces[at::width] = [name] * len(rows)
            pieces[at + 1 :: width] = column(records, recent)
            at += 2


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
    names = [b" " + kind.name + b" " for kind in kinds]
    if names:
        names[0] = names[0][1:]
    layout = None
    if kinds and all(kind.field for kind in kinds):
        texts = [b" FETCH (" + names[0], *names[1:]]
        fields = [kind.field for kind in kinds]
        columns = tuple(zip(texts, fields, strict=True))
        layout = Layout(b"* ", columns, END, want)
    columns_made = tuple([kind.column for kind in kinds])
    return Template(want, layout, tuple(names), columns_made)


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
    return _BEGINNING % number


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


def whole(name: bytes, octets: bytes) -> tuple[bytes, bytes]:
    """Like `section`, of a whole message, which is not copied for it."""
    if b"\0" in octets:
        octets = octets.replace(b"\0", b"?")
    return section_head(name, len(octets)), octets


def wholes(name: bytes, messages: Sequence[bytes]) -> tuple[list[bytes], list[bytes]]:
    """The same of many: what is said before each, and each."""
    told = [one.replace(b"\0", b"?") if b"\0" in one else one for one in messages]
    return [_WHOLE % (name, len(one)) for one in told], told


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


def _beginnings(numbers: list[int]) -> list[bytes]:
    """What `begin` says for each of many; those that are small are kept."""
    most = numbers[-1]  # they ascend
    if most >= _ROOM:
        return list(map(_BEGINNING.__mod__, numbers))
    known = _BEGINNINGS
    if most >= len(known):
        known += map(_BEGINNING.__mod__, range(len(known), most + 1))
    return list(map(known.__getitem__, numbers))


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

    def column(rows: Records, recent: Container[int]) -> Iterable[bytes]:
        found = [
            (b"".join(select(octets)) + b"\r\n").replace(b"\0", b"?")[start:end]
            for octets in rows.column("header_fields")
        ]
        return [b"{%d}\r\n%b" % (len(octets), octets) for octets in found]

    return _Kind(item.name, column, Want.HEADER_FIELDS)


_BEGINNING = b"* %d FETCH ("
_WHOLE = b"%b {%d}\r\n"
_ROOM = 16_384
_BEGINNINGS: list[bytes] = []
