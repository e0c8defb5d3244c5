"""The token in the address of a one-click unsubscription (RFC 8058 §3.1)."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

from attrs import frozen

from mailkit.formats.signedaddress import Keys, is_signed, sign

LONGEST = 1000
"""Characters of a token that are looked at."""

_PURPOSE = b"unsubscribe"
_SIGNATURE = 32  # 160 bits


@frozen
class Unsubscription:
    """Who wants no more of what."""

    sending: str
    """The list or bulk sending."""
    address: str
    expires: int
    """Seconds since 1970."""


def write_token(what: Unsubscription, keys: Keys) -> str:
    """What nobody else can make; letters, digits, ``-``, ``_`` and one full stop."""
    text = f"{what.expires}\n{what.address}\n{what.sending}"
    body = urlsafe_b64encode(text.encode()).decode().rstrip("=")
    return f"{body}.{sign(_PURPOSE, keys, body, _SIGNATURE)}"


def read_token(token: str, keys: Keys, now: float) -> Unsubscription | None:
    """What a token says; ``None`` if it is not ours, or its time is over."""
    body, _, signature = token[:LONGEST].partition(".")
    if len(signature) != _SIGNATURE or not is_signed(_PURPOSE, keys, body, signature):
        return None
    # Whoever signed it wrote it, too.
    text = urlsafe_b64decode(body + "=" * (-len(body) % 4)).decode()
    expires, address, sending = text.split("\n", 2)
    found = Unsubscription(sending, address, int(expires))
    return found if now <= found.expires else None
