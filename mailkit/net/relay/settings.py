"""How patient we are with other hosts, and how long connections are kept."""

from __future__ import annotations

from attrs import field, frozen
from attrs.validators import ge, gt


@frozen(kw_only=True)
class RelaySettings:
    """
    Times in seconds, each for one reply; RFC 5321 §4.5.3.2 names the least of them.

    They are what a host may take that answers at all: who carries a lot of mail does
    other hosts' beside.
    """

    connect: float = field(default=15.0, validator=gt(0))
    """Until a connection stands. Short: a domain may have more hosts to try."""

    greeting: float = field(default=300.0, validator=gt(0))
    """RFC 5321 §4.5.3.2.1."""

    hello: float = field(default=300.0, validator=gt(0))
    """EHLO, HELO and STARTTLS."""

    handshake: float = field(default=60.0, validator=gt(0))
    """TLS, and the first reply under it."""

    auth: float = field(default=120.0, validator=gt(0))
    """Each step of AUTH."""

    mail: float = field(default=300.0, validator=gt(0))
    """RFC 5321 §4.5.3.2.2."""

    rcpt: float = field(default=300.0, validator=gt(0))
    """RFC 5321 §4.5.3.2.3."""

    data: float = field(default=120.0, validator=gt(0))
    """The reply to DATA (RFC 5321 §4.5.3.2.4)."""

    block: float = field(default=180.0, validator=gt(0))
    """Until a host has taken what was written to it (RFC 5321 §4.5.3.2.5)."""

    end: float = field(default=600.0, validator=gt(0))
    """The reply to the whole message (RFC 5321 §4.5.3.2.6)."""

    quit: float = field(default=5.0, validator=gt(0))
    """The reply to QUIT; then we hang up without."""

    idle: float = field(default=8.0, validator=gt(0))
    """How long a connection that nobody needs is kept for the next message."""

    idle_connections: int = field(default=200, validator=ge(0))
    """How many such are kept in all."""

    messages: int = field(default=100, validator=ge(1))
    """Messages over one connection."""

    recipients: int = field(default=100, validator=ge(1))
    """Recipients of one transaction; all servers take that many
    (RFC 5321 §4.5.3.1.8)."""

    piece: int = field(default=65_536, validator=ge(1))
    """Octets of a message that are in memory at a time, and of a BDAT."""

    window: int = field(default=8, validator=ge(1))
    """How many BDAT may wait for their replies (RFC 3030 §4.2)."""

    dialogue: bool = False
    """Log every command and every reply (level debug), secrets left out."""
