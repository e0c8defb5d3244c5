"""Addresses of pages that let one person do one thing: they carry what, and for whom.

A ticket is text that was signed: nobody can make one who has not the key, and none is
good for anything but its purpose. That it is used once is for others to hold.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

from attrs import frozen

from mailkit.formats.signedaddress import Keys, is_signed, sign

LONGEST = 1000
"""Characters of a ticket that are looked at."""

_SIGNATURE = 32  # 160 bits


@frozen
class Ticket:
    """What somebody may do."""

    purpose: str
    """Such as ``password``; no other ticket can be used for it."""
    facts: tuple[str, ...]
    """What it is about, without line ends."""
    expires: int
    """Seconds since 1970."""


def write_ticket(ticket: Ticket, keys: Keys) -> str:
    """For an address: letters, digits, ``-``, ``_`` and one full stop."""
    text = "\n".join((str(ticket.expires), *ticket.facts))
    body = urlsafe_b64encode(text.encode()).decode().rstrip("=")
    return f"{body}.{sign(_use(ticket.purpose), keys, body, _SIGNATURE)}"


def read_ticket(text: str, purpose: str, keys: Keys, now: float) -> Ticket | None:
    """What a ticket says; ``None`` if it is not ours, not for this, or too old."""
    body, _, signature = text[:LONGEST].partition(".")
    if len(signature) != _SIGNATURE:
        return None
    if not is_signed(_use(purpose), keys, body, signature):
        return None
    # Whoever signed it wrote it, too.
    octets = urlsafe_b64decode(body + "=" * (-len(body) % 4))
    expires, *facts = octets.decode().split("\n")
    found = Ticket(purpose, tuple(facts), int(expires))
    return found if now <= found.expires else None


def _use(purpose: str) -> bytes:
    return b"ticket " + purpose.encode()
