"""The envelope of one SMTP message (RFC 5321 §2.3.1)."""

from __future__ import annotations

from enum import Enum, auto

from attrs import frozen

from mailkit.model.path import Path


class BodyType(Enum):
    """BODY= of MAIL (RFC 6152 §2, RFC 3030 §3)."""

    SEVEN_BIT = "7BIT"
    EIGHT_BIT = "8BITMIME"
    BINARY = "BINARYMIME"


class Notify(Enum):
    """When to tell the sender about a recipient (RFC 3461 §4.1)."""

    NEVER = auto()
    SUCCESS = auto()
    FAILURE = auto()
    DELAY = auto()


@frozen
class SenderParameters:
    """What MAIL said beyond the reverse-path."""

    size: int | None = None
    """SIZE=, in octets (RFC 1870 §6)."""
    body: BodyType = BodyType.SEVEN_BIT
    smtputf8: bool = False
    ret: str | None = None
    """RET=, ``FULL`` or ``HDRS`` (RFC 3461 §4.3)."""
    envid: str | None = None
    """ENVID=, xtext undone (RFC 3461 §4.4)."""
    auth: str | None = None
    """AUTH=, xtext undone (RFC 4954 §5); never believed by itself."""
    hold_for: int | None = None
    """HOLDFOR=, in seconds (RFC 4865 §4)."""
    hold_until: float | None = None
    """HOLDUNTIL=, seconds since 1970 (RFC 4865 §4)."""
    require_tls: bool = False
    """REQUIRETLS (RFC 8689 §3)."""


@frozen
class RecipientParameters:
    """What RCPT said beyond the forward-path."""

    notify: frozenset[Notify] | None = None
    """``None``: nothing was said, so FAILURE and perhaps DELAY."""
    orcpt: str | None = None
    """ORCPT=, ``type;address`` with xtext undone (RFC 3461 §4.2)."""


@frozen
class Recipient:
    """One recipient of an envelope."""

    path: Path
    parameters: RecipientParameters = RecipientParameters()


@frozen
class Envelope:
    """Who a message is from and how it may be treated; recipients come one by one."""

    reverse_path: Path
    parameters: SenderParameters = SenderParameters()
