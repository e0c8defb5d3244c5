"""What was done of late, for as long as this process lives."""

from __future__ import annotations

from attrs import define, field
from zope.interface import implementer

from mailkit.interfaces.rates import IRates, Rate


@implementer(IRates)
@define(eq=False)
class MemoryRates:
    """For tests, and the yardstick of the others."""

    _done: dict[str, list[tuple[str, float]]] = field(factory=dict, init=False)

    async def takes(self, rate: Rate, whose: str, now: float) -> bool:
        done = self._done[rate.what] = [
            (one, at)
            for one, at in self._done.get(rate.what, ())
            if now - rate.within < at <= now + rate.within
        ]
        by_one = sum(1 for one, _ in done if one == whose)
        if by_one >= rate.each or len(done) >= rate.all:
            return False
        done.append((whose, now))
        return True
