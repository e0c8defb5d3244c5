"""What may be set about SMTP, submission and LMTP."""

from __future__ import annotations

from attrs import field, frozen
from attrs.validators import ge

from mailkit.config.units import MINUTE, Seconds


@frozen
class SMTPSettings:
    """How long peers of SMTP and submission may be silent, and how often wrong."""

    timeout: Seconds = field(default=5 * MINUTE, validator=ge(5.0))
    """How long a peer may say nothing (RFC 5321 §4.5.3.2.7 asks for 5 minutes)."""

    errors: int = field(default=50, validator=ge(1))
    """Commands that are none, that come at the wrong time, or logins that fail; one
    more ends the connection. A message that is taken begins the count anew."""

    refusals: int = field(default=100, validator=ge(1))
    """The same of what is refused, unknown recipients mostly."""


TRUSTING = SMTPSettings(errors=1000, refusals=1_000_000)
"""For LMTP, where the peer is a server of our own."""
