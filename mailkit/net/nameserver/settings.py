"""Our own name server: ``[nameserver]`` of ``mailkit.toml``."""

from __future__ import annotations

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import attrs
from attrs import field, frozen
from attrs.validators import ge, le

from mailkit.config.reader import Network
from mailkit.config.units import Octets, Seconds
from mailkit.net.resolver.settings import are_servers

_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*", re.I)


def _are_names(
    instance: Any, field: attrs.Attribute[tuple[str, ...]], value: tuple[str, ...]
) -> None:
    for name in value:
        if not _NAME.fullmatch(name):
            raise ValueError(
                f'expects host names such as "ns1.example.org", not "{name}"'
            )


def _are_addresses(
    instance: Any, field: attrs.Attribute[tuple[str, ...]], value: tuple[str, ...]
) -> None:
    for text in value:
        try:
            ip_address(text)
        except ValueError as error:
            raise ValueError(f'expects IP addresses, not "{text}"') from error


@frozen
class NameServerSettings:
    """
    Our own name server (`[listen] dns`), for our domains and for zone files.

    On a machine with several addresses, name one in each endpoint
    (`tcp:53:interface=192.0.2.1`): answers have to come from where questions went.
    """

    zones: Path | None = None
    """Folder of zone files, `example.org.zone` and so on, of any kind of record. Each
    is read again when it changes. What it says of a name and kind replaces what is
    made from the directory."""

    names: tuple[str, ...] = field(default=(), validator=_are_names)
    """The name servers of our domains, the primary first; empty: `hostname`."""

    addresses: tuple[str, ...] = field(default=(), validator=_are_addresses)
    """Where the world finds `hostname`: published as its A and AAAA records."""

    sign: bool = True
    """Sign zones (DNSSEC) with keys made below `data`. Nobody is worse off for it
    until the DS record stands in the parent zone."""

    transfer: tuple[Network, ...] = ()
    """Who may copy whole zones (AXFR): the other name servers."""

    forward: tuple[str, ...] = field(default=(), validator=are_servers)
    """Resolvers that questions of this machine about other people's names are passed
    on to; empty: those are refused."""

    rate: int = field(default=20, validator=[ge(0), le(100_000)])
    """Equal answers in a second to one network by UDP, so that nobody floods others
    by us; half of what is above gets a hint to come back by TCP. 0: no limit."""

    udp_size: Octets = field(default=1232, validator=[ge(512), le(4096)])
    """The largest answer by UDP."""

    connections: int = field(default=200, validator=ge(1))
    """Connections by TCP at the same time."""

    idle: Seconds = field(default=20.0, validator=[ge(1.0), le(600.0)])
    """How long a connection may say nothing."""
