"""Questions and answers of an authoritative server (RFC 1034 §4.3.2)."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import pytest
from dns.flags import Flag
from dns.rcode import Rcode
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import generate_latest

from mailkit.errors import Unavailable
from mailkit.net.nameserver.rate import MOST_KEYS, RateLimit, Verdict, network_of
from mailkit.net.nameserver.server import Way
from mailkit.net.nameserver.settings import NameServerSettings
from mailkit.testing.clock import TestClock
from tests.net.nameserver.doubles import LOCAL, NEIGHBOUR, STRANGER, Served, lines

ZONE = """
$TTL 3600
@           SOA   ns1 hostmaster 7 3600 900 1209600 300
@           NS    ns1
@           NS    ns.other.test.
@           MX    10 mail
@           TXT   "v=spf1 mx -all"
ns1         A     192.0.2.53
mail        A     192.0.2.1
mail        AAAA  2001:db8::1
www         CNAME mail
far         CNAME host.other.test.
near        CNAME a.second.test.
loop        CNAME loop
ring        CNAME ring2
ring2       CNAME ring
*.wild      TXT   "any"
*.wild      MX    5 mail
deep.a.b    A     192.0.2.3
child       NS    ns.child
child       NS    ns1
ns.child    A     192.0.2.99
old         DNAME new
short       DNAME {long}
x.new       A     192.0.2.4
big         TXT   ( "{text}" "{text}" "{text}" "{text}" "{text}" "{text}" )
""".format(text="x" * 250, long=f"{'l' * 60}.{'l' * 60}")
SECOND = """
@ SOA ns1.example.org. h.example.org. 1 2 3 4 5
@ NS ns1.example.org.
a A 192.0.2.8
"""
HEAD = b"\x12\x34\x01\x00\0\1"
QUESTION = b"\0\0\1\0\1"
RECORD = b"\0\0\x10\0\1" + bytes(6)
SOA = "ns1.example.org. hostmaster.example.org. 7 3600 900 1209600 300"


@pytest.fixture
def served(tmp_path: Path) -> Served:
    return Served(tmp_path, {"example.org": ZONE, "second.test": SECOND})


def test_an_answer(served: Served) -> None:
    response = served.ask("example.org", "MX")
    assert response.rcode() == Rcode.NOERROR
    assert response.flags == Flag.QR | Flag.AA | Flag.RD
    assert lines(response.answer) == ["example.org. 3600 IN MX 10 mail.example.org."]
    assert response.authority == []
    assert lines(response.additional) == [
        "mail.example.org. 3600 IN A 192.0.2.1",
        "mail.example.org. 3600 IN AAAA 2001:db8::1",
    ]


def test_the_question_comes_back_as_it_was(served: Served) -> None:
    query = dns.message.make_query("wWw.eXample.oRg", "A")
    [answer] = served.raw(query.to_wire())
    assert b"\x03wWw\x07eXample\x03oRg\x00" in answer


@pytest.mark.parametrize("name", ["mail.example.org", "b.example.org", "example.org"])
def test_no_such_record(served: Served, name: str) -> None:
    """Names in between exist as well (RFC 4592 §2.2.2); SOA has the TTL of RFC 2308."""
    response = served.ask(name, "SRV")
    assert response.rcode() == Rcode.NOERROR
    assert response.flags & Flag.AA
    assert response.answer == []
    assert lines(response.authority) == [f"example.org. 300 IN SOA {SOA}"]


def test_no_such_name(served: Served) -> None:
    for name in ("nobody.example.org", "nobody.mail.example.org", "x.far.example.org"):
        response = served.ask(name, "A")
        assert response.rcode() == Rcode.NXDOMAIN
        assert lines(response.authority) == [f"example.org. 300 IN SOA {SOA}"]


def test_wildcards(served: Served) -> None:
    """RFC 4592 §3.3: closest encloser, then the wildcard of it."""
    response = served.ask("p.q.wild.example.org", "MX")
    answer = "p.q.wild.example.org. 3600 IN MX 5 mail.example.org."
    assert lines(response.answer) == [answer]
    assert served.ask("p.wild.example.org", "A").rcode() == Rcode.NOERROR
    assert served.ask("p.wild.example.org", "A").answer == []
    assert served.ask("wild.example.org", "TXT").answer == []
    literal = served.ask("*.wild.example.org", "TXT")
    assert lines(literal.answer) == ['*.wild.example.org. 3600 IN TXT "any"']


def test_aliases(served: Served) -> None:
    """The status is that of the last alias (RFC 6604 §2.1)."""
    response = served.ask("www.example.org", "A")
    assert lines(response.answer) == [
        "mail.example.org. 3600 IN A 192.0.2.1",
        "www.example.org. 3600 IN CNAME mail.example.org.",
    ]
    response = served.ask("www.example.org", "CNAME")
    assert len(response.answer) == 1
    response = served.ask("far.example.org", "A")
    assert lines(response.answer) == ["far.example.org. 3600 IN CNAME host.other.test."]
    assert (response.rcode(), response.authority) == (Rcode.NOERROR, [])
    response = served.ask("near.example.org", "A")
    assert lines(response.answer)[0].endswith("192.0.2.8")
    response = served.ask("loop.example.org", "A")
    assert lines(response.answer) == [
        "loop.example.org. 3600 IN CNAME loop.example.org."
    ]
    assert response.rcode() == Rcode.NOERROR
    response = served.ask("Ring.example.org", "A")
    assert len(response.answer) == 2  # each once, though they lead in a circle
    response = served.ask("www.example.org", "SRV")
    assert lines(response.authority) == [f"example.org. 300 IN SOA {SOA}"]


def test_whole_trees_are_renamed(served: Served) -> None:
    """RFC 6672 §3.2."""
    response = served.ask("x.old.example.org", "A")
    assert lines(response.answer) == [
        "old.example.org. 3600 IN DNAME new.example.org.",
        "x.new.example.org. 3600 IN A 192.0.2.4",
        "x.old.example.org. 3600 IN CNAME x.new.example.org.",
    ]
    long = ".".join(["y" * 60] * 3)
    response = served.ask(f"{long}.short.example.org", "A")
    assert (response.rcode(), len(response.answer)) == (Rcode.YXDOMAIN, 1)


def test_delegations(served: Served) -> None:
    for name in ("child.example.org", "a.b.child.example.org"):
        response = served.ask(name, "A")
        assert not response.flags & Flag.AA
        assert response.answer == []
        assert lines(response.authority) == [
            "child.example.org. 3600 IN NS ns.child.example.org.",
            "child.example.org. 3600 IN NS ns1.example.org.",
        ]
        assert lines(response.additional) == [
            "ns.child.example.org. 3600 IN A 192.0.2.99",
            "ns1.example.org. 3600 IN A 192.0.2.53",
        ]
    response = served.ask("child.example.org", "DS")
    assert response.flags & Flag.AA
    assert lines(response.authority) == [f"example.org. 300 IN SOA {SOA}"]


def test_any_is_one_hinfo(served: Served) -> None:
    """RFC 8482 §4.2."""
    for name in ("example.org", "www.example.org", "q.wild.example.org"):
        response = served.ask(name, "ANY")
        assert lines(response.answer) == [f'{name}. 3600 IN HINFO "RFC{8482}" ""']
    assert served.ask("nobody.example.org", "ANY").rcode() == Rcode.NXDOMAIN
    assert served.ask("b.example.org", "ANY").answer == []
    assert served.ask("child.example.org", "ANY").answer == []


# -- what is not answered, or not so


def test_what_is_not_ours_is_refused(served: Served) -> None:
    for name, kind in (("other.test", "A"), (".", "NS"), ("org", "SOA")):
        response = served.ask(name, kind)
        assert response.rcode() == Rcode.REFUSED
        assert not response.flags & (Flag.AA | Flag.RA)
    response = served.ask("version.bind", "TXT", rdclass="CH")
    assert response.rcode() == Rcode.REFUSED


def test_edns(served: Served) -> None:
    """RFC 6891: an OPT for an OPT, and none for none."""
    response = served.ask("example.org", "MX")
    assert (response.edns, response.payload, response.ednsflags) == (0, 1232, 0)
    response = served.ask("example.org", "MX", proofs=True)
    assert response.ednsflags == dns.flags.DO
    assert served.ask("example.org", "MX", edns=False).edns == -1
    query = dns.message.make_query("example.org", "MX", use_edns=1)
    [answer] = served.raw(query.to_wire())
    response = dns.message.from_wire(answer)
    assert (response.rcode(), response.edns) == (Rcode.BADVERS, 0)
    assert response.answer == []


def test_long_answers_are_truncated_by_udp(served: Served) -> None:
    for more in ({"edns": False}, {"payload": 512}, {"payload": 65535}):
        query = dns.message.make_query(
            "big.example.org",
            "TXT",
            use_edns=False if "edns" in more else 0,
            payload=int(more.get("payload", 0)),
        )
        [answer] = served.raw(query.to_wire())
        assert len(answer) <= 1232
        assert dns.message.from_wire(answer).flags & Flag.TC
    response = served.ask("big.example.org", "TXT", way=Way.TCP)
    assert not response.flags & Flag.TC
    assert response.answer


@pytest.mark.parametrize(
    ("octets", "rcode"),
    [
        (b"\x12\x34\x01\x00\x00\x01" + bytes(6), Rcode.FORMERR),
        (b"\x12\x34\x01\x00\x00\x01" + bytes(6) + b"\x40", Rcode.FORMERR),
        (b"\x12\x34\x01\x00" + bytes(8), Rcode.FORMERR),
        (b"\x12\x34\x01\x00\x00\x02" + bytes(6) + b"\0\0\1\0\1" * 2, Rcode.FORMERR),
        # Nothing stands before a name that it could point to.
        (HEAD + bytes(6) + b"\xc0\6\0\1\0\1", Rcode.FORMERR),
        (HEAD + bytes(6) + b"\3www\xc0\6\0\1\0\1", Rcode.FORMERR),
        # Reading so much held up everybody else.
        (HEAD + b"\0\5" + bytes(4) + QUESTION + RECORD * 5, Rcode.FORMERR),
        (HEAD + bytes(6) + QUESTION + bytes(4096), Rcode.FORMERR),
        (b"\x12\x34\x11\x00" + bytes(8), Rcode.NOTIMP),
        (b"\x12\x34\x20\x00\x00\x01" + bytes(6) + b"\0\0\6\0\1", Rcode.NOTIMP),
        (b"\x12\x34\x28\x00" + bytes(8), Rcode.NOTIMP),
    ],
)
def test_what_cannot_be_answered(served: Served, octets: bytes, rcode: Rcode) -> None:
    """RFC 1035 §4.1.1; two questions at once are malformed (RFC 9619 §4)."""
    [answer] = served.raw(octets)
    assert answer[:2] == b"\x12\x34"
    assert answer[2] & 0x80
    assert answer[2] & 0x78 == octets[2] & 0x78
    assert answer[3] & 15 == rcode
    assert answer[4:] == bytes(8)


def test_no_answer_to_answers_and_crumbs(served: Served) -> None:
    query = dns.message.make_query("example.org", "MX").to_wire()
    assert served.raw(query[:2] + b"\x81" + query[3:]) == []
    assert served.raw(b"") == []
    assert served.raw(query[:11]) == []


@given(st.binary(max_size=100), st.booleans())
def test_garbage(garbage: bytes, has_head: bool) -> None:
    served = Served(Path("/nonexistent"), {})
    head = b"\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x01" if has_head else b""
    for answer in served.raw(head + garbage):
        assert answer[:2] == (head + garbage)[:2]
        assert answer[2] & 0x80
        assert answer[3] & 15 != Rcode.NOERROR


# -- equal questions


def test_long_questions_are_not_kept(served: Served) -> None:
    """Whoever asks by TCP could have filled the memory with what follows behind."""
    query = dns.message.make_query("example.org", "MX").to_wire()
    assert served.raw(query + bytes(4000), way=Way.TCP)
    assert not served.server._remembered


def test_equal_questions_are_answered_from_memory(served: Served) -> None:
    query = dns.message.make_query("example.org", "MX", id=1).to_wire()
    [first] = served.raw(query)
    [second] = served.raw(b"\xab\xcd" + query[2:])
    assert second == b"\xab\xcd" + first[2:]
    assert len(served.server._remembered) == 1
    for number in range(5000):
        served.raw(dns.message.make_query(f"a{number}.example.org", "A").to_wire())
    assert len(served.server._remembered) == 4096


def test_a_zone_that_cannot_be_made(tmp_path: Path) -> None:
    served = Served(tmp_path, {"bad.test": "a CNAME b\na A 192.0.2.1"})
    assert served.ask("bad.test", "A").rcode() == Rcode.SERVFAIL


# -- copies (RFC 5936)


def copying(tmp_path: Path, text: str = ZONE) -> Served:
    settings = NameServerSettings(transfer=(ip_network("192.0.2.0/24"),))
    return Served(tmp_path, {"example.org": text}, settings=settings)


def test_named_hosts_may_copy_zones(tmp_path: Path) -> None:
    served = copying(tmp_path)
    query = dns.message.make_query("example.org", "AXFR").to_wire()
    for kind in ("AXFR", "IXFR"):
        query = dns.message.make_query("example.org", kind).to_wire()
        [answer] = served.raw(query, NEIGHBOUR, Way.TCP)
        message = dns.message.from_wire(answer, xfr=True, one_rr_per_rrset=True)
        assert message.flags & Flag.AA
        first, *rest, last = message.answer
        assert first == last
        assert first.rdtype.name == "SOA"
        assert len(rest) == 23
        for host, way in ((STRANGER, Way.TCP), (LOCAL, Way.TCP)):
            [answer] = served.raw(query, host, way)
            assert dns.message.from_wire(answer).rcode() == Rcode.REFUSED
    query = dns.message.make_query("www.example.org", "AXFR").to_wire()
    [answer] = served.raw(query, NEIGHBOUR, Way.TCP)
    assert dns.message.from_wire(answer).rcode() == Rcode.NOTAUTH


def test_copies_by_udp(tmp_path: Path) -> None:
    """AXFR never; IXFR tells the serial (RFC 1995 §2)."""
    served = copying(tmp_path)
    response = served.ask("example.org", "AXFR", host=NEIGHBOUR)
    assert response.rcode() == Rcode.REFUSED
    response = served.ask("example.org", "IXFR", host=NEIGHBOUR)
    assert lines(response.answer) == [f"example.org. 3600 IN SOA {SOA}"]


def test_a_large_zone_comes_in_several_messages(tmp_path: Path) -> None:
    many = "".join(f"h{number} TXT {'t' * 200}\n" for number in range(500))
    served = copying(tmp_path, ZONE + many)
    query = dns.message.make_query("example.org", "AXFR").to_wire()
    answers = served.raw(query, NEIGHBOUR, Way.TCP)
    assert len(answers) > 3
    assert all(len(answer) <= 20_000 for answer in answers)
    messages = [
        dns.message.from_wire(answer, xfr=True, one_rr_per_rrset=True)
        for answer in answers
    ]
    assert [len(message.question) for message in messages][:2] == [1, 0]
    assert sum(len(message.answer) for message in messages) == 525


def test_a_set_that_fills_messages_by_itself_is_copied_whole(tmp_path: Path) -> None:
    """AXFR is of records, not of sets: a set may be more than one message holds."""
    fat = "".join(f"fat TXT {number:03d}{'t' * 200}\n" for number in range(600))
    served = copying(tmp_path, ZONE + fat)
    query = dns.message.make_query("example.org", "AXFR").to_wire()
    answers = served.raw(query, NEIGHBOUR, Way.TCP)
    assert all(len(answer) <= 20_000 for answer in answers)
    found = [
        rrset
        for answer in answers
        for rrset in dns.message.from_wire(
            answer, xfr=True, one_rr_per_rrset=True
        ).answer
        if rrset.name.to_text() == "fat.example.org."
    ]
    assert len({rrset.to_text() for rrset in found}) == 600


# -- forwarding


def test_this_machine_gets_answers_about_others(tmp_path: Path) -> None:
    asked: list[bytes] = []
    trouble: list[Unavailable] = []

    async def forward(octets: bytes) -> bytes:
        asked.append(octets)
        if trouble:
            raise trouble[0]
        response = dns.message.make_response(
            dns.message.from_wire(octets), recursion_available=True
        )
        text = " ".join(["y" * 250] * 3)
        name = response.question[0].name
        response.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", text))
        return response.to_wire()

    served = Served(tmp_path, {"example.org": ZONE}, forward=forward)
    response = served.ask("other.test", "TXT", host=LOCAL)
    assert response.answer
    assert response.flags & Flag.RA
    assert len(asked) == 1
    short = served.ask("other.test", "TXT", host=LOCAL, edns=False)
    assert short.flags & Flag.TC
    assert short.answer == []
    assert served.ask("other.test", "TXT", host=STRANGER).rcode() == Rcode.REFUSED
    assert served.ask("example.org", "MX", host=LOCAL).flags & Flag.AA
    response = served.ask("other.test", "TXT", host=LOCAL, flags=0)
    assert response.rcode() == Rcode.REFUSED
    assert len(asked) == 2
    trouble.append(Unavailable("x"))
    response = served.ask("other.test", "TXT", host=LOCAL)
    assert response.rcode() == Rcode.SERVFAIL


# -- the rate limit


def test_equal_answers_are_held_back(tmp_path: Path) -> None:
    settings = NameServerSettings(rate=5)
    served = Served(tmp_path, {"example.org": ZONE}, settings=settings)
    query = dns.message.make_query("example.org", "MX").to_wire()
    whole, short, none = 0, 0, 0
    for _ in range(25):
        answers = served.raw(query)
        if not answers:
            none += 1
            continue
        message = dns.message.from_wire(answers[0])
        is_short = bool(message.flags & Flag.TC)
        assert is_short == (not message.answer)
        assert message.question[0].name.to_text() == "example.org."
        short += is_short
        whole += not is_short
    assert (whole, short, none) == (5, 10, 10)
    assert served.raw(query, "198.51.100.1")
    assert served.raw(query, way=Way.TCP)
    other = dns.message.make_query("mail.example.org", "A").to_wire()
    assert dns.message.from_wire(served.raw(other)[0]).answer
    page = generate_latest(served.metrics.registry).decode()
    for outcome, number in (("noerror", 7), ("slipped", 10), ("dropped", 10)):
        assert f'{{outcome="{outcome}",transport="udp"}} {number}.0' in page


def test_failures_of_a_network_count_together(tmp_path: Path) -> None:
    settings = NameServerSettings(rate=5)
    served = Served(tmp_path, {"example.org": ZONE}, settings=settings)
    answered = 0
    for number in range(20):
        query = dns.message.make_query(f"n{number}.example.org", "A").to_wire()
        for answer in served.raw(query, f"203.0.113.{number}"):
            answered += not dns.message.from_wire(answer).flags & Flag.TC
    assert answered == 5
    assert len(served.raw(b"\x12\x34\x11\x00" + bytes(8))) == 1


def test_credit_comes_back() -> None:
    clock = TestClock()
    limit = RateLimit(2, (), clock.seconds)
    verdicts = [limit.judge(STRANGER, "x") for _ in range(4)]
    assert verdicts == [Verdict.SEND, Verdict.SEND, Verdict.DROP, Verdict.SLIP]
    clock.advance(1.5)
    assert limit.judge(STRANGER, "x") is Verdict.SEND
    for _ in range(1000):
        limit.judge(STRANGER, "x")
    clock.advance(15)
    assert limit.judge(STRANGER, "x") is not Verdict.SEND
    clock.advance(2)
    assert limit.judge(STRANGER, "x") is Verdict.SEND


def test_who_is_not_limited() -> None:
    clock = TestClock()
    limit = RateLimit(1, (ip_network("192.0.2.0/24"),), clock.seconds)
    assert {limit.judge(NEIGHBOUR, "x") for _ in range(9)} == {Verdict.SEND}
    limit = RateLimit(0, (), clock.seconds)
    assert {limit.judge(STRANGER, "x") for _ in range(9)} == {Verdict.SEND}


def test_the_table_of_the_limit_is_bounded() -> None:
    limit = RateLimit(1, (), TestClock().seconds)
    for number in range(MOST_KEYS + 100):
        limit.judge(STRANGER, number)
    assert len(limit._accounts) == MOST_KEYS


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2ff::1", "2001:db8:1:200::/56"),
        ("fe80::1%eth0", "fe80::/56"),
        ("unix", "unix"),
    ],
)
def test_networks(host: str, network: str) -> None:
    assert network_of(host) == network
