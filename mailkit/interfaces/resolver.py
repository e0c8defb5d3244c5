"""Names and addresses of other people's hosts."""

from __future__ import annotations

from typing import Generic, TypeVar

from attrs import frozen
from zope.interface import Interface

from mailkit.model.tlspolicy import TLSARecord

T = TypeVar("T")


@frozen(kw_only=True)
class Answer(Generic[T]):
    """
    What DNS says about a name.

    An empty answer is one too: `exists` tells "no such name" from "no such record".
    """

    records: tuple[T, ...]
    name: str
    """Where aliases (CNAME) led to, in lower case, without the last full stop."""
    authentic: bool = False
    """A validating resolver on this machine vouches for all of it (AD, RFC 4035)."""
    exists: bool = True
    ttl: float = 0.0
    """Seconds for which this may be believed."""


@frozen(order=True)
class MXRecord:
    """One mail exchanger (RFC 1035 §3.3.9); host ``""`` is the null MX (RFC 7505)."""

    preference: int
    host: str


class IResolver(Interface):
    """
    Asks DNS. Names are A-labels; answers come from memory while they hold.

    :raises DNSTrouble: (all methods) if nobody answers, or only with failures: ask
        again later. No record and no such name are answers, not errors.
    """

    async def mx(domain: str) -> Answer[MXRecord]:
        """Mail exchangers, in no order."""

    async def addresses(host: str) -> Answer[str]:
        """IPv6 and IPv4 addresses as text, those of IPv6 first."""

    async def ipv4(host: str) -> Answer[str]:
        """A records."""

    async def ipv6(host: str) -> Answer[str]:
        """AAAA records."""

    async def txt(name: str) -> Answer[bytes]:
        """TXT records, the strings of each joined (RFC 7208 §3.3)."""

    async def tlsa(name: str) -> Answer[TLSARecord]:
        """TLSA records of ``_25._tcp.host`` (RFC 6698 §3)."""

    async def names_of(address: str) -> Answer[str]:
        """PTR records of an IP address (RFC 1035 §3.5, RFC 3596 §2.5)."""

    async def records(name: str, kind: str) -> Answer[str]:
        """Records of any kind (``"SRV"``, ``"CAA"``) in the form of zone files."""

    async def close() -> None:
        """Let go of sockets; what is being asked ends in `DNSTrouble`."""
