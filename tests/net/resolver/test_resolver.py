"""The stub: fail-over, forgeries, memory, limits; time is the test's."""

from __future__ import annotations

import random
from collections.abc import Coroutine
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from prometheus_client import generate_latest
from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import TestCase

from mailkit.errors import DNSTrouble
from mailkit.interfaces.resolver import MXRecord
from mailkit.metrics import Metrics
from mailkit.net.resolver.resolver import Resolver
from mailkit.net.resolver.servers import Server
from mailkit.net.resolver.settings import DNSSettings
from mailkit.testing.dns import LittleServer
from tests.net.resolver.doubles import Net, Outcome, Wire

FIRST, SECOND, LOCAL = "192.0.2.1", "192.0.2.2", "127.0.0.1"
ZONE = """
example.net. 300 MX 10 mx.example.net.
mx.example.net. 300 A 192.0.2.25
mx.example.net. 300 AAAA 2001:db8::25
www.example.net. 60 CNAME elsewhere.test.
"""


def resolver_of(net: Net, *servers: str, **settings: Any) -> Resolver:
    """Any: fields of `DNSSettings`."""
    return Resolver(
        net, DNSSettings(servers=servers, **settings), dice=random.Random(4)
    )


def begin(coroutine: Coroutine[Any, Any, Any]) -> Outcome:
    outcome = Outcome()
    deferred = Deferred.fromCoroutine(coroutine)
    deferred.addCallbacks(
        outcome.values.append, lambda failure: outcome.errors.append(failure.value)
    )
    return outcome


def run(net: Net, coroutine: Coroutine[Any, Any, Any], most: float = 100.0) -> Any:
    """What it returns or raises, time moved as far as it needs."""
    outcome = begin(coroutine)
    until = net.seconds() + most
    while not outcome.is_done and net.seconds() < until:
        net.advance(0.01)
    if outcome.errors:
        raise outcome.errors[0]
    return outcome.values[0]


# -- servers


def test_a_silent_server_is_passed_over_and_asked_last_from_then_on() -> None:
    net = Net()
    net.serve(FIRST, is_silent=True)
    second = net.serve(SECOND, ZONE)
    resolver = resolver_of(net, FIRST, SECOND)
    began = net.seconds()
    answer = run(net, resolver.mx("example.net"))
    assert answer.records == (MXRecord(10, "mx.example.net"),)
    assert 2.0 <= net.seconds() - began < 2.1
    run(net, resolver.txt("example.net"))
    assert [place[0] for place, _ in net.sent] == [FIRST, SECOND, SECOND]
    assert len(second.asked) == 2
    net.advance(40)
    run(net, resolver.txt("other.example.net"))
    assert net.sent[3][0][0] == FIRST


def test_a_server_that_does_not_listen_costs_no_time() -> None:
    net = Net()
    net.serve(SECOND, ZONE)
    began = net.seconds()
    run(net, resolver_of(net, FIRST, SECOND).mx("example.net"))
    assert net.seconds() - began < 0.1


def test_all_silent() -> None:
    net = Net()
    server = net.serve(FIRST, is_silent=True)
    resolver = resolver_of(net, FIRST)
    began = net.seconds()
    with pytest.raises(DNSTrouble, match=r"192.0.2.1:53 does not answer"):
        run(net, resolver.mx("example.net"))
    assert 14.0 <= net.seconds() - began < 14.2  # 2 + 4 + 8
    assert len(server.asked) == 3
    with pytest.raises(DNSTrouble):  # not asked again so soon (RFC 9520 §3.2)
        run(net, resolver.mx("example.net"))
    assert len(server.asked) == 3
    server.is_silent = False
    net.advance(5)
    assert not run(net, resolver.mx("example.net")).exists


def test_no_sockets_no_route_no_server() -> None:
    for vice in ("no_ports", "no_route"):
        net = Net()
        setattr(net, vice, True)
        with pytest.raises(DNSTrouble, match=r"192\.0\.2\.1:53"):
            run(net, resolver_of(net, FIRST).mx("example.net"))
    net = Net()
    with pytest.raises(DNSTrouble, match="no name server"):
        run(net, Resolver(net, DNSSettings(), system=tuple).mx("example.net"))


def test_servers_of_the_system() -> None:
    net = Net()
    net.serve(FIRST, ZONE)
    resolver = Resolver(net, system=lambda: (Server(FIRST),))
    assert run(net, resolver.mx("example.net")).records


