"""A delivery from its first recipient to the mailboxes, step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import pytest
from attrs import define, evolve, field
from zope.interface import implementer

from mailkit.errors import (
    BadMessage,
    LocalMisuse,
    MailkitError,
    MailLoop,
    NeedsSMTPUTF8,
    NoSuchAddress,
    NotAllowed,
    NotOurs,
    OverQuota,
    Refused,
    StorageFull,
    Suspended,
    Unavailable,
)
from mailkit.interfaces.delivery import (
    Arriving,
    Filed,
    IFiling,
    ITransaction,
    LocalRecipient,
    Origin,
    Routed,
)
from mailkit.interfaces.storage import IContent, Placement
from mailkit.model.address import AccountName, Address
from mailkit.model.envelope import Envelope, Recipient, SenderParameters
from mailkit.model.event import Step
from mailkit.model.mailbox import INBOX, MailboxName
from mailkit.model.outcome import Failed, Kept, Thrown
from mailkit.model.path import NULL_PATH, Path
from mailkit.services.delivery.rules import Arrival, Handed, Rules, Submitted
from mailkit.services.routes.matcher import NOBODYS, Mailing
from mailkit.services.routing import Routing
from mailkit.storage.memory.store import MemoryStore
from mailkit.testing.at_once import at_once
from mailkit.testing.lanes import DirectLanes
from tests.services.smtp.world import ALICE, BOB, HOSTNAME, World

DAVE = Path("dave", "example.net")
ORIGIN = Origin("192.0.2.1", "client", "ESMTP")
MESSAGE = b"From: dave@example.net\r\n\r\nhello\r\n"


def path(text: str) -> Path:
    local_part, _, domain = text.partition("@")
    return Path(local_part, domain)


def begin(
    world: World,
    *recipients: str,
    rules: Rules | None = None,
    message: bytes = MESSAGE,
    origin: Origin = ORIGIN,
    sender: Path = DAVE,
    parameters: SenderParameters = SenderParameters(),  # noqa: B008 - frozen
) -> ITransaction:
    """A transaction with its recipients and its message."""

    async def run() -> ITransaction:
        delivery = world.delivery(rules or Arrival((HOSTNAME,)))
        transaction = await delivery.begin(Envelope(sender, parameters), origin)
        for each in recipients:
            await transaction.add_recipient(Recipient(path(each)))
        for at in range(0, len(message), 1000):
            await transaction.write(message[at : at + 1000])
        return transaction

    return at_once(run())


def keep(transaction: ITransaction) -> str:
    at_once(transaction.prepare())
    return at_once(transaction.commit())


@implementer(IFiling)
@define(eq=False)
class Rulebook:
    """Files by account, and writes down what it was asked."""

    rules: dict[AccountName, Filed | MailkitError]
    asked: list[Arriving] = field(factory=list)

    async def file(self, arriving: Arriving) -> Filed:
        self.asked.append(arriving)
        decision = self.rules.get(arriving.account.name, Filed())
        if isinstance(decision, MailkitError):
            raise decision
        return decision


class FullStore(MemoryStore):
    """A disk that filled up."""

    async def deliver(self, content: IContent, to: Sequence[Placement]) -> list[int]:
        raise StorageFull


# -- recipients


@pytest.mark.parametrize(
    ("address", "error"),
    [
        ("nobody@example.org", NoSuchAddress),
        ("dave@example.net", NotOurs),
        ("carol@example.org", Suspended),
    ],
)
def test_who_is_refused(address: str, error: type[MailkitError]) -> None:
    world = World()
    with pytest.raises(error):
        begin(world, address)
    [event] = world.events.events
    assert event.step is Step.REFUSED
    assert event.recipient == address
    assert event.sender == "dave@example.net"
    assert event.peer == "192.0.2.1"
    assert event.detail == f"{error.__name__}: {address}"


def test_a_failed_recipient_leaves_nothing_behind() -> None:
    """Of an alias that leads to two, one is over quota."""
    world = World()
    with pytest.raises(OverQuota):
        begin(world, "sales@example.org", parameters=SenderParameters(size=20_000))
    assert world.mailbox(ALICE) == []


def test_a_full_mailbox_is_full_without_size() -> None:
    world = World()

    async def fill() -> None:
        bob = await world.directory.account(BOB)
        assert bob is not None
        await world.directory.change_account(evolve(bob, quota=50))

    keep(begin(world, "bob@example.org", message=b"From: a@b\r\n"))
    at_once(fill())
    with pytest.raises(OverQuota):
        begin(world, "bob@example.org")


def test_without_limit() -> None:
    world = World()

    async def lift() -> None:
        bob = await world.directory.account(BOB)
        assert bob is not None
        await world.directory.change_account(evolve(bob, quota=0))

    at_once(lift())
    begin(world, "bob@example.org", parameters=SenderParameters(size=10**12))


def test_one_copy_for_one_account() -> None:
    world = World()
    transaction = begin(
        world, "info@example.org", "alice+x@example.org", "alice@example.org"
    )
    assert keep(transaction) == "T1"
    [message] = world.mailbox(ALICE)
    assert message.count(b"Delivered-To: info@example.org\r\n") == 1
    assert b" for <" not in message


def test_the_main_address_needs_no_field() -> None:
    world = World()
    keep(begin(world, "ALICE@Example.ORG", "info@example.org"))
    [message] = world.mailbox(ALICE)
    assert b"Delivered-To" not in message


def test_each_account_has_its_own_head() -> None:
    world = World()
    keep(begin(world, "alice@example.org", "bob+x@example.org"))
    [message] = world.mailbox(ALICE)
    assert b"Delivered-To" not in message
    [message] = world.mailbox(BOB)
    assert message.startswith(
        b"Return-Path: <dave@example.net>\r\n"
        b"Delivered-To: bob+x@example.org\r\n"
        b"Received: from client ([192.0.2.1]) by mx.example.org with "
    )


# -- filing


def test_filing_decides() -> None:
    world = World()
    book = Rulebook(
        {
            ALICE: Filed((MailboxName("Junk"), INBOX), frozenset({"\\Seen"})),
            BOB: Filed(()),
        }
    )
    world.filing = book
    transaction = begin(world, "alice@example.org", "bob+detail@example.org")
    outcomes = at_once(transaction.prepare())
    assert outcomes == {
        path("alice@example.org"): Kept(("alice@example.org/Junk", f"{ALICE}/INBOX")),
        path("bob+detail@example.org"): Thrown(),
    }
    at_once(transaction.commit())
    assert len(world.mailbox(ALICE, "Junk")) == len(world.mailbox(ALICE)) == 1
    assert world.mailbox(BOB) == []
    [accepted, delivered, discarded] = world.events.events
    assert accepted.step is Step.ACCEPTED
    assert accepted.recipient == "alice@example.org, bob+detail@example.org"
    assert (delivered.step, delivered.detail) == (Step.DELIVERED, "Junk, INBOX")
    assert (discarded.step, discarded.account) == (Step.DISCARDED, BOB)
    [for_alice, for_bob] = book.asked
    assert for_alice.header == b"From: dave@example.net\r\n\r\n"
    assert for_alice.size == len(MESSAGE)
    assert for_bob.detail == "detail"
    assert [str(each.path) for each in for_bob.recipients] == ["bob+detail@example.org"]


def test_all_thrown_away() -> None:
    world = World()
    world.filing = Rulebook({ALICE: Filed(())})
    assert keep(begin(world, "alice@example.org")) == "T1"
    assert world.mailbox(ALICE) == []


@pytest.mark.parametrize("error", [Refused("no"), Unavailable("later")])
def test_filing_refuses_for_one(error: MailkitError) -> None:
    world = World()
    world.filing = Rulebook({BOB: error})
    transaction = begin(world, "alice@example.org", "bob@example.org")
    outcomes = at_once(transaction.prepare())
    assert outcomes[path("bob@example.org")] == Failed(error)
    assert isinstance(outcomes[path("alice@example.org")], Kept)
    at_once(transaction.commit())
    assert len(world.mailbox(ALICE)) == 1
    assert world.mailbox(BOB) == []
    assert [event.step for event in world.events.events] == [
        Step.REFUSED,
        Step.ACCEPTED,
        Step.DELIVERED,
    ]


def test_an_alias_fails_whole() -> None:
    """Its sender is told that it failed, so nobody behind it may have it."""
    world = World()
    world.filing = Rulebook({BOB: Refused()})
    transaction = begin(world, "sales@example.org")
    outcomes = at_once(transaction.prepare())
    assert isinstance(outcomes[path("sales@example.org")], Failed)
    at_once(transaction.commit())
    assert world.mailbox(ALICE) == world.mailbox(BOB) == []


def test_who_is_named_himself_has_it_all_the_same() -> None:
    world = World()
    world.filing = Rulebook({BOB: Refused()})
    keep(begin(world, "sales@example.org", "alice@example.org"))
    assert len(world.mailbox(ALICE)) == 1


# -- order


def test_commit_without_prepare() -> None:
    transaction = begin(World(), "alice@example.org")
    with pytest.raises(LocalMisuse):
        at_once(transaction.commit())


def test_abort_at_any_time() -> None:
    world = World()
    steps: list[Callable[[ITransaction], object]] = [
        lambda transaction: at_once(transaction.prepare()),
        lambda transaction: at_once(transaction.commit()),
    ]
    for count in range(3):
        transaction = begin(world, "bob@example.org")
        for step in steps[:count]:
            step(transaction)
        at_once(transaction.abort())
        at_once(transaction.abort())
        assert world.spool.files[-1].is_discarded
    assert len(world.mailbox(BOB)) == 1


def test_a_full_disk_in_commit_keeps_nothing() -> None:
    world = World()

    world.store = FullStore()
    world.filing = Rulebook({BOB: Refused("no")})
    transaction = begin(world, "alice@example.org", "bob@example.org")
    at_once(transaction.prepare())
    with pytest.raises(StorageFull):
        at_once(transaction.commit())
    assert world.spool.files[-1].is_discarded
    assert [
        (event.step, event.recipient, event.detail) for event in world.events.events
    ] == [
        (Step.REFUSED, "bob@example.org", "Refused: no"),
        (Step.REFUSED, "alice@example.org", "StorageFull"),
    ]


# -- loops, and what is in the header


def test_a_hundred_hops() -> None:
    """RFC 5321 §6.3."""
    world = World()
    hops = b"Received: by somebody\r\n"
    keep(begin(world, "alice@example.org", message=hops * 99 + MESSAGE))
    with pytest.raises(MailLoop):
        at_once(
            begin(world, "alice@example.org", message=hops * 100 + MESSAGE).prepare()
        )
    # The word alone is no hop.
    text = b"Subject: " + b"received " * 100 + b"\r\n"
    keep(begin(world, "alice@example.org", message=text + MESSAGE))


@pytest.mark.parametrize(
    ("header", "message_id"),
    [
        (b"", ""),
        (b"Message-ID: <a@b>\r\n", "<a@b>"),
        (b"X: y\r\nMESSAGE-id:\r\n <a@b>\r\n", "<a@b>"),
        (b"X-Message-ID: <x@y>\r\n", ""),
    ],
)
def test_the_message_id_is_recorded(header: bytes, message_id: str) -> None:
    world = World()
    keep(begin(world, "alice@example.org", message=header + MESSAGE))
    assert {event.message_id for event in world.events.events} == {message_id}


def test_handed_over_by_a_server_of_ours() -> None:
    """Its Authentication-Results are ours (RFC 8601 §5)."""
    world = World()
    message = b"Authentication-Results: mx.example.org; spf=pass\r\n" + MESSAGE
    origin = Origin("unix", "mx", "LMTP")
    transaction = begin(
        world, "alice@example.org", rules=Handed(), message=message, origin=origin
    )
    keep(transaction)
    [kept] = world.mailbox(ALICE)
    assert b"Authentication-Results" in kept
    assert b"Received: from mx by mx.example.org with LMTP id T1 for" in kept


def test_tls_is_told() -> None:
    world = World()
    origin = Origin("2001:db8::1", "c", "ESMTPS", "TLSv1.3 TLS_AES_256_GCM_SHA384")
    keep(begin(world, "alice@example.org", origin=origin))
    [kept] = world.mailbox(ALICE)
    unfolded = kept.replace(b"\r\n\t", b" ")
    assert b" (TLSv1.3 TLS_AES_256_GCM_SHA384) by mx.example.org" in unfolded
    assert b"from c ([IPv6:2001:db8::1]) (TLS" in unfolded


def test_what_others_say_in_their_names_stays() -> None:
    world = World()
    message = b"Authentication-Results: mx.example.net; spf=none\r\n" + MESSAGE
    keep(begin(world, "alice@example.org", message=message))
    [kept] = world.mailbox(ALICE)
    assert kept.endswith(message)


def test_an_account_that_is_removed_this_moment() -> None:
    world = World()

    class Ghosts:
        async def route(
            self, path: Path, may_send: bool = False, mailing: Mailing = NOBODYS
        ) -> Routed:
            ghost = AccountName("ghost@example.org")
            return Routed((LocalRecipient(ghost, str(path)),))

    world.routing = cast(Routing, Ghosts())
    with pytest.raises(NoSuchAddress):
        begin(world, "ghost@example.org")


# -- submission


def submitted(world: World) -> Submitted:
    return Submitted(
        HOSTNAME, world.routing, DirectLanes(), world.clock.seconds, lambda: "fresh"
    )


def submit(world: World, message: bytes, smtputf8: bool = False) -> bytes:
    """What alice's message to bob has become."""

    async def origin() -> Origin:
        account = await world.directory.account(ALICE)
        return Origin("192.0.2.1", "laptop", "ESMTPSA", "", account, True)

    transaction = begin(
        world,
        "bob@example.org",
        rules=submitted(world),
        message=message,
        origin=at_once(origin()),
        sender=Path("alice", "example.org"),
        parameters=SenderParameters(smtputf8=smtputf8),
    )
    keep(transaction)
    return world.mailbox(BOB)[-1].partition(b"+0000\r\n")[2]


