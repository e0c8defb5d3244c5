"""How often something is done: the seam to where all processes count it together."""

from __future__ import annotations

from attrs import frozen
from zope.interface import Interface


@frozen
class Rate:
    """At most so many in so long, for each and for all together."""

    what: str
    """What is counted; each by itself."""
    each: int
    all: int
    """At most so many rows are kept, too."""
    within: float
    """Seconds."""


class IRates(Interface):
    """
    What was done of late, in one place for all processes, there after a restart.

    In no stretch of ``within`` seconds is anything done more often than its rate says.
    Times that lie ahead, because a clock was set back, count for as long again; those
    that lie further ahead than that are forgotten.
    """

    async def takes(rate: Rate, whose: str, now: float) -> bool:
        """
        Count once more, unless that would be too often.

        :param whose: who does it.
        :param now: seconds since 1970.
        :returns: whether it was counted; of several at once no more than there is
            room for.
        :raises Unavailable:
        """
