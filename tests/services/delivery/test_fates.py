"""Recipients that fare differently, and whom that is told."""

from __future__ import annotations

import pytest

from mailkit.errors import (
    BadMessage,
    OverQuota,
    StorageBroken,
    StorageFull,
    Unavailable,
)
from mailkit.interfaces.delivery import Origin
from mailkit.model.address import DomainName
from mailkit.model.envelope import (
    Notify,
    RecipientParameters,
    SenderParameters,
)
from mailkit.model.event import Step
from mailkit.model.notice import NoticeKind
from mailkit.model.outcome import Failed, Kept
from mailkit.model.queueitem import NextHop
from mailkit.services.delivery.onward import LOCAL
from mailkit.services.delivery.rules import Handed
from mailkit.testing.at_once import at_once
from tests.services.delivery.test_transaction import Rulebook
from tests.services.delivery.world import (
    MESSAGE,
    SUCCESS,
    Broken,
    Way,
    carry,
    filing,
    keep,
    recipients,
)
from tests.services.smtp.world import ALICE, BOB


@pytest.fixture
def way() -> Way:
    return Way()


def test_who_is_refused_is_told_of_and_the_others_have_it(way: Way) -> None:
    filing(way, BOB, BadMessage("no thanks"))
    transaction = way.begin(ALICE, BOB)
    outcomes = at_once(transaction.prepare())
    assert [isinstance(each, Failed) for each in outcomes.values()] == [False, True]
    at_once(transaction.commit())
    assert way.world.teller.told_at_once == [(NoticeKind.FAILED, BOB)]
    assert len(way.world.mailbox(ALICE)) == 1
    assert way.world.mailbox(BOB) == []
    assert (Step.REFUSED, BOB, "BadMessage: no thanks") in way.steps()


def test_who_cannot_be_given_it_now_gets_it_from_the_queue(way: Way) -> None:
    filing(way, BOB, Unavailable("busy"))
    transaction = way.begin(ALICE, "sales@example.org")
    outcomes = list(at_once(transaction.prepare()).values())
    assert outcomes[1] == Kept((f"{ALICE}/INBOX", "queue"))
    at_once(transaction.commit())
    assert len(way.world.mailbox(ALICE)) == 1  # who is behind sales, too
    [item] = way.items
    assert item.hop == NextHop(DomainName("example.org"), LOCAL)
    assert recipients(item) == [BOB]
    assert way.world.teller.told_at_once == []


def test_those_behind_an_alias_fare_as_they_can(way: Way) -> None:
    """Who can have it has it; one waits; nobody waits for him; all that leaves is
    signed as ever."""
    way.alias("all", ALICE, BOB, "fred@example.net")
    filing(way, BOB, Unavailable("busy"))
    keep(way.submit("all+x@example.org", wish=SUCCESS))
    assert len(way.world.mailbox(ALICE)) == 1
    fred, bob = sorted(way.items, key=lambda item: item.hop.route)
    assert recipients(fred) == ["fred@example.net"]
    assert fred.is_ours
    [waiting] = bob.recipients
    assert str(waiting.path) == "bob+x@example.org"
    assert waiting.recipient.parameters.orcpt == "rfc822;all+x@example.org"
    assert waiting.recipient.parameters.notify == frozenset({Notify.NEVER})
    assert way.world.teller.told_at_once == [(NoticeKind.EXPANDED, "all+x@example.org")]


def test_one_of_those_behind_an_alias_is_refused(way: Way) -> None:
    filing(way, BOB, BadMessage("no thanks"))
    keep(way.begin("sales@example.org"))
    assert len(way.world.mailbox(ALICE)) == 1
    assert way.items == []
    assert way.world.teller.told_at_once == [(NoticeKind.FAILED, BOB)]
    assert (Step.REFUSED, BOB, "BadMessage: no thanks") in way.steps()


