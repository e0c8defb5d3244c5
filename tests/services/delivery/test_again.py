"""What waited in the queue for a mailbox of ours is delivered from there."""

from __future__ import annotations

import pytest
from attrs import evolve

from mailkit.errors import Unavailable
from mailkit.interfaces.delivery import ForeignRecipient
from mailkit.model.address import DomainName
from mailkit.model.path import NULL_PATH, Path
from mailkit.model.queueitem import Attempt, Fate, NextHop
from mailkit.services.delivery.onward import (
    as_it_is,
    nothing_in_front,
)
from mailkit.services.delivery.rules import Handed
from mailkit.testing.at_once import at_once
from tests.services.delivery.world import (
    MESSAGE,
    Broken,
    Way,
    carry,
    filing,
    keep,
)
from tests.services.smtp.world import ALICE, BOB


@pytest.fixture
def way() -> Way:
    return Way()


def test_what_waited_is_delivered(way: Way) -> None:
    filing(way, BOB, Unavailable("busy"))
    keep(way.begin(ALICE, BOB))
    assert carry(way) == [(BOB, "waiting", "4.3.0")]
    filing(way, ALICE, Unavailable("not asked"))
    assert carry(way) == [(BOB, "sent", "2.1.5")]
    [kept] = way.world.mailbox(BOB)
    assert kept.startswith(b"Return-Path: <dave@example.net>\r\nReceived: by ")
    assert kept.endswith(MESSAGE)


def test_what_is_tried_again_after_a_kill_is_done_once(way: Way) -> None:
    """Nobody knows that it came to its end: the attempt was never recorded."""
    filing(way, BOB, Unavailable("busy"))
    keep(way.begin(ALICE, BOB))
    filing(way, ALICE, Unavailable("not asked"))
    before = len(way.world.events.events)
    assert carry(way) == carry(way) == [(BOB, "sent", "2.1.5")]
    assert len(way.world.mailbox(BOB)) == 1
    # So a teller, too, knows what it has told already.
    events = way.world.events.events[before:]
    assert len({event.transaction for event in events}) == 1


def test_what_goes_on_from_there_goes_on_once(way: Way) -> None:
    filing(way, BOB, Unavailable("busy"))
    keep(way.begin(ALICE, BOB))
    at_once(way.world.directory.remove_account(BOB))
    way.alias("bob", "fred@example.net")
    carry(way)
    [left] = [item for item in way.items if item.hop.domain == "example.net"]
    carry(way)
    assert [item for item in way.items if item.hop == left.hop] == [left]
    queue = way.world.queue
    assert queue is not None
    # It may even have left.
    attempt = Attempt(began=0.0, took=0.0)
    at_once(queue.claim(left.hop, "one", left.next_try, left.next_try + 9, 1))
    sent = [evolve(each, fate=Fate.SENT) for each in left.recipients]
    at_once(queue.record("one", left.id, attempt, sent, None))
    carry(way)
    assert not [item for item in way.items if item.hop == left.hop]


def test_what_waited_for_somebody_who_is_gone(way: Way) -> None:
    filing(way, BOB, Unavailable("busy"))
    keep(way.begin(ALICE, BOB))
    at_once(way.world.directory.remove_account(BOB))
    assert carry(way) == [(BOB, "failed", "5.1.1")]


def test_what_waited_and_finds_the_disk_full(way: Way) -> None:
    filing(way, BOB, Unavailable("busy"))
    keep(way.begin(ALICE, BOB))
    filing(way, ALICE, Unavailable("not asked"))
    way.world.store = Broken(now=way.world.clock.seconds)
    assert carry(way) == [(BOB, "waiting", "4.3.0")]


def test_defaults_change_nothing(way: Way) -> None:
    assert as_it_is(NULL_PATH) is NULL_PATH
    destination = way.world.delivery(Handed())
    assert nothing_in_front(destination) is destination


def test_what_a_route_is_told(way: Way) -> None:
    way.alias("fred", "fred@example.net")
    routed = at_once(way.world.routing.route(Path("fred", "example.org")))
    assert routed.foreign == (
        ForeignRecipient(
            Path("fred", "example.net"),
            NextHop(DomainName("example.net")),
            "fred@example.org",
        ),
    )
