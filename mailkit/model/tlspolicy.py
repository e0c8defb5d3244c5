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
    """A-labels, perhaps with ``*.`` in front; used with PKIX, and DANE usage 2. With
    DANE the first is the one that has the records."""
    tlsa: tuple[TLSARecord, ...] = ()
    origin: str = "default"
    """``default``, ``config``, ``mta-sts``, ``dane``, ``requiretls`` or ``route``."""
    is_testing: bool = False
    """Failures are counted and reported, and forgiven (RFC 8461 §5)."""
    is_required: bool = False
    """Our own config demands TLS besides, of any certificate; known where ``origin``
    is somebody else."""
    mismatch: str = ""
    """Where the host is none that the domain's policy names (RFC 8461 §4.1): that, in
    words."""

    @property
    def is_barred(self) -> bool:
        """Whether the host may not have the domain's mail, whatever it shows."""
        return bool(self.mismatch) and not self.is_testing

    def of_ours(self) -> TLSPolicy:
        """What is left for mail that minds no domain's demands (RFC 8689 §4.2.2)."""
        if self.origin in ("config", "route"):
            return self
        return REQUIRED if self.is_required else OPPORTUNISTIC


OPPORTUNISTIC = TLSPolicy()
REQUIRED = TLSPolicy(level=TLSLevel.ENCRYPT, origin="config")
"""What our own config demands."""
