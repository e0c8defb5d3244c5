"""What every `IRates` has to do."""

from __future__ import annotations

from zope.interface.verify import verifyObject

from mailkit.interfaces.rates import IRates, Rate
from mailkit.testing.clock import NEW_YEAR
from mailkit.testing.contracts.messages import coroutine

RATE = Rate("things", 2, 3, 60.0)


class RatesContract:
    """Nothing is done more often than its rate says."""

    rates: IRates

    def make_rates(self) -> IRates:
        """A new one: nothing was done."""
        raise NotImplementedError

    def setUp(self) -> None:
        self.rates = self.make_rates()

    @coroutine
    async def test_it_provides_the_interface(self) -> None:
        verifyObject(IRates, self.rates)

    @coroutine
    async def test_as_often_as_the_rate_says(self) -> None:
        takes = self.rates.takes
        assert await takes(RATE, "a", NEW_YEAR)
        assert await takes(RATE, "a", NEW_YEAR + 30)
        assert not await takes(RATE, "a", NEW_YEAR + 59)
        # What was refused does not count: the first is over.
        assert await takes(RATE, "a", NEW_YEAR + 60)
        assert not await takes(RATE, "a", NEW_YEAR + 89)
        assert await takes(RATE, "a", NEW_YEAR + 90)

    @coroutine
    async def test_all_together(self) -> None:
        takes = self.rates.takes
        assert await takes(RATE, "a", NEW_YEAR)
        assert await takes(RATE, "b", NEW_YEAR)
        assert await takes(RATE, "ü c", NEW_YEAR)
        assert not await takes(RATE, "d", NEW_YEAR + 59)
        assert await takes(RATE, "d", NEW_YEAR + 60)

    @coroutine
    async def test_other_things_are_counted_by_themselves(self) -> None:
        other = Rate("other things", 1, 1, 60.0)
        for rate in (RATE, RATE, other):
            assert await self.rates.takes(rate, "a", NEW_YEAR)
        for rate in (RATE, other):
            assert not await self.rates.takes(rate, "a", NEW_YEAR)

    @coroutine
    async def test_a_clock_that_was_set_back_a_little(self) -> None:
        for _ in range(2):
            assert await self.rates.takes(RATE, "a", NEW_YEAR)
        assert not await self.rates.takes(RATE, "a", NEW_YEAR - 50)

    @coroutine
    async def test_a_clock_that_was_far_ahead_locks_nobody_out(self) -> None:
        year = 365 * 86400
        for _ in range(2):
            assert await self.rates.takes(RATE, "a", NEW_YEAR + year)
        assert await self.rates.takes(RATE, "a", NEW_YEAR)
