"""What an IMAP service allows."""

from __future__ import annotations

from attrs import frozen

from mailkit.config.units import MIB, MINUTE, Octets, Seconds


@frozen
class IMAPSettings:
    """What one IMAP service allows and how much it does at once."""

    message_size: Octets = 50 * MIB
    """The largest message that APPEND takes."""

    login_time: Seconds = MINUTE
    """Seconds of silence before the login."""

    timeout: Seconds = 30 * MINUTE
    """Seconds of silence after it, never less than 30 minutes (RFC 9051 §5.4)."""

    keep_alive: Seconds = 2 * MINUTE
    """Seconds between two signs of life during IDLE."""

    failures: int = 3
    """Failed logins before the connection is closed."""

    batch: int = 1000
    """Messages whose rows are read and sent at once."""

    rows_octets: Octets = 4 * MIB
    """Octets of large rows that are read at once, unless one has more."""

    contents: int = 500
    """Messages whose octets are read at once, at most."""

    contents_octets: Octets = MIB // 2
    """Octets of messages that are read at once, while as many are sent."""

    piece: Octets = 262_144
    """Octets of a large message that are read and sent at once."""

    turn: Seconds = 0.01
    """How long one session may work before others get their turn."""
