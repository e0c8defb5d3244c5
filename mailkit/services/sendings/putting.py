"""
Messages of a sending are put into the queue, each once, whenever it is stopped.

That a message is about to be put is written down before, and that it was put
afterwards. Whoever goes on after a stop asks the queue about those between: the id of
a message is made of the sending and the address, so it is known again.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define
from twisted.internet.defer import Deferred, DeferredList
from twisted.python.failure import Failure

from mailkit.errors import Refused
from mailkit.interfaces.delivery import Routed
from mailkit.model.event import MailEvent, Step
from mailkit.model.queueitem import QueueItem
from mailkit.model.sending import Sending
from mailkit.services.delivery.content import Rewritten
from mailkit.services.queue.sealing import Ahead
from mailkit.services.sendings.house import SendingsHouse
from mailkit.services.sendings.message import Message, make_message
from mailkit.services.sendings.plan import Plan, Progress
from mailkit.services.sendings.rows import Row

MOST_AT_ONCE = 250
"""Messages that are put together."""

MOST_OCTETS = 32 * 1024 * 1024
"""Octets of them, nearly."""

Batch = Sequence[tuple[Row, Routed]]


@define(eq=False)
class Putting:
    """Carries out a plan."""

    _house: SendingsHouse
    _plan: Plan
    _sending: Sending | None = None
    _next: float = 0.0
    """When the next message leaves, by the pace."""

    async def run(self, progress: Progress = lambda count: None) -> int:
        """
        Put what is left; how many those are.

        :raises Busy: if another process works at the same sending.
        :raises StorageFull: :raises StorageBroken: and it may be run again.
        """
        plan, sendings = self._plan, self._house.sendings
        self._sending = await sendings.begin(plan.sending)
        name = plan.order.name
        if self._sending != plan.sending:
            raise Refused(f"{name} was begun this moment by somebody else: try again")
        known = await sendings.rows(name)  # now nobody else works at it
        left = [one for one in plan.rows if not known.get(one[0].path.address)]
        doubtful = [one for one in left if one[0].path.address in known]
        kept = await self._find_kept(doubtful)
        await sendings.put(name, [row.path.address for row, _ in kept])
        progress(len(kept))
        found = {row.path.address for row, _ in kept}
        left = [one for one in left if one[0].path.address not in found]
        now = self._house.clock.seconds()
        self._next = max(now, await sendings.next_time(name))
        size = max(plan.octets // max(len(plan.rows), 1), 1)
        count = max(1, min(MOST_AT_ONCE, MOST_OCTETS // size))
        for at in range(0, len(left), count):
            batch = left[at : at + count]
            await self._put(batch)
            progress(len(batch))
        return len(left)

    async def _find_kept(self, batch: Batch) -> Batch:
        """Those that the queue has, or had: a stop came before that was noted."""
        kept: list[tuple[Row, Routed]] = []
        for row, routed in batch:
            items = await self._house.queued(self._id(row))
            if items is not None:
                kept.append((row, routed))
                self._note(items)
        return kept

    async def _put(self, batch: Batch) -> None:
        house, plan = self._house, self._plan
        rate = plan.order.rate
        gap = 0.0 if rate is None else 1.0 / rate.per_second
        assert self._sending is not None
        messages = [
            make_message(
                house,
                plan.order,
                self._sending,
                row,
                routed,
                plan.account,
                self._next + number * gap,
                plan.composed.get(row.line) if rate is None else None,
            )
            for number, (row, routed) in enumerate(batch)
        ]
        addresses = [row.path.address for row, _ in batch]
        self._next += len(batch) * gap
        name = plan.order.name
        await house.sendings.putting(name, addresses, self._next)
        ready = [await self._sealed(message) for message in messages]
        await _all(ready, house)
        for one in ready:
            self._note(one.items)
            if one.is_signed:
                self._record(one.items[0], Step.SIGNED, "")
        # What comes back is told from the record: it is written before we go on.
        await house.events.find(messages[-1].items[0].message)
        await house.sendings.put(name, addresses)

    async def _sealed(self, message: Message) -> Ahead:
        """What has no pace leaves at once: whoever sends it need not sign it, too."""
        content = Rewritten(message.octets)
        if self._plan.order.rate is not None:
            return Ahead(content, message.items, b"")
        return await self._house.seal_ahead(content, message.items, b"")

    def _id(self, row: Row) -> str:
        assert self._sending is not None
        return self._sending.message(row.path.address)

    def _note(self, items: Sequence[QueueItem]) -> None:
        """As deliveries do, so that what comes back can be tied to it."""
        for item in items[:1]:
            self._record(item, Step.ACCEPTED, f"sending {self._plan.order.name}")
        for item in items:
            self._record(item, Step.QUEUED, f"{item.id} for {item.hop}")

    def _record(self, item: QueueItem, step: Step, detail: str) -> None:
        names = ", ".join(str(one.path) for one in item.recipients)
        self._house.events.record(
            MailEvent(
                self._house.clock.seconds(),
                step,
                item.message,
                item.message_id,
                str(item.envelope.reverse_path),
                names,
                "",
                item.account or "",
                detail,
                item.size,
            )
        )


async def _all(messages: Sequence[Ahead], house: SendingsHouse) -> None:
    """Put them at the same time; the first thing that goes wrong is raised."""
    queue = house.outbound.queue
    begun = [
        Deferred.fromCoroutine(queue.put(one.content, one.items, one.head))
        for one in messages
    ]
    for is_done, failure in await DeferredList(begun, consumeErrors=True):
        if not is_done:
            assert isinstance(failure, Failure)
            failure.raiseException()
