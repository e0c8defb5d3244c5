"""Other domains are told how TLS to their hosts went (RFC 8460)."""

from __future__ import annotations

import gzip
import json
from email import message_from_bytes
from email.message import Message
from typing import Any

import pytest
from attrs import evolve
from zope.interface import implementer

from mailkit.errors import Unavailable
from mailkit.interfaces.policies import IReportPost, KeptPolicy
from mailkit.model.address import DomainName
from mailkit.model.path import NULL_PATH
from mailkit.model.queueitem import QueueItem, Selection
from mailkit.model.tlspolicy import OPPORTUNISTIC, TLSARecord, TLSLevel, TLSPolicy
from mailkit.model.tlsresult import TLSResult
from mailkit.services.delivery.onward import LOCAL
from mailkit.services.routing import Routing
from mailkit.services.tlsreports import KIND, TLSReports
from mailkit.storage.memory.directory import MemoryDirectory
from mailkit.storage.memory.queue import MemoryQueue
from mailkit.storage.state.local import LocalBoard
from mailkit.storage.tlsrecords import TLSRecords
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import TestClock
from mailkit.testing.dns import DictResolver
from mailkit.testing.lanes import DirectLanes

DAY = "2026-01-01"
DOMAIN = DomainName("bücher.example")
POLICY = b"version: STSv1\r\nmode: enforce\r\nmx: *.example\r\nmax_age: 86400\r\n"
RESULT = TLSResult(
    domain=DOMAIN,
    host="mx.example",
    address="192.0.2.1:25",
    policy=TLSPolicy(level=TLSLevel.PKIX, names=("mx.example",), origin="mta-sts"),
)


@implementer(IReportPost)
class World:
    """Counts of one day, and those who ask for reports."""

    def __init__(self, path: Any) -> None:
        self.clock = TestClock()
        self.records = TLSRecords(path / "tls.sqlite", DirectLanes(), self.clock)
        self.resolver = DictResolver()
        self.queue = MemoryQueue(LocalBoard(self.clock), self.clock.seconds)
        self.posted: list[tuple[str, bytes, str]] = []
        self.is_refusing = False
        ids = iter("0123456789")
        directory = MemoryDirectory(self.clock.seconds)
        at_once(directory.add_domain(DomainName("example.org")))
        self.reports = TLSReports(
            "mail.example.org",
            directory,
            Routing(directory, "mail.example.org", sends=True),
            self.records,
            self.records,
            self.resolver,
            self.queue,
            self,
            self.clock.seconds,
            lambda: f"id{next(ids)}",
        )

    async def post(self, url: str, octets: bytes, kind: str) -> None:
        if self.is_refusing or "[" in url:
            raise Unavailable("answers 500")
        self.posted.append((url, octets, kind))

    def wanted(self, rua: str) -> None:
        name = "_smtp._tls.xn--bcher-kva.example."
        self.resolver.add(f'{name} TXT "v=TLSRPTv1; rua={rua}"')

    def report(self) -> int:
        return at_once(self.reports.report(DAY))

    def items(self) -> list[QueueItem]:
        return list(at_once(self.queue.items(Selection())))

    def mail(self) -> Message:
        [item] = self.items()
        octets = at_once(self.queue.content(item.id)).octets
        assert octets is not None
        return message_from_bytes(octets)

    def left(self) -> list[DomainName]:
        return list(at_once(self.records.domains(DAY)))


@pytest.fixture
def world(tmp_path: Any) -> World:
    return World(tmp_path)


def test_what_nobody_asks_for_is_forgotten(world: World) -> None:
    world.records.count(RESULT)
    world.records.count(evolve(RESULT, domain=DomainName("[192.0.2.1]")))
    assert world.report() == 0
    assert world.left() == []
    assert world.items() == []


