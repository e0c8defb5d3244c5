"""The items of one next hop that this process has claimed."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from attrs import define, field

from mailkit.errors import Refused, Unavailable
from mailkit.interfaces.queue import NextHost
from mailkit.model.queueitem import NextHop, QueueItem

HOSTS_GOOD_FOR = 60.0
"""Seconds for which the hosts of a domain, or the reason why there are none, are not
looked for again."""

LEAST_CLAIMED = 4
MOST_CLAIMED = 60
"""Items of one next hop that are claimed at once; more, the more of them it takes."""


@define(eq=False)
class Lane:
    """Where items of one next hop wait for their turn, in this process."""

    hop: NextHop
    waiting: deque[QueueItem] = field(factory=deque)
    running: int = 0
    hosts: Sequence[NextHost] = ()
    looked: float = float("-inf")
    """When the hosts were looked for."""
    error: Refused | Unavailable | None = None
    """Why there are no hosts."""
    has_more: bool = False
    """There may be more in the queue that is due."""
    is_filling: bool = False
    arriving: int = 0
    """Items that are claimed as they are put, and do not wait here yet."""

    @property
    def is_idle(self) -> bool:
        """Nothing is claimed, and nothing is about to be."""
        is_empty = not (self.waiting or self.running or self.arriving)
        return is_empty and not (self.is_filling or self.has_more)

    def has_room(self, size: int) -> bool:
        """Whether one that is put now is next, if ``size`` may be on their way."""
        is_behind = self.has_more or self.is_filling or self.error is not None
        return not is_behind and len(self.waiting) + self.arriving < size

    def share(self, size: int) -> int:
        """How many to claim at once, if ``size`` may be on their way at a time."""
        if self.error is not None:
            return MOST_CLAIMED
        return max(LEAST_CLAIMED, min(2 * size, MOST_CLAIMED))

    def wants_more(self, size: int) -> bool:
        """Whether to claim more, if ``size`` may be on their way at a time."""
        return self.has_more and not self.is_filling and len(self.waiting) < size
