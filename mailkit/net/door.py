"""Who may come in at all: limits on connections, before a protocol says a word."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Sequence

from attrs import define, field, frozen

from mailkit.errors import Busy
from mailkit.interfaces.counts import ICounts

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
LOOPBACK: tuple[Network, ...] = (
    ipaddress.ip_network("127.0.0.0/8"),
    ipaddress.ip_network("::1"),
)

_ALL = "all"


@frozen
class DoorSettings:
    """How many may be inside."""

    connections: int = 10_000
    """Connections of all peers to all services together."""

    connections_per_peer: int = 50
    """Connections of one IPv4 address, or one IPv6 /64, to all services."""

    never_limit: tuple[Network, ...] = LOOPBACK
    """Networks that the limit a peer does not count."""

    trusted_proxies: tuple[Network, ...] = ()
    """Networks that speak the PROXY protocol to us; nobody else may."""


def is_within(host: str, networks: Sequence[Network]) -> bool:
    """Whether an IP address belongs to one of the networks; other hosts do not."""
    if not networks:
        return False
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in network for network in networks)


def neighbourhood(host: str) -> str:
    """What counts as one peer: an IPv4 address, or the /64 of an IPv6 one."""
    if ":" not in host:
        return host
    try:
        address = ipaddress.IPv6Address(host.partition("%")[0])
    except ValueError:
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address) >> 64 << 64, 64)))


@define
class Door:
    """
    Counts who is inside; one for all services of a process.

    :param counts: what other processes of the same server count.
    """

    settings: DoorSettings = field(factory=DoorSettings)
    counts: ICounts | None = None
    _inside: int = field(default=0, init=False)
    _by_peer: Counter[str] = field(factory=Counter, init=False)

    def enter(self, host: str) -> None:
        """
        Let one connection in; `leave` must follow.

        :raises Busy: if there are too many; nothing is counted then.
        """
        if self._inside + self._elsewhere(_ALL) >= self.settings.connections:
            raise Busy("too many connections")
        peer = neighbourhood(host)
        if (
            self._by_peer[peer] + self._elsewhere(f"peer {peer}")
            >= self.settings.connections_per_peer
            and host != "unix"
            and not is_within(host, self.settings.never_limit)
        ):
            raise Busy("too many connections from your address")
        self._change(peer, 1)

    def leave(self, host: str) -> None:
        """One connection that `enter` let in has ended."""
        peer = neighbourhood(host)
        self._change(peer, -1)
        if not self._by_peer[peer]:
            del self._by_peer[peer]

    def _change(self, peer: str, change: int) -> None:
        self._inside += change
        self._by_peer[peer] += change
        if self.counts is not None:
            self.counts.count(_ALL, change)
            self.counts.count(f"peer {peer}", change)

    def _elsewhere(self, key: str) -> int:
        return 0 if self.counts is None else self.counts.elsewhere(key)

    def trusts(self, host: str) -> bool:
        """Whether this peer is a proxy that tells us who it speaks for."""
        return is_within(host, self.settings.trusted_proxies)
