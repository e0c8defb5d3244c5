"""Mail that comes back to addresses of ours."""

from __future__ import annotations

import pytest
from zope.interface.verify import verifyObject

from mailkit.errors import LocalMisuse, MailLoop, NoSuchAddress, NotOurs
from mailkit.formats import header
from mailkit.interfaces.delivery import IDestination, ITransaction, Origin
from mailkit.model.envelope import Envelope, Recipient
from mailkit.model.event import Step
from mailkit.model.mailbox import INBOX
from mailkit.model.outcome import Kept
from mailkit.model.path import NULL_PATH, Path
from mailkit.model.uidset import UIDSet
from mailkit.testing.at_once import at_once
from tests.services.notices.desk import ALICE_PATH, BOB, DAVE, Desk
from tests.services.notices.test_incoming import SENT, dsn
from tests.services.smtp.world import ALICE

EVERY = UIDSet(((1, 100),))
ORIGIN = Origin("192.0.2.1", "mx.example.net", "ESMTPS", "TLSv1.3 AES")


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.events.record(SENT)
    return desk


def begin(
    desk: Desk, *paths: Path, sender: Path = NULL_PATH, message: bytes | None = None
) -> ITransaction:
    async def run() -> ITransaction:
        destination = desk.destination()
        verifyObject(IDestination, destination)
        transaction = await destination.begin(Envelope(sender), ORIGIN)
        verifyObject(ITransaction, transaction)
        for path in paths:
            await transaction.add_recipient(Recipient(path))
        octets = dsn() if message is None else message
        for at in range(0, len(octets), 100):
            await transaction.write(octets[at : at + 100])
        return transaction

    return at_once(run())


def bulk(desk: Desk) -> Path:
    return desk.addresses.bulk("5f3c.1", "example.org")


def inbox(desk: Desk) -> int:
    mailbox = at_once(desk.world.store.open(ALICE, INBOX))
    return len(at_once(mailbox.contents(EVERY)))


def test_what_comes_to_a_bulk_address_is_read_and_kept_nowhere(desk: Desk) -> None:
    path = bulk(desk)
    transaction = begin(desk, path)
    assert at_once(transaction.prepare()) == {path: Kept(("reports",))}
    assert at_once(transaction.commit()) == "R1"
    assert [step.step for step in desk.events.steps[1:]] == [
        Step.RETURNED,
        Step.DISCARDED,
    ]
    assert desk.events.steps[-1].detail == "read, about 5f3c.1"
    assert len(desk.suppression.listed) == 1
    assert desk.items() == []
    assert all(file.is_discarded for file in desk.world.spool.files)


def test_others_are_asked_as_ever(desk: Desk) -> None:
    transaction = begin(desk, ALICE_PATH, sender=DAVE)
    outcomes = at_once(transaction.prepare())
    assert list(outcomes) == [ALICE_PATH]
    assert at_once(transaction.commit()) == "T1"
    assert inbox(desk) == 1
    with pytest.raises(NotOurs):
        begin(desk, BOB)
    with pytest.raises(NoSuchAddress):
        begin(desk, Path("bounce+5f3c.1-aaaaaaaaaa", "example.org"))


def test_both_at_once(desk: Desk) -> None:
    path = bulk(desk)
    transaction = begin(desk, path, ALICE_PATH)
    assert set(at_once(transaction.prepare())) == {path, ALICE_PATH}
    assert at_once(transaction.commit()) == "T1"
    assert inbox(desk) == 1
    assert len(desk.suppression.listed) == 1


def test_a_rewritten_sender_elsewhere(desk: Desk) -> None:
    path = desk.addresses.rewrite(DAVE)
    transaction = begin(desk, path)
    assert at_once(transaction.prepare()) == {path: Kept(("queue for example.net",))}
    assert at_once(transaction.commit()) == "R1"
    [item] = desk.items()
    assert item.envelope.reverse_path == NULL_PATH
    assert [each.path for each in item.recipients] == [DAVE]
    assert item.is_sealed
    octets = desk.octets(item)
    assert octets.endswith(dsn())
    [trace] = header.every(octets, b"Received")
    assert b"from mx.example.net ([192.0.2.1])" in trace
    assert b"id R1" in trace
    assert desk.events.steps[-1].detail == "R1.1 for example.net"


def test_a_rewritten_sender_of_ours(desk: Desk) -> None:
    elsewhere = Desk()
    elsewhere.addresses._domain = "elsewhere.example"
    path = elsewhere.addresses.rewrite(ALICE_PATH)
    transaction = begin(desk, path, ALICE_PATH)
    assert set(at_once(transaction.prepare())) == {path, ALICE_PATH}
    at_once(transaction.commit())
    assert inbox(desk) == 1


def test_only_what_comes_back_may_pass(desk: Desk) -> None:
    with pytest.raises(NoSuchAddress):
        begin(desk, desk.addresses.rewrite(DAVE), sender=BOB)


def test_nobody_is_promised_what_cannot_be_sent(desk: Desk) -> None:
    desk.world.routing.sends = False
    with pytest.raises(NotOurs):
        begin(desk, desk.addresses.rewrite(DAVE))


def test_what_goes_round_is_refused(desk: Desk) -> None:
    path = desk.addresses.rewrite(DAVE)
    transaction = begin(desk, path, message=b"Received: x\r\n" * 100 + b"\r\n")
    with pytest.raises(MailLoop):
        at_once(transaction.prepare())
    at_once(transaction.abort())
    assert desk.items() == []


def test_abort_and_misuse(desk: Desk) -> None:
    transaction = begin(desk, bulk(desk))
    at_once(transaction.abort())
    at_once(transaction.abort())
    transaction = begin(desk, ALICE_PATH)
    at_once(transaction.abort())
    assert all(file.is_discarded for file in desk.world.spool.files)
    with pytest.raises(LocalMisuse):
        at_once(begin(desk).commit())
