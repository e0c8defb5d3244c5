"""Whether an address is one at which this very server takes mail."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence
from ipaddress import ip_address

from mailkit.model.inward import plain

EVERYWHERE = frozenset({"", "0.0.0.0", "::"})


def own_ports(descriptions: Sequence[str]) -> Callable[[str, int], bool]:
    """
    Tell where we listen, from endpoint strings such as ``tcp:25:interface=::``.

    Mail that would be sent there would come back to us (RFC 5321 §5.1). A path instead
    of an address is that of a Unix socket, whatever the port.
    """
    listening = [place for place in map(place_of, descriptions) if place is not None]
    sockets = [one.split(":")[1] for one in descriptions if one.startswith("unix:")]

    def is_own(address: str, port: int) -> bool:
        if address.startswith("/"):
            return any(
                os.path.realpath(address) == os.path.realpath(one) for one in sockets
            )
        address = _plain(address)
        return any(
            port == ours
            and (_is_here(address) if host in EVERYWHERE else _is_same(host, address))
            for host, ours in listening
        )

    return is_own


def place_of(description: str) -> tuple[str, int] | None:
    """The address and the port of an endpoint string; ``None`` if it has none."""
    text = description.replace("\\:", "\0")
    kind, *rest = text.split(":")
    if kind not in ("tcp", "tcp4", "tcp6") or not rest:
        return None
    named = dict(one.split("=", 1) for one in rest if "=" in one)
    port = named.get("port", rest[0])
    host = named.get("interface", "").replace("\0", ":")
    return (host, int(port)) if port.isdigit() else None


def _plain(address: str) -> str:
    """An IPv4 address as such, where it is written as one of IPv6."""
    try:
        return str(plain(ip_address(address)))
    except ValueError:
        return address


def _is_same(host: str, address: str) -> bool:
    try:
        return ip_address(host) == ip_address(address)
    except ValueError:
        return host == address


def _is_here(address: str) -> bool:
    """Whether this machine has an address: only then can it be bound."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True
