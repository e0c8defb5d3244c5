"""The parts of the stub: octets of questions, what answers say, the cache."""

from __future__ import annotations

import random

import dns.message
import dns.name
import dns.rdata
import pytest
from dns.rdatatype import RdataType
from hypothesis import given
from hypothesis import strategies as st

from mailkit.net.resolver.cache import EXPANSION, OVERHEAD, Cache, Kept
from mailkit.net.resolver.found import MOST_RECORDS, Found, Unhelpful, find, parse
from mailkit.net.resolver.question import Question, compose, mix
from mailkit.testing.clock import TestClock

NAME = dns.name.from_text("mail.example.net")
QUESTION = Question(NAME, RdataType.A)


def test_a_question_is_read_as_what_it_is() -> None:
    for proof in (False, True):
        sent = compose(QUESTION, 4711, None, has_edns=True, wants_proof=proof)
        query = dns.message.from_wire(sent.octets)
        expected = dns.message.make_query(
            NAME, "A", use_edns=0, want_dnssec=proof, payload=1232, id=4711
        )
        if proof:
            expected.flags |= dns.flags.AD
        assert query == expected
        assert query.flags == expected.flags
        assert (query.payload, query.ednsflags) == (1232, expected.ednsflags)
    plain = compose(QUESTION, 1, None, has_edns=False, wants_proof=False)
    assert dns.message.from_wire(plain.octets).edns == -1


@given(st.integers(0, 2**32))
def test_mixing_changes_case_alone(seed: int) -> None:
    wire = NAME.to_wire()
    assert wire is not None
    mixed = mix(wire, random.Random(seed))
    assert mixed.lower() == wire
    assert len(mixed) == len(wire)


def test_all_letters_are_mixed() -> None:
    wire = b"\x1aabcdefghijklmnopqrstuvwxyz\x00"
    places: set[int] = set()
    for seed in range(40):
        mixed = mix(wire, random.Random(seed))
        places |= {place for place in range(28) if mixed[place] != wire[place]}
    assert places == set(range(1, 27))


@given(st.binary(max_size=80), st.booleans())
def test_garbage_is_no_answer_or_a_riddle(garbage: bytes, dresses_up: bool) -> None:
    sent = compose(QUESTION, 7, None, has_edns=True, wants_proof=False)
    octets = garbage
    if dresses_up:
        octets = b"\x00\x07\x80\x00\x00\x01" + garbage[:6] + sent.question + garbage
        assert sent.is_answered_loosely_by(octets) or len(garbage) < 6
    sent.is_answered_by(octets)
    sent.is_refused_by(octets)
    assert len(sent.in_lower_case(octets)) == len(octets)
    try:
        find(parse(octets), QUESTION, 0, len(octets))
    except Unhelpful as error:
        assert str(error)


def test_a_malformed_record_is_left_out() -> None:
    query = dns.message.make_query("mail.example.net", "A")
    octets = bytearray(dns.message.make_response(query).to_wire())
    head = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c"
    short = head + b"\x00\x03\xc0\x00\x02"
    good = head + b"\x00\x04\xc0\x00\x02\x01"
    octets[6:8] = b"\x00\x02"
    found = find(parse(bytes(octets) + short + good), QUESTION, 0, 100)
    assert [record.to_text() for record in found.records] == ["192.0.2.1"]
    octets[6:8] = b"\x00\x01"
    with pytest.raises(Unhelpful, match="malformed"):
        find(parse(bytes(octets) + short), QUESTION, 0, 100)


def test_too_many_records() -> None:
    """Whoever has a domain may have as many as fit into an answer by TCP."""
    query = dns.message.make_query("mail.example.net", "A")
    head = bytearray(dns.message.make_response(query).to_wire())
    record = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x01"
    for count in (MOST_RECORDS, MOST_RECORDS + 1):
        head[6:8] = count.to_bytes(2, "big")
        octets = bytes(head) + record * count
        if count > MOST_RECORDS:
            with pytest.raises(Unhelpful, match="too many records"):
                parse(octets)
        else:
            assert find(parse(octets), QUESTION, 0, 100).records


# -- the cache


def kept(until: float, size: int = 100) -> Kept:
    return Kept(Found(name=NAME, octets=size), "", until)


def question(number: int) -> Question:
    return Question(dns.name.from_text(f"n{number}.test"), RdataType.A)


def test_what_is_too_old_is_forgotten() -> None:
    clock = TestClock()
    cache = Cache(10**6, clock.seconds)
    cache.keep(QUESTION, kept(clock.seconds() + 10))
    clock.advance(9.9)
    assert cache.get(QUESTION) is not None
    clock.advance(0.1)
    assert cache.get(QUESTION) is None
    assert len(cache) == 0
    cache.keep(QUESTION, kept(clock.seconds()))
    assert len(cache) == 0


def test_all_is_forgotten_when_the_clock_is_set_back() -> None:
    clock = TestClock()
    cache = Cache(10**6, clock.seconds)
    cache.keep(QUESTION, kept(clock.seconds() + 10))
    clock.rightNow -= 1.0  # as by whoever keeps it right
    assert cache.get(QUESTION) is not None
    clock.rightNow -= 3600.0
    assert cache.get(QUESTION) is None
    cache.keep(QUESTION, kept(clock.seconds() + 10))
    assert cache.get(QUESTION) is not None


def test_the_least_recently_used_goes_first() -> None:
    clock = TestClock()
    size = OVERHEAD + EXPANSION * 100
    cache = Cache(3 * size, clock.seconds)
    until = clock.seconds() + 10
    for number in range(3):
        cache.keep(question(number), kept(until))
    cache.get(question(0))
    cache.keep(question(2), kept(until))
    cache.keep(question(3), kept(until))
    there = [number for number in range(4) if cache.get(question(number))]
    assert there == [0, 2, 3]
    cache.keep(question(4), kept(until, 10_000))
    assert len(cache) == 3
    cache.clear()
    assert len(cache) == 0
    cache.keep(QUESTION, Kept(None, "silence", until))
    assert len(cache) == 1
