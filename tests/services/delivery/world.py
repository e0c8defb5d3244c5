"""A server that sends, and transactions with it."""

from __future__ import annotations

from collections.abc import Sequence

from mailkit.errors import (
    MailkitError,
    StorageBroken,
)
from mailkit.interfaces.delivery import ITransaction, Origin
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
from mailkit.model.path import Path
from mailkit.model.queueitem import QueueItem, Selection
from mailkit.services.delivery.again import LocalCarrier
from mailkit.services.delivery.rules import Arrival, Handed, Rules, Submitted
from mailkit.storage.content import OctetsContent
from mailkit.storage.memory.store import MemoryStore
from mailkit.testing.at_once import at_once
from mailkit.testing.lanes import DirectLanes
from tests.services.delivery.test_transaction import Rulebook
from tests.services.smtp.world import ALICE, HOSTNAME, World

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


def keep(transaction: ITransaction) -> None:
    at_once(transaction.prepare())
    at_once(transaction.commit())


def recipients(item: QueueItem) -> list[str]:
    return [str(each.path) for each in item.recipients]


class Broken(MemoryStore):
    """A disk that fails."""

    error: MailkitError = StorageBroken("the disk")

    async def deliver(self, content: IContent, to: Sequence[Placement]) -> list[int]:
        raise self.error


def filing(way: Way, account: AccountName, error: MailkitError) -> None:
    way.world.filing = Rulebook({account: error})


def carry(way: Way, *names: str) -> list[tuple[str, str, str]]:
    carrier = LocalCarrier(lambda: way.world.delivery(Handed()))
    item = way.items[0]
    carried = at_once(carrier.carry(item, OctetsContent(way.octets(item))))
    return [
        (str(report.path), report.fate.value, report.status)
        for report in carried.reports
    ]
