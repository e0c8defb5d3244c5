"""How often one sender is told something."""

from __future__ import annotations

from collections import OrderedDict

from attrs import define, field
from twisted.internet.interfaces import IReactorTime

PERIOD = 3600.0
"""Seconds in which notices are counted."""

MOST_SENDERS = 10_000
"""Senders that are remembered; of more the one that was told longest ago is not."""


@define(eq=False)
class Allowance:
    """Counts notices to each sender, in periods that begin with the first."""

    _clock: IReactorTime
    _told: OrderedDict[str, tuple[float, int]] = field(init=False, factory=OrderedDict)

    def is_left(self, sender: str, most: int) -> bool:
        """Whether one more may go there; 0 is without limit."""
        began, count = self._told.get(sender, (0.0, 0))
        return not most or count < most or began <= self._clock.seconds() - PERIOD

    def take(self, sender: str) -> None:
        """One more went there."""
        now = self._clock.seconds()
        began, count = self._told.pop(sender, (now, 0))
        if began <= now - PERIOD:
            began, count = now, 0
        self._told[sender] = began, count + 1
        if len(self._told) > MOST_SENDERS:
            self._told.popitem(last=False)
