"""The resolver that knows what it was told: the one of most other tests."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred

from mailkit.errors import DNSTrouble
from mailkit.interfaces.resolver import Answer, MXRecord
from mailkit.testing.at_once import at_once
from mailkit.testing.dns import DictResolver


def test_a_mapping_will_do() -> None:
    resolver = DictResolver(
        {
            "example.net": {"MX": ["10 a.example.net.", "20 b.example.net."]},
            "a.example.net": {"A": "192.0.2.1"},
        }
    )
    answer = at_once(resolver.mx("example.net"))
    assert MXRecord(20, "b.example.net") in answer.records
    assert at_once(resolver.addresses("a.example.net")).records == ("192.0.2.1",)
    assert resolver.asked == [
        ("example.net", "MX"),
        ("a.example.net", "AAAA"),
        ("a.example.net", "A"),
    ]
    resolver.add("example.net. 60 MX 30 c.example.net.")
    assert len(at_once(resolver.mx("example.net")).records) == 3
    resolver.drop("example.net")
    assert at_once(resolver.mx("example.net")).records == ()


def test_failures_on_demand() -> None:
    resolver = DictResolver("a.test. A 192.0.2.1")
    resolver.fail("a.test", "AAAA")
    assert at_once(resolver.ipv4("a.test")).records
    with pytest.raises(DNSTrouble):
        at_once(resolver.addresses("A.test."))
    resolver.mend("a.test", "AAAA")
    assert at_once(resolver.addresses("a.test")).records
    resolver.fail()
    with pytest.raises(DNSTrouble):
        at_once(resolver.ipv4("a.test"))


def test_trust() -> None:
    resolver = DictResolver(
        "a.test. A 192.0.2.1\nb.test. CNAME a.test.\nc.test. CNAME b.test.",
        authentic=True,
    )
    assert at_once(resolver.ipv4("c.test")).authentic
    assert at_once(resolver.ipv4("nobody.test")).authentic
    resolver.distrust("b.test")
    assert not at_once(resolver.ipv4("c.test")).authentic
    assert at_once(resolver.ipv4("a.test")).authentic


def test_questions_can_be_held() -> None:
    resolver = DictResolver("a.test. A 192.0.2.1")
    resolver.hold("a.test")
    answers: list[Answer[str]] = []
    asking = Deferred.fromCoroutine(resolver.ipv4("a.test"))
    asking.addCallback(answers.append)
    assert answers == []
    resolver.release("a.test")
    assert answers[0].records == ("192.0.2.1",)
    resolver.hold("a.test")
    kinds: list[object] = []
    waiting = Deferred.fromCoroutine(resolver.ipv4("a.test"))
    waiting.addBoth(lambda failure: kinds.append(failure.type))
    at_once(resolver.close())
    assert kinds == [DNSTrouble]


def test_aliases_in_circles_lead_nowhere() -> None:
    resolver = DictResolver("a.test. CNAME b.test.\nb.test. CNAME a.test.")
    assert at_once(resolver.ipv4("a.test")).records == ()
