"""Two hundred domains at once, some of them bad."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.errors import Unreachable
from mailkit.model.notice import NoticeKind
from mailkit.model.queueitem import Selection
from mailkit.services.queue import sender
from mailkit.services.queue.settings import QueueSettings
from mailkit.testing.at_once import at_once
from tests.services.queue.world import (
    BUSY,
    LATER,
    NEVER,
    OK,
    Answer,
    World,
    an_item,
)
from tests.services.tellers import NOWHERE

DOMAINS = 200


def address(number: int) -> str:
    return f"198.51.{number // 250}.{number % 250}"


def many(each: int, settings: QueueSettings | None = None) -> World:
    """A world with so many messages for each of two hundred domains."""
    world = World(settings=settings or QueueSettings())
    for number in range(DOMAINS):
        world.resolver.add(f"d{number}.test. A {address(number)}")
        for message in range(each):
            world.put(an_item(f"t{number}x{message}", f"d{number}.test"))
    return world


def left(world: World) -> Counter[str]:
    items = at_once(world.queue.items(Selection(), None, 100_000))
    return Counter(item.hop.domain for item in items)


@pytest.mark.parametrize("hanging", [1, 10])
def test_those_that_hang_slow_nobody(hanging: int) -> None:
    took = []
    for bad in (0, hanging):
        world = many(3)
        world.relay.takes = 0.5
        for number in range(bad):
            world.relay.answers[address(number)] = None
        began = world.clock.seconds()
        world.start()
        while set(left(world)) != {f"d{number}.test" for number in range(bad)}:
            world.turn(0.5)
            assert world.clock.seconds() < began + 60
        took.append(world.clock.seconds() - began)
        assert world.relay.most[""] <= 100
    assert took[1] <= took[0] * 1.5


def test_a_domain_that_had_grown_and_hangs_keeps_places_free() -> None:
    world = World()
    world.relay.takes = 0.01
    for message in range(200):
        world.put(an_item(f"g{message}"))
    world.start()
    world.turn(10, step=0.01)
    assert world.relay.most["192.0.2.1"] == 20
    world.relay.answers["192.0.2.1"] = None
    for message in range(200):
        world.put(an_item(f"h{message}"))
    world.turn(1, step=0.01)
    assert world.relay.now["192.0.2.1"] == 20
    for number in range(DOMAINS):
        world.resolver.add(f"d{number}.test. A 192.0.3.{number % 250}")
        world.put(an_item(f"t{number}", f"d{number}.test"))
    world.turn(2, step=0.01)
    assert set(left(world)) == {"example.net"}


def test_more_domains_hang_than_there_are_places() -> None:
    world = many(1, QueueSettings(connections=20))
    for number in range(100):
        world.relay.answers[address(number)] = None
    world.start()
    world.turn(300, step=1)
    assert set(left(world)) <= {f"d{number}.test" for number in range(100)}


def test_one_domain_with_much_mail_is_fast_too() -> None:
    world = World()
    world.relay.takes = 0.1
    for message in range(500):
        world.put(an_item(f"m{message}"))
    world.start()
    world.turn(6, step=0.1)
    assert left(world) == {}


def test_more_domains_than_are_looked_at_at_once() -> None:
    world = World()
    for number in range(700):
        world.resolver.add(f"d{number}.test. A {address(number)}")
        world.put(an_item(f"t{number}", f"d{number}.test"))
    world.start()
    world.turn(2, step=0.25)
    assert left(world) == {}


def test_more_items_than_are_claimed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "MOST_CLAIMED", 20)
    world = many(1)
    world.relay.takes = 0.1
    world.start()
    world.turn(10, step=0.1)
    assert left(world) == {}
    assert world.relay.most[""] <= 30


Choice = tuple[str, Answer]
CHOICES: list[Choice] = [
    ("ok", OK),
    ("later", LATER),
    ("never", NEVER),
    ("busy", BUSY),
    ("dead", Unreachable("dead")),
]


@given(st.lists(st.sampled_from(CHOICES), min_size=1, max_size=12), st.integers(1, 6))
def test_whatever_hosts_do_all_are_sent_or_told_once(
    choices: list[Choice], each: int
) -> None:
    world = World()
    for number, (_, answer) in enumerate(choices):
        world.resolver.add(f"d{number}.test. A {address(number)}")
        world.relay.answers[address(number)] = answer
        for message in range(each):
            world.put(an_item(f"t{number}x{message}", f"d{number}.test"))
    world.start()
    world.turn(1)
    remaining = left(world)
    for number, (name, _) in enumerate(choices):
        expected = 0 if name in ("ok", "never") else each
        assert remaining.get(f"d{number}.test", 0) == expected
    world.relay.answers.clear()
    world.turn(4 * 3600, step=30)
    told = [one for one in world.notices() if one[2] is NoticeKind.FAILED]
    assert left(world) == ({NOWHERE.domain: len(told)} if told else {})
    failed = sum(each for name, _ in choices if name == "never")
    assert len(told) == len(set(told)) == failed