def test_a_failure_goes_on_to_the_next_and_is_not_repeated() -> None:
    net = Net()
    first = net.serve(FIRST, rcodes={"": dns.rcode.SERVFAIL})
    second = net.serve(SECOND, rcodes={"": dns.rcode.REFUSED})
    with pytest.raises(DNSTrouble, match="REFUSED"):
        run(net, resolver_of(net, FIRST, SECOND).mx("example.net"))
    assert (len(first.asked), len(second.asked)) == (1, 1)


def test_what_the_local_resolver_fails_for_is_not_asked_elsewhere() -> None:
    """It may have found a forgery (RFC 4035 §5.5), others would believe it."""
    net = Net()
    net.serve(LOCAL, rcodes={"": dns.rcode.SERVFAIL})
    there = net.serve(FIRST, ZONE)
    with pytest.raises(DNSTrouble, match="SERVFAIL"):
        run(net, resolver_of(net, LOCAL, FIRST).mx("example.net"))
    assert there.asked == []


def test_a_referral_is_no_answer() -> None:
    net = Net()
    net.serve(FIRST)

    def refer(wire: Wire, octets: bytes) -> None:
        response = dns.message.make_response(dns.message.from_wire(octets))
        ns = dns.rrset.from_text("net.", 60, "IN", "NS", "a.gtld.test.")
        response.authority.append(ns)
        wire.hear(response.to_wire())

    net.forge = refer
    with pytest.raises(DNSTrouble, match="referral"):
        run(net, resolver_of(net, FIRST).mx("example.net"))


# -- DNSSEC


def test_only_a_server_of_this_machine_is_believed() -> None:
    """AD asks for AD (RFC 6840 §5.7), DO for the proofs (RFC 3225 §3)."""
    net = Net()
    for host in (LOCAL, FIRST):
        server = net.serve(host, ZONE, vouches=True)
        answer = run(net, resolver_of(net, host).mx("example.net"))
        assert answer.authentic == (host == LOCAL)
        [query] = server.asked
        asks = bool(query.flags & dns.flags.AD), bool(query.ednsflags & dns.flags.DO)
        assert asks == (host == LOCAL, host == LOCAL)
    net.serve(LOCAL, ZONE, vouches=False)
    assert not run(net, resolver_of(net, LOCAL).mx("example.net")).authentic


def test_every_part_of_an_alias_has_to_be_authentic() -> None:
    net = Net()
    net.serve(LOCAL)
    seen: list[str] = []

    def vouch(wire: Wire, octets: bytes) -> None:
        query = dns.message.from_wire(octets)
        response = dns.message.make_response(query)
        name = query.question[0].name
        seen.append(name.to_text().lower())
        if seen[-1] == "a.test.":
            alias = dns.rrset.from_text(name, 60, "IN", "CNAME", "b.test.")
            response.answer.append(alias)
            response.flags |= dns.flags.AD
        else:
            record = dns.rrset.from_text(name, 300, "IN", "A", "192.0.2.7")
            response.answer.append(record)
        wire.hear(response.to_wire())

    net.forge = vouch
    answer = run(net, resolver_of(net, LOCAL).ipv4("a.test"))
    assert answer.records == ("192.0.2.7",)
    assert (answer.name, answer.ttl, answer.authentic) == ("b.test", 60, False)
    assert seen == ["a.test.", "b.test."]


# -- forgeries (RFC 5452)


def test_answers_to_something_else_are_not_heard() -> None:
    net = Net()
    net.serve(FIRST, ZONE)

    def forge(wire: Wire, octets: bytes) -> None:
        query = dns.message.from_wire(octets)
        response = dns.message.make_response(query)
        record = dns.rrset.from_text(
            query.question[0].name, 300, "IN", "MX", "1 evil.test."
        )
        response.answer.append(record)
        good = response.to_wire()
        wire.hear(good, ("203.0.113.9", 53))
        wire.hear(good, (FIRST, 54))
        wire.hear(bytes([good[0] ^ 1]) + good[1:])
        wire.hear(octets)
        wire.hear(b"")
        wire.hear(good[:12] + b"\x04evil\x04test\x00" + good[25:])

    net.forge = forge
    answer = run(net, resolver_of(net, FIRST).mx("example.net"))
    assert answer.records == (MXRecord(10, "mx.example.net"),)
    assert net.streams == []


