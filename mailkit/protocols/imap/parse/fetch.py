"""FETCH and its items (RFC 9051 §6.4.5)."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from mailkit.errors import Malformed
from mailkit.protocols.imap.events import Fetch
from mailkit.protocols.imap.items import (
    Attribute,
    FetchBinarySize,
    FetchItem,
    FetchSection,
    Partial,
    SectionKind,
)
from mailkit.protocols.imap.lexer import MOST_64, Lexer, shown
from mailkit.protocols.imap.limits import Limits

_NAME = re.compile(rb"[A-Za-z0-9.]+")
_FIELD_NAME = re.compile(rb"[!-9;-~]+")
_PLAIN_NAME = re.compile(rb"[A-Za-z0-9_-]+")
_LAZY = re.compile(rb" \((LAZY(?: LAZY)*)\)", re.IGNORECASE)

_FAST = (Attribute.FLAGS, Attribute.INTERNALDATE, Attribute.SIZE)
_ALL = (*_FAST, Attribute.ENVELOPE)
_FULL = (*_ALL, Attribute.BODY)
_MACROS: dict[bytes, tuple[FetchItem, ...]] = {
    b"FAST": _FAST,
    b"ALL": _ALL,
    b"FULL": _FULL,
}

# RFC 3501 §6.4.5: what each means, under its own name in the response.
_RFC822: dict[bytes, FetchItem] = {
    b"RFC822": FetchSection(b"RFC822"),
    b"RFC822.HEADER": FetchSection(
        b"RFC822.HEADER", kind=SectionKind.HEADER, is_peek=True
    ),
    b"RFC822.TEXT": FetchSection(b"RFC822.TEXT", kind=SectionKind.TEXT),
}
_PLAIN: dict[bytes, FetchItem] = {a.value: a for a in Attribute} | _RFC822
_KINDS: dict[bytes, SectionKind] = {kind.value: kind for kind in SectionKind}


def read_fetch(lexer: Lexer, *, uid: bool = False) -> Fetch:
    """``FETCH set items``, with a macro spelt out."""
    lexer.space("message set")
    numbers = lexer.sequence_set()
    lexer.space("item to fetch")
    rest = lexer.text[lexer.at :]
    if len(rest) <= 300 and b"\n" not in rest:
        # Clients ask the same again and again.
        items = _read_rest(rest, uid, lexer.limits)
        lexer.at = len(lexer.text)
    else:
        items = _read_items(lexer, uid=uid)
    return Fetch(numbers, items, uid)


@lru_cache(maxsize=512)
def _read_rest(rest: bytes, uid: bool, limits: Limits) -> tuple[FetchItem, ...]:
    lexer = Lexer(rest, limits=limits)
    items = _read_items(lexer, uid=uid)
    lexer.end()
    return items


def _read_items(lexer: Lexer, *, uid: bool) -> tuple[FetchItem, ...]:
    # A UID FETCH tells the UID, asked for or not (RFC 9051 §6.4.9).
    items: dict[FetchItem, None] = {Attribute.UID: None} if uid else {}
    if not lexer.skip(b"("):
        macro = _MACROS.get(lexer.text[lexer.at :].upper())
        if macro is None:
            items[_read_item(lexer)] = None
        else:
            items.update(dict.fromkeys(macro))
            lexer.at = len(lexer.text)
        return tuple(items)
    while True:
        items[_read_item(lexer)] = None
        if len(items) > lexer.limits.items:
            raise Malformed(f"More than {lexer.limits.items} items to fetch")
        if lexer.skip(b")"):
            return tuple(items)
        lexer.space("item to fetch")


def _read_item(lexer: Lexer) -> FetchItem:
    match = _NAME.match(lexer.text, lexer.at)
    if match is None:
        raise Malformed("Expected an item to fetch")
    lexer.at = match.end()
    name = match[0].upper()
    if lexer.next_is(b"["):
        reader = _SECTIONS.get(name)
        if reader is None:
            raise Malformed(f"{shown(name)} takes no section")
        return reader(lexer)
    item = _PLAIN.get(name)
    if item is None:
        if name in _MACROS:
            raise Malformed(f"{name.decode()} stands alone, without parentheses")
        raise Malformed(f"Unknown item to fetch {shown(name)}")
    if item is Attribute.PREVIEW:
        modifier = _LAZY.match(lexer.text, lexer.at)
        if modifier is not None:
            lexer.at = modifier.end()
    return item


def _read_body(lexer: Lexer, *, is_peek: bool) -> FetchSection:
    lexer.expect(b"[", "before the section")
    part = _read_part(lexer)
    kind = SectionKind.WHOLE
    fields: tuple[str, ...] = ()
    if not lexer.next_is(b"]"):
        kind = _read_kind(lexer, part)
        if kind in (SectionKind.HEADER_FIELDS, SectionKind.HEADER_FIELDS_NOT):
            fields = _read_fields(lexer)
    lexer.expect(b"]", "after the section")
    partial = _read_partial(lexer)
    name = _name(b"BODY", part, kind, fields, partial)
    return FetchSection(name, part, kind, fields, partial, is_peek)


def _read_binary(lexer: Lexer, *, is_peek: bool) -> FetchSection:
    part = _read_only_part(lexer)
    partial = _read_partial(lexer)
    name = _name(b"BINARY", part, SectionKind.WHOLE, (), partial)
    return FetchSection(name, part, partial=partial, is_peek=is_peek, is_binary=True)


def _read_binary_size(lexer: Lexer) -> FetchBinarySize:
    part = _read_only_part(lexer)
    name = _name(b"BINARY.SIZE", part, SectionKind.WHOLE, (), None)
    return FetchBinarySize(name, part)


_SECTIONS: dict[bytes, Callable[[Lexer], FetchItem]] = {
    b"BODY": lambda lexer: _read_body(lexer, is_peek=False),
    b"BODY.PEEK": lambda lexer: _read_body(lexer, is_peek=True),
    b"BINARY": lambda lexer: _read_binary(lexer, is_peek=False),
    b"BINARY.PEEK": lambda lexer: _read_binary(lexer, is_peek=True),
    b"BINARY.SIZE": _read_binary_size,
}


def _read_part(lexer: Lexer) -> tuple[int, ...]:
    """Numbers with dots between, and the dot before a word too."""
    numbers: list[int] = []
    while lexer.text[lexer.at : lexer.at + 1].isdigit():
        numbers.append(lexer.number("part number", 1))
        if len(numbers) > lexer.limits.nesting:
            raise Malformed(f"A part deeper than {lexer.limits.nesting} levels")
        if not lexer.skip(b"."):
            if not lexer.next_is(b"]"):
                raise Malformed("Expected . or ] after a part number")
            break
        if lexer.next_is(b"]"):
            raise Malformed("Nothing follows the dot in the section")
    return tuple(numbers)


def _read_only_part(lexer: Lexer) -> tuple[int, ...]:
    lexer.expect(b"[", "before the part")
    part = _read_part(lexer)
    lexer.expect(b"]", "after the part: BINARY takes part numbers only")
    return part


def _read_kind(lexer: Lexer, part: tuple[int, ...]) -> SectionKind:
    match = _NAME.match(lexer.text, lexer.at)
    kind = None if match is None else _KINDS.get(match[0].upper())
    if match is None or kind is None:
        raise Malformed("A section is HEADER, HEADER.FIELDS, TEXT, MIME or a part")
    if kind is SectionKind.MIME and not part:
        raise Malformed("MIME needs a part number before it")
    lexer.at = match.end()
    return kind


def _read_fields(lexer: Lexer) -> tuple[str, ...]:
    lexer.space("list of header fields")
    lexer.expect(b"(", "before the header fields")
    names: list[str] = []
    while True:
        name = lexer.astring("header field")
        if _FIELD_NAME.fullmatch(name) is None:
            raise Malformed("Not the name of a header field")
        names.append(name.decode("ascii"))
        if len(names) > lexer.limits.header_fields:
            raise Malformed(f"More than {lexer.limits.header_fields} header fields")
        if lexer.skip(b")"):
            return tuple(names)
        lexer.space("header field")


def _read_partial(lexer: Lexer) -> Partial | None:
    if not lexer.skip(b"<"):
        return None
    start = lexer.number("first octet", 0, MOST_64)
    lexer.expect(b".", "between the first octet and the count")
    count = lexer.number("count of octets", 1, MOST_64)
    lexer.expect(b">", "after the count of octets")
    return Partial(start, count)


def _name(
    word: bytes,
    part: tuple[int, ...],
    kind: SectionKind,
    fields: tuple[str, ...],
    partial: Partial | None,
) -> bytes:
    """What the response calls it (RFC 9051 §7.5.2)."""
    section = b".".join([b"%d" % number for number in part])
    if kind.value:
        section = b"%b.%b" % (section, kind.value) if part else kind.value
    if fields:
        names = b" ".join([_field_name(field.encode("ascii")) for field in fields])
        section = b"%b (%b)" % (section, names)
    origin = b"" if partial is None else b"<%d>" % partial.start
    return b"%b[%b]%b" % (word, section, origin)


def _field_name(name: bytes) -> bytes:
    if _PLAIN_NAME.fullmatch(name) and name.upper() != b"NIL":
        return name
    return b'"%b"' % name.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
