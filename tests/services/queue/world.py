"""Everything around a sender: a queue, hosts that answer as told, and a clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from attrs import define, evolve, field
from twisted.internet.defer import Deferred
from zope.interface import implementer

from mailkit.errors import MailkitError
from mailkit.interfaces.queue import Carried, IRelay, NextHost
from mailkit.interfaces.storage import IContent
from mailkit.metrics import Metrics
from mailkit.model.address import DomainName
from mailkit.model.envelope import (
    Envelope,
    Notify,
    Recipient,
    RecipientParameters,
)
from mailkit.model.event import Step
from mailkit.model.path import Path
from mailkit.model.queueitem import (
    Fate,
    NextHop,
    QueuedRecipient,
    QueueId,
    QueueItem,
    Report,
    Sealed,
    Selection,
)
from mailkit.services.queue.hosts import Hosts
from mailkit.services.queue.house import SendingHouse
from mailkit.services.queue.schedule import Schedule
from mailkit.services.queue.sender import Sender
from mailkit.services.queue.settings import QueueSettings, RetrySettings
from mailkit.storage.content import OctetsContent
from mailkit.storage.memory.events import MemoryEvents
from mailkit.storage.memory.queue import MemoryQueue
from mailkit.storage.state.local import LocalBoard
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import NEW_YEAR, TestClock
from mailkit.testing.dns import DictResolver
from tests.services.tellers import NOWHERE, Teller, Told

MESSAGE = b"Subject: hello\r\n\r\nWords.\r\n"
SIGNED = Sealed(head=b"DKIM-Signature: yes\r\n")
HERE = "192.0.2.1"
ZONE = """
    example.net. MX 10 mx.example.net.
    mx.example.net. A 192.0.2.1
    two.example. MX 10 mx1.two.example.
    two.example. MX 20 mx2.two.example.
    mx1.two.example. A 192.0.2.11
    mx2.two.example. A 192.0.2.12
