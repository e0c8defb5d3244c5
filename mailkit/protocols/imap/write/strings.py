"""Atoms, quoted strings and literals (RFC 9051 §4)."""

from __future__ import annotations

import re

from mailkit.errors import LocalMisuse
from mailkit.protocols.imap import mutf7

NIL = b"NIL"
CRLF = b"\r\n"

_ATOM = re.compile(rb"[!#$&'+,\-./0-9:;<=>?@A-Z\[^_`a-z|}~]+")
_UNQUOTABLE = re.compile(rb"[\r\n\0]")


def quoted(octets: bytes) -> bytes:
    """
    A quoted string.

    :raises LocalMisuse: if CR, LF or NUL is in it; 8-bit octets are the caller's care.
    """
    if _UNQUOTABLE.search(octets):
        raise LocalMisuse("CR, LF or NUL cannot be quoted")
    return b'"%b"' % octets.replace(b"\\", b"\\\\").replace(b'"', b'\\"')


def literal(octets: bytes) -> bytes:
    """
    A literal (RFC 9051 §4.3).

    :raises LocalMisuse: if NUL is in it: see `literal8`.
    """
    if b"\0" in octets:
        raise LocalMisuse("NUL cannot be in a literal")
    return b"{%d}\r\n%b" % (len(octets), octets)


def literal8(octets: bytes) -> bytes:
    """A literal that may hold NUL (RFC 3516 §4.3)."""
    return b"~{%d}\r\n%b" % (len(octets), octets)


def string(octets: bytes) -> bytes:
    """The shortest of quoted string and literal that every client understands."""
    if octets.isascii() and not _UNQUOTABLE.search(octets):
        return quoted(octets)
    return literal(octets)


def astring(octets: bytes) -> bytes:
    """An atom where that is possible, else a string."""
    if _ATOM.fullmatch(octets) and octets.upper() != NIL:
        return octets
    return string(octets)


def mailbox(name: str, *, is_utf8: bool) -> bytes:
    """
    A mailbox name or prefix: always quoted, or a literal where that cannot be.

    :param is_utf8: in UTF-8, for clients that turned it on (RFC 6855 §3, RFC 9051
        §5.1); modified UTF-7 for all others (RFC 3501 §5.1.3).
    """
    octets = name.encode() if is_utf8 else mutf7.encode(name)
    return literal(octets) if _UNQUOTABLE.search(octets) else quoted(octets)
