"""Whoever guesses has to wait."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_network

import pytest
from attrs import define, evolve, field
from zope.interface import implementer

from mailkit.errors import Busy
from mailkit.interfaces.notices import INoticeBoard
from mailkit.interfaces.storage import IWatch
from mailkit.services import slowdown as module
from mailkit.services.authsettings import AuthSettings
from mailkit.services.slowdown import PATIENCE, Slowdown
from mailkit.storage.state.board import LONGEST
from mailkit.testing.clock import TestClock

SETTINGS = AuthSettings(free_failures=3, longest_delay=60.0, forget_failures=900.0)


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
def slowdown(clock: TestClock) -> Slowdown:
    networks = (ip_network("127.0.0.0/8"), ip_network("2001:db8:cafe::/48"))
    return Slowdown(clock, SETTINGS, networks)


def fail(slowdown: Slowdown, host: str, name: str, times: int) -> None:
    for number in range(times):
        tried = f"{host} {name} {number}".encode(errors="surrogatepass")
        slowdown.failed(host, name, tried)


def test_the_first_failures_cost_nothing(slowdown: Slowdown) -> None:
    fail(slowdown, "192.0.2.1", "alice", 2)
    assert slowdown.reserve("192.0.2.1", "alice") == 0


def test_delays_double(clock: TestClock, slowdown: Slowdown) -> None:
    fail(slowdown, "192.0.2.1", "a", 2)
    waits: list[float] = []
    for number in range(3):
        slowdown.failed("192.0.2.1", f"name{number}", b"%d" % number)
        waits.append(slowdown.reserve("192.0.2.1", f"other{number}"))
        clock.advance(waits[-1])
    assert waits == [1, 2, 4]


def test_attempts_at_once_wait_one_behind_the_other(slowdown: Slowdown) -> None:
    fail(slowdown, "192.0.2.1", "a", 4)
    assert [slowdown.reserve("192.0.2.1", "b") for _ in range(5)] == [2, 4, 6, 8, 10]
    with pytest.raises(Busy):
        slowdown.reserve("192.0.2.1", "b")


def test_a_delay_has_an_end(clock: TestClock, slowdown: Slowdown) -> None:
    fail(slowdown, "192.0.2.1", "a", 1000)
    with pytest.raises(Busy):
        slowdown.reserve("192.0.2.1", "b")
    clock.advance(60 - PATIENCE)
    assert slowdown.reserve("192.0.2.1", "b") == PATIENCE


def test_whoever_is_turned_away_does_not_lengthen_it(
    clock: TestClock, slowdown: Slowdown
) -> None:
    fail(slowdown, "192.0.2.1", "a", 1000)
    for _ in range(100):
        with pytest.raises(Busy):
            slowdown.reserve("192.0.2.1", "b")
    clock.advance(60)
    assert slowdown.reserve("192.0.2.1", "b") == 0


def test_failures_are_forgotten(clock: TestClock, slowdown: Slowdown) -> None:
    fail(slowdown, "192.0.2.1", "a", 10)
    clock.advance(900)
    assert slowdown.reserve("192.0.2.1", "a") == 0
    fail(slowdown, "192.0.2.1", "a", 2)
    assert slowdown.reserve("192.0.2.1", "a") == 0


def test_another_peer_pays_for_the_account_alone(slowdown: Slowdown) -> None:
    for number in range(6):
        fail(slowdown, f"192.0.2.{number}", "alice", 1)
    assert slowdown.reserve("198.51.100.1", "bob") == 0
    assert slowdown.reserve("198.51.100.1", "alice") == 8


def test_an_owner_is_not_locked_out_by_strangers(slowdown: Slowdown) -> None:
    slowdown.succeeded("198.51.100.1", "alice")
    fail(slowdown, "192.0.2.1", "alice", 100)
    assert slowdown.reserve("198.51.100.1", "alice") == 0
    with pytest.raises(Busy):
        slowdown.reserve("198.51.100.2", "alice")


def test_a_login_of_ones_own_does_not_buy_guesses(slowdown: Slowdown) -> None:
    fail(slowdown, "192.0.2.1", "alice", 100)
    slowdown.succeeded("192.0.2.1", "mallory")
    assert slowdown.reserve("192.0.2.1", "mallory") == 0
    with pytest.raises(Busy):
        slowdown.reserve("192.0.2.1", "bob")
    slowdown.succeeded("192.0.2.1", "alice")
    slowdown.failed("192.0.2.1", "alice", b"guess")
    with pytest.raises(Busy):
        slowdown.reserve("192.0.2.1", "alice")


def test_the_same_wrong_password_again_is_no_guess(slowdown: Slowdown) -> None:
    for _ in range(100):
        slowdown.failed("192.0.2.1", "alice", b"old password")
    assert slowdown.reserve("192.0.2.1", "alice") == 0


PEERS = [
    ("2001:db8::1", "2001:db8::ffff:2", True),
    ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
    ("192.0.2.1", "192.0.2.2", False),
    ("192.0.2.1", "::ffff:192.0.2.1", True),
    ("127.0.0.1", "127.0.0.1", False),
    ("::ffff:127.0.0.1", "127.0.0.1", False),
    ("2001:db8:cafe:1::1", "2001:db8:cafe:1::1", False),
    ("unix", "unix", False),
    ("unknown", "unknown", True),
    ("_hidden", "_hidden", True),
    ("_hidden", "_other", False),
]


@pytest.mark.parametrize(("guesser", "other", "is_held"), PEERS)
def test_who_is_the_same_peer(
    slowdown: Slowdown, guesser: str, other: str, is_held: bool
) -> None:
    fail(slowdown, guesser, "alice", 4)
    assert slowdown.reserve(other, "bob") == (2 if is_held else 0)
    slowdown.succeeded(guesser, "alice")


def test_never_limited_networks_pay_for_no_account(slowdown: Slowdown) -> None:
    fail(slowdown, "192.0.2.1", "alice", 100)
    assert slowdown.reserve("127.0.0.1", "alice") == 0
    fail(slowdown, "127.0.0.1", "bob", 100)
    assert slowdown.reserve("198.51.100.1", "bob") == 0


def test_memory_is_bounded(slowdown: Slowdown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST", 10)
    monkeypatch.setattr(module, "_MOST_FRIENDS", 10)
    for number in range(100):
        fail(slowdown, f"192.0.2.{number}", f"name{number}", 4)
        slowdown.succeeded(f"198.51.100.{number}", f"name{number}")
    for table in (slowdown._peers, slowdown._names, slowdown._friends):
        assert len(table) == 10
    assert len(slowdown._networks) <= 10
    assert slowdown.reserve("192.0.2.99", "x") == 2
    assert slowdown.reserve("192.0.2.1", "x") == 0


@implementer(INoticeBoard)
@define(eq=False)
class Wire:
    """A notice board between processes: each tells all that hear, itself too."""

    hearers: list[Callable[[str], None]] = field(factory=list)
    texts: list[str] = field(factory=list)

    def publish(self, topic: str, text: str = "") -> None:
        assert topic == module.TOPIC
        assert len(f"{topic} {text}".encode(errors="surrogatepass")) < LONGEST
        self.texts.append(text)
        for hear in tuple(self.hearers):
            hear(text)

    def hear(self, topic: str, hear: Callable[[str], None]) -> IWatch:
        self.hearers.append(hear)
        return Hearing(self.hearers, hear)


@implementer(IWatch)
@define(eq=False)
class Hearing:
    hearers: list[Callable[[str], None]]
    mine: Callable[[str], None]

    def stop(self) -> None:
        self.hearers.remove(self.mine)


Pair = tuple[Slowdown, Slowdown]


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def pair(clock: TestClock, wire: Wire) -> Pair:
    """Of two workers."""
    one, two = (Slowdown(clock, SETTINGS, (), wire) for _ in range(2))
    return one, two


def test_workers_count_together(pair: Pair) -> None:
    one, two = pair
    fail(one, "192.0.2.1", "alice", 2)
    assert two.reserve("192.0.2.1", "alice") == 0
    two.failed("192.0.2.1", "alice", b"another")
    assert [worker.reserve("192.0.2.1", "other") for worker in pair] == [1, 2]


def test_workers_wait_one_behind_the_other(clock: TestClock, pair: Pair) -> None:
    """Who asks all workers in turn gets no more attempts than of one."""
    fail(pair[0], "192.0.2.1", "a", 4)
    waits = [pair[number % 2].reserve("192.0.2.1", "b") for number in range(5)]
    assert waits == [2, 4, 6, 8, 10]
    for worker in pair:
        with pytest.raises(Busy):
            worker.reserve("192.0.2.1", "b")


def test_the_same_wrong_password_is_none_for_both(clock: TestClock, pair: Pair) -> None:
    for number in range(20):
        pair[number % 2].failed("192.0.2.1", "alice", b"the old one")
    for worker in pair:
        assert worker.reserve("192.0.2.1", "alice") == 0


def test_a_friend_who_guesses_elsewhere_is_none(pair: Pair) -> None:
    one, two = pair
    one.succeeded("192.0.2.1", "alice")
    fail(two, "192.0.2.1", "alice", 5)
    assert one.reserve("192.0.2.1", "alice") > 0


@pytest.mark.parametrize("name", ["ä b", "x" * 100_000, "a\0b", "\n", "", "\ud800"])
def test_any_name_is_told(pair: Pair, name: str) -> None:
    one, two = pair
    fail(one, "2001:db8::1", name, 5)
    assert two.reserve("198.51.100.1", name) > 0
    assert one.reserve("198.51.100.1", name) > 0


def test_who_has_closed_hears_no_more(pair: Pair, wire: Wire) -> None:
    one, two = pair
    two.close()
    two.close()
    fail(one, "192.0.2.1", "alice", 5)
    assert two.reserve("192.0.2.1", "alice") == 0
    assert len(wire.hearers) == 1


def test_settings_change_and_nothing_is_forgotten(slowdown: Slowdown) -> None:
    fail(slowdown, "192.0.2.1", "alice", 5)
    slowdown.configure(evolve(SETTINGS, free_failures=9), ())
    assert slowdown.reserve("192.0.2.1", "alice") == 0
    slowdown.configure(SETTINGS, ())
    assert slowdown.reserve("192.0.2.1", "alice") > 0
    slowdown.configure(SETTINGS, (ip_network("192.0.2.0/24"),))
    assert slowdown.reserve("192.0.2.1", "alice") == 0
