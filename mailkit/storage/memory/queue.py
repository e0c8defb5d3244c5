"""The queue that forgets: for tests, demonstrations and the throw-away server."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from attrs import define, evolve, field
from zope.interface import implementer

from mailkit.errors import LocalMisuse, NoSuchItem
from mailkit.interfaces.notices import INoticeBoard
from mailkit.interfaces.queue import IQueueStore, NewMessage
from mailkit.interfaces.storage import IContent, IWatch
from mailkit.model.address import DomainName
from mailkit.model.queueitem import (
    Attempt,
    DayStats,
    DueHop,
    Fate,
    NextHop,
    QueuedRecipient,
    QueueId,
    QueueItem,
    Sealed,
    Selection,
)
from mailkit.storage.content import OctetsContent, all_octets
from mailkit.storage.queue.days import Days, fates, stats_of

TOPIC = "queue"


@define(eq=False)
class _Message:
    """The octets of one message."""

    octets: bytes = field(repr=False)
    is_sealed: bool


@define(eq=False)
class _Entry:
    """An item, its place by arrival, and who tries it."""

    place: int
    item: QueueItem
    message: _Message
    owner: str = ""
    until: float = 0.0

    @property
    def ready(self) -> float | None:
        """When it may be tried; ``None`` while it is held."""
        item = self.item
        if item.held:
            return None
        if self.owner:
            return self.until
        return max(item.next_try, item.hold_until or 0.0)

    def is_free(self, now: float) -> bool:
        return not self.owner or self.until <= now

    def seen(self) -> QueueItem:
        """The item as it is told."""
        message = self.message
        size = len(message.octets)
        return evolve(self.item, size=size, is_sealed=message.is_sealed)


@implementer(IQueueStore)
@define(eq=False)
class MemoryQueue:
    """
    Every promise of `IQueueStore` but that of outliving the process.

    It is used in one thread, and waits for nothing but contents that wait.
    """

    _board: INoticeBoard
    _now: Callable[[], float]
    _entries: dict[QueueId, _Entry] = field(init=False, factory=dict)
    _places: dict[QueueId, int] = field(init=False, factory=dict)
    """Of all items that ever were."""
    _attempts: dict[QueueId, list[Attempt]] = field(init=False, factory=dict)
    _days: Days = field(init=False, factory=Days)

    async def put(
        self,
        content: IContent,
        items: Sequence[QueueItem],
        head: bytes = b"",
        owner: str = "",
        until: float = 0.0,
    ) -> None:
        if not items:
            return
        name = items[0].message
        if any(item.message != name for item in items):
            raise LocalMisuse("items of several messages")
        if self._messages(name):
            raise LocalMisuse(f"{name} is in the queue already")
        self._put(head + await all_octets(content), items)
        for item in items:
            self._entries[item.id].owner = owner
            self._entries[item.id].until = until
        if not owner:
            self._board.publish(TOPIC)

    def _put(self, octets: bytes, items: Sequence[QueueItem]) -> None:
        message = _Message(octets, items[0].is_sealed)
        for item in items:
            place = self._places[item.id] = len(self._places) + 1
            self._entries[item.id] = _Entry(place, item, message)
            self._days.accepted(item.hop.domain, item.arrived, len(item.recipients))

    async def due(self, now: float, most: int) -> Sequence[DueHop]:
        ready: dict[NextHop, list[float]] = {}
        for entry, moment in self._ready():
            if moment <= now:
                ready.setdefault(entry.item.hop, []).append(moment)
        hops = [
            DueHop(hop=hop, count=len(moments), oldest=min(moments))
            for hop, moments in ready.items()
        ]
        return sorted(hops, key=lambda hop: hop.oldest)[:most]

    async def next_time(self, now: float) -> float | None:
        later = [moment for _, moment in self._ready() if moment > now]
        return min(later, default=None)

    async def claim(
        self, hop: NextHop, owner: str, now: float, until: float, most: int
    ) -> Sequence[QueueItem]:
        found = sorted(
            (moment, entry.place, entry)
            for entry, moment in self._ready()
            if moment <= now and entry.item.hop == hop
        )[:most]
        claimed: list[QueueItem] = []
        for _, _, entry in found:
            is_taken_over = entry.owner not in ("", owner)
            entry.owner, entry.until = owner, until
            claimed.append(evolve(entry.seen(), is_taken_over=is_taken_over))
        return claimed

    async def renew(
        self, owner: str, ids: Sequence[QueueId], until: float
    ) -> set[QueueId]:
        ours = self._of(owner, ids)
        for entry in ours:
            entry.until = until
        return {entry.item.id for entry in ours}

    async def give_back(
        self, owner: str, ids: Sequence[QueueId], next_try: float
    ) -> None:
        for entry in self._of(owner, ids):
            entry.owner = ""
            entry.item = evolve(entry.item, next_try=next_try)
        self._board.publish(TOPIC)

    async def end_claims(self, owner: str, now: float) -> int:
        theirs = [
            entry
            for entry in self._entries.values()
            if entry.owner == owner and entry.until > now
        ]
        for entry in theirs:
            entry.until = now
        if theirs:
            self._board.publish(TOPIC)
        return len(theirs)

    async def record(
        self,
        owner: str,
        id: QueueId,
        attempt: Attempt,
        recipients: Sequence[QueuedRecipient],
        next_try: float | None,
        caused: Sequence[NewMessage] = (),
    ) -> bool:
        after = fates(recipients)
        if next_try is None and Fate.WAITING in after:
            raise LocalMisuse(f"{id} would never be tried again")
        new = [(one, one.head + await all_octets(one.content)) for one in caused]
        if id in self._places:
            self._attempts.setdefault(id, []).append(attempt)
        entry = self._entries.get(id)
        if entry is None or entry.owner != owner:
            return False
        for one, octets in new:
            if one.items[0].id not in self._places:
                self._put(octets, one.items)
                self._board.publish(TOPIC)
        item = entry.item
        before = fates(item.recipients)
        self._days.tried(item.hop.domain, item.arrived, attempt, before, after)
        if next_try is None or Fate.WAITING not in after:
            del self._entries[id]
            return True
        entry.owner = ""
        entry.item = evolve(
            item,
            recipients=tuple(recipients),
            next_try=next_try,
            attempts=item.attempts + 1,
        )
        return True

    async def seal(self, message: str, sealed: Sealed) -> None:
        found = self._messages(message)
        if not found:
            raise NoSuchItem(message)
        one = found[0].message
        if one.is_sealed:
            return
        octets = one.octets if sealed.octets is None else sealed.octets
        one.octets, one.is_sealed = sealed.head + octets, True

    async def content(self, id: QueueId) -> IContent:
        if id not in self._entries:
            raise NoSuchItem(id)
        return OctetsContent(self._entries[id].message.octets)

    async def items(
        self, selection: Selection, after: QueueId | None = None, most: int = 100
    ) -> Sequence[QueueItem]:
        if after is not None and after not in self._places:
            raise NoSuchItem(after)
        beyond = 0 if after is None else self._places[after]
        found = [entry for entry in self._selected(selection) if entry.place > beyond]
        return [
            evolve(entry.seen(), claimed_until=entry.until if entry.owner else None)
            for entry in found[:most]
        ]

    async def count(self, selection: Selection) -> int:
        return len(self._selected(selection))

    async def attempts(self, id: QueueId) -> Sequence[Attempt]:
        return list(self._attempts.get(id, ()))

    async def hold(self, selection: Selection, reason: str, most: int = 1000) -> int:
        found = [entry for entry in self._selected(selection) if not entry.item.held]
        for entry in found[:most]:
            entry.item = evolve(entry.item, held=reason or "held")
        return len(found[:most])

    async def release(self, selection: Selection, now: float, most: int = 1000) -> int:
        found = [
            entry
            for entry in self._selected(selection)
            if entry.item.held or (entry.item.hold_until or 0.0) > now
        ]
        for entry in found[:most]:
            next_try = entry.item.next_try if _is_paced(entry.item) else now
            entry.item = evolve(entry.item, held="", hold_until=None, next_try=next_try)
        self._board.publish(TOPIC)
        return len(found[:most])

    async def retry(self, selection: Selection, now: float, most: int = 1000) -> int:
        found = [
            entry
            for entry in self._selected(selection)
            if not entry.item.held and entry.item.next_try > now and entry.is_free(now)
            if selection.ids or not _is_paced(entry.item)
        ]
        for entry in found[:most]:
            entry.owner = ""
            entry.item = evolve(entry.item, next_try=now)
        self._board.publish(TOPIC)
        return len(found[:most])

    async def drop(self, selection: Selection, most: int = 1000) -> list[QueueItem]:
        now = self._now()
        found = [entry for entry in self._selected(selection) if entry.is_free(now)]
        for entry in found[:most]:
            del self._entries[entry.item.id]
        return [entry.seen() for entry in found[:most]]

    async def stats(self, domain: DomainName | None, since: str) -> Sequence[DayStats]:
        days = self._days
        return [
            stats_of((day, name), counts, days.times.get((day, name), {}))
            for (day, name), counts in sorted(
                days.counts.items(), key=lambda one: one[0]
            )
            if day >= since and domain in (None, name)
        ]

    def watch(self, hear: Callable[[], None]) -> IWatch:
        return self._board.hear(TOPIC, lambda text: hear())

    async def close(self) -> None:
        """Nothing is open."""

    def _ready(self) -> Iterator[tuple[_Entry, float]]:
        for entry in self._entries.values():
            if entry.ready is not None:
                yield entry, entry.ready

    def _messages(self, name: str) -> list[_Entry]:
        return [entry for entry in self._entries.values() if entry.item.message == name]

    def _of(self, owner: str, ids: Iterable[QueueId]) -> list[_Entry]:
        found = [self._entries[id] for id in ids if id in self._entries]
        return [entry for entry in found if entry.owner == owner]

    def _selected(self, selection: Selection) -> list[_Entry]:
        return [
            entry
            for entry in self._entries.values()
            if _is_selected(entry.item, selection)
        ]


def _is_paced(item: QueueItem) -> bool:
    return bool(item.rate) and not item.attempts


def _is_selected(item: QueueItem, selection: Selection) -> bool:
    ids = selection.ids
    return (
        (not ids or item.id in ids or item.message in ids)
        and selection.domain in (None, item.hop.domain)
        and selection.account in (None, item.account)
        and selection.is_held in (None, bool(item.held))
        and selection.rate in (None, item.rate)
    )
