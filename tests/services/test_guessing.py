"""Whoever guesses passwords waits, and is told of."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from attrs import define, evolve, field
from twisted.internet.defer import Deferred
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from twisted.python.failure import Failure
from zope.interface import provider

from mailkit.errors import (
    Busy,
    NotAuthenticated,
)
from mailkit.protocols.sasl.client import ScramSHA256Client
from mailkit.testing.at_once import at_once
from mailkit.testing.lanes import DirectLanes
from tests.services.logins import (
    ALICE,
    BOB,
    KEPT,
    PASSWORD,
    SETTINGS,
    Peer,
    T,
    World,
)


@pytest.fixture
def world() -> World:
    return World()


def fail(world: World, times: int, peer: Peer) -> None:
    for number in range(times):
        with pytest.raises(NotAuthenticated):
            world.login(f"nobody{number}@example.test", "wrong", peer)


@define(eq=False)
class SlowLanes(DirectLanes):
    """Hashes take as long as the test says."""

    waiting: list[Deferred[None]] = field(factory=list)

    async def hash(self, work: Callable[[], T]) -> T:
        mine: Deferred[None] = Deferred()
        self.waiting.append(mine)
        await mine
        return work()


def test_who_guesses_all_at_once_has_few_looked_at() -> None:
    """The sixth waits until it is known that the first five were wrong."""
    lanes = SlowLanes()
    world = World(settings=evolve(SETTINGS, scram="off"), lanes=lanes)
    failures: list[Failure] = []
    for number in range(1000):
        guess = world.authentication.login(ALICE, f"{number}", "imap", world.peer())
        Deferred.fromCoroutine(guess).addErrback(failures.append)
    assert len(lanes.waiting) == 5
    while lanes.waiting:
        lanes.waiting.pop().callback(None)
        world.clock.advance(0)
    # A few are looked at, ten seconds' worth of others wait, the rest is sent away.
    kinds = [one.check(NotAuthenticated, Busy) for one in failures]
    assert kinds.count(NotAuthenticated) < 10
    assert kinds.count(Busy) > 900
    # Somebody else is not held up.
    world.add(BOB, KEPT.secret, KEPT.scram)
    other = world.peer(Peer(host="198.51.100.1"))
    login = Deferred.fromCoroutine(
        world.authentication.login(BOB, PASSWORD, "imap", other)
    )
    lanes.waiting.pop().callback(None)
    assert login.called


def test_the_same_wrong_password_elsewhere_is_no_other_guess(world: World) -> None:
    for service in ("imap", "smtp", "pop3") * 5:
        login = world.authentication.login(ALICE, "old", service, world.peer())
        with pytest.raises(NotAuthenticated):
            at_once(login)


def test_whoever_guesses_waits(world: World) -> None:
    fail(world, 5, Peer())
    attempt = Deferred.fromCoroutine(
        world.authentication.login(ALICE, PASSWORD, "imap", world.peer())
    )
    assert not attempt.called
    world.clock.advance(0.9)
    assert not attempt.called
    world.clock.advance(0.2)
    assert attempt.called
    assert world.login(ALICE, PASSWORD, Peer(host="192.0.2.2"))


def test_whoever_guesses_more_is_turned_away(world: World) -> None:
    fail(world, 5, Peer())
    with pytest.raises(Busy):
        for _ in range(100):
            coroutine = world.authentication.login(
                "x@example.test", "x", "imap", world.peer()
            )
            attempt = Deferred.fromCoroutine(coroutine)
            failures: list[Failure] = []
            attempt.addErrback(failures.append)
            if failures:
                failures[0].raiseException()
    assert world.count("password", "busy") == 1


def test_scram_guesses_count_too(world: World) -> None:
    for _ in range(5):
        exchange = world.begin("SCRAM-SHA-256")
        client = ScramSHA256Client(ALICE, "wrong", b"abc")
        challenge = at_once(exchange.step(client.first()))
        assert isinstance(challenge, bytes)
        with pytest.raises(NotAuthenticated):
            at_once(exchange.step(client.final(challenge)))
    first = ScramSHA256Client(ALICE, PASSWORD, b"abc").first()
    attempt = Deferred.fromCoroutine(world.begin("SCRAM-SHA-256").step(first))
    assert not attempt.called
    world.clock.advance(1)
    assert attempt.called


def test_a_failed_login_is_logged_with_its_peer(world: World) -> None:
    events: list[LogEvent] = []
    observer = provider(ILogObserver)(lambda event: events.append(event))
    globalLogPublisher.addObserver(observer)
    try:
        with pytest.raises(NotAuthenticated):
            world.login("{mallory}@example.test", "secret")
    finally:
        globalLogPublisher.removeObserver(observer)
    [event] = [one for one in events if one.get("peer")]
    assert event["peer"] == "192.0.2.1"
    assert event["account"] == "{mallory}@example.test"
    assert "secret" not in str(event)
