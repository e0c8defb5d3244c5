"""
Messages for hosts that take 7-bit text only (RFC 6152 §3, RFC 3030 §3).

Parts are encoded anew one by one; what is signed or encrypted is never touched, for a
change would be seen as a forgery (RFC 1847 §2.1).
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from itertools import pairwise

from mailkit.errors import BadMessage, NeedsSMTPUTF8
from mailkit.formats import header, mime
from mailkit.formats.body import (
    PROTECTED,
    UnknownEncoding,
    decode,
    encode_quoted_printable,
    has_long_lines,
)
from mailkit.formats.limits import DEFAULT_LIMITS, Limits

_LINE = 57
"""Octets that make a line of base64 (RFC 2045 §6.8)."""

_LINE_END = re.compile(rb"\r\n|\r|\n")
_TO_ASCII = bytes(octet if 0 < octet < 128 else 0x3F for octet in range(256))
_ALL_BUT_8BIT = bytes(range(128))

_Change = tuple[int, int, bytes]


class CannotDowngrade(BadMessage):
    """A part that may not be changed, or cannot, is not 7-bit text."""


def downgrade(octets: bytes, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """
    Encode all parts that are not 7-bit text of proper lines.

    :raises CannotDowngrade: if one of them is signed or encrypted, or not to be read.
    :raises NeedsSMTPUTF8: if a header is not ASCII: nothing encodes that.
    """
    if is_seven_bit(octets):
        return octets
    changes: list[_Change] = []
    root = mime.scan(octets, limits)
    _visit(octets, root, changes)
    if changes and header.first(octets, b"MIME-Version") is None:  # RFC 2045 §4
        changes.append((0, 0, b"MIME-Version: 1.0\r\n"))
    return _apply(octets, changes)


def is_seven_bit(octets: bytes, start: int = 0, end: int | None = None) -> bool:
    """Whether it is ASCII without NUL, in lines of up to 998 octets and CRLF."""
    part = octets if start == 0 and end is None else octets[start:end]
    special = len(part) - len(part.translate(None, b"\r\n\0"))
    return (
        part.isascii()
        and special == 2 * part.count(b"\r\n")
        and not has_long_lines(part)
    )


def _visit(octets: bytes, root: mime.Part, changes: list[_Change]) -> None:
    waiting = [root]
    while waiting:
        part = waiting.pop()
        if is_seven_bit(octets, part.start, part.end):
            continue
        if (part.type, part.subtype) in PROTECTED:
            if _is_only_long(octets, part):
                continue
            kind = b"/".join((part.type, part.subtype)).decode("ascii", "replace")
            raise CannotDowngrade(f"a part that is {kind} has to stay as it is")
        if not octets[part.start : part.body].isascii():
            raise NeedsSMTPUTF8("the header of a part is not ASCII")
        if part.parts and not (part.subtype == b"global" and part.is_message):
            _relabel(octets, part, changes)
            _clean_gaps(octets, part, changes)
            waiting += part.parts
        elif part.is_multipart or part.subtype == b"rfc822":
            raise CannotDowngrade("a part of parts cannot be read")
        else:
            _encode(octets, part, changes)


def _is_only_long(octets: bytes, part: mime.Part) -> bool:
    """Long lines of a protected part are carried (RFC 5321 §4.5.3.1.6)."""
    whole = octets[part.start : part.end]
    special = len(whole) - len(whole.translate(None, b"\r\n\0"))
    return whole.isascii() and special == 2 * whole.count(b"\r\n")


def _relabel(octets: bytes, part: mime.Part, changes: list[_Change]) -> None:
    """What holds parts says of itself only how wide they are (RFC 2045 §6.4)."""
    if part.encoding in (b"8bit", b"binary"):
        head = octets[part.start : part.body]
        changes.append((part.start, part.body, _with_encoding(head, b"7bit")))


def _clean_gaps(octets: bytes, part: mime.Part, changes: list[_Change]) -> None:
    """Between parts nobody reads but programs: what is 8-bit there becomes ``?``."""
    edges = [part.body]
    for child in part.parts:
        edges += (child.start, child.end)
    edges.append(part.end)
    for start, end in list(pairwise(edges))[::2]:
        gap = octets[start:end]
        clean = b"\r\n".join(_LINE_END.split(gap.translate(_TO_ASCII)))
        if clean != gap:
            changes.append((start, end, clean))


def _encode(octets: bytes, part: mime.Part, changes: list[_Change]) -> None:
    body = octets[part.body : part.end]
    if is_seven_bit(body):
        return  # only a line of its header is long
    try:
        plain = decode(body, part.encoding)
    except UnknownEncoding as error:
        raise CannotDowngrade(f"a part's encoding is not known: {error}") from error
    if part.type == b"text" and _suits_quoted_printable(plain):
        encoding, encoded = b"quoted-printable", encode_quoted_printable(plain)
    else:
        encoding, encoded = b"base64", _base64(plain)
        if part.end == len(octets):
            encoded += b"\r\n"
    head = _with_encoding(octets[part.start : part.body], encoding)
    if b"content-type" not in part.described and not plain.isascii():
        # RFC 1428 §3: text in a charset that nobody told us.
        head = b"Content-Type: text/plain; charset=unknown-8bit\r\n" + head
    changes.append((part.start, part.end, head + encoded))


def _suits_quoted_printable(plain: bytes) -> bool:
    """Proper lines, and mostly ASCII: base64 is shorter where a sixth is not."""
    special = len(plain) - len(plain.translate(None, b"\r\n\0"))
    wide = len(plain.translate(None, _ALL_BUT_8BIT))
    return special == 2 * plain.count(b"\r\n") and wide * 6 <= len(plain)


def _base64(plain: bytes) -> bytes:
    lines = [
        b2a_base64(plain[at : at + _LINE], newline=False)
        for at in range(0, len(plain), _LINE)
    ]
    return b"\r\n".join(lines)


def _with_encoding(head: bytes, encoding: bytes) -> bytes:
    name = b"Content-Transfer-Encoding"
    return header.replace(head, name, name + b": " + encoding + b"\r\n")


def _apply(octets: bytes, changes: list[_Change]) -> bytes:
    pieces: list[bytes] = []
    at = 0
    for start, end, instead in sorted(changes):
        pieces += (octets[at:start], instead)
        at = end
    return b"".join((*pieces, octets[at:]))
