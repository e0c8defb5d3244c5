"""Flags and keywords of a message (RFC 9051 §2.3.2)."""

from __future__ import annotations

from enum import Enum, auto

from attrs import frozen

Flags = frozenset[str]
"""System flags as the RFC spells them (``\\Seen``), keywords as first given."""

SEEN = "\\Seen"
ANSWERED = "\\Answered"
FLAGGED = "\\Flagged"
DELETED = "\\Deleted"
DRAFT = "\\Draft"

SYSTEM_FLAGS: Flags = frozenset({SEEN, ANSWERED, FLAGGED, DELETED, DRAFT})

_BY_FOLDED = {flag.lower(): flag for flag in SYSTEM_FLAGS}


def canonical_flag(flag: str) -> str:
    """System flags are spelt one way, whatever the case they came in."""
    return _BY_FOLDED.get(flag.lower(), flag)


class FlagAction(Enum):
    ADD = auto()
    REMOVE = auto()
    REPLACE = auto()


@frozen
class FlagChange:
    """One change of flags; keywords are compared without regard to case."""

    action: FlagAction
    flags: Flags
