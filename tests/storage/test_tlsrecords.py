"""What is remembered of other domains' TLS."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from attrs import evolve

from mailkit.interfaces.policies import KeptPolicy, TLSCount
from mailkit.model.address import DomainName
from mailkit.model.tlspolicy import OPPORTUNISTIC, TLSARecord, TLSLevel, TLSPolicy
from mailkit.model.tlsresult import TLSResult
from mailkit.storage import tlsrecords
from mailkit.storage.tlsrecords import WRITTEN_AFTER, TLSRecords
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import TestClock
from mailkit.testing.lanes import DirectLanes

DOMAIN = DomainName("example.net")
DAY = "2026-01-01"
STS = TLSPolicy(level=TLSLevel.PKIX, names=("mx.example.net",), origin="mta-sts")
WENT_WELL = TLSResult(
    domain=DOMAIN,
    host="mx.example.net",
    address="192.0.2.1:25",
    local_address="192.0.2.9",
    policy=STS,
)
EXPIRED = evolve(WENT_WELL, problem="certificate-expired", words="it ended in May")


class World:
    """A file, and a clock that stands at 2026-01-01."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "tls.sqlite"
        self.clock = TestClock()
        self.records = self.open()

    def open(self) -> TLSRecords:
        return TLSRecords(self.path, DirectLanes(), self.clock)

    def kept(self, fetched: float = 0.0, lasts: float = 1000.0) -> KeptPolicy:
        now = self.clock.seconds()
        return KeptPolicy(
            id="1", octets=b"it", fetched=now + fetched, expires=now + lasts
        )

    def counts(self, day: str = DAY) -> list[TLSCount]:
        return list(at_once(self.records.counts(DOMAIN, day)))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_policies_outlive_the_process(world: World) -> None:
    assert at_once(world.records.policy(DOMAIN)) is None
    policy = world.kept()
    at_once(world.records.keep(DOMAIN, policy))
    assert at_once(world.records.policy(DOMAIN)) == policy
    at_once(world.records.close())
    again = world.open()
    assert at_once(again.policy(DOMAIN)) == policy
    newer = evolve(policy, id="2", octets=b"other")
    at_once(again.keep(DOMAIN, newer))
    assert at_once(again.policy(DOMAIN)) == newer


def test_what_another_process_keeps_is_seen_soon(world: World) -> None:
    assert at_once(world.records.policy(DOMAIN)) is None
    at_once(world.open().keep(DOMAIN, world.kept()))
    assert at_once(world.records.policy(DOMAIN)) is None
    world.clock.advance(5)
    assert at_once(world.records.policy(DOMAIN)) is not None


def test_memory_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tlsrecords, "MOST_KINDS", 3)
    policy = world.kept()
    at_once(world.records.keep(DOMAIN, policy))
    for name in "abcd":
        assert at_once(world.records.policy(DomainName(name))) is None
    assert at_once(world.records.policy(DOMAIN)) == policy
    for name in "abcdef":
        world.records.count(evolve(WENT_WELL, host=name))
    world.records.count(evolve(WENT_WELL, host="a"))
    assert [one.count for one in world.counts()] == [2, 1, 1]


def test_old_policies_that_hold(world: World) -> None:
    for name, fetched, lasts in (("a", -50, 9), ("b", -90, 9), ("c", -5, 9)):
        at_once(world.records.keep(DomainName(name), world.kept(fetched, lasts)))
    at_once(world.records.keep(DomainName("over"), world.kept(-70, -1)))
    before = world.clock.seconds() - 10
    first = DomainName("")
    assert at_once(world.records.old(before, first, 10)) == ["a", "b"]
    assert at_once(world.records.old(before, first, 1)) == ["a"]
    assert at_once(world.records.old(before, DomainName("a"), 1)) == ["b"]
    assert at_once(world.records.old(before, DomainName("b"), 1)) == []


def test_connections_are_counted(world: World) -> None:
    for result in (WENT_WELL, WENT_WELL, EXPIRED, evolve(WENT_WELL, address="other")):
        world.records.count(result)
    well, expired = world.counts()
    assert well == TLSCount(
        domain=DOMAIN,
        policy="sts",
        details="",
        host="mx.example.net",
        problem="",
        local_address="",
        address="",
        words="",
        count=3,
    )
    assert (expired.problem, expired.words) == (EXPIRED.problem, EXPIRED.words)
    assert (expired.local_address, expired.address) == ("192.0.2.9", "192.0.2.1:25")
    world.records.count(WENT_WELL)
    assert world.counts()[0].count == 4


def test_policies_in_the_words_of_reports(world: World) -> None:
    tlsa = TLSPolicy(level=TLSLevel.DANE, tlsa=(TLSARecord(3, 1, 1, b"\xab\xcd"),))
    world.records.count(evolve(WENT_WELL, policy=tlsa))
    world.records.count(evolve(WENT_WELL, policy=OPPORTUNISTIC))
    found = {(one.policy, one.details) for one in world.counts()}
    assert found == {("tlsa", "3 1 1 abcd"), ("no-policy-found", "")}


def test_what_was_reported_is_forgotten(world: World) -> None:
    world.records.count(WENT_WELL)
    world.records.count(evolve(WENT_WELL, domain=DomainName("other.example")))
    assert at_once(world.records.domains(DAY)) == ["example.net", "other.example"]
    at_once(world.records.reported(DOMAIN, DAY))
    assert at_once(world.records.domains(DAY)) == ["other.example"]
    assert at_once(world.records.domains("2026-01-02")) == []


def test_counts_are_written_together_and_late(world: World) -> None:
    world.records.count(WENT_WELL)
    world.records.count(WENT_WELL)
    assert not world.path.exists()
    world.clock.advance(WRITTEN_AFTER)
    with sqlite3.connect(world.path) as database:
        [number] = database.execute("SELECT number FROM count").fetchone()
    assert number == 2
    world.records.count(WENT_WELL)
    at_once(world.records.close())
    assert not world.clock.getDelayedCalls()
    [one] = at_once(world.open().counts(DOMAIN, DAY))
    assert one.count == 3


def test_what_nobody_reports_goes_after_a_week(world: World) -> None:
    world.records.count(WENT_WELL)
    assert world.counts()
    world.clock.advance(8 * 86400)
    world.records.count(WENT_WELL)
    assert world.counts("2026-01-09")
    assert not world.counts()


def test_a_disk_that_fails_costs_counts_alone(world: World) -> None:
    world.path.mkdir()
    world.records.count(WENT_WELL)
    world.clock.advance(WRITTEN_AFTER)
    world.path.rmdir()
    world.records.count(WENT_WELL)
    assert world.counts()[0].count == 1
