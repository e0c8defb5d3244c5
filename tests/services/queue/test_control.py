"""What an administrator does to the queue."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from mailkit.errors import NoSuchItem, Refused
from mailkit.model.address import DomainName
from mailkit.model.event import Step
from mailkit.model.queueitem import Selection
from mailkit.services.queue import control as module
from mailkit.services.queue.control import QueueControl
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import NEW_YEAR
from tests.services.queue.world import LATER, OK, World, an_item

EVERYTHING = Selection()
NET = Selection(domain=DomainName("example.net"))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Seven items for one domain, three for another; three make a page."""
    monkeypatch.setattr(module, "PAGE", 3)
    world = World()
    for number in range(7):
        world.put(an_item(f"n{number}", next_try=NEW_YEAR + 500))
    for number in range(3):
        world.put(an_item(f"t{number}", "two.example", next_try=NEW_YEAR + 500))
    return world


def control(world: World) -> QueueControl:
    return QueueControl(world.queue, world.events, world.clock, "root (mailkit)")


def test_pages(world: World) -> None:
    first = at_once(control(world).page(EVERYTHING, most=3))
    assert [item.id for item in first] == ["n0.1", "n1.1", "n2.1"]
    second = at_once(control(world).page(EVERYTHING, "n2.1", 3))
    assert [item.id for item in second] == ["n3.1", "n4.1", "n5.1"]
    assert len(at_once(control(world).page(EVERYTHING, "n2.1", 100))) == 7


Verb = Callable[[QueueControl, Selection, Callable[[int], object]], Any]


def hold(one: QueueControl, which: Selection, step: Callable[[int], object]) -> Any:
    return one.hold(which, "look at it", step)


@pytest.mark.parametrize(
    ("verb", "count", "step"),
    [
        (hold, 7, Step.HELD),
        (QueueControl.release, 0, None),
        (QueueControl.retry, 7, None),
        (QueueControl.drop, 7, Step.DROPPED),
    ],
)
def test_all_pages_are_seen(
    world: World,
    verb: Callable[..., Coroutine[Any, Any, int]],
    count: int,
    step: Step | None,
) -> None:
    seen: list[int] = []
    assert at_once(verb(control(world), NET, seen.append)) == count
    assert seen == [3, 3, 1]
    steps = [event.step for event in world.events.steps]
    assert steps == ([] if step is None else [step] * 7)
    others = [world.there(f"t{number}.1") for number in range(3)]
    assert all(not item.held and item.next_try > NEW_YEAR for item in others)


def test_holding_and_releasing(world: World) -> None:
    some = Selection(ids=("n0.1", "n5.1"))
    assert at_once(control(world).hold(some, "look at it")) == 2
    assert at_once(control(world).hold(NET, "all")) == 5
    assert world.there("n0.1").held == "look at it"
    assert world.there("n1.1").held == "all"
    world.start()
    world.turn(3600)
    assert {id for _, id in world.relay.carried} == {"t0.1", "t1.1", "t2.1"}
    assert at_once(control(world).release(EVERYTHING)) == 7
    world.turn(1)
    assert len(world.relay.carried) == 10
    released = [one for one in world.events.steps if one.step is Step.RELEASED]
    assert len(released) == 7
    assert released[0].detail == "by root (mailkit)"
    assert released[0].recipient == "carol@example.net"
    held = [one.detail for one in world.events.steps if one.step is Step.HELD]
    assert held[0] == "by root (mailkit): look at it"


def test_a_hold_that_its_sender_asked_for_is_released_too(world: World) -> None:
    world.put(an_item("u", hold_until=NEW_YEAR + 1000))
    assert at_once(control(world).release(EVERYTHING)) == 1
    world.start()
    assert [id for _, id in world.relay.carried] == ["u.1"]


def test_trying_now(world: World) -> None:
    assert at_once(control(world).retry(NET)) == 7
    world.start()
    assert len(world.relay.carried) == 7
    assert at_once(control(world).retry(NET)) == 0


def test_what_is_tried_now_is_not_dropped(world: World) -> None:
    world.relay.answers["192.0.2.1"] = None
    at_once(control(world).retry(NET))
    world.start()
    # Two are on their way, two are claimed.
    assert at_once(control(world).drop(NET)) == 3
    world.relay.answers["192.0.2.1"] = OK
    world.relay.let_go()
    world.turn(1)
    assert at_once(control(world).count(NET)) == 0
    assert len(world.relay.carried) == 4


def test_showing(world: World) -> None:
    world.put(an_item("m"), an_item("m", "two.example", number=2))
    world.relay.answers["192.0.2.11"] = LATER
    world.start()
    [item] = at_once(control(world).show("m"))
    assert item.item is not None
    assert (item.id, item.item.attempts) == ("m.2", 1)
    assert item.attempts[0].reports[0].words == "Not now"
    [gone] = at_once(control(world).show("m.1"))
    assert gone.item is None
    assert gone.attempts[0].reports[0].words == "Thanks"
    with pytest.raises(NoSuchItem, match="the queue knows no x"):
        at_once(control(world).show("x"))


def test_showing_all_of_a_message_that_has_left(world: World) -> None:
    world.put(an_item("m"), an_item("m", "two.example", number=2))
    world.start()
    gone = at_once(control(world).show("m"))
    assert [(one.id, one.item, len(one.attempts)) for one in gone] == [
        ("m.1", None, 1),
        ("m.2", None, 1),
    ]


def test_counting(world: World) -> None:
    assert at_once(control(world).count(EVERYTHING)) == 10
    assert at_once(control(world).count(NET)) == 7
    assert at_once(control(world).count(Selection(ids=("n1", "n2.1")))) == 2
    with pytest.raises(NoSuchItem, match="there is no x"):
        at_once(control(world).count(Selection(ids=("n1", "x.1"))))


def test_numbers(world: World) -> None:
    at_once(control(world).retry(EVERYTHING))
    world.start()
    found = at_once(control(world).stats(None, 1))
    assert [(one.domain, one.accepted, one.delivered) for one in found] == [
        ("example.net", 7, 7),
        ("two.example", 3, 3),
    ]
    assert found[0].day == "2026-01-01"
    assert len(at_once(control(world).stats(DomainName("two.example"), 3))) == 1
    with pytest.raises(Refused, match="at least one day"):
        at_once(control(world).stats(None, 0))
