"""Which zones there are, when they are made, and their numbers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dns.name
import pytest
from attrs import define, field
from dns.rcode import Rcode
from dns.rdatatype import RdataType
from dns.rrset import RRset
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from mailkit.errors import BadZone, NoSuchDomain, StorageBroken, Unavailable
from mailkit.model.dnsrecord import DNSRecord
from mailkit.net.nameserver.book import PATIENCE, Book, rrset_of
from mailkit.net.nameserver.making import read_zone_file
from mailkit.net.nameserver.serials import Serials
from mailkit.net.nameserver.settings import NameServerSettings
from mailkit.net.nameserver.sources import LARGEST_FILE, Files, Made
from mailkit.net.nameserver.zone import Name, Zone
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import NEW_YEAR, TestClock
from mailkit.testing.lanes import DirectLanes
from tests.net.nameserver.doubles import RECIPE, FixedZones, Served, Texts

ORG = dns.name.from_text("example.org")
A = "a A 192.0.2.1"


def serial(served: Served, name: str = "example.org") -> int:
    return int(served.ask(name, "SOA").answer[0][0].serial)


def book_of(
    tmp_path: Path,
    *sources: Any,
    signs: bool = False,
    clock: TestClock | None = None,
) -> Book:
    """Any: sources of different kinds."""
    return Book(
        sources,
        RECIPE,
        Serials(tmp_path / "dns"),
        DirectLanes(),
        clock or TestClock(),
        tmp_path / "keys" if signs else None,
    )


def test_zones_are_made_with_soa_and_ns(tmp_path: Path) -> None:
    served = Served(tmp_path, {"example.org": A})
    soa = served.ask("example.org", "SOA").answer[0][0].to_text()
    assert soa.startswith("ns1.example.org. hostmaster.example.org. ")
    assert served.ask("example.org", "NS").answer[0][0].to_text() == "ns1.example.org."


def test_numbers_rise_with_contents_alone(tmp_path: Path) -> None:
    served = Served(tmp_path, {"example.org": A})
    assert serial(served) == int(NEW_YEAR)
    again = Served(tmp_path, {"example.org": A}, clock=served.clock)
    served.clock.advance(1000)
    assert serial(again) == int(NEW_YEAR)
    served.zones["example.org"] = A + "\nb A 192.0.2.2"
    served.clock.advance(1000)
    at_once(served.book.look())
    assert serial(served) == int(NEW_YEAR) + 2000  # the first who asks has it
    assert served.ask("b.example.org", "A").answer


def test_a_number_of_a_file_stands(tmp_path: Path) -> None:
    soa = "@ SOA a b {} 2 3 4 5\n"
    served = Served(tmp_path, {"example.org": soa.format(42) + A})
    assert serial(served) == 42
    signed = Served(tmp_path, {"example.org": soa.format(42) + A}, signs=True)
    assert serial(signed) == 42
    signed.zones["example.org"] = soa.format(42) + A + "\nb A 192.0.2.2"
    at_once(signed.book.look())
    serial(signed)
    assert serial(signed) == 43
    signed.zones["example.org"] = soa.format(90) + A
    at_once(signed.book.look())
    serial(signed)
    assert serial(signed) == 90


def test_zones_come_and_go(tmp_path: Path) -> None:
    served = Served(tmp_path, {"example.org": A})
    assert served.ask("a.example.org", "A").answer
    served.zones["new.test"] = A
    assert served.ask("a.new.test", "A").rcode() == Rcode.REFUSED
    at_once(served.book.look())
    assert served.ask("a.new.test", "A").answer
    assert served.book.origins == [ORG, dns.name.from_text("new.test")]
    del served.zones["example.org"]
    assert served.ask("a.example.org", "A").answer
    at_once(served.book.look())
    assert served.ask("a.example.org", "A").rcode() == Rcode.REFUSED


def test_a_zone_that_goes_while_it_is_asked_for(tmp_path: Path) -> None:
    served = Served(tmp_path, {"example.org": A})
    del served.zones["example.org"]
    assert served.ask("a.example.org", "A").rcode() == Rcode.SERVFAIL
    assert at_once(served.book.zone(dns.name.from_text("never.test"))) is None


def test_a_bad_change_leaves_the_zone_as_it_was(tmp_path: Path) -> None:
    served = Served(tmp_path, {"example.org": A})
    assert served.ask("a.example.org", "A").answer
    served.zones["example.org"] = "a A nonsense"
    at_once(served.book.look())
    for _ in range(3):
        assert served.ask("a.example.org", "A").answer


def test_the_innermost_zone_answers(tmp_path: Path) -> None:
    book = book_of(tmp_path, Texts({"example.org": A, "b.example.org": A}))
    at_once(book.look())
    inner = dns.name.from_text("b.example.org")
    below = dns.name.from_text("x.b.example.org")
    assert book.origin_of(below) == inner
    assert book.origin_of(below, above=True) == inner
    assert book.origin_of(inner) == inner
    assert book.origin_of(inner, above=True) == ORG
    assert book.origin_of(ORG, above=True) == ORG
    assert book.origin_of(dns.name.root) is None
    assert book.origin_of(dns.name.from_text("org"), above=True) is None


def test_earlier_sources_go_first(tmp_path: Path) -> None:
    made = FixedZones(
        {
            "example.org": [
                DNSRecord("example.org", "MX", "10 made.example.org."),
                DNSRecord("x.example.org", "A", "192.0.2.7"),
            ]
        }
    )
    book = book_of(tmp_path, Texts({"example.org": "@ MX 5 mine"}), Made(made))
    at_once(book.look())
    zone = at_once(book.zone(ORG))
    assert zone is not None
    texts = [one.to_text() for one in zone.everything()]
    assert "example.org. 3600 IN MX 5 mine.example.org." in texts
    assert not any("made" in text for text in texts)
    assert any("192.0.2.7" in text for text in texts)


@define(eq=False)
class Waiting:
    """A source that answers when the test says so."""

    gates: list[Deferred[Sequence[RRset]]] = field(factory=list)

    async def origins(self) -> Sequence[Name]:
        return [ORG]

    async def rrsets(self, origin: Name) -> Sequence[RRset]:
        gate: Deferred[Sequence[RRset]] = Deferred()
        self.gates.append(gate)
        return await gate


def test_all_who_ask_wait_for_one_making(tmp_path: Path) -> None:
    source = Waiting()
    clock = TestClock()
    book = book_of(tmp_path, source, clock=clock)
    at_once(book.look())
    seen: list[Zone | None] = []
    for _ in range(3):
        Deferred.fromCoroutine(book.zone(ORG)).addCallback(seen.append)
    assert (seen, len(source.gates)) == ([], 1)
    source.gates[0].callback([])
    assert len(seen) == 3
    assert seen[0] is seen[1] is seen[2] is not None
    # A second making is on its way: nobody waits for it for long.
    at_once(book.look())
    for _ in range(2):
        Deferred.fromCoroutine(book.zone(ORG)).addCallback(seen.append)
    assert (len(seen), len(source.gates)) == (3, 2)
    clock.advance(PATIENCE)
    assert seen[3] is seen[4] is seen[0]
    assert at_once(book.zone(ORG)) is seen[0]
    source.gates[1].errback(BadZone("now"))
    assert at_once(book.zone(ORG)) is seen[0]
    assert len(source.gates) == 2


def test_a_change_is_in_the_very_next_answer(tmp_path: Path) -> None:
    source = Waiting()
    clock = TestClock()
    book = book_of(tmp_path, source, clock=clock)
    at_once(book.look())
    seen: list[Zone | None] = []
    Deferred.fromCoroutine(book.zone(ORG)).addCallback(seen.append)
    source.gates[0].callback([])
    clock.advance(1_000_000)  # nobody asked
    at_once(book.look())
    Deferred.fromCoroutine(book.zone(ORG)).addCallback(seen.append)
    source.gates[1].callback(read_zone_file(A, ORG))
    assert seen[1] is at_once(book.zone(ORG)) is not seen[0]
    assert not clock.getDelayedCalls()


def test_a_source_in_trouble_changes_nothing(tmp_path: Path) -> None:
    class Broken(Texts):
        async def origins(self) -> Sequence[Name]:
            if "boom" in self.zones:
                raise Unavailable("the directory")
            return await super().origins()

    source = Broken({"example.org": A})
    book = book_of(tmp_path, source)
    at_once(book.look())
    source.zones["boom"] = ""
    at_once(book.look())
    assert book.origins == [ORG]


# -- files


def test_files_of_a_folder(tmp_path: Path) -> None:
    files = Files(tmp_path, DirectLanes())
    (tmp_path / "Example.org.zone").write_text(A)
    (tmp_path / "notes.txt").write_text("no zone")
    (tmp_path / "example.net.zone").write_text(A)
    assert set(at_once(files.origins())) == {
        ORG,
        dns.name.from_text("example.net"),
    }
    net = dns.name.from_text("example.net")
    [rrset] = at_once(files.rrsets(net))
    assert rrset.to_text() == "a.example.net. 3600 IN A 192.0.2.1"
    assert not at_once(files.look())
    os.utime(tmp_path / "example.net.zone", (1, 1))
    assert at_once(files.look())
    (tmp_path / "example.net.zone").unlink()
    with pytest.raises(NoSuchDomain):
        at_once(files.rrsets(net))
    assert at_once(files.look())
    with pytest.raises(NoSuchDomain):
        at_once(files.rrsets(net))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    files = Files(tmp_path, DirectLanes())
    path = tmp_path / "example.org.zone"
    path.write_bytes(b"\xff\xfe")
    at_once(files.origins())
    with pytest.raises(BadZone):
        at_once(files.rrsets(ORG))
    with path.open("wb") as file:
        file.truncate(LARGEST_FILE + 1)
    with pytest.raises(BadZone, match="more than"):
        at_once(files.rrsets(ORG))
    assert at_once(Files(tmp_path / "none", DirectLanes()).origins()) == []
    (tmp_path / ("x" * 64 + ".zone")).write_text("")
    (tmp_path / "gone.test.zone").symlink_to(tmp_path / "nowhere")
    assert at_once(files.origins()) == [ORG]


# -- serials


def test_serials(tmp_path: Path) -> None:
    serials = Serials(tmp_path / "dns")
    assert serials.serial_of("a.test", "one", 0, 100) == 100
    assert serials.serial_of("a.test", "one", 0, 900) == 100
    assert serials.serial_of("a.test", "two", 0, 100) == 101
    assert serials.serial_of("a.test", "two", 500, 0) == 500
    assert serials.serial_of("b.test", "two", 1, 0) == 1
    path = tmp_path / "dns" / "a.test.json"
    path.write_text('{"digest": "two", "serial": 4294967295}')
    assert serials.serial_of("a.test", "three", 0, 1) == 0
    for damage in ("", "[]", '{"digest": 1}', "\x00"):
        path.write_text(damage)
        assert serials.serial_of("a.test", "four", 0, 77) == 77
    assert len(list((tmp_path / "dns").iterdir())) == 2
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageBroken):
        Serials(tmp_path / "file").serial_of("a.test", "x", 0, 1)


class BugTests(TestCase):
    """A bug in the making is logged, and the zone fails for now."""

    def test_a_bug(self) -> None:
        class Buggy(Texts):
            async def rrsets(self, origin: Name) -> Sequence[RRset]:
                raise ZeroDivisionError

        book = book_of(Path(self.mktemp()), Buggy({"example.org": A}))
        at_once(book.look())
        assert at_once(book.zone(ORG)) is None
        assert len(self.flushLoggedErrors(ZeroDivisionError)) == 1


def test_children_without_keys(tmp_path: Path) -> None:
    zones = {"example.org": A, "b.example.org": A, "c.b.example.org": A}
    book = book_of(tmp_path, Texts(zones))
    at_once(book.look())
    zone = at_once(book.zone(ORG))
    assert zone is not None
    cuts = [
        str(name) for name, node in zone.nodes.items() if RdataType.NS in node.rrsets
    ]
    assert cuts == ["b.example.org.", "example.org."] or cuts == [
        "example.org.",
        "b.example.org.",
    ]


def test_a_server_name_that_is_none() -> None:
    with pytest.raises(BadZone):
        rrset_of(ORG, RdataType.NS, ["..."])


@pytest.mark.parametrize(
    "wrong",
    [
        {"names": ("no name",)},
        {"addresses": ("mail.example.org",)},
        {"forward": ("dns.example.org",)},
    ],
)
def test_settings_that_are_wrong(wrong: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(ValueError, match="expects"):
        NameServerSettings(**wrong)  # type: ignore[arg-type]  # of any type, which is the point
