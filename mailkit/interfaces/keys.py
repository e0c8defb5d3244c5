"""The keys that our domains sign their mail with."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen
from zope.interface import Interface

from mailkit.model.address import DomainName


@frozen(kw_only=True)
class DomainKey:
    """A key of a domain, without its private half."""

    domain: DomainName
    selector: str
    algorithm: str
    """``rsa-sha256`` or ``ed25519-sha256``."""
    made: float
    """Seconds since 1970, as all that follows."""
    signs_from: float
    signs_until: float | None
    """``None``: until it is rotated."""
    published_until: float | None
    """When its record may go: no signature of it is worth anything then."""
    record: str = ""
    """The text of its TXT record (RFC 6376 §3.6.1)."""

    @property
    def name(self) -> str:
        """Where its record stands, below the domain."""
        return f"{self.selector}._domainkey"


class IDomainKeys(Interface):
    """Makes, keeps and rotates keys; changes of other processes are seen in seconds."""

    async def make(domain: DomainName) -> Sequence[DomainKey]:
        """Have keys for a domain: those that it has, or new ones that sign at once."""

    async def rotate(domain: DomainName, wait: float) -> Sequence[DomainKey]:
        """
        Make new keys, which sign after ``wait`` seconds, and let the old ones sign
        until then. A rotation that still waits is not overtaken by another.

        :raises Refused: if one is under way.
        """

    async def keys(domain: DomainName) -> Sequence[DomainKey]:
        """All whose records have to be published, the oldest first."""

    async def remove(domain: DomainName) -> None:
        """Forget all keys of a domain."""
