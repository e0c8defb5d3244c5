"""
What an administrator sees of the queue and does to it: ``mailkit queue``.

All goes page by page, so that a queue of any length costs little memory, and nobody
else waits long for the database.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from attrs import define, frozen
from twisted.internet.interfaces import IReactorTime

from mailkit.config.units import DAY
from mailkit.errors import NoSuchItem, Refused
from mailkit.interfaces.events import IEvents
from mailkit.interfaces.queue import IQueueStore
from mailkit.model.address import DomainName
from mailkit.model.event import MailEvent, Step
from mailkit.model.queueitem import (
    Attempt,
    DayStats,
    QueueId,
    QueueItem,
    Selection,
)

PAGE = 500
"""Items that are looked at or changed at once."""

MOST_OF_ONE = 1000
"""Items of one message that are shown; a message has one for each next hop."""

Progress = Callable[[int], object]
"""Told after each page how many items were looked at since it was told last."""


def untold(items: int) -> None:
    """Nobody wants to know."""


@frozen
class Shown:
    """All that is known of an item."""

    id: QueueId
    item: QueueItem | None
    """``None``: it has left the queue; what was tried is known for a while."""
    attempts: Sequence[Attempt]


@define(eq=False)
class QueueControl:
    """
    The queue as its administrator has it.

    :param who: who acts, for ``mailkit trace``.
    """

    _queue: IQueueStore
    _events: IEvents
    _clock: IReactorTime
    _who: str

    async def page(
        self, selection: Selection, after: str = "", most: int = PAGE
    ) -> Sequence[QueueItem]:
        """
        A page of the queue, by arrival.

        :param after: the id of the last item of the page before.
        :raises NoSuchItem: if there never was an item ``after``.
        """
        last = QueueId(after) if after else None
        try:
            return await self._queue.items(selection, last, most)
        except NoSuchItem as error:
            raise NoSuchItem(f"there is no {after} in the queue") from error

    async def count(self, selection: Selection) -> int:
        """
        How many items a selection means.

        :raises NoSuchItem: if it names one that is not there.
        """
        count: int = await self._queue.count(selection)
        if selection.ids:
            for id in selection.ids:
                if not await self._queue.count(Selection(ids=(id,))):
                    raise NoSuchItem(f"there is no {id} in the queue")
        return count

    async def show(self, id: str) -> Sequence[Shown]:
        """
        An item, or all items of a transaction.

        :raises NoSuchItem: if nothing is known of it.
        """
        items = await self._queue.items(Selection(ids=(id,)), None, MOST_OF_ONE)
        if not items:
            gone = await self._gone(id)
            if not gone:
                raise NoSuchItem(f"the queue knows no {id}")
            return gone
        return [
            Shown(item.id, item, await self._queue.attempts(item.id)) for item in items
        ]

    async def _gone(self, id: str) -> Sequence[Shown]:
        """What is known of items that have left, of one or of a transaction."""
        attempts = await self._queue.attempts(QueueId(id))
        if attempts:
            return [Shown(QueueId(id), None, attempts)]
        gone: list[Shown] = []
        while len(gone) < MOST_OF_ONE:
            item = QueueId(f"{id}.{len(gone) + 1}")
            attempts = await self._queue.attempts(item)
            if not attempts:
                break
            gone.append(Shown(item, None, attempts))
        return gone

    async def hold(
        self, selection: Selection, reason: str, progress: Progress = untold
    ) -> int:
        """Try no more until `release`; how many were not held before."""
        done = 0
        after = ""
        while page := await self.page(selection, after, PAGE):
            waiting = [item for item in page if not item.held]
            done += await self._queue.hold(_only(waiting), reason) if waiting else 0
            self._note(waiting, Step.HELD, reason)
            after = page[-1].id
            progress(len(page))
        return done

    async def release(self, selection: Selection, progress: Progress = untold) -> int:
        """End holds of both kinds and try soon; how many were held."""
        done = 0
        after = ""
        while page := await self.page(selection, after, PAGE):
            now = self._clock.seconds()
            held = [one for one in page if one.held or (one.hold_until or 0.0) > now]
            done += await self._queue.release(_only(held), now) if held else 0
            self._note(held, Step.RELEASED, "")
            after = page[-1].id
            progress(len(page))
        return done

    async def release_held_for(self, selection: Selection, reason: str) -> int:
        """End those holds alone that were given that reason; how many they were."""
        done = 0
        after = ""
        while page := await self.page(selection, after, PAGE):
            held = [one for one in page if one.held == reason]
            now = self._clock.seconds()
            done += await self._queue.release(_only(held), now) if held else 0
            self._note(held, Step.RELEASED, "")
            after = page[-1].id
        return done

    async def retry(self, selection: Selection, progress: Progress = untold) -> int:
        """Try soon what waits for its time; how many that are."""
        done = 0
        after = ""
        now = self._clock.seconds()
        while page := await self.page(selection, after, PAGE):
            done += await self._queue.retry(_only(page), now)
            after = page[-1].id
            progress(len(page))
        return done

    async def drop(self, selection: Selection, progress: Progress = untold) -> int:
        """Take items out and tell no sender; how many were not being tried."""
        done = 0
        after = ""
        while page := await self.page(selection, after, PAGE):
            gone = await self._queue.drop(_only(page))
            self._note(gone, Step.DROPPED, "")
            done += len(gone)
            after = page[-1].id
            progress(len(page))
        return done

    async def stats(self, domain: DomainName | None, days: int) -> Sequence[DayStats]:
        """
        Numbers by day and domain of so many days, today among them, oldest first.

        :raises Refused: if those are none.
        """
        if days < 1:
            raise Refused("at least one day")
        first = self._clock.seconds() - (days - 1) * DAY
        since = f"{datetime.fromtimestamp(first, UTC):%Y-%m-%d}"
        return await self._queue.stats(domain, since)

    def _note(self, items: Sequence[QueueItem], step: Step, reason: str) -> None:
        for item in items:
            detail = f"by {self._who}{': ' if reason else ''}{reason}"
            names = ", ".join(str(one.path) for one in item.waiting)
            self._events.record(
                MailEvent(
                    self._clock.seconds(),
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


def _only(items: Sequence[QueueItem]) -> Selection:
    return Selection(ids=tuple(item.id for item in items))