def test_who_is_guessed_at_goes_on_by_stream() -> None:
    net = Net()
    net.serve(FIRST, ZONE)

    def forge(wire: Wire, octets: bytes) -> None:
        for _ in range(11):
            wire.hear(bytes(12))

    net.forge = forge
    answer = run(net, resolver_of(net, FIRST).mx("example.net"))
    assert answer.records == (MXRecord(10, "mx.example.net"),)
    assert len(net.streams) == 1


def test_wrong_case_is_a_forgery_if_the_server_keeps_it_by_stream() -> None:
    net = Net()
    net.serve(FIRST, ZONE)

    def forge(wire: Wire, octets: bytes) -> None:
        query = dns.message.from_wire(octets.lower())
        wire.hear(octets[:2] + dns.message.make_response(query).to_wire()[2:])

    net.forge = forge
    resolver = resolver_of(net, FIRST)
    assert run(net, resolver.mx("example.net")).records
    net.forge = lambda wire, octets: None
    run(net, resolver.mx("other-example.net"))
    assert net.sent[-1][1] != net.sent[-1][1].lower()  # still mixed


def test_a_server_without_case_is_asked_in_lower_case_from_then_on() -> None:
    net = Net()
    net.serve(FIRST, ZONE, keeps_case=False)
    resolver = resolver_of(net, FIRST)
    assert run(net, resolver.mx("example.net")).records
    assert len(net.streams) == 1
    assert run(net, resolver.ipv4("mx.example.net")).records
    assert b"\x02mx\x07example\x03net" in net.sent[-1][1]
    assert len(net.streams) == 1


def test_an_old_server_without_case_and_streams_is_asked_without_edns() -> None:
    """Nor is it asked with EDNS once more where its answer by TCP is late."""
    net = Net()
    vices = {"keeps_case": False, "knows_edns": False, "is_deaf_to_streams": True}
    net.serve(FIRST, ZONE, **vices)
    assert run(net, resolver_of(net, FIRST).mx("example.net")).records


class Loud(LittleServer):
    """Says every question in upper case."""

    def answer(self, octets: bytes, *, is_stream: bool = False) -> bytes | None:
        answered = super().answer(octets, is_stream=is_stream)
        assert answered is not None
        return answered[:12] + answered[12:25].upper() + answered[25:]


def test_a_server_of_no_use() -> None:
    """It has no TCP, and not even lower case comes back as it was."""
    net = Net()
    net.servers[FIRST, 53] = Loud(ZONE, is_deaf_to_streams=True)
    with pytest.raises(DNSTrouble, match="case"):
        run(net, resolver_of(net, FIRST).mx("example.net"))


def test_ids_and_case_are_thrown_anew() -> None:
    net = Net()
    server = net.serve(FIRST, is_silent=True)
    resolver = resolver_of(net, FIRST, at_once=1000)
    for number in range(500):
        begin(resolver.ipv4(f"example{number}.net"))
    assert len({query.id for query in server.asked}) == 500
    assert len({octets[:2] for _, octets in net.sent}) == 500


def test_an_answer_without_a_question_is_a_failure_only() -> None:
    net = Net()
    net.serve(FIRST, is_silent=True)

    def forge(wire: Wire, octets: bytes) -> None:
        wire.hear(octets[:2] + b"\x80\x00" + bytes(8))  # NOERROR: not heard
        wire.hear(octets[:2] + b"\x80\x05" + bytes(8))

    net.forge = forge
    with pytest.raises(DNSTrouble, match="REFUSED"):
        run(net, resolver_of(net, FIRST).mx("example.net"))


# -- EDNS and streams


def test_a_server_without_edns_is_asked_plainly_from_then_on() -> None:
    """RFC 6891 §7; where there is EDNS, 1232 octets are asked for (RFC 9715 §3.1)."""
    net = Net()
    server = net.serve(FIRST, ZONE, knows_edns=False)
    resolver = resolver_of(net, FIRST)
    assert run(net, resolver.mx("example.net")).records
    assert [query.edns for query in server.asked] == [0, -1]
    assert server.asked[0].payload == 1232
    run(net, resolver.txt("example.net"))
    assert server.asked[-1].edns == -1


def test_a_server_that_fails_without_edns_too() -> None:
    net = Net()
    net.serve(FIRST, rcodes={"": dns.rcode.NOTIMP})
    with pytest.raises(DNSTrouble, match="NOTIMP"):
        run(net, resolver_of(net, FIRST).mx("example.net"))


