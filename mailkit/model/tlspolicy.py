"""How well a connection to the next host has to be protected."""

from __future__ import annotations

from enum import Enum

from attrs import frozen


class TLSLevel(Enum):
    """What is demanded, least first."""

    NONE = "none"
    """In the clear, whatever is offered: only a route of the administrator asks so."""
    OPPORTUNISTIC = "opportunistic"
    """TLS where it is offered, any certificate; in the clear otherwise."""
    ENCRYPT = "encrypt"
    """TLS or nothing; any certificate."""
    PKIX = "pkix"
    """A certificate of a known authority for one of `TLSPolicy.names`."""
    DANE = "dane"
    """A certificate that one of `TLSPolicy.tlsa` stands for (RFC 7672)."""


@frozen
class TLSARecord:
    """One TLSA record (RFC 6698 §2.1)."""

    usage: int
    selector: int
    matching_type: int
    association: bytes


@frozen(kw_only=True)
class TLSPolicy:
    """What one host has to show, and who asks for it."""

    level: TLSLevel = TLSLevel.OPPORTUNISTIC
    names: tuple[str, ...] = ()
    """A-labels, perhaps with ``*.`` in front; used with PKIX, and DANE usage 2."""
    tlsa: tuple[TLSARecord, ...] = ()
    origin: str = "default"
    """``default``, ``config``, ``mta-sts``, ``dane``, ``requiretls`` or ``route``."""
    is_testing: bool = False
    """Failures are counted and reported, and forgiven (RFC 8461 §5)."""


OPPORTUNISTIC = TLSPolicy()
