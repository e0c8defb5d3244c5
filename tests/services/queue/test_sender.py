"""When the sender wakes, and what it lets out at which pace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from zope.interface import implementer

from mailkit.errors import StorageBroken, Unavailable
from mailkit.model.address import DomainName
from mailkit.model.envelope import Envelope
from mailkit.model.path import NULL_PATH
from mailkit.model.queueitem import NextHop
from mailkit.services.queue import fairness
from mailkit.services.queue.pace import Pace
from mailkit.services.queue.sender import Sender
from mailkit.services.queue.settings import QueueSettings
from mailkit.storage.content import OctetsContent
from mailkit.storage.memory.queue import MemoryQueue
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import NEW_YEAR
from tests.services.queue.world import (
    HERE,
    LATER,
    MESSAGE,
    OK,
    World,
    an_item,
    hanging,
)

# -- waking


def test_it_wakes_when_something_comes() -> None:
    world = World().start()
    world.put(an_item())
    world.turn(0.1)
    assert world.item() is None


def test_a_clock_that_is_set_back_keeps_new_mail_from_nobody() -> None:
    world = World()
    world.resolver.fail("example.net")
    world.put(an_item("a"))
    world.start()
    world.turn(0.1)
    assert world.item("a.1") is not None
    world.resolver.mend("example.net")
    before = world.clock.rightNow = world.clock.seconds() - 86_400.0
    world.put(an_item("b", at=before))
    world.turn(0.2)
    assert world.item("b.1") is None


def test_it_wakes_when_it_is_time() -> None:
    world = World().start()
    world.put(an_item(hold_until=NEW_YEAR + 7.0))
    world.turn(6.9)
    assert world.item() is not None
    world.turn(0.2)
    assert world.item() is None


def test_it_looks_although_nobody_says_anything() -> None:
    class Deaf(MemoryQueue):
        def watch(self, hear: Callable[[], None]) -> Any:  # Any: IWatch
            return super().watch(lambda: None)

        async def next_time(self, now: float) -> float | None:
            return None

    world = World()
    world.queue = Deaf(world.queue._board, world.clock.seconds)
    world.house.queue = world.queue
    world.start()
    world.put(an_item())
    world.turn(31)
    assert world.item() is None


def test_many_notices_are_one_look() -> None:
    looks: list[float] = []

    class Counting(MemoryQueue):
        async def due(self, now: float, most: int) -> Any:  # Any: of DueHop
            looks.append(now)
            return await super().due(now, most)

    world = World()
    world.queue = Counting(world.queue._board, world.clock.seconds)
    world.house.queue = world.queue
    world.start()
    for number in range(100):
        world.put(an_item(f"t{number}"))
        world.clock.advance(0.001)
    world.turn(0.1)
    assert len(looks) <= 5
    assert len(world.relay.carried) == 100


def test_a_queue_that_cannot_be_read_is_looked_at_again() -> None:
    class Broken(MemoryQueue):
        error: Unavailable | None = StorageBroken("disk")

        async def due(self, now: float, most: int) -> Any:  # Any: of DueHop
            if self.error is not None:
                raise self.error
            return await super().due(now, most)

        async def claim(self, *args: Any) -> Any:  # Any: as IQueueStore has them
            if now_broken:
                raise StorageBroken("disk")
            return await super().claim(*args)

    now_broken = False
    world = World()
    world.queue = broken = Broken(world.queue._board, world.clock.seconds)
    world.house.queue = broken
    world.put(an_item())
    world.start()
    assert world.relay.carried == []
    broken.error, now_broken = None, True
    world.turn(11)
    assert world.relay.carried == []
    now_broken = False
    world.turn(31)
    assert world.item() is None


def test_held_items_stay() -> None:
    world = World()
    world.put(an_item(held="suspended"))
    world.start()
    world.turn(3600)
    assert world.relay.carried == []


def test_the_queue_is_measured() -> None:
    world = World()
    world.relay.answers[HERE] = LATER
    world.put(an_item(at=NEW_YEAR - 50))
    world.put(an_item("b"))
    world.start()
    collected = {
        family.name: family.samples[0].value
        for family in world.metrics.registry.collect()
        if family.samples and family.name.startswith("mailkit_queue_")
    }
    assert collected["mailkit_queue_items"] == 2.0
    assert collected["mailkit_queue_oldest_seconds"] == 50.0
    assert collected["mailkit_queue_running"] == 0.0
    assert collected["mailkit_queue_recipients"] == 2.0


# -- pace


def test_bulk_mail_keeps_its_pace() -> None:
    world = World()
    world.house.pace = Pace({"news": 0.1}.get)
    for number in range(20):
        world.put(an_item(f"n{number}", rate="news"))
    world.put(an_item("mine"))
    world.start()
    assert len(world.relay.carried) == 2
    world.turn(100, step=1)
    assert 11 <= len(world.relay.carried) <= 13
    world.turn(100, step=1)
    assert len(world.relay.carried) == 21
    assert len(set(world.relay.carried)) == 21


# -- one host of many domains


def test_a_host_of_many_domains_is_not_asked_too_much() -> None:
    settings = QueueSettings(per_host=5)
    world = World(settings=settings)
    for number in range(40):
        world.resolver.add(f"d{number}.test. MX 10 mx.example.net.")
        world.put(an_item(f"t{number}", f"d{number}.test"))
    world.relay.takes = 1.0
    world.start()
    world.turn(60, step=0.5)
    assert len(set(world.relay.carried)) == 40
    assert world.relay.most[HERE] == 5


def test_notices_make_room_where_many_hosts_hang(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Strangers could have us write to as many such hosts as they like."""
    monkeypatch.setattr(fairness, "MOST_SLOW", 2)
    world = hanging()
    world.turn(31)
    notice = evolve(an_item("n", "two.example"), envelope=Envelope(NULL_PATH))
    world.put(notice)
    world.put(an_item("b", "two.example"))
    world.turn(1)
    assert world.item("b.1") is None
    assert world.there("n.1").attempts == 0
    world.relay.answers[HERE] = OK
    world.relay.let_go()
    world.turn(61)
    assert world.item("n.1") is None


