"""
Addresses that lead inwards: to this machine, or into the network that it is in.

Names of others may lead there in DNS. Whoever follows them lets strangers reach what
they could not reach by themselves.
"""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Network = IPv4Network | IPv6Network
IPAddress = IPv4Address | IPv6Address

INWARD = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/128",
        "::1/128",
        "64:ff9b:1::/48",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
)
"""Unspecified, loopback, private, link-local, multicast and reserved addresses, and
those of one network's own translators and benchmarks (RFC 6890 §2.2); those for
documentation lead nowhere anyway."""

_DRESSED_UP = (
    (ip_network("::/96"), 0),  # as it was written before ::ffff:0:0/96
    (ip_network("::ffff:0:0:0/96"), 0),  # of the first translators
    (ip_network("64:ff9b::/96"), 0),  # RFC 6052 §2.1
    (ip_network("2002::/16"), 80),  # RFC 3056 §2
)
"""Where an IPv4 address stands in one of IPv6: so many bits from its end."""


def plain(address: IPAddress) -> IPAddress:
    """The IPv4 address that one of IPv6 is nothing but another way to write."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def is_inward(address: IPAddress) -> bool:
    """Also where it is an IPv4 address dressed up as one of IPv6."""
    address = plain(address)
    if any(address in network for network in INWARD):
        return True
    if isinstance(address, IPv6Address):
        for network, bits in _DRESSED_UP:
            if address in network:
                return is_inward(IPv4Address(int(address) >> bits & 0xFFFFFFFF))
    return False


def may_be_reached(text: str, allow: Collection[Network] = ()) -> bool:
    """
    Whether one may go to an address that a stranger's DNS names.

    :param allow: networks of the administrator's that may be gone to all the same.
    """
    address = plain(ip_address(text.partition("%")[0]))
    return not is_inward(address) or any(address in network for network in allow)
