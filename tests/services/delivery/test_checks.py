"""What a check says of a message is kept with it, from its delivery on."""

from __future__ import annotations

import pytest
from attrs import define
from zope.interface import implementer
from zope.interface.verify import verifyObject

from mailkit.errors import MailkitError, Refused, Unavailable
from mailkit.interfaces.checks import Checked, ICheck
from mailkit.interfaces.delivery import Origin
from mailkit.model.account import Account
from mailkit.model.conversation import InMailbox
from mailkit.model.envelope import Envelope, Recipient
from mailkit.model.mailbox import INBOX
from mailkit.model.path import NULL_PATH, Path
from mailkit.model.queueitem import Selection
from mailkit.model.verdict import Verdict
from mailkit.services.delivery.again import LocalCarrier
from mailkit.services.delivery.local import LocalDelivery
from mailkit.services.delivery.rules import Arrival, Handed
from mailkit.storage.memory.store import MemoryStore
from mailkit.testing.at_once import at_once
from mailkit.testing.checks import FAIL, NOTHING, PASS, KnownCheck
from tests.services.delivery.test_transaction import Rulebook
from tests.services.smtp.world import ALICE, HOSTNAME, World

ORIGIN = Origin("192.0.2.1", "client", "ESMTPS", "TLSv1.3 TLS_AES_256_GCM_SHA384")
MESSAGE = b"From: dave@example.net\r\nSubject: Hello\r\n\r\nhello\r\n"
CHECK = KnownCheck({"example.net": PASS, "example.com": FAIL, "example.edu": NOTHING})


async def send(
    world: World, check: ICheck | None, sender: Path, origin: Origin = ORIGIN
) -> None:
    delivery = world.delivery(Arrival((HOSTNAME,)))
    assert isinstance(delivery, LocalDelivery)
    delivery.house.check = check
    transaction = await delivery.begin(Envelope(sender), origin)
    await transaction.add_recipient(Recipient(Path("alice", "example.org")))
    await transaction.write(MESSAGE)
    await transaction.prepare()
    await transaction.commit()


def verdict_in(world: World) -> Verdict | None:
    store = world.store
    assert isinstance(store, MemoryStore)
    [row] = at_once(store.conversations.page(ALICE, InMailbox(INBOX))).rows
    return row.newest.verdict


VERDICTS = {
    "example.net": Verdict(
        "pass", "pass", "pass", "example.net", ORIGIN.tls, "as it should be"
    ),
    "example.com": FAIL,
    "example.edu": NOTHING,
    "example.gov": None,
}


@pytest.mark.parametrize(("domain", "expected"), VERDICTS.items())
def test_it_is_kept_with_the_message(domain: str, expected: Verdict | None) -> None:
    world = World()
    at_once(send(world, CHECK, Path("dave", domain)))
    assert verdict_in(world) == expected


def test_it_is_kept_with_what_waits_and_asked_no_more() -> None:
    """A mailbox of ours has no room at first."""
    world = World()
    world.send_out()
    check = KnownCheck({"example.net": PASS})
    world.filing = Rulebook({ALICE: Unavailable("busy")})
    delivery = world.delivery(Arrival((HOSTNAME,)))
    assert isinstance(delivery, LocalDelivery)
    delivery.house.check = check

    async def run() -> None:
        transaction = await delivery.begin(
            Envelope(Path("dave", "example.net")), ORIGIN
        )
        for name in ("alice", "bob"):
            await transaction.add_recipient(Recipient(Path(name, "example.org")))
        await transaction.write(MESSAGE)
        await transaction.prepare()
        await transaction.commit()

    at_once(run())
    queue = world.queue
    assert queue is not None
    [item] = at_once(queue.items(Selection()))
    assert Verdict.from_text(item.verdict) == VERDICTS["example.net"]

    world.filing = Rulebook({})

    def again() -> LocalDelivery:
        found = world.delivery(Handed())
        assert isinstance(found, LocalDelivery)
        found.house.check = check
        return found

    content = at_once(queue.content(item.id))
    at_once(LocalCarrier(again).carry(item, content))
    assert verdict_in(world) == VERDICTS["example.net"]
    assert len(check.asked) == 1


def test_where_nobody_checks_there_is_none() -> None:
    world = World()
    at_once(send(world, None, Path("dave", "example.net")))
    assert verdict_in(world) is None


def test_it_is_asked_once_and_sees_the_whole_message() -> None:
    verifyObject(ICheck, CHECK)
    world = World()
    check = KnownCheck()
    at_once(send(world, check, NULL_PATH))
    [checked] = check.asked
    assert checked.envelope.reverse_path == NULL_PATH
    assert checked.origin == ORIGIN
    assert checked.header == MESSAGE[: -len(b"hello\r\n")]
    assert at_once(checked.content.read(0, 1000)) == MESSAGE


def test_our_own_people_are_no_strangers() -> None:
    world = World()
    account = at_once(world.directory.account(ALICE))
    assert isinstance(account, Account)
    origin = Origin("192.0.2.1", account=account)
    check = KnownCheck({"example.net": PASS})
    at_once(send(world, check, Path("dave", "example.net"), origin))
    assert check.asked == []


@pytest.mark.parametrize("error", [Refused("spam"), Unavailable("no DNS")])
def test_what_it_turns_down_is_kept_by_nobody(error: MailkitError) -> None:
    @implementer(ICheck)
    @define
    class Unwilling:
        async def check(self, checked: Checked) -> Verdict | None:
            raise error

    world = World()
    with pytest.raises(type(error)):
        at_once(send(world, Unwilling(), Path("dave", "example.net")))
    assert at_once(world.store.status(ALICE, INBOX)).exists == 0
