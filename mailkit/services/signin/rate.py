"""How often strangers may do something, wherever they ask and whoever hears it."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv6Address, IPv6Network, ip_address

from attrs import define

from mailkit.interfaces.rates import IRates, Rate


@define(eq=False)
class Limited:
    """
    Counts what the networks of strangers do.

    :param now: seconds since 1970.
    """

    _rates: IRates
    _rate: Rate
    _now: Callable[[], float]

    async def takes(self, peer: str) -> bool:
        """
        Whether once more is all right, which is counted then.

        :param peer: an address; of an IPv6 address the first half counts.
        :raises Unavailable:
        """
        return await self._rates.takes(self._rate, network_of(peer), self._now())


def network_of(peer: str) -> str:
    """What one stranger has for certain: an IPv4 address, or a network of IPv6."""
    try:
        address = ip_address(peer)
    except ValueError:
        return peer
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(IPv6Network((int(address) >> 64 << 64, 64)))
    return str(address)