def test_truncated_answers_come_by_stream() -> None:
    """RFC 1035 §4.2.1, RFC 7766 §5."""
    net = Net()
    server = net.serve(FIRST, ZONE, truncates=True)
    assert run(net, resolver_of(net, FIRST).mx("example.net")).records
    assert server.by_stream == 1
    server.is_deaf_to_streams = True
    with pytest.raises(DNSTrouble, match="hung up"):
        run(net, resolver_of(net, FIRST).mx("example.net"))


class Confused(LittleServer):
    """Says something else by TCP."""

    def answer(self, octets: bytes, *, is_stream: bool = False) -> bytes | None:
        answered = super().answer(octets, is_stream=is_stream)
        return b"?" * 20 if is_stream else answered


def test_a_stream_that_says_something_else() -> None:
    net = Net()
    net.servers[FIRST, 53] = Confused(ZONE, truncates=True)
    with pytest.raises(DNSTrouble, match="something else"):
        run(net, resolver_of(net, FIRST).mx("example.net"))


def test_mumbling() -> None:
    net = Net()
    net.serve(FIRST, is_silent=True)
    net.forge = lambda wire, octets: wire.hear(
        octets[:2] + b"\x80\x00\x00\x01\x00\x09" + octets[8:-11]
    )
    with pytest.raises(DNSTrouble, match=r"192\.0\.2\.1:53 says"):
        run(net, resolver_of(net, FIRST).mx("example.net"))


# -- memory


def test_answers_are_believed_as_long_as_they_say() -> None:
    net = Net()
    server = net.serve(FIRST, ZONE)
    resolver = resolver_of(net, FIRST)
    assert run(net, resolver.mx("example.net")).ttl == pytest.approx(300)
    net.advance(100)
    assert run(net, resolver.mx("EXAMPLE.net.")).ttl == pytest.approx(200)
    assert len(server.asked) == 1
    net.advance(200)
    run(net, resolver.mx("example.net"))
    assert len(server.asked) == 2


def test_nothing_is_believed_for_as_long_as_the_soa_says() -> None:
    """RFC 2308 §5: the lesser of its TTL (300) and its minimum (60)."""
    net = Net()
    server = net.serve(FIRST, ZONE)
    resolver = resolver_of(net, FIRST)
    for name in ("nobody.example.net", "mx.example.net"):
        server.asked.clear()
        assert run(net, resolver.txt(name)).ttl == pytest.approx(60)
        net.advance(59)
        run(net, resolver.txt(name))
        assert len(server.asked) == 1
        net.advance(2)
        run(net, resolver.txt(name))
        assert len(server.asked) == 2


def test_nothing_without_soa_is_not_remembered() -> None:
    net = Net()
    net.serve(FIRST, is_silent=True)

    def forge(wire: Wire, octets: bytes) -> None:
        query = dns.message.from_wire(octets)
        wire.hear(dns.message.make_response(query).to_wire())

    net.forge = forge
    resolver = resolver_of(net, FIRST)
    for _ in range(2):
        answer = run(net, resolver.mx("example.net"))
        assert (answer.records, answer.exists, answer.ttl) == ((), True, 0)
    assert len(net.sent) == 2


def test_settings_bound_how_long_answers_are_believed() -> None:
    net = Net()
    net.serve(FIRST, ZONE)
    resolver = resolver_of(net, FIRST, longest=10.0, longest_negative=5.0)
    assert run(net, resolver.mx("example.net")).ttl == pytest.approx(10)
    assert run(net, resolver.txt("example.net")).ttl == pytest.approx(5)


def test_equal_questions_are_asked_once() -> None:
    net = Net()
    server = net.serve(FIRST, ZONE)
    resolver = resolver_of(net, FIRST)
    first = begin(resolver.mx("example.net"))
    second = begin(resolver.mx("Example.net"))
    third = Deferred.fromCoroutine(resolver.mx("example.net"))
    ended: list[Any] = []
    third.addErrback(lambda failure: ended.append(failure.type))
    third.cancel()
    assert ended == [CancelledError]
    net.advance(0.02)
    assert first.values == second.values != []
    assert len(server.asked) == 1


