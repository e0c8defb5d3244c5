"""What bulk sendings work with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from attrs import define, field
from twisted.internet.interfaces import IReactorTime

from mailkit.formats.signedaddress import Keys
from mailkit.interfaces.directory import IDirectory
from mailkit.interfaces.events import IEvents
from mailkit.interfaces.sendings import ISendings
from mailkit.interfaces.storage import IContent
from mailkit.interfaces.suppression import ISuppressionList
from mailkit.model.queueitem import QueueId, QueueItem, Selection
from mailkit.services.delivery.onward import Outbound
from mailkit.services.notices.returnaddresses import ReturnAddresses
from mailkit.services.queue.sealing import Ahead
from mailkit.services.routing import Routing

SealAhead = Callable[[IContent, Sequence[QueueItem], bytes], Awaitable[Ahead]]
"""As `mailkit.services.queue.sealing.Sealing.ahead`."""


async def nothing_ahead(
    content: IContent, items: Sequence[QueueItem], head: bytes
) -> Ahead:
    """Messages are signed by whoever sends them."""
    return Ahead(content, items, head)


@define(eq=False)
class SendingsHouse:
    """The parts."""

    origin: str
    """Where people find our web pages: ``https://mail.example.org``."""
    directory: IDirectory
    routing: Routing
    outbound: Outbound
    sendings: ISendings
    suppression: ISuppressionList
    addresses: ReturnAddresses
    events: IEvents
    clock: IReactorTime
    keys: Keys = field(repr=False)
    """What tokens of unsubscription are signed with."""
    most_octets: int
    """Of one message."""
    seal_ahead: SealAhead = nothing_ahead
    """Signs what leaves as soon as it is put."""

    async def queued(self, message: str) -> Sequence[QueueItem] | None:
        """What the queue has of a message, if it ever had it; ``None``: it had not."""
        queue = self.outbound.queue
        items = await queue.items(Selection(ids=(message,)), most=1)
        if items or await queue.attempts(QueueId(f"{message}.1")):
            return items
        return None
