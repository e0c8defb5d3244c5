"""What our own name server has to say."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from zope.interface import Interface

from mailkit.interfaces.storage import IWatch
from mailkit.model.dnsrecord import DNSRecord


class IZones(Interface):
    """Zones, by their origins: A-labels in lower case, without the last full stop."""

    async def origins() -> Sequence[str]:
        """Every zone there is."""

    async def records(origin: str) -> Sequence[DNSRecord]:
        """
        What is in one of them; SOA and NS may be left to the server.

        :raises NoSuchDomain: if it is not there any more.
        """

    def watch(hear: Callable[[], None]) -> IWatch:
        """Have ``hear`` called, in the reactor thread, after something changed."""