WHOLE = b"Date: x\r\nMessage-ID: <1@a>\r\nFrom: alice@example.org\r\n\r\nhello\r\n"


def test_a_good_submission_stays_as_it_is() -> None:
    assert submit(World(), WHOLE) == WHOLE


def test_nobody_submits_what_only_we_may_say() -> None:
    """RFC 8601 §5; whoever knows a password is not us."""
    claims = (
        b"Authentication-Results: MX.example.org; dmarc=pass\r\nX-Spam-Flag: NO\r\n"
    )
    others = b"Authentication-Results: mx.example.net; spf=none\r\n"
    assert submit(World(), claims + others + WHOLE) == others + WHOLE


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (b"Subject: x\r\n\r\n", BadMessage),
        (b"From: alice@example.org\r\nFrom: alice@example.org\r\n\r\n", BadMessage),
        (b"From: dave@example.net\r\n\r\n", NotAllowed),
        (b"From: alice@example.org, bob@example.org\r\n\r\n", NotAllowed),
        (b"From: alice@example.org\r\nSubject: \xc3\xa4\r\n\r\n", NeedsSMTPUTF8),
    ],
)
def test_no_submission(message: bytes, error: type[MailkitError]) -> None:
    with pytest.raises(error):
        submit(World(), message)


def test_utf8_where_it_was_said() -> None:
    message = WHOLE.replace(b"hello", "ä".encode()).replace(b"1@a", "ä@a".encode())
    assert submit(World(), message, smtputf8=True) == message


def test_a_grant_is_enough() -> None:
    world = World()
    granted = Address.parse("dave@example.net")
    assert granted is not None
    at_once(world.directory.grant(ALICE, granted, True))
    assert submit(world, WHOLE.replace(b"alice@example.org", b"dave@example.net"))


@pytest.mark.parametrize("length", [998, 999])
@pytest.mark.parametrize("before", [0, 1, 500, 999, 1000, 1001])
def test_long_lines_wherever_they_are_cut(length: int, before: int) -> None:
    message = WHOLE + b"y" * before + b"\r\n" + b"x" * length + b"\r\n" * 2000
    is_long = max(length, before) > 998
    found = submit(World(), message)
    assert (b"quoted-printable" in found) is is_long
    if not is_long:
        assert found == message


def test_nobody_submits_without_an_account() -> None:
    world = World()
    with pytest.raises(NotAllowed):
        begin(world, rules=submitted(world), sender=NULL_PATH)