def test_by_mail(world: World) -> None:
    world.records.count(RESULT)
    world.wanted("mailto:tls@Reports.example")
    assert world.report() == 1
    [item] = world.items()
    assert item.envelope.reverse_path is NULL_PATH
    assert [str(one.path) for one in item.recipients] == ["tls@Reports.example"]
    assert item.hop.domain == "reports.example"
    assert item.is_ours
    assert item.tls_optional
    assert item.is_tls_report
    message = world.mail()
    # RFC 8460 §5.3.
    assert message["TLS-Report-Domain"] == "xn--bcher-kva.example"
    assert message["TLS-Report-Submitter"] == "mail.example.org"
    assert message["From"] == "TLS reports <postmaster@example.org>"
    assert message.get_content_type() == "multipart/report"
    assert message.get_param("report-type") == "tlsrpt"
    parts: Any = message.get_payload()  # whatever the message holds
    _, attached = parts
    assert attached.get_content_type() == KIND
    assert attached.get_filename().endswith(".json.gz")
    report = json.loads(gzip.decompress(attached.get_payload(decode=True)))
    assert report["date-range"]["start-datetime"] == "2026-01-01T00:00:00Z"
    assert world.left() == []
    assert world.report() == 0


def test_by_mail_to_people_of_ours(world: World) -> None:
    """DNS would lead back to ourselves, and that is nobody."""
    world.records.count(RESULT)
    world.wanted("mailto:alice@example.org")
    assert world.report() == 1
    [item] = world.items()
    assert (item.hop.domain, item.hop.route) == ("example.org", LOCAL)


def test_by_https(world: World) -> None:
    world.records.count(RESULT)
    world.wanted("https://reports.example/v1")
    assert world.report() == 1
    [(url, octets, kind)] = world.posted
    assert (url, kind) == ("https://reports.example/v1", KIND)
    assert json.loads(gzip.decompress(octets))["policies"]
    assert world.items() == []


def test_who_does_not_take_it_is_asked_again(world: World) -> None:
    world.records.count(RESULT)
    world.wanted("https://reports.example/v1")
    world.is_refusing = True
    assert world.report() == 0
    assert world.left() == [DOMAIN]
    world.wanted("x")
    world.resolver.drop("_smtp._tls.xn--bcher-kva.example")
    world.wanted("https://reports.example/v1,mailto:nobody")
    assert world.report() == 0
    world.is_refusing = False
    assert world.report() == 1
    assert world.left() == []


def test_nobody_spoils_the_reports_to_others(world: World) -> None:
    world.records.count(RESULT)
    world.wanted("https://[bad,mailto:%C3%A9@reports.example")
    other = DomainName("other.example")
    world.records.count(evolve(RESULT, domain=other))
    name = "_smtp._tls.other.example."
    world.resolver.add(f'{name} TXT "v=TLSRPTv1; rua=mailto:a@other.example"')
    assert world.report() == 1
    [item] = world.items()
    assert item.hop.domain == other


def test_dns_that_fails(world: World) -> None:
    world.records.count(RESULT)
    world.resolver.fail()
    assert world.report() == 0
    assert world.left() == [DOMAIN]


def test_each_policy_has_its_place(world: World) -> None:
    tlsa = TLSPolicy(level=TLSLevel.DANE, tlsa=(TLSARecord(3, 1, 1, b"\xab"),))
    expired = evolve(RESULT, problem="certificate-expired", words="in May")
    for result in (RESULT, RESULT, expired, evolve(RESULT, policy=tlsa)):
        world.records.count(result)
    world.records.count(evolve(RESULT, policy=OPPORTUNISTIC))
    kept = KeptPolicy(id="1", octets=POLICY, fetched=0.0, expires=1e10)
    at_once(world.records.keep(DOMAIN, kept))
    world.wanted("https://reports.example/")
    world.report()
    [(_, octets, _)] = world.posted
    told = json.loads(gzip.decompress(octets))["policies"]
    assert [one["policy"]["policy-type"] for one in told] == [
        "no-policy-found",
        "sts",
        "tlsa",
    ]
    none, sts, dane = told
    assert "policy-string" not in none["policy"]
    assert sts["policy"]["policy-string"] == POLICY.decode().splitlines()
    assert sts["policy"]["mx-host"] == ["*.example"]
    assert sts["summary"] == {
        "total-successful-session-count": 2,
        "total-failure-session-count": 1,
    }
    assert sts["failure-details"][0]["result-type"] == "certificate-expired"
    assert dane["policy"]["policy-string"] == ["3 1 1 ab"]


def test_a_policy_that_was_forgotten(world: World) -> None:
    world.records.count(RESULT)
    world.wanted("https://reports.example/")
    world.report()
    [(_, octets, _)] = world.posted
    [sts] = json.loads(gzip.decompress(octets))["policies"]
    assert "policy-string" not in sts["policy"]
