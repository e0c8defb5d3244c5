"""The pace of bulk sendings: so many messages a second, evenly."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field

from mailkit.model.queueitem import QueueId, QueueItem
from mailkit.services.queue.remembered import Remembered

RateOf = Callable[[str], float | None]
"""Messages a second that a rate stands for; ``None``: no rate of that name any more."""

AHEAD = 1.0
"""Seconds that a message may leave before its time, so that fast paces need no timer
a message."""

LATE = 10.0
"""Seconds after its time from which on a message is late: whoever was stopped for
longer does not send at once all that should have left meanwhile."""

MOST_GIVEN = 100_000
"""Messages whose moments are kept in mind."""


def no_rates(name: str) -> float | None:
    """There are none: everything goes as fast as it can."""
    return None


@define(eq=False)
class Pace:
    """
    Gives each message of a sending its own moment, one after the other.

    A message that was given one keeps it when it is asked about again, in this process.
    One that waited in the queue for a moment of its own leaves then, whichever process
    sends it, unless that is long ago.
    """

    _rate_of: RateOf = no_rates
    _next: dict[str, float] = field(init=False, factory=dict)
    """When the next message of each rate may leave."""
    _given: Remembered[QueueId, float] = field(
        init=False, factory=lambda: Remembered[QueueId, float](MOST_GIVEN)
    )

    def moment(self, item: QueueItem, now: float) -> float:
        """When an item may leave; ``now``: at once."""
        if not item.rate or item.attempts:  # tried once, the schedule has it
            return now
        per_second = self._rate_of(item.rate)
        if not per_second:
            return now
        at = self._given.pop(item.id)
        if at is None:
            at = max(self._next.get(item.rate, now), now)
            self._next[item.rate] = at + 1.0 / per_second
            if item.next_try > item.arrived and now <= item.next_try + LATE:
                return now  # its moment was chosen before, and is kept
        if at <= now + AHEAD:
            return now
        self._given.put(item.id, at)
        return at
