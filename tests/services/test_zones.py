"""Zones made from the directory."""

from __future__ import annotations

import pytest
from attrs import define, evolve
from zope.interface.verify import verifyObject

from mailkit.errors import NoSuchDomain
from mailkit.formats.dnsrecords import MailHost
from mailkit.interfaces.keys import DomainKey
from mailkit.interfaces.zones import IZones
from mailkit.model.address import DomainName
from mailkit.services.zones import DirectoryZones
from mailkit.storage.memory.directory import MemoryDirectory
from mailkit.testing.at_once import at_once

ORG, UMLAUT = DomainName("example.org"), DomainName("bücher.example")
HOST = MailHost(hostname="mail.example.org")
KEY = DomainKey(
    domain=ORG,
    selector="k1",
    algorithm="ed25519-sha256",
    made=0.0,
    signs_from=0.0,
    signs_until=None,
    published_until=None,
    record="v=DKIM1; k=ed25519; p=AAAA",
)


@define
class Keys:
    """As much of `IDomainKeys` as is asked."""

    async def keys(self, domain: DomainName) -> list[DomainKey]:
        return [KEY, evolve(KEY, selector="old", record="")] if domain == ORG else []


def zones(keys: Keys | None = None) -> tuple[DirectoryZones, MemoryDirectory]:
    directory = MemoryDirectory()
    for name in (ORG, UMLAUT, DomainName("x" * 64 + ".test")):
        at_once(directory.add_domain(name))
    return DirectoryZones(directory, lambda: HOST, keys), directory  # type: ignore[arg-type]  # a double of the keys


def test_it_provides_the_interface() -> None:
    verifyObject(IZones, zones()[0])


def test_every_domain_that_dns_can_have() -> None:
    made, _ = zones()
    assert sorted(at_once(made.origins())) == ["example.org", "xn--bcher-kva.example"]


def test_records_of_a_domain() -> None:
    made, _ = zones(Keys())
    records = {one.name: one.value for one in at_once(made.records("example.org"))}
    assert records["k1._domainkey.example.org"] == '"v=DKIM1; k=ed25519; p=AAAA"'
    assert "old._domainkey.example.org" not in records
    names = {one.name for one in at_once(made.records("xn--bcher-kva.example"))}
    assert "_dmarc.xn--bcher-kva.example" in names
    with pytest.raises(NoSuchDomain):
        at_once(made.records("example.net"))


def test_changes_are_told() -> None:
    made, directory = zones()
    told: list[int] = []
    watch = made.watch(lambda: told.append(1))
    at_once(directory.add_domain(DomainName("example.net")))
    assert told == [1]
    watch.stop()
    at_once(directory.add_domain(DomainName("example.com")))
    assert told == [1]
