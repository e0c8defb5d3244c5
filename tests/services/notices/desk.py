"""A teller, and those who hear reports, over memory stores."""

from __future__ import annotations

from itertools import count

from attrs import define, field

from mailkit.interfaces.delivery import IDestination
from mailkit.interfaces.queue import IQueueStore
from mailkit.model.address import AccountName, DomainName
from mailkit.model.envelope import Envelope, Recipient
from mailkit.model.notice import NoticeKind
from mailkit.model.path import Path
from mailkit.model.queueitem import (
    NextHop,
    QueuedRecipient,
    QueueId,
    QueueItem,
    Selection,
)
from mailkit.services.delivery.content import Rewritten
from mailkit.services.delivery.rules import Arrival
from mailkit.services.notices.destination import ReturnHouse, Returning
from mailkit.services.notices.incoming import Reports
from mailkit.services.notices.returnaddresses import ReturnAddresses
from mailkit.services.notices.settings import NoticeSettings
from mailkit.services.notices.teller import Teller
from mailkit.storage.memory.events import MemoryEvents
from mailkit.storage.memory.queue import MemoryQueue
from mailkit.storage.memory.suppression import MemorySuppressionList
from mailkit.storage.state.local import LocalBoard
from mailkit.testing.at_once import at_once
from tests.services.smtp.world import ALICE, HOSTNAME, World

KEYS = (b"k" * 32,)
ALICE_PATH = Path("alice", "example.org")
BOB = Path("bob", "example.net")
DAVE = Path("dave", "example.net")
MESSAGE = (
    b"From: alice@example.org\r\nSubject: Lunch\r\nMessage-ID: <1@example.org>\r\n"
    b"\r\nToday?\r\n"
)


def failed(
    path: Path = BOB, status: str = "5.1.1", words: str = "550 5.1.1 No such user"
) -> QueuedRecipient:
    """A recipient whom nobody takes."""
    return QueuedRecipient(
        Recipient(path), status=status, words=words, host="mx.example.net"
    )


@define(eq=False)
class Desk:
    """All that is needed to tell, and to be told."""

    world: World = field(factory=World)
    settings: NoticeSettings = field(factory=NoticeSettings)
    events: MemoryEvents = field(factory=MemoryEvents)
    suppression: MemorySuppressionList = field(factory=MemorySuppressionList)
    queue: IQueueStore = field(init=False)
    addresses: ReturnAddresses = field(init=False)
    teller: Teller = field(init=False)
    reports: Reports = field(init=False)

    def __attrs_post_init__(self) -> None:
        world = self.world
        world.routing.sends = True
        self.queue = MemoryQueue(LocalBoard(world.clock), world.clock.seconds)
        self.addresses = ReturnAddresses("example.org", KEYS, world.clock)
        self.teller = Teller(
            HOSTNAME,
            self.queue,
            world.directory,
            world.routing,
            self.addresses,
            self.suppression,
            self.events,
            world.metrics,
            world.clock,
            self.settings,
        )
        self.reports = Reports(
            self.events, self.suppression, self.addresses, world.metrics, world.clock
        )

    def item(
        self,
        sender: Path = ALICE_PATH,
        account: AccountName | None = ALICE,
        envelope: Envelope | None = None,
        number: int = 1,
    ) -> QueueItem:
        """What was to go to example.net."""
        now = self.world.clock.seconds()
        return QueueItem(
            id=QueueId(f"T1.{number}"),
            message="T1",
            hop=NextHop(DomainName("example.net")),
            envelope=envelope or Envelope(sender),
            recipients=(),
            arrived=now,
            next_try=now,
            size=len(MESSAGE),
            message_id="<1@example.org>",
            account=account,
        )

    def tell(
        self,
        item: QueueItem,
        *recipients: QueuedRecipient,
        kind: NoticeKind = NoticeKind.FAILED,
        message: bytes = MESSAGE,
        until: float | None = None,
    ) -> None:
        """As the queue does."""
        told = recipients or (failed(),)
        at_once(self.teller.tell(item, Rewritten(message), told, kind, until))

    def items(self) -> list[QueueItem]:
        """What waits in the queue."""
        return list(at_once(self.queue.items(Selection())))

    def octets(self, item: QueueItem) -> bytes:
        """A message of the queue."""
        octets = at_once(self.queue.content(item.id)).octets
        assert octets is not None
        return octets

    def notice(self) -> bytes:
        """The one message in the queue."""
        [item] = self.items()
        return self.octets(item)

    def destination(self) -> IDestination:
        """Mail that comes in."""
        world, numbers = self.world, count(1)
        house = ReturnHouse(
            HOSTNAME,
            self.addresses,
            self.reports,
            world.directory,
            world.routing,
            self.queue,
            world.spool,
            self.events,
            world.clock,
            lambda: f"R{next(numbers)}",
        )
        return Returning(house, world.delivery(Arrival((HOSTNAME,))))