def test_domains_that_waited_for_a_host_go_on_when_it_dies() -> None:
    world = World()
    world.relay.answers[HERE] = None
    for number in range(10):
        world.resolver.add(f"d{number}.test. MX 10 mx.example.net.")
        world.put(an_item(f"t{number}", f"d{number}.test"))
    world.start()
    assert len(world.relay.carried) == 2
    world.relay.answers[HERE] = Unavailable("cut")
    world.relay.answers[HERE] = LATER
    world.relay.let_go()
    world.turn(1)
    assert all(world.there(f"t{number}.1").attempts == 1 for number in range(10))


def test_whoever_waited_for_a_host_and_has_left_keeps_nobody_waiting() -> None:
    world = World()
    world.relay.answers[HERE] = None
    for number in range(10):
        world.resolver.add(f"d{number}.test. MX 10 mx.example.net.")
        world.put(an_item(f"t{number}", f"d{number}.test"))
    world.start()
    now = world.clock.seconds()
    for number in range(2, 8):  # lost to another process, which drops them
        hop = NextHop(DomainName(f"d{number}.test"))
        at_once(world.queue.claim(hop, "other", now + 61, now + 62, 1))
    world.turn(25)
    world.relay.answers[HERE] = OK
    world.relay.let_go()
    world.turn(1)
    left = {f"t{number}.1" for number in range(10) if world.item(f"t{number}.1")}
    assert left == {f"t{number}.1" for number in range(2, 8)}


# -- what is said


def test_log_lines_are_facts() -> None:
    lines: list[LogEvent] = []

    @implementer(ILogObserver)
    def observe(event: LogEvent) -> None:
        lines.append(event)

    globalLogPublisher.addObserver(observe)
    try:
        world = World()
        world.relay.answers[HERE] = LATER
        world.put(an_item("a", "example.net", "x{y}"))
        world.start()
    finally:
        globalLogPublisher.removeObserver(observe)
    [line] = [line for line in lines if "outcome" in line]
    assert line["queue_id"] == "a.1"
    assert line["domain"] == "example.net"
    assert line["outcome"] == "deferred"
    assert line["reply"] == "4.2.0 Not now"
    assert line["peer"] == "mx.example.net 192.0.2.1:25: "
    assert "{queue_id} to {domain}" in line["log_format"]


@pytest.mark.parametrize("connections", [1, 3])
def test_never_more_than_so_many(connections: int) -> None:
    world = World(settings=QueueSettings(connections=connections))
    world.relay.takes = 1.0
    for number in range(20):
        world.resolver.add(f"d{number}.test. A 192.0.2.{100 + number}")
        world.put(an_item(f"t{number}", f"d{number}.test"))
    world.start()
    world.turn(30, step=0.5)
    assert len(world.relay.carried) == 20
    assert world.relay.most[""] == connections


def test_routes_make_hops_of_their_own() -> None:
    item = an_item()
    assert NextHop(item.hop.domain, "a") != evolve(item.hop, route="b")
    assert OctetsContent(MESSAGE).size == item.size


def test_two_senders_have_two_names() -> None:
    world = World()
    other = Sender(world.house, "two", counts_all=False)
    for number in range(50):
        world.put(an_item(f"t{number}"))
    world.relay.takes = 0.5
    other.start()
    world.start()
    world.turn(60, step=0.25)
    assert len(world.relay.carried) == 50
    assert len(set(world.relay.carried)) == 50
