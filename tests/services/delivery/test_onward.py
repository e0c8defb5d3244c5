"""What of a message leaves, waits, or is told of, when there is a queue."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from attrs import evolve

from mailkit.errors import (
    BadMessage,
    MailkitError,
    MailLoop,
    NoSuchAddress,
    NotOurs,
    OverQuota,
    StorageBroken,
    StorageFull,
    Unavailable,
)
from mailkit.interfaces.delivery import ForeignRecipient, ITransaction, Origin
from mailkit.interfaces.storage import IContent, Placement
from mailkit.model.account import Alias
from mailkit.model.address import AccountName, Address, DomainName
from mailkit.model.envelope import (
    Envelope,
    Notify,
    Recipient,
    RecipientParameters,
    SenderParameters,
)
from mailkit.model.event import Step
from mailkit.model.notice import NoticeKind
from mailkit.model.outcome import Failed, Kept
from mailkit.model.path import NULL_PATH, Path
from mailkit.model.queueitem import Attempt, Fate, NextHop, QueueItem, Selection
from mailkit.services.delivery.again import LocalCarrier
from mailkit.services.delivery.onward import (
    HEAD_START,
    LOCAL,
    Onward,
    as_it_is,
    nothing_in_front,
)
from mailkit.services.delivery.rules import Arrival, Handed, Rules, Submitted
from mailkit.storage.content import OctetsContent
from mailkit.storage.memory.store import MemoryStore
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import NEW_YEAR
from mailkit.testing.lanes import DirectLanes
from tests.services.delivery.test_transaction import Rulebook
from tests.services.smtp.world import ALICE, BOB, HOSTNAME, World

DAVE = Path("dave", "example.net")
STRANGER = Origin("192.0.2.1", "client", "ESMTP")
MESSAGE = (
    b"From: alice@example.org\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\nhi\r\n"
)
SUCCESS = RecipientParameters(notify=frozenset((Notify.SUCCESS,)))


class Way:
    """A server that sends, and one transaction with it."""

    def __init__(self) -> None:
        self.world = World()
        self.world.send_out()
        self.message = MESSAGE

    def alias(self, name: str, *targets: str) -> None:
        found = [Address.parse(target) for target in targets]
        address = Address(name, DomainName("example.org"))
        alias = Alias(address, tuple(one for one in found if one))
        at_once(self.world.directory.set_alias(alias))

    def begin(
        self,
        *recipients: str,
        rules: Rules | None = None,
        origin: Origin = STRANGER,
        sender: Path = DAVE,
        parameters: SenderParameters | None = None,
        wish: RecipientParameters | None = None,
    ) -> ITransaction:
        async def run() -> ITransaction:
            delivery = self.world.delivery(rules or Arrival((HOSTNAME,)))
            envelope = Envelope(sender, parameters or SenderParameters())
            transaction = await delivery.begin(envelope, origin)
            for text in recipients:
                local_part, _, domain = text.partition("@")
                path = Path(local_part, domain)
                each = Recipient(path, wish or RecipientParameters())
                await transaction.add_recipient(each)
            await transaction.write(self.message)
            return transaction

        return at_once(run())

    def submit(
        self,
        *recipients: str,
        parameters: SenderParameters | None = None,
        wish: RecipientParameters | None = None,
    ) -> ITransaction:
        world = self.world
        account = at_once(world.directory.account(ALICE))
        return self.begin(
            *recipients,
            rules=Submitted(
                HOSTNAME,
                world.routing,
                DirectLanes(),
                world.clock.seconds,
                lambda: "fresh",
            ),
            origin=Origin("192.0.2.1", "laptop", "ESMTPSA", "", account, True),
            sender=Path("alice", "example.org"),
            parameters=parameters,
            wish=wish,
        )

    @property
    def items(self) -> Sequence[QueueItem]:
        assert self.world.queue is not None
        return at_once(self.world.queue.items(Selection()))

    def octets(self, item: QueueItem) -> bytes:
        assert self.world.queue is not None
        octets = at_once(self.world.queue.content(item.id)).octets
        assert octets is not None
        return octets

    def steps(self) -> list[tuple[Step, str, str]]:
        return [
            (event.step, event.recipient, event.detail)
            for event in self.world.events.events
        ]


@pytest.fixture
def way() -> Way:
    return Way()


def keep(transaction: ITransaction) -> None:
    at_once(transaction.prepare())
    at_once(transaction.commit())


def recipients(item: QueueItem) -> list[str]:
    return [str(each.path) for each in item.recipients]


# -- out


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
    assert way.world.teller.told == []
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


# -- aliases that lead elsewhere


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


# -- recipients that fare differently


class Broken(MemoryStore):
    """A disk that fails."""

    error: MailkitError = StorageBroken("the disk")

    async def deliver(self, content: IContent, to: Sequence[Placement]) -> list[int]:
        raise self.error


def filing(way: Way, account: AccountName, error: MailkitError) -> None:
    way.world.filing = Rulebook({account: error})


def test_who_is_refused_is_told_of_and_the_others_have_it(way: Way) -> None:
    filing(way, BOB, BadMessage("no thanks"))
    transaction = way.begin(ALICE, BOB)
    outcomes = at_once(transaction.prepare())
    assert [isinstance(each, Failed) for each in outcomes.values()] == [False, True]
    at_once(transaction.commit())
    assert way.world.teller.told == [(NoticeKind.FAILED, BOB)]
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
    assert way.world.teller.told == []


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
    assert way.world.teller.told == [(NoticeKind.EXPANDED, "all+x@example.org")]


def test_one_of_those_behind_an_alias_is_refused(way: Way) -> None:
    filing(way, BOB, BadMessage("no thanks"))
    keep(way.begin("sales@example.org"))
    assert len(way.world.mailbox(ALICE)) == 1
    assert way.items == []
    assert way.world.teller.told == [(NoticeKind.FAILED, BOB)]
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
    assert way.world.teller.told == []


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
    assert way.world.teller.told == [(NoticeKind.DELIVERED, BOB)]
    keep(way.submit(BOB))
    assert len(way.world.teller.told) == 1


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
    assert way.world.teller.told == [
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


# -- once more


def carry(way: Way, *names: str) -> list[tuple[str, str, str]]:
    carrier = LocalCarrier(lambda: way.world.delivery(Handed()))
    item = way.items[0]
    carried = at_once(carrier.carry(item, OctetsContent(way.octets(item))))
    return [
        (str(report.path), report.fate.value, report.status)
        for report in carried.reports
    ]


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
