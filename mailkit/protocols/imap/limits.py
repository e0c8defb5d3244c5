"""How much one IMAP client may ask of the machine and its parsers."""

from __future__ import annotations

from attrs import field, frozen
from attrs.validators import ge

KIB = 1024
MIB = 1024 * KIB


@frozen(cache_hash=True)
class Limits:
    """What is beyond a limit is refused by name, and the connection survives."""

    command: int = field(default=64 * KIB, validator=ge(1000))
    """Octets of one command, its literals not counted (RFC 2683 §3.2.1.5)."""

    literals: int = field(default=64 * KIB, validator=ge(1000))
    """Octets of all literals of one command, the message of APPEND not counted."""

    swallowed: int = field(default=64 * MIB, validator=ge(0))
    """Octets that are read and thrown away after a refusal (RFC 7888 §4); a peer that
    announces more is hung up on."""

    chunk: int = field(default=64 * KIB, validator=ge(1))
    """Octets of a message that one event carries at most."""

    nesting: int = field(default=100, validator=ge(1))
    """Search keys inside search keys; numbers in the path of a body part."""

    search_keys: int = field(default=10_000, validator=ge(1))
    """Keys of one SEARCH."""

    items: int = field(default=500, validator=ge(1))
    """Items of one list: FETCH, STATUS, LIST options and patterns, ENABLE, ID."""

    header_fields: int = field(default=1000, validator=ge(1))
    """Names in one HEADER.FIELDS."""

    flags: int = field(default=100, validator=ge(1))
    """Flags of one STORE or APPEND."""

    keyword: int = field(default=255, validator=ge(1))
    """Octets of one keyword."""

    bad_commands: int = field(default=20, validator=ge(1))
    """Answers of BAD in a row, before authentication in all, until the peer is hung
    up on."""


DEFAULT_LIMITS = Limits()
"""The limits that hold where nobody asks for others."""
