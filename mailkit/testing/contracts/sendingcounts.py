"""What every `ISendingCounts` has to do."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from zope.interface.verify import verifyObject

from mailkit.interfaces.sendingcounts import ISendingCounts
from mailkit.model.address import AccountName, Address
from mailkit.model.sendinglimit import Freeze, Most, Reached, Sent
from mailkit.testing.clock import NEW_YEAR
from mailkit.testing.contracts.messages import coroutine

ALICE = AccountName("alice@example.org")
BOB = AccountName("bob@example.org")
ELSEWHERE = AccountName("alice@other.example")
HOUR = 3600.0
DAY = 86400.0


class SendingCountsContract:
    """Recipients are counted by account and domain, for an hour and a day."""

    counts: ISendingCounts

    def make_counts(self) -> ISendingCounts:
        """New ones, with nothing counted."""
        raise NotImplementedError

    def setUp(self) -> None:
        self.counts = self.make_counts()

    def tearDown(self) -> Any:  # Any: trial takes a Deferred, its annotation None
        return Deferred.fromCoroutine(self.counts.close())

    async def _take(
        self,
        most: Most,
        number: int = 1,
        now: float = NEW_YEAR,
        account: AccountName = ALICE,
    ) -> Reached | None:
        address = Address.of(f"n{number}", "example.net")
        reached: Reached | None = await self.counts.take(account, address, most, now)
        return reached

    @coroutine
    async def test_it_provides_the_interface(self) -> None:
        verifyObject(ISendingCounts, self.counts)

    @coroutine
    async def test_without_limits_all_is_counted(self) -> None:
        for number in (1, 2, 2):
            assert await self._take(Most(), number) is None
        assert await self.counts.sent(ALICE, NEW_YEAR) == Sent(hour=3, day=3, new=2)
        assert await self.counts.sent(BOB, NEW_YEAR) == Sent()

    @coroutine
    async def test_the_hour_passes(self) -> None:
        most = Most(hour=2)
        assert await self._take(most) is None
        assert await self._take(most) is None
        assert await self._take(most) is Reached.HOUR
        later = NEW_YEAR + HOUR + 600
        assert await self._take(most, now=later) is None
        assert await self.counts.sent(ALICE, later) == Sent(hour=1, day=3, new=1)

    @coroutine
    async def test_the_day_passes(self) -> None:
        most = Most(day=1)
        assert await self._take(most) is None
        assert await self._take(most, now=NEW_YEAR + DAY / 2) is Reached.DAY
        assert await self._take(most, now=NEW_YEAR + DAY + 600) is None

    @coroutine
    async def test_what_was_refused_is_not_counted(self) -> None:
        assert await self._take(Most(hour=1)) is None
        assert await self._take(Most(hour=1), 2) is Reached.HOUR
        assert await self.counts.sent(ALICE, NEW_YEAR) == Sent(hour=1, day=1, new=1)

    @coroutine
    async def test_new_ones(self) -> None:
        most = Most(new=2)
        assert await self._take(most, 1) is None
        assert await self._take(most, 2) is None
        assert await self._take(most, 3) is Reached.NEW
        assert await self._take(most, 1) is None  # no longer new
        tomorrow = NEW_YEAR + DAY + 1
        assert await self._take(most, 3, tomorrow) is None
        assert (await self.counts.sent(ALICE, tomorrow)).new == 1
        assert await self._take(most, 3, tomorrow, BOB) is None  # new to him

    @coroutine
    async def test_a_domain_is_counted_together(self) -> None:
        most = Most(domain_hour=2, domain_day=3)
        assert await self._take(most) is None
        assert await self._take(most, account=BOB) is None
        assert await self._take(most) is Reached.DOMAIN_HOUR
        assert await self._take(most, account=ELSEWHERE) is None
        later = NEW_YEAR + HOUR + 600
        assert await self._take(most, now=later) is None
        assert await self._take(most, now=later) is Reached.DOMAIN_DAY
        assert Reached.DOMAIN_DAY.is_of_domain
        assert not Reached.DAY.is_of_domain

    @coroutine
    async def test_freeze_and_thaw(self) -> None:
        freeze = Freeze(ALICE, NEW_YEAR, "it wrote too much, größer")
        assert await self._take(Most()) is None
        assert await self.counts.freeze(freeze)
        assert not await self.counts.freeze(Freeze(ALICE, NEW_YEAR + 1, "again"))
        assert await self.counts.frozen(ALICE) == freeze
        assert await self.counts.frozen(BOB) is None
        assert await self._take(Most()) is Reached.FROZEN
        assert await self._take(Most(), account=BOB) is None
        assert list(await self.counts.all_frozen()) == [freeze]
        assert await self.counts.thaw(ALICE) == freeze
        assert await self.counts.thaw(ALICE) is None
        assert list(await self.counts.all_frozen()) == []
        assert await self.counts.frozen(ALICE) is None
        assert await self.counts.sent(ALICE, NEW_YEAR) == Sent()
        assert await self._take(Most(new=1)) is None  # it is known by now
        assert await self._take(Most(new=1), 2) is None
        assert await self._take(Most(new=1), 3) is Reached.NEW

    @coroutine
    async def test_whom_nobody_heard_of(self) -> None:
        freezes = [Freeze(ALICE, NEW_YEAR, "one"), Freeze(BOB, NEW_YEAR, "other")]
        for freeze in freezes:
            await self.counts.freeze(freeze)
        assert list(await self.counts.untold()) == freezes
        await self.counts.told(freezes[0])
        await self.counts.told(Freeze(BOB, NEW_YEAR + 1, "a later one"))
        assert list(await self.counts.untold()) == freezes[1:]
        assert list(await self.counts.all_frozen()) == freezes
        await self.counts.thaw(BOB)
        assert list(await self.counts.untold()) == []
