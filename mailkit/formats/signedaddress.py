"""
Short signatures that fit into a local part.

A local part has room for 64 octets (RFC 5321 §4.5.3.1.1), and there are servers that
change its case, so a signature is the beginning of an HMAC in base32, in lower case.
"""

from __future__ import annotations

import hmac
from base64 import b32encode
from collections.abc import Sequence

Keys = Sequence[bytes]
"""Secrets: the first signs, all of them are believed. At least one."""


def sign(purpose: bytes, keys: Keys, text: str, length: int) -> str:
    """
    Sign a text by HMAC-SHA256 (RFC 2104 §2).

    :param purpose: what the text is for, so that no signature serves another.
    :param length: characters, 5 bits each.
    """
    return _signature(purpose, keys[0], text, length)


def is_signed(purpose: bytes, keys: Keys, text: str, signature: str) -> bool:
    """Whether one of the keys made it; takes the same time for right and wrong."""
    said = signature.lower().encode("utf-8", "replace")
    length = len(signature)
    found = False
    for key in keys:
        made = _signature(purpose, key, text, length).encode("ascii")
        found = hmac.compare_digest(made, said) or found
    return found


def _signature(purpose: bytes, key: bytes, text: str, length: int) -> str:
    octets = b"%b\0%b" % (purpose, text.encode("utf-8", "replace"))
    digest = hmac.digest(key, octets, "sha256")
    return b32encode(digest).decode("ascii").lower()[:length]
