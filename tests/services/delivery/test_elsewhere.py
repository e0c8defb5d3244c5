"""Aliases that lead elsewhere."""

from __future__ import annotations

import pytest

from mailkit.errors import (
    MailLoop,
    NoSuchAddress,
)
from mailkit.interfaces.delivery import ForeignRecipient
from mailkit.model.address import DomainName
from mailkit.model.envelope import (
    Envelope,
    Notify,
    Recipient,
    RecipientParameters,
)
from mailkit.model.outcome import Failed
from mailkit.model.path import Path
from mailkit.model.queueitem import NextHop
from mailkit.services.delivery.onward import Onward
from mailkit.testing.at_once import at_once
from tests.services.delivery.world import (
    DAVE,
    MESSAGE,
    Way,
    keep,
    recipients,
)
from tests.services.smtp.world import BOB, World


@pytest.fixture
def way() -> Way:
    return Way()


def test_an_alias_elsewhere_has_a_sender_of_ours(way: Way) -> None:
    way.alias("fred", "fred@example.net", BOB)
    keep(way.begin("Fred@example.org", "bob@example.org"))
    [item] = way.items
    assert recipients(item) == ["fred@example.net"]
    assert str(item.envelope.reverse_path) == "srs=dave=example.net@example.org"
    assert item.recipients[0].recipient.parameters.orcpt == ("rfc822;Fred@example.org")
    assert not item.is_ours
    assert way.octets(item).endswith(MESSAGE)
    assert len(way.world.mailbox(BOB)) == 1


def test_an_alias_that_is_come_back_to_is_a_loop(way: Way) -> None:
    """Two servers whose aliases lead to each other would fill both."""
    way.alias("fred", "fred@example.net", "joe@example.net")
    keep(way.begin("fred@example.org"))
    [item] = way.items
    octets = way.octets(item)
    assert octets.startswith(b"Delivered-To: fred@example.org\r\nReceived: ")
    assert item.size == len(octets)
    way.message = octets
    outcomes = at_once(way.begin("fred@example.org").prepare())
    [outcome] = outcomes.values()
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, MailLoop)


def test_copies_of_a_route_hide_no_loop() -> None:
    world = World()
    world.send_out()
    assert world.outbound is not None
    onward = Onward(world.outbound, Envelope(DAVE))
    there = Path("fred", "example.net")
    hop = NextHop(DomainName("example.net"))
    recipient = Recipient(Path("fred", "example.org"))
    onward.add(recipient, ForeignRecipient(there, hop, "fred@example.org"))
    onward.add(
        recipient, ForeignRecipient(there, NextHop(hop.domain, "copies"), is_quiet=True)
    )
    assert onward.alias == "fred@example.org"


def test_who_else_is_written_to_does_not_read_of_an_alias(way: Way) -> None:
    way.alias("fred", "fred@example.net")
    way.alias("joe", "joe@example.net")
    keep(way.begin("fred@example.org", "joe@example.org"))
    keep(way.submit("fred@example.org", "b@example.net"))
    for item in way.items:
        assert b"Delivered-To" not in way.octets(item)


def test_two_ways_to_the_same_person_are_one(way: Way) -> None:
    way.alias("fred", "fred@example.net")
    way.alias("both", "fred", "fred@example.net")
    way.alias("loop", "loop@example.org", "fred@example.net")
    keep(way.begin("fred@example.org", "both@example.org", "loop@example.org"))
    [item] = way.items
    assert recipients(item) == ["fred@example.net"]


def test_wishes_go_with_it(way: Way) -> None:
    way.alias("fred", "fred@example.net")
    wish = RecipientParameters(frozenset((Notify.NEVER,)), "rfc822;x@y.example")
    keep(way.begin("fred@example.org", wish=wish))
    assert way.items[0].recipients[0].recipient.parameters == wish


def test_where_nothing_leaves_aliases_lead_to_our_people_alone(way: Way) -> None:
    way.alias("fred", "fred@example.net", BOB)
    way.alias("gone", "gone@example.net")
    way.world.routing.sends = False
    way.world.outbound = None
    keep(way.begin("fred@example.org"))
    with pytest.raises(NoSuchAddress):
        way.begin("gone@example.org")
