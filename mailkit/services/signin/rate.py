"""How often somebody may do something, counted in this process."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from ipaddress import IPv6Address, IPv6Network, ip_address

from attrs import define, field

_MOST = 10_000  # peers that are kept in mind


@define(eq=False)
class Rate:
    """
    At most so many in so long, for each and for all together.

    :param now: seconds.
    """

    each: int
    all: int
    within: float
    """Seconds."""
    _now: Callable[[], float]
    _peers: OrderedDict[str, deque[float]] = field(factory=OrderedDict, init=False)
    _all: deque[float] = field(factory=deque, init=False)

    def takes(self, peer: str) -> bool:
        """Whether once more is all right, which is counted then."""
        now = self._now()
        network = _network(peer)
        times = self._peers.setdefault(network, deque())
        self._peers.move_to_end(network)
        if len(self._peers) > _MOST:
            self._peers.popitem(last=False)
        for known in (times, self._all):
            while known and known[0] <= now - self.within:
                known.popleft()
        if len(times) >= self.each or len(self._all) >= self.all:
            return False
        times.append(now)
        self._all.append(now)
        return True


def _network(peer: str) -> str:
    try:
        address = ip_address(peer)
    except ValueError:
        return peer
    if isinstance(address, IPv6Address) and not address.ipv4_mapped:
        return str(IPv6Network((int(address) >> 64 << 64, 64)))
    return str(address)
