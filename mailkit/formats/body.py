"""
Bodies and their transfer encodings (RFC 2045 §6).

Decoding is tolerant, in pieces, and never raises but for an encoding that nobody
knows; encoding is strict.
"""

from __future__ import annotations

import re
from binascii import a2b_base64, a2b_qp, b2a_qp
from collections.abc import Iterator

from mailkit.errors import BadMessage
from mailkit.formats import header, mime
from mailkit.formats.limits import DEFAULT_LIMITS, Limits

IDENTITY = frozenset((b"7bit", b"8bit", b"binary", b""))
"""Encodings that change nothing (RFC 2045 §6.2)."""

ENCODED = frozenset((b"base64", b"quoted-printable"))
"""Encodings that we decode."""

LINE_LENGTH = 998
"""Octets of the longest line, CRLF not counted (RFC 5322 §2.1.1)."""

_PIECE = 64 * 1024
_ALIEN = bytes(
    set(range(256))
    - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")
)
_TRAILING_SPACE = re.compile(rb"(?<![ \t])[ \t]++(?=\r?\n|\Z)")
# `b2a_qp` forgets the limit of 76 where it encodes a space at the end of a line.
_TOO_LONG = re.compile(rb"^([^\n]{74,75})(=[0-9A-F]{2})$", re.M)
PROTECTED = frozenset(
    (
        (b"multipart", b"signed"),
        (b"multipart", b"encrypted"),
        (b"application", b"pkcs7-mime"),
        (b"application", b"x-pkcs7-mime"),
    )
)
"""Media types that a change would break, or that hide what is signed."""


class UnknownEncoding(BadMessage):
    """The Content-Transfer-Encoding is none that is known (RFC 9051 §6.4.5)."""


class ProtectedLines(BadMessage):
    """Lines are too long and stand where a change would break a signature."""


def decode(octets: bytes, encoding: bytes) -> bytes:
    """
    Decode a body.

    :param encoding: in lower case.
    :raises UnknownEncoding: if the encoding is none of RFC 2045's.
    """
    if encoding in IDENTITY:
        return octets
    return b"".join(decode_pieces(octets, encoding, 0, len(octets)))


def decoded_size(octets: bytes, encoding: bytes, start: int, end: int) -> int:
    """
    Count the octets of a decoded body without keeping them.

    :raises UnknownEncoding: if the encoding is none of RFC 2045's.
    """
    if encoding in IDENTITY:
        return end - start
    return sum(map(len, decode_pieces(octets, encoding, start, end)))


def decode_pieces(
    octets: bytes, encoding: bytes, start: int, end: int
) -> Iterator[bytes]:
    """
    Decode a body piece by piece, each of bounded size.

    :raises UnknownEncoding: if the encoding is none of RFC 2045's.
    """
    if encoding == b"base64":
        return _base64_pieces(octets, start, end)
    if encoding == b"quoted-printable":
        return _quoted_printable_pieces(octets, start, end)
    if encoding in IDENTITY:
        return iter((octets[start:end],))
    raise UnknownEncoding(encoding.decode("ascii", "replace"))


def _base64_pieces(octets: bytes, start: int, end: int) -> Iterator[bytes]:
    """Decode until the first padding; other characters are skipped (RFC 2045 §6.8)."""
    left = b""
    for at in range(start, end, _PIECE):
        digits = left + octets[at : min(at + _PIECE, end)].translate(None, _ALIEN)
        pad = digits.find(b"=")
        if pad >= 0:
            left = digits[:pad]
            break
        whole = len(digits) // 4 * 4
        left = digits[whole:]
        yield a2b_base64(digits[:whole])
    if len(left) % 4 == 1:
        left = left[:-1]
    yield a2b_base64(left + b"=" * (-len(left) % 4))


def _quoted_printable_pieces(octets: bytes, start: int, end: int) -> Iterator[bytes]:
    at = start
    while at < end:
        # Cut behind a line end; in a line without end, before an escape at the cut.
        cut = min(at + _PIECE, end)
        if cut < end:
            line = octets.rfind(b"\n", at, cut) + 1
            if line:
                cut = line
            else:
                escape = octets.rfind(b"=", cut - 2, cut)
                cut = escape if escape > at else cut
        piece = octets[at:cut]
        if b" \r" in piece or b" \n" in piece or b"\t" in piece or piece[-1:] == b" ":
            piece = _TRAILING_SPACE.sub(b"", piece)
        yield a2b_qp(piece)
        at = cut


def encode_quoted_printable(octets: bytes) -> bytes:
    """Write text with CRLF as quoted-printable (RFC 2045 §6.7)."""
    lines = b2a_qp(octets.replace(b"\r\n", b"\n"), istext=True)
    return _TOO_LONG.sub(rb"\1=\n\2", lines).replace(b"\n", b"\r\n")


def has_long_lines(octets: bytes, start: int = 0, end: int | None = None) -> bool:
    """Say whether a line has more than 998 octets before its CRLF."""
    if end is None:
        end = len(octets)
    at = start
    while end - at > LINE_LENGTH:
        # The last line end that a line short enough could have; then on from there.
        found = octets.rfind(b"\n", at, min(at + LINE_LENGTH + 2, end))
        if found < 0:
            return True
        at = found + 1
    return False


def shorten_lines(octets: bytes, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """
    Re-encode text parts with lines over 998 octets as quoted-printable.

    Long lines elsewhere stay: RFC 5321 §4.5.3.1.6 lets us carry them.

    :raises ProtectedLines: if such a part is signed or encrypted, so that a change
        would be seen as a forgery (RFC 1847 §2.1).
    """
    if not has_long_lines(octets):
        return octets
    changes: list[tuple[int, int, bytes]] = []
    waiting = [(mime.scan(octets, limits), False)]
    while waiting:
        part, protected = waiting.pop()
        protected = protected or (part.type, part.subtype) in PROTECTED
        if part.parts:
            waiting.extend((child, protected) for child in part.parts)
        elif (part.type == b"text" or protected) and has_long_lines(
            octets, part.body, part.end
        ):
            if protected:
                raise ProtectedLines("Lines over 998 octets in a signed part")
            if part.encoding in IDENTITY:
                changes.append((part.start, part.end, _encoded(octets, part)))
    for start, end, part_octets in sorted(changes, reverse=True):
        octets = octets[:start] + part_octets + octets[end:]
    if changes and header.first(octets, b"MIME-Version") is None:  # RFC 2045 §4
        octets = b"MIME-Version: 1.0\r\n" + octets
    return octets


def _encoded(octets: bytes, part: mime.Part) -> bytes:
    encoded = encode_quoted_printable(octets[part.body : part.end])
    head = header.replace(
        octets[part.start : part.body],
        b"Content-Transfer-Encoding",
        b"Content-Transfer-Encoding: quoted-printable\r\n",
    )
    return head + encoded
