"""
Tokens that show that a form was made by a page of ours, for this browser.

A token is an HMAC of the class of actions under the browser's own secret, masked anew
each time: compressed pages tell nobody, by their length, what is the same in them.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable

_LENGTH = 32


def make_token(secret: bytes, action: str, random: Callable[[int], bytes]) -> str:
    """A token for one class of actions; letters, digits, ``-`` and ``_``."""
    mask = random(_LENGTH)
    hidden = _exclusive_or(mask, _proof(secret, action))
    return base64.urlsafe_b64encode(mask + hidden).decode().rstrip("=")


def is_token(secret: bytes, action: str, token: str) -> bool:
    """Whether a token is this browser's; takes the same time for right and wrong."""
    try:
        octets = base64.b64decode(token[:100] + "==", b"-_", validate=True)
    except (binascii.Error, ValueError):
        return False
    if len(octets) != 2 * _LENGTH:
        return False
    said = _exclusive_or(octets[:_LENGTH], octets[_LENGTH:])
    return hmac.compare_digest(said, _proof(secret, action))


def _proof(secret: bytes, action: str) -> bytes:
    return hmac.digest(secret, b"csrf" + action.encode(), "sha256")


def _exclusive_or(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
