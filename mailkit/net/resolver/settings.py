"""Who is asked about other people's domains: ``[dns]`` of ``mailkit.toml``."""

from __future__ import annotations

from typing import Any

import attrs
from attrs import field, frozen
from attrs.validators import ge, le

from mailkit.config.units import DAY, HOUR, KIB, MIB, MINUTE, Octets, Seconds
from mailkit.net.resolver.servers import parse_server


def are_servers(
    instance: Any, field: attrs.Attribute[tuple[str, ...]], value: tuple[str, ...]
) -> None:
    """A validator: each of them is an address, perhaps with a port."""
    for text in value:
        parse_server(text)


@frozen
class DNSSettings:
    """
    Who is asked about other people's domains.

    DANE needs a validating resolver on this machine: its word alone is believed that
    an answer is authentic.
    """

    servers: tuple[str, ...] = field(default=(), validator=are_servers)
    """Addresses of resolvers such as `127.0.0.1:5353` or `[::1]:53`, asked in this
    order; empty: those of the system (`/etc/resolv.conf`)."""

    timeout: Seconds = field(default=2.0, validator=[ge(0.05), le(30.0)])
    """How long a server may take at first; each round of all servers waits twice as
    long as the one before."""

    rounds: int = field(default=3, validator=[ge(1), le(10)])
    """How often all servers are asked before an answer is given up."""

    cache: Octets = field(default=16 * MIB, validator=ge(64 * KIB))
    """Memory for answers, of each worker; those used least recently go first."""

    longest: Seconds = field(default=DAY, validator=[ge(0.0), le(7 * DAY)])
    """How long an answer is believed at most, whatever it says itself."""

    longest_negative: Seconds = field(default=HOUR, validator=[ge(0.0), le(3 * HOUR)])
    """The same for "there is no such name" and "no such record" (RFC 2308 §5)."""

    trouble: Seconds = field(default=5.0, validator=[ge(1.0), le(5 * MINUTE)])
    """How long nobody is asked again after all servers failed (RFC 9520 §3.2)."""

    at_once: int = field(default=200, validator=ge(1))
    """Questions that are with servers at the same time."""

    waiting: int = field(default=10_000, validator=ge(1))
    """Questions that wait for their turn; more of them fail for now."""
