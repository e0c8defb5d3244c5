"""The relaxed forms in which header fields and bodies are signed (RFC 6376 §3.4)."""

from __future__ import annotations

import re
from hashlib import sha256

_BLANKS = re.compile(rb"[ \t]+")


def relaxed_field(name: bytes, value: bytes) -> bytes:
    """
    One field in the form of RFC 6376 §3.4.2, with its CRLF.

    :param value: what follows the colon, folded or not, its line end with it or not.
    """
    if b"\n" in value:
        value = value.replace(b"\r\n", b"").replace(b"\n", b"")
    if b"  " in value or b"\t" in value:
        value = _BLANKS.sub(b" ", value)
    return name.lower().rstrip() + b":" + value.strip() + b"\r\n"


class BodyHash:
    """
    The SHA-256 of a body in its relaxed form, fed in pieces (RFC 6376 §3.4.4).

    A body that is empty, or of empty lines alone, hashes as nothing at all.
    """

    def __init__(self) -> None:
        self._hash = sha256()
        self._rest = bytearray()
        """The last line so far, which may go on."""
        self._empty_lines = 0

    def update(self, octets: bytes) -> None:
        """Take the next piece; line ends are CRLF."""
        rest = self._rest
        if not rest:  # nearly always
            end = octets.rfind(b"\r\n") + 2
            if end > 1:
                rest += octets[end:]
                self._add_lines(octets[:end])
                return
        seen = max(len(rest) - 1, 0)  # its CR may be the last octet of it
        rest += octets
        end = rest.rfind(b"\r\n", seen)
        if end < 0:
            return
        lines = bytes(rest[: end + 2])
        del rest[: end + 2]
        self._add_lines(lines)

    def digest(self) -> bytes:
        """The hash of all that was fed; nothing may come after this."""
        if self._rest:
            self._add_lines(bytes(self._rest) + b"\r\n")
            self._rest.clear()
        return self._hash.digest()

    def _add_lines(self, lines: bytes) -> None:
        lines = relaxed_lines(lines)
        kept = lines.rstrip(b"\r\n")
        if not kept:
            self._empty_lines += len(lines) // 2
            return
        if self._empty_lines:
            self._hash.update(b"\r\n" * self._empty_lines)
        self._hash.update(kept)
        self._hash.update(b"\r\n")
        self._empty_lines = (len(lines) - len(kept)) // 2 - 1


def relaxed_lines(lines: bytes) -> bytes:
    """Whole lines with one space for each run of blanks, and none at their ends."""
    if b"\t" in lines or b"  " in lines:
        lines = _BLANKS.sub(b" ", lines)
    if b" \r\n" in lines:
        lines = lines.replace(b" \r\n", b"\r\n")
    return lines
