"""Addresses to which no more bulk mail should go."""

from __future__ import annotations

from enum import Enum

from attrs import frozen

from mailkit.model.address import Address


class Cause(Enum):
    """How an address came onto the list."""

    FAILED = "failed"
    """Mail to it failed for good."""
    COMPLAINED = "complained"
    """Its owner called our mail spam."""
    UNSUBSCRIBED = "unsubscribed"
    """Its owner wants no more of it (RFC 8058)."""
    BY_HAND = "by-hand"
    """An administrator put it there."""


@frozen
class Suppressed:
    """One address of the list."""

    address: Address
    cause: Cause
    since: float
    """Seconds since 1970."""
    reason: str = ""
    """In words: what the host said, or why an administrator did it."""