def test_too_many_at_once_fail_and_others_wait_their_turn() -> None:
    net = Net()
    server = net.serve(FIRST, ZONE)
    resolver = resolver_of(net, FIRST, at_once=2, waiting=2)
    several = [begin(resolver.mx(f"e{number}.test")) for number in range(5)]
    assert len(server.asked) == 2
    [error] = several[4].errors
    assert "too many" in str(error)
    for _ in range(4):
        net.advance(0.01)
    assert len(server.asked) == 4
    assert all(outcome.values for outcome in several[:4])


def test_closing_ends_what_is_being_asked() -> None:
    net = Net()
    net.serve(FIRST, is_silent=True)
    resolver = resolver_of(net, FIRST, at_once=1)
    several = [begin(resolver.mx(f"e{number}.test")) for number in range(3)]
    run(net, resolver.close())
    for outcome in several:
        [error] = outcome.errors
        assert isinstance(error, DNSTrouble)
    assert net.getDelayedCalls() == []
    assert not any(wire.is_open for wire in net.wires)


# -- aliases and addresses


def test_an_alias_beyond_the_answer_is_asked_for() -> None:
    net = Net()
    server = net.serve(FIRST)

    def alias(wire: Wire, octets: bytes) -> None:
        query = dns.message.from_wire(octets)
        name = query.question[0].name
        number = int(name[0][1:])
        response = dns.message.make_response(query)
        target = f"a{number + 1}.test."
        response.answer.append(dns.rrset.from_text(name, 9, "IN", "CNAME", target))
        wire.hear(response.to_wire())

    net.forge = alias
    with pytest.raises(DNSTrouble, match="too many aliases"):
        run(net, resolver_of(net, FIRST).ipv4("a0.test"))
    assert len(server.asked) == 11


def test_an_alias_itself_can_be_asked_for() -> None:
    net = Net()
    net.serve(FIRST, ZONE)
    answer = run(net, resolver_of(net, FIRST).records("www.example.net", "CNAME"))
    assert answer.records == ("elsewhere.test.",)
    assert answer.name == "www.example.net"


@pytest.mark.parametrize(
    ("broken", "left"), [("A", "2001:db8::25"), ("AAAA", "192.0.2.25")]
)
def test_trouble_with_one_family(broken: str, left: str) -> None:
    net = Net()
    failing = {broken: dns.rcode.SERVFAIL}
    net.serve(LOCAL, ZONE, vouches=True, rcodes=failing)
    resolver = resolver_of(net, LOCAL)
    found = run(net, resolver.addresses("mx.example.net"))
    assert (found.records, found.authentic) == ((left,), True)
    with pytest.raises(DNSTrouble):
        run(net, resolver.addresses("nobody.example.net"))


def test_what_is_counted() -> None:
    net = Net()
    net.serve(FIRST, ZONE, rcodes={"broken.test": dns.rcode.SERVFAIL})
    metrics = Metrics()
    resolver = Resolver(net, DNSSettings(servers=(FIRST,)), metrics)
    for _ in range(2):
        run(net, resolver.mx("example.net"))
    run(net, resolver.txt("example.net"))
    with pytest.raises(DNSTrouble):
        run(net, resolver.records("broken.test", "CAA"))
    page = generate_latest(metrics.registry).decode()
    for kind, outcome in (
        ("mx", "answered"),
        ("mx", "remembered"),
        ("txt", "empty"),
        ("other", "failed"),
    ):
        line = f'questions_total{{kind="{kind}",outcome="{outcome}"}} 1.0'
        assert line in page
    assert 'mailkit_dns_seconds_count{kind="mx"} 1.0' in page


class BugTests(TestCase):
    """A bug in a look-up is told to those who wait; to nobody, and it is logged."""

    def test_a_bug(self) -> None:
        net = Net()

        def boom() -> tuple[Server, ...]:
            raise ZeroDivisionError

        resolver = Resolver(net, system=boom)
        [error] = begin(resolver.mx("example.net")).errors
        assert isinstance(error, ZeroDivisionError)

    def test_a_bug_that_nobody_waits_for(self) -> None:
        net = Net()
        net.serve(FIRST, is_silent=True)
        servers: list[Server] = [Server(FIRST)]
        resolver = Resolver(net, system=lambda: (servers.pop(),))
        waiting = Deferred.fromCoroutine(resolver.mx("example.net"))
        waiting.addErrback(lambda failure: failure.trap(CancelledError))
        waiting.cancel()
        net.advance(2.5)
        assert len(self.flushLoggedErrors(IndexError)) == 1