def test_one_of_those_behind_an_alias_is_full(way: Way) -> None:
    """bob may have 10,000 octets; nobody else has to wait for him to tidy up."""
    way.alias("two", BOB, "fred@example.net")
    large = SenderParameters(size=20_000)
    for name in ("sales@example.org", "two@example.org"):
        way.message = MESSAGE + b"x" * 20_000
        keep(way.begin(name, parameters=large))
    assert len(way.world.mailbox(ALICE)) == 1
    told = [(str(item.hop), recipients(item)) for item in way.items]
    assert sorted(told) == [
        ("example.net", ["fred@example.net"]),
        ("example.org by local", [BOB]),
        ("example.org by local", [BOB]),
    ]
    with pytest.raises(OverQuota):
        way.begin(BOB, parameters=large)
    with pytest.raises(OverQuota):  # though it is known from another
        way.begin("sales@example.org", BOB, parameters=large)


def test_all_behind_an_alias_wait_by_themselves(way: Way) -> None:
    way.world.filing = Rulebook({ALICE: Unavailable("b"), BOB: Unavailable("b")})
    way.alias("me", "carol@example.net")
    keep(way.begin("sales@example.org", "me@example.org"))
    [item] = [item for item in way.items if item.hop.route == LOCAL]
    assert recipients(item) == [ALICE, BOB]
    filing(way, BOB, Unavailable("busy"))
    fates = {name: fate for name, fate, _ in carry(way)}
    assert fates == {ALICE: "sent", BOB: "waiting"}


def test_who_fails_alone_fails_at_once(way: Way) -> None:
    filing(way, BOB, Unavailable("busy"))
    [outcome] = at_once(way.begin(BOB).prepare()).values()
    assert isinstance(outcome, Failed)
    assert way.items == []


def test_lmtp_answers_for_each(way: Way) -> None:
    filing(way, BOB, Unavailable("busy"))
    by_lmtp = Origin("unix", protocol="LMTP")
    transaction = way.begin(ALICE, BOB, rules=Handed(), origin=by_lmtp)
    _, bob = at_once(transaction.prepare()).values()
    assert isinstance(bob, Failed)
    at_once(transaction.commit())
    assert way.items == []
    assert way.world.teller.told_at_once == []


def test_a_notice_that_cannot_be_kept_keeps_the_message_out(way: Way) -> None:
    filing(way, BOB, BadMessage("no thanks"))
    transaction = way.begin(ALICE, BOB)
    at_once(transaction.prepare())
    way.world.teller.error = StorageFull()
    with pytest.raises(StorageFull):
        at_once(transaction.commit())
    assert way.world.mailbox(ALICE) == []


def test_a_disk_that_fails_keeps_nothing(way: Way) -> None:
    way.world.store = Broken(now=way.world.clock.seconds)
    transaction = way.submit(BOB, "b@example.net")
    at_once(transaction.prepare())
    with pytest.raises(StorageBroken):
        at_once(transaction.commit())
    assert way.items == []
    assert Step.ACCEPTED not in [step for step, _, _ in way.steps()]


# -- success


def test_success_is_told_where_it_was_asked_for(way: Way) -> None:
    keep(way.submit(BOB, "b@example.net", wish=SUCCESS))
    # Of the other one the next hop tells.
    assert way.world.teller.told_at_once == [(NoticeKind.DELIVERED, BOB)]
    keep(way.submit(BOB))
    assert len(way.world.teller.told_at_once) == 1


def test_who_wrote_to_several_is_told_that_it_went_on(way: Way) -> None:
    # RFC 3461 §5.2.7.3.
    way.alias("both", "fred@example.net", BOB)
    way.alias("two", "fred@example.net", "erin@other.example")
    way.alias("one", "fred@example.net")
    both = RecipientParameters(frozenset((Notify.SUCCESS, Notify.FAILURE)))
    keep(way.begin("both@example.org", wish=both))
    keep(way.begin("two@example.org", wish=SUCCESS))
    keep(way.begin("one@example.org", wish=SUCCESS))
    keep(way.begin("both@example.org"))
    assert way.world.teller.told_at_once == [
        (NoticeKind.EXPANDED, "both@example.org"),
        (NoticeKind.EXPANDED, "two@example.org"),
    ]
    wishes = [item.recipients[0].recipient.parameters.notify for item in way.items]
    assert wishes == [
        {Notify.FAILURE},
        {Notify.NEVER},
        {Notify.NEVER},
        {Notify.SUCCESS},
        None,
    ]


def test_success_that_cannot_be_told_is_success(way: Way) -> None:
    way.world.teller.error = StorageFull()
    keep(way.submit(BOB, wish=SUCCESS))
    assert len(way.world.mailbox(BOB)) == 1
