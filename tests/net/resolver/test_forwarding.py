"""Questions of others, passed on."""

from __future__ import annotations

import random

import dns.message
import dns.rcode
import pytest
from dns.flags import Flag
from dns.rcode import Rcode

from mailkit.errors import Unavailable
from mailkit.net.resolver.forwarding import AT_ONCE, MOST_WAITING, Forwarder
from mailkit.net.resolver.servers import Server
from tests.net.resolver.doubles import Net
from tests.net.resolver.test_resolver import FIRST, LOCAL, SECOND, ZONE, begin, run

QUERY = dns.message.make_query("eXample.Net", "MX", use_edns=0, id=4711)


def forwarder(net: Net, *hosts: str) -> Forwarder:
    servers = tuple(Server(host) for host in hosts)
    return Forwarder(net, servers, random.Random(4))


def test_the_answer_has_the_id_of_the_question() -> None:
    net = Net()
    server = net.serve(FIRST, ZONE)
    answer = dns.message.from_wire(run(net, forwarder(net, FIRST)(QUERY.to_wire())))
    assert QUERY.is_response(answer)
    assert answer.answer
    assert server.asked[0].id != 4711
    assert server.asked[0].question[0].name.to_text() == "eXample.Net."


def test_failures_are_answers_too() -> None:
    net = Net()
    net.serve(FIRST, rcodes={"": dns.rcode.SERVFAIL})
    answer = dns.message.from_wire(run(net, forwarder(net, FIRST)(QUERY.to_wire())))
    assert answer.rcode() == Rcode.SERVFAIL


@pytest.mark.parametrize("vice", ["truncates", "keeps_case"])
def test_by_stream_where_it_has_to_be(vice: str) -> None:
    net = Net()
    server = net.serve(FIRST, ZONE, **{vice: vice == "truncates"})
    answer = dns.message.from_wire(run(net, forwarder(net, FIRST)(QUERY.to_wire())))
    assert answer.answer
    assert server.by_stream == 1


def test_the_next_server() -> None:
    net = Net()
    net.serve(FIRST, is_silent=True)
    net.serve(SECOND, ZONE)
    ask = forwarder(net, FIRST, SECOND)
    assert run(net, ask(QUERY.to_wire()))
    run(net, ask(QUERY.to_wire()))
    assert [place[0] for place, _ in net.sent] == [FIRST, SECOND, SECOND]
    with pytest.raises(Unavailable, match="does not answer"):
        run(net, forwarder(net, FIRST)(QUERY.to_wire()))


@pytest.mark.parametrize(("host", "is_believed"), [(FIRST, False), (LOCAL, True)])
def test_whose_word_is_passed_on(host: str, is_believed: bool) -> None:
    """Others believe of us what the network may have changed."""
    net = Net()
    net.serve(host, ZONE, vouches=True)
    answer = dns.message.from_wire(run(net, forwarder(net, host)(QUERY.to_wire())))
    assert answer.answer
    assert bool(answer.flags & Flag.AD) is is_believed


def test_too_many_at_once() -> None:
    net = Net()
    net.serve(FIRST, is_silent=True)
    ask = forwarder(net, FIRST)
    several = [begin(ask(QUERY.to_wire())) for _ in range(AT_ONCE + MOST_WAITING + 1)]
    assert len(net.sent) == AT_ONCE
    [error] = several[-1].errors
    assert "too many" in str(error)
    assert not several[-2].is_done
