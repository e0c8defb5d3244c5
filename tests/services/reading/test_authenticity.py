"""Is it really from them?"""

from __future__ import annotations

import pytest
from attrs import evolve

from mailkit.model.conversation import Person
from mailkit.model.verdict import Verdict
from mailkit.services.reading.authenticity import Doubt, Trust, judge
from tests.web.conversations import summary

PASS = Verdict("pass", "pass", "pass", "far.example", "TLSv1.3", "said so")
FAIL = Verdict("fail", "fail", "fail")
NONE = Verdict("none", "none", "none")

ROWS: list[tuple[str, str, Verdict | None, Trust, tuple[Doubt, ...]]] = [
    ("I", "i@far.example", PASS, Trust.VERIFIED, ()),
    ("I", "i@far.example", FAIL, Trust.FORGED, ()),
    ("I", "i@far.example", NONE, Trust.UNPROVED, ()),
    ("I", "i@far.example", Verdict(dmarc="pass"), Trust.UNPROVED, ()),
    ("I", "i@far.example", None, Trust.UNCHECKED, ()),
    ("I", "", None, Trust.UNCHECKED, ()),
    ("I", "i@paypa1.com", PASS, Trust.FORGED, (Doubt.LOOKALIKE,)),
    ("I", "i@\u0430bc.example", None, Trust.FORGED, (Doubt.MIXED_SCRIPTS,)),
    ("a@bank.example", "i@x.example", PASS, Trust.VERIFIED, (Doubt.NAME_CLAIMS,)),
    ("a@x.example", "i@x.example", PASS, Trust.VERIFIED, ()),
    ("a@x.example", "i@mail.x.example", PASS, Trust.VERIFIED, ()),
]


@pytest.mark.parametrize("name,address,verdict,trust,doubts", ROWS)
def test_judged(
    name: str,
    address: str,
    verdict: Verdict | None,
    trust: Trust,
    doubts: tuple[Doubt, ...],
) -> None:
    message = evolve(summary(1, sender=Person(name, address)), verdict=verdict)
    found = judge(message, ["paypal.com"], ["me@example.test"])
    assert (found.trust, found.doubts) == (trust, doubts)
    assert found.may_be_trusted is (trust is Trust.VERIFIED and not doubts)


def test_what_is_told() -> None:
    found = judge(evolve(summary(1), verdict=PASS), [], [])
    assert (found.signed_by, found.tls, found.words) == (
        "far.example",
        "TLSv1.3",
        "said so",
    )
    assert judge(evolve(summary(1), from_=()), [], []).address == ""


def test_mine_is_mine_where_nobody_says_otherwise() -> None:
    mine = summary(1, sender=Person("Me", "ME@example.test"))
    assert judge(mine, [], ["me@example.test"]).is_mine
    forged = judge(evolve(mine, verdict=FAIL), [], ["me@example.test"])
    assert (forged.is_mine, forged.trust) == (False, Trust.FORGED)
