"""Records as they are found, and what is said of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import pytest

from mailkit.interfaces.resolver import Answer, MXRecord
from mailkit.model.tlspolicy import TLSARecord
from mailkit.services.doctor.finding import Finding, State
from mailkit.services.doctor.records import (
    judge_dkim,
    judge_dmarc,
    judge_host,
    judge_listing,
    judge_mx,
    judge_reverse,
    judge_spf,
    judge_srv,
    judge_tlsa,
    judge_tlsrpt,
    judge_validation,
)
from mailkit.trust.dkim.keys import Algorithm, SigningKey, make_key

T = TypeVar("T")

US, HOST, ADDRESS = "a.test", "mail.a.test", "203.0.113.5"
GOOD, NOTE, WRONG = State.GOOD, State.NOTE, State.WRONG


def answer(
    *records: T, name: str = HOST, authentic: bool = False, exists: bool = True
) -> Answer[T]:
    return Answer(records=records, name=name, authentic=authentic, exists=exists)


def check(finding: Finding, state: State, words: str) -> None:
    """Whoever is told that something is wrong is told what to do, and only then."""
    assert (finding.state, words in finding.words) == (state, True), finding
    assert bool(finding.next_step) == (state is not GOOD), finding


@pytest.mark.parametrize(
    ("records", "state", "words"),
    [
        ([MXRecord(10, HOST)], GOOD, "mail goes to mail.a.test"),
        ([MXRecord(20, "b.test"), MXRecord(10, HOST)], GOOD, "mail.a.test, b.test"),
        ([MXRecord(5, "b.test"), MXRecord(10, HOST)], NOTE, "b.test comes before"),
        ([MXRecord(5, "b.test")], WRONG, "mail goes to b.test, not to mail.a.test"),
        ([MXRecord(0, "")], WRONG, "null MX"),
        ([], WRONG, "there is none"),
    ],
)
def test_mx(records: Sequence[MXRecord], state: State, words: str) -> None:
    check(judge_mx(US, HOST, answer(*records)), state, words)


def test_a_domain_that_nobody_knows() -> None:
    check(judge_mx(US, HOST, answer(exists=False)), WRONG, "DNS knows no a.test")


@pytest.mark.parametrize(
    ("found", "ours", "state", "words"),
    [
        (answer(ADDRESS), (), GOOD, "mail.a.test is at 203.0.113.5"),
        (answer("2001:DB8::1"), ("2001:db8::1",), GOOD, "2001:DB8::1"),
        (answer(), (), WRONG, "no address"),
        (answer(), ("2001:db8::1",), WRONG, "no address"),
        (answer(ADDRESS, name="b.test"), (), WRONG, "an alias of b.test"),
        (answer(ADDRESS, "10.0.0.1"), (), WRONG, "10.0.0.1 cannot be reached"),
        (answer(ADDRESS), ("203.0.113.6",), WRONG, "the config 203.0.113.6"),
        (answer(ADDRESS, "203.0.113.6"), (ADDRESS,), WRONG, "DNS says 203.0.113.5,"),
    ],
)
def test_host(
    found: Answer[str], ours: Sequence[str], state: State, words: str
) -> None:
    [finding] = judge_host(HOST, found, ours)
    check(finding, state, words)


@pytest.mark.parametrize(
    ("texts", "state", "words"),
    [
        (["v=spf1 mx -all"], GOOD, "v=spf1 mx -all"),
        (["other", "V=SPF1 +mx:a.test ~all"], GOOD, "V=SPF1"),
        (["v=spf1 a:mail.a.test -all"], GOOD, ""),
        (["v=spf1 ip4:203.0.113.0/24 -all"], GOOD, ""),
        (["v=spf1 mx redirect=b.test"], GOOD, ""),
        (["v=spf1 mx"], NOTE, "forbids nobody"),
        (["v=spf1 mx ?all"], NOTE, "forbids nobody"),
        (["v=spf1 include:b.test -all"], NOTE, "said by others: include:b.test"),
        (["v=spf1 redirect=b.test"], NOTE, "redirect=b.test"),
        (["v=spf1 mx +all"], WRONG, "anybody may send"),
        (["v=spf1 all"], WRONG, "anybody may send"),
        (["v=spf1 -all"], WRONG, "does not let us"),
        (["v=spf1"], WRONG, "does not let us"),
        (["v=spf1 ip4:rubbish ip4:192.0.2.0/24 a -all"], WRONG, "does not let us"),
        (["v=spf1 -mx -all"], WRONG, "does not let us"),
        (["v=spf1 mx -all", "v=spf1 -all"], WRONG, "there are 2 records"),
        (["v=spf10 mx -all", "\xff"], WRONG, "nobody is said to send"),
        ([], WRONG, "nobody is said to send"),
    ],
)
def test_spf(texts: Sequence[str], state: State, words: str) -> None:
    records = [text.encode("latin-1") for text in texts]
    check(judge_spf(US, HOST, [ADDRESS], answer(*records)), state, words)


KEY = SigningKey(US, "s1", make_key(Algorithm.ED25519))
OTHER = SigningKey(US, "s1", make_key(Algorithm.ED25519))
RSA = SigningKey(US, "s1", make_key(Algorithm.RSA))


@pytest.mark.parametrize(
    ("texts", "state", "words"),
    [
        ([KEY.record], GOOD, "its key is in DNS"),
        ([KEY.record.replace("; ", ";")], GOOD, "its key is in DNS"),
        ([OTHER.record], WRONG, "another key"),
        ([RSA.record], WRONG, "another key"),
        (["v=DKIM1; p="], WRONG, "withdrawn"),
        (["v=DKIM1"], WRONG, "not a record"),
        ([KEY.record, OTHER.record], WRONG, "2 records"),
        ([], WRONG, "not in DNS"),
    ],
)
def test_dkim(texts: Sequence[str], state: State, words: str) -> None:
    records = [text.encode() for text in texts]
    finding = judge_dkim(KEY.name, KEY.record, answer(*records))
    assert finding.subject == "DKIM s1"
    check(finding, state, words)


@pytest.mark.parametrize(
    ("where", "texts", "state", "words"),
    [
        (US, ["v=DMARC1; p=reject; rua=mailto:x@a.test"], GOOD, "p=reject"),
        (US, ["v=DMARC1;p = quarantine"], GOOD, "p=quarantine"),
        ("test", ["v=DMARC1; p=reject"], GOOD, "p=reject, by test"),
        (US, ["v=DMARC1; p=none"], NOTE, "let through (p=none)"),
        (US, ["v=DMARC1; p=block"], WRONG, 'its policy is "block"'),
        (US, ["v=DMARC1; rua=mailto:x@a.test"], WRONG, 'its policy is ""'),
        (US, ["v=DMARC1; p=none", "v=DMARC1; p=reject"], WRONG, "2 records"),
        (US, ["v=spf1 -all"], WRONG, "there is none"),
        (US, [], WRONG, "there is none"),
    ],
)
def test_dmarc(where: str, texts: Sequence[str], state: State, words: str) -> None:
    records = [text.encode() for text in texts]
    check(judge_dmarc(US, where, answer(*records), "v=DMARC1; p=…"), state, words)


def test_tlsrpt() -> None:
    text = "v=TLSRPTv1; rua=mailto:tls@a.test"
    check(judge_tlsrpt(US, text, answer(text.encode())), GOOD, "mailto:tls@a.test")
    check(judge_tlsrpt(US, text, answer()), NOTE, "nobody tells us")


@pytest.mark.parametrize(
    ("ours", "found", "state", "words"),
    [
        ("0 1 993 mail.a.test.", [], NOTE, "by themselves"),
        ("0 1 993 mail.a.test.", ["0 1 143 b.test."], WRONG, "0 1 143 b.test."),
        ("0 0 0 .", ["0 1 993 b.test."], WRONG, "0 1 993 b.test."),
    ],
)
def test_srv(ours: str, found: Sequence[str], state: State, words: str) -> None:
    finding = judge_srv("_imaps._tcp.a.test", ours, answer(*found))
    assert finding is not None
    assert finding.subject == "SRV _imaps"
    check(finding, state, words)


@pytest.mark.parametrize(
    ("ours", "found"),
    [
        ("0 1 993 mail.a.test.", ["0 1 993 Mail.A.test."]),
        ("0 0 0 .", []),
        ("0 0 0 .", ["0 0 0 ."]),
    ],
)
def test_srv_as_it_should_be(ours: str, found: Sequence[str]) -> None:
    assert judge_srv("_imaps._tcp.a.test", ours, answer(*found)) is None


MINE, THEIRS = TLSARecord(3, 1, 1, b"\1" * 32), TLSARecord(3, 1, 1, b"\2" * 32)


@pytest.mark.parametrize(
    ("ours", "found", "state", "words"),
    [
        ([MINE], answer(THEIRS, MINE, authentic=True), GOOD, "signed by DNSSEC"),
        ([MINE], answer(MINE), NOTE, "not seen to be signed"),
        ([MINE], answer(), NOTE, "not offered"),
        ([], answer(), NOTE, "not offered"),
        ([MINE], answer(THEIRS, authentic=True), WRONG, "no record stands for"),
        ([], answer(THEIRS), WRONG, "no record stands for"),
    ],
)
def test_tlsa(
    ours: Sequence[TLSARecord], found: Answer[TLSARecord], state: State, words: str
) -> None:
    check(judge_tlsa("_25._tcp.mail.a.test", ours, found), state, words)


@pytest.mark.parametrize(
    ("names", "confirmed", "state", "words"),
    [
        ([HOST], [HOST], GOOD, "mail.a.test, and back"),
        (["x.test", HOST], [HOST], GOOD, "mail.a.test, and back"),
        (["x.test"], ["x.test"], NOTE, "it is called x.test, we say mail.a.test"),
        (["x.test"], [], WRONG, "x.test does not lead back"),
        ([], [], WRONG, "it has no name"),
    ],
)
def test_reverse(
    names: Sequence[str], confirmed: Sequence[str], state: State, words: str
) -> None:
    finding = judge_reverse(ADDRESS, HOST, answer(*names), confirmed)
    assert finding.subject == "PTR 203.0.113.5"
    check(finding, state, words)


@pytest.mark.parametrize(
    ("codes", "reasons", "state", "words"),
    [
        ([], [], GOOD, "203.0.113.5 is not on it"),
        (["127.0.0.2"], [b"see x"], WRONG, "is on it (127.0.0.2): see x"),
        (["127.0.0.2", "127.0.0.4"], [], WRONG, "(127.0.0.2, 127.0.0.4)"),
        (["127.255.255.254"], [], NOTE, "does not answer questions that come this way"),
        (["203.0.113.80"], [], NOTE, "does not answer"),
    ],
)
def test_blocklists(
    codes: Sequence[str], reasons: Sequence[bytes], state: State, words: str
) -> None:
    """RFC 5782 §2.1: what is no 127.x is no answer of a list."""
    finding = judge_listing(ADDRESS, "l.test", answer(*codes), reasons)
    check(finding, state, words)


def test_validation() -> None:
    check(judge_validation(True), GOOD, "validated")
    check(judge_validation(False), NOTE, "not validated")
