"""Writing mail over the memory stores of a `WebWorld`."""

from __future__ import annotations

from attrs import define, field

from mailkit.interfaces.conversations import IConversations
from mailkit.metrics import Metrics
from mailkit.services.composing.composing import Composing
from mailkit.services.composing.house import ComposingHouse
from mailkit.services.composing.settings import ComposingSettings
from mailkit.services.delivery.filing import IntoInbox
from mailkit.services.delivery.local import LocalDelivery
from mailkit.services.delivery.onward import Outbound
from mailkit.services.delivery.rules import Submitted
from mailkit.services.delivery.transaction import DeliveryHouse
from mailkit.services.routing import Routing
from mailkit.services.smtp.doors import OwnPeople
from mailkit.storage.memory.directory import MemoryDirectory
from mailkit.storage.memory.drafts import MemoryDrafts
from mailkit.storage.memory.events import MemoryEvents
from mailkit.storage.memory.personal import MemoryPersonal
from mailkit.storage.memory.queue import MemoryQueue
from mailkit.storage.memory.spool import MemorySpool
from mailkit.storage.memory.store import MemoryStore
from mailkit.storage.state.local import LocalBoard
from mailkit.testing.clock import TestClock
from mailkit.testing.lanes import DirectLanes
from tests.services.tellers import Teller


@define(eq=False)
class WritingRoom:
    """A desk and a queue, which nothing leaves by itself."""

    hostname: str
    clock: TestClock
    directory: MemoryDirectory
    store: MemoryStore
    conversations: IConversations
    personal: MemoryPersonal
    drafts: MemoryDrafts = field(factory=MemoryDrafts, init=False)
    queue: MemoryQueue = field(init=False)
    composing: Composing = field(init=False)

    def __attrs_post_init__(self) -> None:
        now = self.clock.seconds
        self.queue = MemoryQueue(LocalBoard(self.clock), now)
        routing = Routing(self.directory, self.hostname, sends=True)
        events, numbers = MemoryEvents(), iter(range(1, 1000))
        delivery = DeliveryHouse(
            self.hostname,
            self.directory,
            routing,
            self.store,
            MemorySpool(),
            IntoInbox(),
            events,
            Metrics(),
            self.clock,
            lambda: f"T{next(numbers)}",
            outbound=Outbound(self.queue, Teller()),
        )
        rules = Submitted(self.hostname, routing, DirectLanes(), now, lambda: "fresh")
        self.composing = Composing(
            ComposingHouse(
                hostname=self.hostname,
                store=self.store,
                conversations=self.conversations,
                drafts=self.drafts,
                personal=self.personal,
                directory=self.directory,
                queue=self.queue,
                events=events,
                destination=LocalDelivery(delivery, rules),
                door=OwnPeople(None, routing),
                lanes=DirectLanes(),
                clock=self.clock,
                new_id=lambda: "fresh",
                settings=ComposingSettings(message_size=2_000_000),
            )
        )
