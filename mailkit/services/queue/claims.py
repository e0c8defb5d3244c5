"""What of the queue this process has to itself, and for how long."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field
from twisted.internet.defer import DeferredLock
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from mailkit.errors import Unavailable
from mailkit.interfaces.storage import IContent
from mailkit.model.event import Step
from mailkit.model.queueitem import NextHop, QueueId, QueueItem, Selection
from mailkit.services.queue.house import SendingHouse
from mailkit.services.queue.tasks import Tasks

LEASE = 60.0
"""Seconds for which an item is claimed; those of a killed process are free by then."""

RENEWED_EVERY = 20.0
"""Seconds after which claims are held on to."""

FRESH = 1.0
"""Seconds after which what waited for its turn is looked at again before it sets out:
it may be held by now."""

TAKEN_OVER = "may have been sent: whoever tried it before ended without a word"

_AT_ONCE = 1000


@define(eq=False)
class Claims:
    """Items that are ours until they are recorded, given back, or lost."""

    log = Logger()

    _house: SendingHouse
    _owner: str
    _tasks: Tasks
    _until: dict[QueueId, float] = field(init=False, factory=dict)
    _here: dict[QueueId, tuple[QueueItem, float]] = field(init=False, factory=dict)
    """Items that wait in a lane or are on their way, and since when: whoever lost a
    claim and got it anew has two copies of an item, and may send one."""
    _held: set[QueueId] = field(init=False, factory=set)
    """Those of them that were held meanwhile."""
    _looking: DeferredLock = field(init=False, factory=DeferredLock)
    _timer: IDelayedCall | None = field(init=False, default=None)

    def start(self) -> None:
        """Begin to hold on to what is claimed."""
        self._timer = self._house.clock.callLater(RENEWED_EVERY, self._renew_now)

    def stop(self) -> None:
        """Hold on no longer."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def __len__(self) -> int:
        return len(self._until)

    def __contains__(self, id: QueueId) -> bool:
        return id in self._until

    @property
    def ids(self) -> Sequence[QueueId]:
        """All that are claimed."""
        return list(self._until)

    def is_ours(self, id: QueueId) -> bool:
        """Whether nobody else can have claimed it meanwhile."""
        return self._until.get(id, 0.0) > self._house.clock.seconds()

    async def claim(self, hop: NextHop, most: int) -> Sequence[QueueItem]:
        """
        Claim what is due of a next hop; what `is_here` may not be ours for all that.

        :raises Unavailable:
        """
        now = self._house.clock.seconds()
        until = now + LEASE
        queue = self._house.queue
        items: Sequence[QueueItem] = await queue.claim(
            hop, self._owner, now, until, most
        )
        outdated: list[QueueId] = []
        for item in items:
            copy, _ = self._here.get(item.id, (item, now))
            if copy.attempts != item.attempts:
                # Another process has tried it: what is here knows nothing of that.
                outdated.append(item.id)
                continue
            self._until[item.id] = until
            if item.is_taken_over:  # forgotten with this claim, whatever comes of it
                self._house.note(item, Step.TRIED, "", "", TAKEN_OVER)
        await self.give_back(outdated, until)
        return items

    async def put(
        self, content: IContent, items: Sequence[QueueItem], head: bytes
    ) -> None:
        """
        Put a message into the queue whose items are ours from the beginning.

        :raises Unavailable: with nothing kept.
        """
        until = self._house.clock.seconds() + LEASE
        await self._house.queue.put(content, items, head, self._owner, until)
        for item in items:
            self._until[item.id] = until

    def keep(self, items: Sequence[QueueItem]) -> None:
        """They wait for their turn."""
        now = self._house.clock.seconds()
        self._here.update((item.id, (item, now)) for item in items)
        self._held.difference_update(item.id for item in items)

    def drop(self, id: QueueId) -> None:
        """It waits no longer, and is not on its way."""
        self._here.pop(id, None)
        self._held.discard(id)

    def alone(self, items: Sequence[QueueItem]) -> Sequence[QueueItem]:
        """Those of which no other copy waits for its turn, or is on its way."""
        return [item for item in items if item.id not in self._here]

    def is_here(self, id: QueueId) -> bool:
        """Whether it waits for its turn, or is on its way."""
        return id in self._here

    async def has_been_held(self, item: QueueItem) -> bool:
        """
        Whether it was while it waited for its turn; then it is given back.

        :raises Unavailable:
        """
        if not self._is_fresh(item.id):
            await self._looking.acquire()
            try:
                if not self._is_fresh(item.id):
                    await self._look_again(item.id)
            finally:
                self._looking.release()
        if item.id not in self._held:
            return False
        await self.give_back([item.id], item.next_try)
        return True

    def _is_fresh(self, id: QueueId) -> bool:
        _, since = self._here[id]
        return 0 <= self._house.clock.seconds() - since < FRESH

    async def _look_again(self, id: QueueId) -> None:
        """At all of them at once: each by itself would be a query for each message."""
        now = self._house.clock.seconds()
        others = [one for one in self._here if one != id and not self._is_fresh(one)]
        ids = (id, *others[: _AT_ONCE - 1])
        selection = Selection(ids=ids, is_held=True)
        found = await self._house.queue.items(selection, None, len(ids))
        self._held.update(one.id for one in found)
        for one in ids:
            if one in self._here:
                copy, _ = self._here[one]
                self._here[one] = copy, now

    def forget(self, id: QueueId) -> None:
        """It is recorded; or its claim ends by itself."""
        self._until.pop(id, None)

    async def give_back(
        self, ids: Sequence[QueueId], next_try: float | None = None
    ) -> None:
        """End claims without an attempt; ``None``: it may be tried at once."""
        if not ids:
            return
        if next_try is None:
            next_try = self._house.clock.seconds()
        for id in ids:
            self._until.pop(id, None)
        try:
            await self._house.queue.give_back(self._owner, ids, next_try)
        except Unavailable as error:  # the claims end by themselves
            self.log.error("claims cannot be given back: {reason}", reason=str(error))

    def _renew_now(self) -> None:
        self.start()
        self._tasks.spawn(self._renew())

    async def _renew(self) -> None:
        ids = list(self._until)
        for first in range(0, len(ids), _AT_ONCE):
            some = ids[first : first + _AT_ONCE]
            until = self._house.clock.seconds() + LEASE
            try:
                ours = await self._house.queue.renew(self._owner, some, until)
            except Unavailable as error:
                self.log.error("claims cannot be renewed: {reason}", reason=str(error))
                return
            for id in some:
                if id in ours and id in self._until:
                    self._until[id] = until
                elif id not in ours and self._until.pop(id, None) is not None:
                    self.log.warn("{queue_id} is not ours any more", queue_id=id)
