"""Zones from texts, and a server over them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import dns.message
import dns.name
from attrs import define, field
from dns.message import Message
from dns.rrset import RRset
from zope.interface import implementer

from mailkit.errors import NoSuchDomain
from mailkit.interfaces.storage import IWatch
from mailkit.interfaces.zones import IZones
from mailkit.metrics import Metrics
from mailkit.model.dnsrecord import DNSRecord
from mailkit.net.nameserver.book import Book
from mailkit.net.nameserver.making import Recipe, read_zone_file
from mailkit.net.nameserver.rate import RateLimit
from mailkit.net.nameserver.serials import Serials
from mailkit.net.nameserver.server import Forward, NameServer, Way
from mailkit.net.nameserver.settings import NameServerSettings
from mailkit.net.nameserver.zone import Name
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import TestClock
from mailkit.testing.lanes import DirectLanes

RECIPE = Recipe(names=(dns.name.from_text("ns1.example.org"),))
STRANGER, NEIGHBOUR, LOCAL = "203.0.113.7", "192.0.2.53", "127.0.0.1"


@define(eq=False)
class Texts:
    """A source whose zones are texts."""

    zones: dict[str, str]

    async def origins(self) -> Sequence[Name]:
        return [dns.name.from_text(origin) for origin in self.zones]

    async def rrsets(self, origin: Name) -> Sequence[RRset]:
        text = self.zones.get(origin.to_text(omit_final_dot=True))
        if text is None:
            raise NoSuchDomain(str(origin))
        return read_zone_file(text, origin)


@implementer(IWatch)
class NoWatch:
    """Nobody is told anything."""

    def stop(self) -> None:
        """Nothing to end."""


@implementer(IZones)
@define(eq=False)
class FixedZones:
    """`IZones` of what it was given."""

    zones: dict[str, list[DNSRecord]]

    async def origins(self) -> Sequence[str]:
        return list(self.zones)

    async def records(self, origin: str) -> Sequence[DNSRecord]:
        return self.zones[origin]

    def watch(self, hear: Callable[[], None]) -> IWatch:
        watch: IWatch = NoWatch()
        return watch


@define(eq=False)
class Served:
    """A name server over texts."""

    folder: Path
    zones: dict[str, str]
    signs: bool = False
    settings: NameServerSettings = field(factory=NameServerSettings)
    forward: Forward | None = None
    clock: TestClock = field(factory=TestClock)
    metrics: Metrics = field(factory=Metrics)
    book: Book = field(init=False)
    server: NameServer = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.book = Book(
            [Texts(self.zones)],
            RECIPE,
            Serials(self.folder / "dns"),
            DirectLanes(),
            self.clock,
            self.folder / "keys" if self.signs else None,
        )
        at_once(self.book.look())
        limit = RateLimit(self.settings.rate, (), self.clock.seconds)
        self.server = NameServer(
            self.book, limit, self.settings, self.forward, self.metrics
        )

    def raw(
        self, octets: bytes, host: str = STRANGER, way: Way = Way.UDP
    ) -> list[bytes]:
        """Octets in, octets out."""
        return at_once(self.server.answer(octets, host, way))

    def ask(
        self,
        name: str,
        kind: str,
        *,
        proofs: bool = False,
        edns: bool = True,
        host: str = STRANGER,
        way: Way = Way.UDP,
        **more: Any,  # of dnspython's `make_query`
    ) -> Message:
        """One question, one answer."""
        query = dns.message.make_query(
            name, kind, use_edns=0 if edns else False, want_dnssec=proofs, **more
        )
        [answer] = self.raw(query.to_wire(), host, way)
        response = dns.message.from_wire(answer)
        assert query.is_response(response)
        return response


def lines(section: list[RRset]) -> list[str]:
    """Records as texts, sorted."""
    return sorted(line for rrset in section for line in rrset.to_text().split("\n"))
