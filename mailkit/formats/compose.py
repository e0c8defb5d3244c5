"""
Messages of our own, written: fields and parts, ASCII throughout (RFC 5322, RFC 2045).

Text in fields becomes encoded words (RFC 2047), parameters are extended where they
have to be (RFC 2231), text is quoted-printable unless it is plain. A line end in what
should stand in a field is refused, never mended: it may be somebody's attempt to write
a field of their own.
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Sequence
from hashlib import sha256

from mailkit.errors import BadMessage
from mailkit.formats import body, encodedword

_NAME = re.compile(r"[!-9;-~]{1,70}", re.ASCII)
_NO_FIELD = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]")
_WORDS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*", re.ASCII)
_TOKEN = re.compile(r"[A-Za-z0-9!#$&^_.+-]+", re.ASCII)
_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+", re.ASCII)
_FOLDED = 78  # characters, RFC 5322 §2.1.1
_LONGEST = 998  # the same


class CannotCompose(BadMessage):
    """What was to be written cannot stand where it should; the text says why."""


def check_text(name: str, text: str) -> None:
    """:raises CannotCompose: if a text cannot stand in a field."""
    if _NO_FIELD.search(text):
        raise CannotCompose(f"{name} has a line end or another control character")


def text_field(name: str, text: str) -> bytes:
    """
    A field of unstructured text, folded, with its line end.

    :raises CannotCompose:
    """
    _check_name(name)
    check_text(name, text)
    return _folded(b"%b: %b" % (name.encode(), encodedword.encode(text.strip())))


def address_field(name: str, addresses: Sequence[tuple[str, str]]) -> bytes:
    """
    A field of addresses (RFC 5322 §3.4): display names, which may be empty, and
    addresses as they stand in an envelope.

    :raises CannotCompose:
    """
    _check_name(name)
    return _folded(
        b"%b: %b"
        % (
            name.encode(),
            b", ".join(_mailbox(name, shown, address) for shown, address in addresses),
        )
    )


def plain_field(name: str, value: str) -> bytes:
    """
    A structured field whose value is ASCII and written already.

    :raises CannotCompose:
    """
    _check_name(name)
    check_text(name, value)
    if not value.isascii():
        raise CannotCompose(f"{name} has characters that are not ASCII")
    return _folded(b"%b: %b" % (name.encode(), value.strip().encode()))


def text_part(text: str, subtype: str = "plain", fields: bytes = b"") -> bytes:
    """
    A part of text: its fields, an empty line, and the text with a last line end.

    :param fields: whole header lines that the part has besides.
    :raises CannotCompose: if the text has no octets in UTF-8.
    """
    try:
        octets = text.encode()
    except UnicodeEncodeError as error:
        raise CannotCompose("a text has what is no character") from error
    octets = b"\r\n".join(re.split(rb"\r\n|\r|\n", octets))
    if octets and not octets.endswith(b"\r\n"):
        octets += b"\r\n"
    encoding = b"7bit"
    if not octets.isascii() or b"\0" in octets or body.has_long_lines(octets):
        octets, encoding = body.encode_quoted_printable(octets), b"quoted-printable"
    return (
        b"%bContent-Type: text/%b; charset=%b\r\n"
        b"Content-Transfer-Encoding: %b\r\n\r\n%b"
        % (
            fields,
            subtype.encode("ascii", "replace"),
            b"us-ascii" if encoding == b"7bit" else b"utf-8",
            encoding,
            octets,
        )
    )


def attachment(name: str, kind: str, octets: bytes) -> bytes:
    """
    A part that is a file (RFC 2183), in base64.

    :param kind: its media type; what is none, or a message, goes as octets.
    :raises CannotCompose: if the name cannot stand in a field.
    """
    check_text("a file name", name)
    if not _TYPE.fullmatch(kind) or kind.startswith(("message/", "multipart/")):
        # RFC 2046 §5.2.1: those may not be in base64.
        kind = "application/octet-stream"
    encoded = b2a_base64(octets, newline=False)
    lines = [encoded[at : at + 76] for at in range(0, len(encoded), 76)]
    return b"".join(
        (
            b"Content-Type: %b\r\n" % kind.encode(),
            b"Content-Transfer-Encoding: base64\r\n",
            b"Content-Disposition: attachment;\r\n %b\r\n\r\n"
            % parameter("filename", name),
            *(line + b"\r\n" for line in lines),
        )
    )


def multipart(
    subtype: str, parts: Sequence[bytes], fields: bytes = b"", parameters: bytes = b""
) -> bytes:
    """
    Parts in a part (RFC 2046 §5.1), with a boundary that stands in none of them.

    :param fields: as of `text_part`.
    :param parameters: more parameters of Content-Type, each behind a semicolon.
    """
    digest = sha256(b"".join(part[:4096] for part in parts)).hexdigest()
    boundary = b"=_%b" % digest[:24].encode()
    number = 0
    while any(boundary in part for part in parts):
        number += 1
        boundary = b"=_%d_%b" % (number, digest[:24].encode())
    return b"".join(
        (
            b'%bContent-Type: multipart/%b;\r\n boundary="%b"%b\r\n\r\n'
            % (fields, subtype.encode("ascii", "replace"), boundary, parameters),
            *(b"--%b\r\n%b\r\n" % (boundary, part) for part in parts),
            b"--%b--\r\n" % boundary,
        )
    )


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise CannotCompose(f"{name!r} is not the name of a field")


def _mailbox(name: str, shown: str, address: str) -> bytes:
    check_text(name, shown)
    check_text(name, address)
    # RFC 6532 §3.2: such an address stands as it is, in a message that needs SMTPUTF8.
    octets = address.encode("utf-8", "replace")
    if not shown:
        return octets
    if _WORDS.fullmatch(shown) and "=?" not in shown:
        phrase = shown.encode()
    elif shown.isascii() and "=?" not in shown:
        escaped = shown.replace("\\", "\\\\").replace('"', '\\"')
        phrase = f'"{escaped}"'.encode()
    else:
        phrase = encodedword.encode(shown)
    return b"%b <%b>" % (phrase, octets)


def parameter(name: str, value: str) -> bytes:
    """A parameter, extended where it is not plain (RFC 2231 §4)."""
    if _TOKEN.fullmatch(value):
        return f"{name}={value}".encode()
    if value.isascii() and len(value) < 60:
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'{name}="{escaped}"'.encode()
    pieces = [""]
    for octet in value.encode("utf-8", "replace"):
        written = chr(octet)
        if octet > 126 or not _TOKEN.fullmatch(written):
            written = f"%{octet:02X}"
        if len(pieces[-1]) + 3 > 50:
            pieces.append("")
        pieces[-1] += written
    pieces[0] = f"utf-8''{pieces[0]}"
    if len(pieces) == 1:
        return f"{name}*={pieces[0]}".encode()
    return b";\r\n ".join(
        f"{name}*{number}*={piece}".encode() for number, piece in enumerate(pieces)
    )


def _folded(line: bytes) -> bytes:
    """
    A field whose lines are not longer than they should be, where it has spaces.

    :raises CannotCompose: if one is longer than it may be.
    """
    lines: list[bytes] = []
    for given in line.split(b"\r\n"):
        left = given
        while len(left) > _FOLDED:
            cut = left.rfind(b" ", 1, _FOLDED)
            if cut <= 0 or not left[:cut].strip():
                cut = left.find(b" ", _FOLDED)
            if cut <= 0 or not left[:cut].strip():
                break
            lines.append(left[:cut])
            left = left[cut:]
        lines.append(left)
    if any(len(one) > _LONGEST for one in lines):
        raise CannotCompose("a field is too long")
    return b"\r\n".join(lines) + b"\r\n"
