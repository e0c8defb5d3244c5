"""From a message that is refused to the person who hears of it."""

from __future__ import annotations

import pytest
from attrs import evolve

from mailkit.formats import reported
from mailkit.formats.reported import DeliveryReport
from mailkit.interfaces.delivery import IDestination, Origin
from mailkit.model.account import Alias
from mailkit.model.address import AccountName, Address
from mailkit.model.envelope import Envelope, Recipient
from mailkit.model.event import Step
from mailkit.model.mailbox import INBOX
from mailkit.model.path import NULL_PATH, Path
from mailkit.model.queueitem import Fate, QueueItem
from mailkit.model.uidset import UIDSet
from mailkit.services.delivery.again import LocalCarrier
from mailkit.services.delivery.content import Rewritten
from mailkit.services.delivery.filing import IntoInbox
from mailkit.services.delivery.local import LocalDelivery
from mailkit.services.delivery.onward import Outbound
from mailkit.services.notices.destination import Returning
from mailkit.services.notices.incoming import NotingFiling
from mailkit.testing.at_once import at_once
from tests.services.notices.desk import DAVE, MESSAGE, Desk, failed
from tests.services.notices.test_incoming import SENT, dsn
from tests.services.smtp.world import ALICE, BOB

LATE = ("Final-Recipient: rfc822; bob@example.net", "Action: delayed")
ORIGIN = Origin("192.0.2.1", "mx.example.net", "ESMTP")


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.world.filing = NotingFiling(IntoInbox(), desk.reports)
    return desk


def whole_way_in(desk: Desk) -> IDestination:
    """Mail that comes in, where there is a way out."""
    returning = desk.destination()
    assert isinstance(returning, Returning)
    local = returning._behind
    assert isinstance(local, LocalDelivery)
    local.house.outbound = Outbound(desk.queue, desk.teller, desk.addresses.rewrite)
    local.house.events = desk.events
    return returning


def hand_in(desk: Desk, sender: Path, *recipients: str, message: bytes) -> str:
    async def run() -> str:
        destination = whole_way_in(desk)
        transaction = await destination.begin(Envelope(sender), ORIGIN)
        for each in recipients:
            local_part, _, domain = each.partition("@")
            await transaction.add_recipient(Recipient(Path(local_part, domain)))
        await transaction.write(message)
        await transaction.prepare()
        return await transaction.commit()

    return at_once(run())


def inbox(desk: Desk, account: AccountName) -> list[bytes]:
    mailbox = at_once(desk.world.store.open(account, INBOX))
    found = at_once(mailbox.contents(UIDSet(((1, 100),))))
    return [content.octets or b"" for _, content in found]


def carry(desk: Desk, item: QueueItem) -> None:
    """Deliver an item for our own people, as the queue does."""
    destination = whole_way_in(desk)
    carrier = LocalCarrier(lambda: destination)
    content = Rewritten(desk.octets(item))
    [report] = at_once(carrier.carry(item, content)).reports
    assert report.fate is Fate.SENT


def test_one_is_full_and_the_other_is_not(desk: Desk) -> None:
    """bob@example.org has no room for that; alice has."""
    full = at_once(desk.world.directory.account(AccountName("bob@example.org")))
    assert full is not None
    at_once(desk.world.directory.change_account(evolve(full, quota=100)))
    message = MESSAGE + b"x" * 500 + b"\r\n"
    hand_in(desk, DAVE, "alice@example.org", "bob@example.org", message=message)
    assert len(inbox(desk, ALICE)) == 1
    [waiting] = desk.items()  # a full mailbox may be emptied: the rest waits
    assert str(waiting.hop) == "example.org by local"


def test_the_bounce_of_a_person_of_ours_comes_home(desk: Desk) -> None:
    desk.tell(desk.item())
    [item] = desk.items()
    carry(desk, item)
    [octets] = inbox(desk, ALICE)
    report = reported.parse(octets)
    assert isinstance(report, DeliveryReport)
    assert report.recipients[0].address == "bob@example.net"
    assert octets.startswith(b"Return-Path: <>\r\n")


def test_bulk_mail_that_we_could_not_deliver(desk: Desk) -> None:
    """Its notices are read, and come into nobody's mailbox."""
    desk.events.record(evolve(SENT, transaction="t1"))
    sender = desk.addresses.bulk("t1.5", "example.org")
    item = evolve(desk.item(sender, None), message="t1")
    desk.tell(item)
    [notice] = desk.items()
    assert str(notice.hop) == "example.org by local"
    carry(desk, notice)
    assert [len(inbox(desk, one)) for one in (ALICE, BOB)] == [0, 0]
    assert [str(one) for one in desk.suppression.listed] == ["bob@example.net"]


def test_what_was_forwarded_comes_back_to_its_true_sender(desk: Desk) -> None:
    """dave writes to an alias of ours that leads to erin, who is not there."""
    erin = Address.of("erin", "example.com")
    alias = Alias(Address.of("erin", "example.org"), (erin,))
    at_once(desk.world.directory.set_alias(alias))
    hand_in(desk, DAVE, "erin@example.org", message=MESSAGE)
    [item] = desk.items()
    rewritten = item.envelope.reverse_path
    assert rewritten.local_part.startswith("SRS0=")
    # The next host takes it and returns it later.
    returned = b"From: MAILER-DAEMON@example.com\r\n\r\nNot here.\r\n"
    hand_in(desk, NULL_PATH, str(rewritten), message=returned)
    [_, back] = desk.items()
    assert [each.path for each in back.recipients] == [DAVE]
    # Or it refuses at once, and we tell.
    desk.tell(item, failed(Path("erin", "example.com")))
    [_, _, notice] = desk.items()
    assert [each.path for each in notice.recipients] == [DAVE]
    assert desk.suppression.listed == {}


def test_our_own_notices_are_written_down_once(desk: Desk) -> None:
    desk.events.record(evolve(SENT, transaction="T1"))
    desk.tell(desk.item())
    [notice] = desk.items()
    carry(desk, notice)
    steps = at_once(desk.events.find(SENT.message_id))
    assert [step.step for step in steps] == [Step.ACCEPTED, Step.TOLD]
    # What others tell later of the same is news.
    at_once(desk.reports.arrived(ALICE, dsn(*LATE)))
    assert desk.events.steps[-1].step is Step.REPORTED
