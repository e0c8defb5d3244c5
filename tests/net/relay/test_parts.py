"""The parts of the relay by themselves: endpoints, conversations, the pool."""

from __future__ import annotations

import pytest
from attrs import evolve
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import (
    TCP4ClientEndpoint,
    TCP6ClientEndpoint,
    UNIXClientEndpoint,
)
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure

from mailkit.errors import Unreachable
from mailkit.interfaces.queue import Carried
from mailkit.metrics import Metrics
from mailkit.model.reply import Reply
from mailkit.net.relay.connecting import endpoints
from mailkit.net.relay.conversation import Conversation, HungUp, one_line
from mailkit.net.relay.fitting import Octets
from mailkit.net.relay.link import Bounds, Key, Link, Pool, bounds_of
from mailkit.net.relay.relay import Relay
from mailkit.net.relay.settings import RelaySettings
from mailkit.protocols.smtp.client import SMTPClient
from mailkit.protocols.smtp.events import Noop
from tests.net.relay.sink import GOOD, HANG, Answers
from tests.net.relay.world import SINK, World, item, lmtp, offering, told


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("192.0.2.1", TCP4ClientEndpoint),
        ("2001:db8::1", TCP6ClientEndpoint),
        ("fe80::1%eth0", TCP6ClientEndpoint),
        ("/run/lmtp", UNIXClientEndpoint),
    ],
)
def test_endpoints(address: str, kind: type[object]) -> None:
    endpoint_for = endpoints(MemoryReactorClock(), RelaySettings())
    assert type(endpoint_for(evolve(SINK, address=address))) is kind


def test_a_relay_as_it_is() -> None:
    """Nothing but a reactor, a name and numbers."""
    reactor = MemoryReactorClock()
    relay = Relay(reactor, "us.test", Metrics())
    found = World().start(relay.carry(SINK, item(), Octets(b"x\r\n")))
    host, port, _, timeout, _ = reactor.tcpClients[0]
    assert (host, port, timeout) == ("192.0.2.1", 25, 15.0)
    assert not found


def a_conversation() -> Conversation:
    return Conversation(SMTPClient(), Clock(), RelaySettings(), "somewhere")


def test_the_pump_says_farewell() -> None:
    """A bug of ours, or the end of the process: whoever waits hears of it."""
    world = World({"EHLO": HANG})
    found = world.begin(item())
    (talk,) = world.relay._connections
    talk.farewell("internal error")
    (failure,) = found
    assert isinstance(failure, Failure)
    assert isinstance(failure.value, Unreachable)
    assert "internal error" in str(failure.value)
    with pytest.raises(HungUp):
        talk.say(Noop())
    talk.leave()
    assert talk.is_over


def test_who_leaves_while_a_reply_waits_hangs_up() -> None:
    world = World({"EHLO": HANG})
    found = world.begin(item())
    (talk,) = world.relay._connections
    talk.leave()
    assert len(found) == 1
    world.net.flow()
    assert not world.net.wires


def a_link(pool: Pool) -> Link:
    bounds = Bounds(100, 100, None)
    return Link(a_conversation(), Key.of(SINK), "", False, bounds)


def test_the_pool_gives_only_what_is_good() -> None:
    pool = Pool(RelaySettings())
    links = [a_link(pool) for _ in range(3)]
    for link in links:
        link.talk.machine._said.clear()
        pool.give(link)
    assert len(pool) == 3
    links[2].talk.end = HungUp("gone")
    assert pool.take(links[0].key) is links[1]
    assert len(pool) == 1
    pool.forget(links[1].talk, links[1].key)
    assert len(pool) == 1
    pool.forget(links[0].talk, links[0].key)
    assert len(pool) == 0
    assert pool.take(links[0].key) is None


@pytest.mark.parametrize(
    ("offered", "bounds"),
    [
        ("", Bounds(100, 100, None)),
        ("RCPTMAX=7 MAILMAX=3 RCPTDOMAINMAX=1", Bounds(3, 7, 1)),
        ("rcptmax=500 mailmax=100000", Bounds(100, 100, None)),
        ("RCPTMAX=0", Bounds(100, 1, None)),
        ("RCPTMAX=x MAILMAX= = A RCPTMAX=\u00b2 MAILMAX=9999999",
         Bounds(100, 100, None)),
    ],
)  # fmt: skip
def test_bounds(offered: str, bounds: Bounds) -> None:
    """RFC 9422 \u00a74; what cannot be read is left out."""
    assert bounds_of(offered, RelaySettings()) == bounds


def test_one_line() -> None:
    """What people are shown is one line of text, and not endless."""
    assert one_line(Reply(550, "1.1", "a\nb\tc\x1b[0m")) == "550 5.1.1 a b c?[0m"
    assert len(one_line(Reply(550, "", "x" * 5000))) == 1000


async def read(octets: Octets) -> bytes:
    return await octets.read(1, 2)


def test_octets() -> None:
    assert World().start(read(Octets(b"abcd"))) == [b"bc"]


def test_a_password_is_not_shown() -> None:
    key = Key.of(evolve(SINK, username="u", password="secret"))
    assert "secret" not in repr(key)


BROKEN_OFF = [
    # one after the other by LMTP
    ({"text": ["250 2.0.0 ok", HANG]}, True, ["a", "b waiting 4.4.2 broken off"]),
    # one transaction after the other
    ({"EHLO": offering("LIMITS RCPTMAX=1"), "MAIL": ["250 ok", HANG]}, False,
     ["a", "b waiting 4.4.2 broken off"]),
    ({"EHLO": offering("LIMITS RCPTMAX=1"), "text": ["250 2.0.0 ok", HANG]}, False,
     ["a", "b waiting 4.4.2 broken off"]),
    # one connection after the other
    ({"EHLO": offering("LIMITS RCPTMAX=1 MAILMAX=1")}, False,
     ["a", "b waiting 4.3.0 broken off"]),
]  # fmt: skip


@pytest.mark.parametrize(("answers", "is_lmtp", "reports"), BROKEN_OFF)
def test_who_has_it_does_not_get_it_again_for_a_break_off(
    answers: Answers, is_lmtp: bool, reports: list[str]
) -> None:
    world = World(answers, is_lmtp=is_lmtp, later={**GOOD, "EHLO": HANG})
    letter, host = item("a@sink.test", "b@sink.test"), lmtp() if is_lmtp else SINK
    work = Deferred.fromCoroutine(world.relay.carry(host, letter, Octets(b"x\r\n")))
    found: list[Carried] = []
    work.addCallback(found.append)
    world.net.flow()
    assert not found
    work.cancel()
    [carried] = found
    first, second = told(carried)
    assert first.startswith(f"{reports[0]} sent 2.0.0 250 2.0.0 ")
    assert second.startswith(reports[1])
    world.net.flow()
    assert not world.net.wires
    assert world.start(world.relay.close()) == [None]


@pytest.mark.parametrize("stage", ["EHLO", "MAIL", "RCPT", "DATA", "text"])
def test_who_gives_up_hangs_up(stage: str) -> None:
    """A carrier that is cancelled leaves no connection, and nothing half said."""
    world = World({stage: HANG})
    work = Deferred.fromCoroutine(world.relay.carry(SINK, item(), Octets(b"x\r\n")))
    found: list[object] = []
    work.addBoth(found.append)
    world.net.flow()
    work.cancel()
    assert isinstance(found[0], Failure)
    assert found[0].check(CancelledError)
    world.net.flow()
    assert not world.net.wires
    assert world.start(world.relay.close()) == [None]
