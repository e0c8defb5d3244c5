"""Modified UTF-7: how IMAP4rev1 writes names of mailboxes (RFC 3501 §5.1.3)."""

from __future__ import annotations

import binascii
import re

from mailkit.errors import Malformed

_SHIFTED = re.compile(rb"&([^-]*)-")
_PLAIN = re.compile(rb"[ -%'-~]*")
_UNPRINTABLE = re.compile(r"[^ -~]+")


def decode(octets: bytes) -> str:
    """
    Read a name.

    :raises Malformed: where it is not the one right way to write some name, so that
        two spellings are never the same mailbox.
    """
    if _PLAIN.fullmatch(octets):
        return octets.decode("ascii")
    try:
        text = _SHIFTED.sub(_unshift, octets).decode("utf-8")
    except ValueError:  # binascii.Error and all of UnicodeError are such
        raise Malformed("The mailbox name is not modified UTF-7") from None
    if encode(text) != octets:
        raise Malformed("The mailbox name is not modified UTF-7")
    return text


def encode(text: str) -> bytes:
    """Write a name."""
    return _UNPRINTABLE.sub(_shift, text.replace("&", "&-")).encode("ascii")


def _unshift(match: re.Match[bytes]) -> bytes:
    base64 = match[1]
    if not base64:
        return b"&"
    padding = b"=" * (-len(base64) % 4)
    utf16 = binascii.a2b_base64(base64.replace(b",", b"/") + padding)
    return utf16.decode("utf-16-be").encode("utf-8")


def _shift(match: re.Match[str]) -> str:
    base64 = binascii.b2a_base64(match[0].encode("utf-16-be"), newline=False)
    return f"&{base64.rstrip(b'=').replace(b'/', b',').decode('ascii')}-"
