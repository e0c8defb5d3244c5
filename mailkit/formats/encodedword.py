"""Encoded words in header fields (RFC 2047), read tolerantly and written strictly."""

from __future__ import annotations

import re
from binascii import Error as BinasciiError
from binascii import a2b_base64, b2a_base64

from mailkit.formats import charset

# "?" inside the text is not allowed, white space neither; both are seen.
_WORD = re.compile(rb"=\?([^?*\s]++)(?:\*[^?\s]*+)?\?([bBqQ])\?([^?\r\n]*+)\?=")
_QUOTED = re.compile(rb"=([0-9A-Fa-f]{2})")
_NO_BASE64 = bytes(
    set(range(256))
    - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
)
_ENCODED_WORD_LENGTH = 75  # RFC 2047 §2
_PLAIN_TEXT = re.compile(r"[\x20-\x7e]*\Z")


def decode(octets: bytes) -> str:
    """
    Decode a field's unfolded text: encoded words, and UTF-8 around them (RFC 6532).

    White space between two encoded words goes (RFC 2047 §6.2), and a character cut
    in two by a sender who encoded octets is joined again.
    """
    if b"=?" not in octets:
        return octets.decode() if octets.isascii() else charset.decode(octets)
    text: list[str] = []
    pending = b""
    pending_charset = b""
    at = 0
    for match in _WORD.finditer(octets):
        between = octets[at : match.start()]
        name = match[1].lower()
        if between and not (pending_charset and between.isspace()):
            text += (charset.decode(pending, pending_charset), charset.decode(between))
            pending = b""
        elif name != pending_charset:
            text.append(charset.decode(pending, pending_charset))
            pending = b""
        pending += _decode_word(match[2], match[3])
        pending_charset = name
        at = match.end()
    text += (charset.decode(pending, pending_charset), charset.decode(octets[at:]))
    return "".join(text)


def encode(text: str) -> bytes:
    """
    Write unstructured text so that it fits into an ASCII field (RFC 2047 §5).

    Text that is plain stays as it is; other text becomes UTF-8 words of at most 75
    octets, with CRLF and a space between them. Line ends become spaces.
    """
    text = " ".join(text.splitlines()) if not _PLAIN_TEXT.match(text) else text
    if _PLAIN_TEXT.match(text) and "=?" not in text:
        return text.encode("ascii")
    room = (_ENCODED_WORD_LENGTH - len("=?utf-8?B??=")) // 4 * 3
    words: list[bytes] = []
    chunk = b""
    for character in text:
        octets = character.encode("utf-8", "replace")
        if len(chunk) + len(octets) > room:
            words.append(chunk)
            chunk = b""
        chunk += octets
    words.append(chunk)
    return b"\r\n ".join(
        b"=?utf-8?B?%b?=" % b2a_base64(word, newline=False) for word in words
    )


def _decode_word(encoding: bytes, text: bytes) -> bytes:
    if encoding in b"qQ":
        return _QUOTED.sub(
            lambda match: bytes.fromhex(match[1].decode("ascii")),
            text.replace(b"_", b" "),
        )
    text = text.translate(None, _NO_BASE64)
    if len(text) % 4 == 1:
        text = text[:-1]
    try:
        return a2b_base64(text + b"=" * (-len(text) % 4))
    except BinasciiError:  # pragma: no cover - every group is whole by now
        return b""
