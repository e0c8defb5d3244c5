"""What of a message leaves or is held, when there is a queue."""

from __future__ import annotations

import pytest

from mailkit.errors import NotOurs
from mailkit.interfaces.delivery import Origin
from mailkit.model.address import DomainName
from mailkit.model.envelope import (
    Notify,
    RecipientParameters,
    SenderParameters,
)
from mailkit.model.event import Step
from mailkit.model.outcome import Kept
from mailkit.model.queueitem import NextHop
from mailkit.services.delivery.again import LocalCarrier
from mailkit.services.delivery.onward import (
    HEAD_START,
    LOCAL,
)
from mailkit.services.delivery.rules import Handed
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import NEW_YEAR
from tests.services.delivery.world import (
    MESSAGE,
    Way,
    keep,
    recipients,
)
from tests.services.smtp.world import ALICE, BOB


@pytest.fixture
def way() -> Way:
    return Way()


def test_an_item_for_each_domain(way: Way) -> None:
    names = ("b@example.net", "Carol@Example.NET", "d@other.example", BOB)
    transaction = way.submit(*names)
    outcomes = at_once(transaction.prepare())
    kept = [outcome for outcome in outcomes.values() if isinstance(outcome, Kept)]
    assert [outcome.where for outcome in kept] == [
        ("queue for example.net",),
        ("queue for example.net",),
        ("queue for other.example",),
        ("bob@example.org/INBOX",),
    ]
    at_once(transaction.commit())
    first, second = way.items
    assert (first.id, first.message) == ("T1.1", "T1")
    assert first.hop == NextHop(DomainName("example.net"))
    assert recipients(first) == ["b@example.net", "Carol@Example.NET"]
    assert recipients(second) == ["d@other.example"]
    assert (first.subject, first.account, first.is_ours) == ("Grüße", ALICE, True)
    assert first.message_id == "<fresh@mx.example.org>"
    octets = way.octets(first)
    assert octets.startswith(b"Received: by mx.example.org with ESMTPSA id T1;")
    assert b"Return-Path" not in octets
    assert octets.endswith(b"\r\n\r\nhi\r\n")
    assert first.size == len(octets)
    assert len(way.world.mailbox(BOB)) == 1
    steps = way.steps()
    queued = "b@example.net, Carol@Example.NET"
    assert (Step.QUEUED, queued, "T1.1 for example.net") in steps
    assert [step for step, _, _ in steps].count(Step.DELIVERED) == 1


def test_mailboxes_have_a_head_start(way: Way) -> None:
    """What they cannot keep can be taken back before anybody else has it."""
    keep(way.submit("b@example.net"))
    keep(way.submit("b@example.net", BOB))
    assert [item.next_try for item in way.items] == [NEW_YEAR, NEW_YEAR + HEAD_START]


def test_nobody_relays_for_strangers(way: Way) -> None:
    with pytest.raises(NotOurs):
        way.begin("b@example.net")
    account = at_once(way.world.directory.account(ALICE))
    logged_in = Origin("192.0.2.1", "laptop", "ESMTPSA", "", account, False)
    with pytest.raises(NotOurs):
        way.begin("b@example.net", origin=logged_in)
    assert way.items == []


def test_what_comes_back_can_be_tied_to_what_was_sent(way: Way) -> None:
    keep(way.submit("b@example.net"))
    keep(way.submit("b@example.net", parameters=SenderParameters(envid="mine")))
    own = [item.envelope.parameters.envid for item in way.items]
    assert own == ["T1", "mine"]


def test_holds(way: Way) -> None:
    keep(way.submit("b@example.net", parameters=SenderParameters(hold_for=60)))
    until = NEW_YEAR + 3600
    keep(way.submit("b@example.net", parameters=SenderParameters(hold_until=until)))
    keep(way.submit("b@example.net", parameters=SenderParameters(require_tls=True)))
    assert [item.hold_until for item in way.items] == [NEW_YEAR + 60, until, None]
    assert [item.require_tls for item in way.items] == [False, False, True]


def test_a_hold_is_one_for_our_own_people_too(way: Way) -> None:
    """RFC 4865 §4: nobody has it before; until then it can be dropped."""
    way.alias("fred", "fred@example.net", BOB)
    wish = RecipientParameters(notify=frozenset((Notify.SUCCESS,)))
    hold = SenderParameters(hold_for=60)
    keep(way.submit(BOB, "b@example.net", parameters=hold, wish=wish))
    keep(way.submit("fred@example.org", parameters=hold))
    assert way.world.mailbox(BOB) == []
    assert {item.hold_until for item in way.items} == {NEW_YEAR + 60}
    local = [item for item in way.items if item.hop.route == LOCAL]
    assert [recipients(item) for item in local] == [[BOB], [BOB]]
    assert way.world.teller.told_at_once == []
    way.world.clock.advance(60.0)
    carrier = LocalCarrier(lambda: way.world.delivery(Handed()))
    assert way.world.queue is not None
    for item in local:
        content = at_once(way.world.queue.content(item.id))
        at_once(carrier.carry(item, content))
    assert len(way.world.mailbox(BOB)) == 2


def test_a_hold_that_is_over_is_none(way: Way) -> None:
    keep(way.submit(BOB, parameters=SenderParameters(hold_until=NEW_YEAR - 1)))
    assert len(way.world.mailbox(BOB)) == 1
    assert way.items == []


def test_what_waited_is_not_held_once_more(way: Way) -> None:
    keep(way.submit(BOB, parameters=SenderParameters(hold_for=9)))
    [item] = way.items
    # Meanwhile bob's mail goes elsewhere.
    at_once(way.world.directory.remove_account(BOB))
    way.alias("bob", "fred@example.net")
    assert way.world.queue is not None
    content = at_once(way.world.queue.content(item.id))
    carrier = LocalCarrier(lambda: way.world.delivery(Handed()))
    at_once(carrier.carry(item, content))
    [left] = [item for item in way.items if item.hop.domain == "example.net"]
    assert left.hold_until is None


@pytest.mark.parametrize(
    ("field", "require", "optional"),
    [
        (b"TLS-Required: No\r\n", False, True),
        (b"tls-required:  no \r\n", False, True),
        (b"TLS-Required: Yes\r\n", False, False),
        (b"TLS-Required: No\r\n", True, False),
        (b"", False, False),
    ],
)
def test_tls_is_optional_where_the_header_says_so(
    way: Way, field: bytes, require: bool, optional: bool
) -> None:
    # RFC 8689 §4.1.
    way.message = field + MESSAGE
    keep(way.submit("b@example.net", parameters=SenderParameters(require_tls=require)))
    assert way.items[0].tls_optional is optional