"""

Carries = Callable[[NextHost, QueueItem], Carried]
Answer = Carries | MailkitError | None
"""What a host does; ``None``: nothing, until `Relay.let_go`."""


def each(fate: Fate, status: str, words: str, **more: Any) -> Carries:
    """The same for all recipients that wait."""
    # Any: the fields of Carried, whichever the test is about

    def answer(host: NextHost, item: QueueItem) -> Carried:
        reports = [Report(one.path, fate, status, words) for one in item.waiting]
        return Carried(reports=tuple(reports), **more)

    return answer


OK = each(Fate.SENT, "2.0.0", "Thanks", tls="TLSv1.3")
RELAYED = each(Fate.RELAYED, "2.0.0", "Thanks")
LATER = each(Fate.WAITING, "4.2.0", "Not now")
NEVER = each(Fate.FAILED, "5.1.1", "Nobody of that name")
BUSY = each(Fate.WAITING, "4.7.0", "Too much of you", is_busy=True)


@implementer(IRelay)
@define(eq=False)
class Relay:
    """Hosts that answer as told, by address; all others take everything."""

    answers: dict[str, Answer] = field(factory=dict)
    carried: list[tuple[str, str]] = field(factory=list)
    """Address and item of each try, in order."""
    hanging: list[tuple[Deferred[None], NextHost]] = field(factory=list)
    most: dict[str, int] = field(factory=dict)
    """How many were on their way at a time, by address; ``""``: all."""
    now: dict[str, int] = field(factory=dict)
    takes: float = 0.0
    """Seconds that each try takes."""
    clock: TestClock | None = None
    is_closed: bool = False

    async def carry(
        self, host: NextHost, item: QueueItem, content: IContent
    ) -> Carried:
        self.carried.append((host.address, item.id))
        for key in (host.address, ""):
            self.now[key] = self.now.get(key, 0) + 1
            self.most[key] = max(self.most.get(key, 0), self.now[key])
        try:
            return await self._answer(host, item)
        finally:
            for key in (host.address, ""):
                self.now[key] -= 1

    async def _answer(self, host: NextHost, item: QueueItem) -> Carried:
        if self.takes and self.clock is not None:
            turn: Deferred[None] = Deferred()
            self.clock.callLater(self.takes, turn.callback, None)
            await turn
        answer = self.answers.get(host.address, OK)
        if answer is None:
            turn = Deferred()
            self.hanging.append((turn, host))
            await turn
            answer = self.answers.get(host.address)
        if isinstance(answer, MailkitError):
            raise answer
        return (answer or OK)(host, item)

    def let_go(self) -> None:
        """Those that hang answer as they are told by now."""
        hanging, self.hanging = self.hanging, []
        for turn, _ in hanging:
            turn.callback(None)

    async def close(self) -> None:
        self.is_closed = True


@define(eq=False)
class World:
    """A sender and all around it."""

    retry: RetrySettings = field(factory=RetrySettings)
    settings: QueueSettings = field(factory=QueueSettings)
    clock: TestClock = field(factory=TestClock)
    resolver: DictResolver = field(factory=lambda: DictResolver(ZONE))
    relay: Relay = field(factory=Relay)
    teller: Teller = field(factory=Teller)
    events: MemoryEvents = field(factory=MemoryEvents)
    metrics: Metrics = field(factory=Metrics)
    queue: Any = None  # IQueueStore, or what a test puts around one
    sender: Sender = field(init=False)
    house: SendingHouse = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.relay.clock = self.clock
        if self.queue is None:
            self.queue = MemoryQueue(LocalBoard(self.clock), self.clock.seconds)
        self.house = SendingHouse(
            queue=self.queue,
            hosts=Hosts(self.resolver, "mail.example.org", list.sort),
            relay=self.relay,
            teller=self.teller,
            events=self.events,
            metrics=self.metrics,
            clock=self.clock,
            schedule=Schedule(lambda: 0.5, self.retry),
            settings=self.settings,
        )
        self.sender = Sender(self.house, "one")

    def put(self, *items: QueueItem) -> None:
        """Items of one message, from now on in the queue."""
        at_once(self.queue.put(OctetsContent(MESSAGE), items))

    def start(self) -> World:
        """Let the sender do what it can do now."""
        self.sender.start()
        self.turn()
        return self

    def turn(self, seconds: float = 0.0, step: float = 60.0) -> None:
        """Time goes by, and whoever waited for it does its part."""
        while seconds > step:
            self.clock.advance(step)
            seconds -= step
        self.clock.advance(seconds)
        for _ in range(3):
            self.clock.advance(0)

    def item(self, id: str = "a.1") -> QueueItem | None:
        """An item as it stands; ``None``: it is gone."""
        found = at_once(self.queue.items(Selection(ids=(id,))))
        return found[0] if found else None

    def there(self, id: str = "a.1") -> QueueItem:
        """An item that is there."""
        item = self.item(id)
        assert item is not None
        return item

    def notices(self) -> list[Told]:
        """What is told in the notices that the queue keeps."""
        kept = at_once(self.queue.items(Selection(domain=NOWHERE.domain)))
        return [told for item in kept for told in self.teller.written[item.message]]

    def steps(self) -> list[tuple[Step, str]]:
        """What `mailkit trace` would tell: step and detail."""
        return [(event.step, event.detail) for event in self.events.steps]

    def attempts(self, id: str = "a.1") -> Sequence[Any]:  # Any: Attempt
        """All attempts of an item."""
        return list(at_once(self.queue.attempts(QueueId(id))))


def an_item(
    transaction: str = "a",
    domain: str = "example.net",
    *names: str,
    number: int = 1,
    at: float = NEW_YEAR,
    notify: frozenset[Notify] | None = None,
    **more: Any,
) -> QueueItem:
    """An item for people of a domain, Carol where nobody is named."""
    # Any: fields of QueueItem, whichever the test is about
    parameters = RecipientParameters(notify=notify)
    recipients = [
        QueuedRecipient(Recipient(Path(name, domain), parameters))
        for name in names or ("carol",)
    ]
    item = QueueItem(
        id=QueueId(f"{transaction}.{number}"),
        message=transaction,
        hop=NextHop(DomainName(domain)),
        envelope=Envelope(Path("alice", "example.org")),
        recipients=tuple(recipients),
        arrived=at,
        next_try=at,
        size=len(MESSAGE),
        message_id=f"<{transaction}@example.org>",
    )
    return evolve(item, **more)


def hanging() -> World:
    """Somebody who never answers has an item."""
    world = World()
    world.relay.answers[HERE] = None
    world.put(an_item())
    return world.start()


def claimable(world: World, at: float | None = None) -> Sequence[str]:
    """What somebody else could claim now."""
    now = world.clock.seconds() if at is None else at
    hop = an_item().hop
    found = at_once(world.queue.claim(hop, "other", now, now + 1, 100))
    ids = [item.id for item in found]
    at_once(world.queue.give_back("other", ids, now))
    return ids


@define(eq=False)
class Signer:
    """Signs as told, and says how often."""

    sealed: Sealed | Exception | None
    turn: Deferred[None] | None = None
    seals: int = 0

    async def __call__(self, item: QueueItem, content: IContent) -> Sealed | None:
        self.seals += 1
        if self.turn is not None:
            await self.turn
        if isinstance(self.sealed, Exception):
            raise self.sealed
        return self.sealed
