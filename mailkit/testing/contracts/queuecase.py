"""A queue that is held to its contract, and items that are put into it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import define, evolve, field, fields, has
from twisted.internet.defer import Deferred
from zope.interface import implementer

from mailkit.interfaces.queue import IQueueStore
from mailkit.interfaces.storage import IContent
from mailkit.model.address import DomainName
from mailkit.model.envelope import (
    Envelope,
    Recipient,
)
from mailkit.model.path import Path
from mailkit.model.queueitem import (
    Attempt,
    Fate,
    NextHop,
    QueuedRecipient,
    QueueId,
    QueueItem,
    Report,
    Selection,
)
from mailkit.storage.content import OctetsContent
from mailkit.testing.clock import NEW_YEAR
from mailkit.testing.contracts.messages import (
    message,
)

NOW = NEW_YEAR
US = "worker 1"
OTHERS = "worker 2"
NET = NextHop(DomainName("example.net"))
ORG = NextHop(DomainName("example.org"))
BY_SMARTHOST = NextHop(DomainName("example.org"), "smarthost")
EVERYTHING = Selection()


def recipient(name: str = "carol", domain: str = "example.net") -> QueuedRecipient:
    """Somebody who waits for mail."""
    return QueuedRecipient(Recipient(Path(name, domain)))


def queue_item(transaction: str, number: int = 1, hop: NextHop = NET) -> QueueItem:
    """One item that may be tried at once; evolve it where that does not do."""
    return QueueItem(
        id=QueueId(f"{transaction}.{number}"),
        message=transaction,
        hop=hop,
        envelope=Envelope(Path("alice", "example.test")),
        recipients=(recipient(domain=hop.domain),),
        arrived=NOW,
        next_try=NOW,
        size=0,
    )


def with_fate(item: QueueItem, fate: Fate) -> tuple[QueuedRecipient, ...]:
    """All recipients as an attempt may have left them."""
    return tuple(
        evolve(one, fate=fate, status="2.0.0", words="Thanks", host="mx.example.net")
        for one in item.recipients
    )


def attempt(
    item: QueueItem, fate: Fate, *, began: float = NOW, took: float = 1.0
) -> Attempt:
    """A try that brought the same for all."""
    return Attempt(
        began=began,
        took=took,
        host="mx.example.net",
        address="192.0.2.1:25",
        tls="TLSv1.3 TLS_AES_256_GCM_SHA384",
        reports=tuple(
            Report(one.path, fate, "4.2.0", "Größe \udcff") for one in item.recipients
        ),
    )


class QueueCase:
    """A queue that is empty at first."""

    store: IQueueStore

    def make_store(self) -> IQueueStore:
        """A new, empty queue."""
        raise NotImplementedError

    async def settle(self) -> None:
        """Wait until what was published has been heard."""

    def setUp(self) -> None:
        self.store = self.make_store()

    def tearDown(self) -> Any:  # Any: trial takes a Deferred, its annotation None
        return Deferred.fromCoroutine(self.store.close())

    async def put(self, *items: QueueItem, octets: bytes = b"") -> None:
        """Keep one message."""
        await self.store.put(OctetsContent(octets or message()), items)

    async def claim(
        self,
        hop: NextHop = NET,
        *,
        owner: str = US,
        now: float = NOW,
        until: float = NOW + 60,
        most: int = 100,
    ) -> Sequence[QueueItem]:
        return await self.store.claim(hop, owner, now, until, most)

    async def claimed(self, hop: NextHop = NET, now: float = NOW) -> list[str]:
        """Ids of what can be claimed, which is given back."""
        ids = [item.id for item in await self.claim(hop, now=now)]
        await self.store.give_back(US, ids, now)
        return list(ids)

    async def record(
        self, item: QueueItem, fate: Fate, *, owner: str = US, next_try: float = NOW
    ) -> bool:
        return await self.store.record(
            owner,
            item.id,
            attempt(item, fate),
            with_fate(item, fate),
            next_try if fate is Fate.WAITING else None,
        )

    async def ids(self, selection: Selection = EVERYTHING) -> list[str]:
        found = [item.id for item in await self.store.items(selection)]
        assert await self.store.count(selection) == len(found)
        return list(found)


def is_without_defaults(value: object) -> None:
    """Hold that a value tries every field there is, and so do those in it."""
    if isinstance(value, tuple):
        for one in value:
            is_without_defaults(one)
    elif has(kind := type(value)):
        for one in fields(kind):
            found = getattr(value, one.name)
            if one.name in ("is_taken_over", "claimed_until"):  # of its claim alone
                continue
            assert found != one.default, f"{one.name} is not tried"
            is_without_defaults(found)


@implementer(IContent)
@define(eq=False)
class InPieces:
    """A message that is not in memory as a whole, or says that it is larger."""

    _whole: bytes = field(repr=False)
    size: int
    octets: bytes | None = None

    async def read(self, start: int, count: int) -> bytes:
        return self._whole[start : start + min(count, 100_000)]
