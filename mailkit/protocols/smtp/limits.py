"""How much an SMTP peer may ask of a machine."""

from __future__ import annotations

from attrs import field, frozen
from attrs.validators import ge

KIB = 1024
MIB = 1024 * KIB


@frozen
class Limits:
    """
    The sizes that RFC 5321 §4.5.3.1 speaks of, in octets.

    Each is at least what the RFC demands of everybody.
    """

    command_line: int = field(default=512, validator=ge(512))
    """A command with its CRLF (RFC 5321 §4.5.3.1.4)."""

    path_line: int = field(default=2048, validator=ge(1600))
    """MAIL and RCPT, which extensions made longer: SIZE 26, BODY 17, BINARYMIME 16,
    SMTPUTF8 10, AUTH 500, RET 9, ENVID 108; NOTIFY 28, ORCPT 507."""

    auth_line: int = field(default=12_288, validator=ge(12_288))
    """A line of an AUTH dialogue (RFC 4954 §4)."""

    local_part: int = field(default=64, validator=ge(64))
    """RFC 5321 §4.5.3.1.1."""

    domain: int = field(default=255, validator=ge(255))
    """RFC 5321 §4.5.3.1.2."""

    text_line: int = field(default=64 * KIB, validator=ge(998))
    """A line of the message without its CRLF. RFC 5321 §4.5.3.1.6 asks for 998, and
    newsletters send more."""

    message_size: int = field(default=50 * MIB, validator=ge(64 * KIB))
    """A message (RFC 5321 §4.5.3.1.7, RFC 1870 §4)."""

    overrun: int = field(default=64 * MIB, validator=ge(0))
    """Octets beyond ``message_size`` that are read, and thrown away, to tell the peer
    so; one that still goes on is hung up on."""

    recipients: int = field(default=1000, validator=ge(100))
    """Recipients of one message (RFC 5321 §4.5.3.1.8)."""

    reply_line: int = field(default=4 * KIB, validator=ge(512))
    """For a client: a line of a reply (RFC 5321 §4.5.3.1.5)."""

    reply_lines: int = field(default=100, validator=ge(10))
    """For a client: lines of one reply."""


DEFAULT_LIMITS = Limits()
"""The limits that hold where nobody asks for others."""
