"""How much of one message the readers of this room are willing to look at."""

from __future__ import annotations

from attrs import field, frozen
from attrs.validators import ge

KIB = 1024


@frozen
class Limits:
    """
    What a hostile message may cost; beyond a limit the rest is left unread.

    No limit makes a message unreadable: octets are always served whole, only what
    is *understood* of them ends here.
    """

    header_size: int = field(default=1024 * KIB, validator=ge(0))
    """Octets of one header that are searched for fields."""

    fields: int = field(default=10_000, validator=ge(0))
    """Fields of one header."""

    parts: int = field(default=10_000, validator=ge(1))
    """MIME parts of one message; the last one takes what is left."""

    depth: int = field(default=100, validator=ge(0))
    """Levels of parts in parts; a part below is taken as having none."""

    searched: int = field(default=512 * KIB * KIB, validator=ge(0))
    """Octets that are searched for parts, all levels together."""

    parameters: int = field(default=500, validator=ge(0))
    """Parameters of one Content-Type or Content-Disposition."""

    addresses: int = field(default=20_000, validator=ge(0))
    """Addresses of one field."""

    message_ids: int = field(default=1_000, validator=ge(0))
    """Message identifications of one field."""

    preview_source: int = field(default=16 * KIB, validator=ge(0))
    """Octets of a part that are read for its preview."""


DEFAULT_LIMITS = Limits()
"""The limits that hold where nobody asks for others."""
