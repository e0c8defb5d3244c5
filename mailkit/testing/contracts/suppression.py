"""What every `ISuppressionList` has to do."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred
from zope.interface.verify import verifyObject

from mailkit.interfaces.suppression import ISuppressionList
from mailkit.model.address import Address, DomainName
from mailkit.model.suppression import Cause, Suppressed
from mailkit.testing.clock import NEW_YEAR
from mailkit.testing.contracts.messages import coroutine

BOB = Suppressed(
    Address.of("bob", "example.net"),
    Cause.FAILED,
    NEW_YEAR,
    "mx.example.net: 550 5.1.1 No such user, größer",
)
CAROL = Suppressed(Address.of("carol", "example.net"), Cause.COMPLAINED, NEW_YEAR)
DAVE = Suppressed(Address.of("dave", "example.com"), Cause.BY_HAND, NEW_YEAR + 1)


class SuppressionContract:
    """What was added is on the list until it is dropped."""

    suppression: ISuppressionList

    def make_suppression(self) -> ISuppressionList:
        """A new, empty list."""
        raise NotImplementedError

    def setUp(self) -> None:
        self.suppression = self.make_suppression()

    def tearDown(self) -> Any:  # Any: trial takes a Deferred, its annotation None
        return Deferred.fromCoroutine(self.suppression.close())

    @coroutine
    async def test_it_provides_the_interface(self) -> None:
        verifyObject(ISuppressionList, self.suppression)

    @coroutine
    async def test_nothing_is_listed(self) -> None:
        assert list(await self.suppression.entries()) == []
        assert await self.suppression.find([]) == {}
        assert await self.suppression.find([BOB.address]) == {}
        assert await self.suppression.drop([BOB.address]) == []
        await self.suppression.add([])

    @coroutine
    async def test_what_was_added_is_found(self) -> None:
        await self.suppression.add([BOB, CAROL, DAVE])
        wanted = [BOB.address, Address.of("nobody", "example.net"), DAVE.address]
        found = await self.suppression.find(wanted)
        assert found == {BOB.address: BOB, DAVE.address: DAVE}

    @coroutine
    async def test_many_are_asked_at_once(self) -> None:
        every = [
            evolve(BOB, address=Address.of(f"n{number}", "example.net"))
            for number in range(1000)
        ]
        await self.suppression.add(every)
        found = await self.suppression.find([one.address for one in every])
        assert found == {one.address: one for one in every}

    @coroutine
    async def test_pages_in_order(self) -> None:
        await self.suppression.add([CAROL, BOB, DAVE])
        entries = self.suppression.entries
        assert list(await entries()) == [DAVE, BOB, CAROL]
        assert list(await entries(most=2)) == [DAVE, BOB]
        assert list(await entries(after=BOB.address)) == [CAROL]
        assert list(await entries(after=CAROL.address)) == []
        domain = DomainName("example.net")
        assert list(await entries(domain)) == [BOB, CAROL]
        assert list(await entries(domain, BOB.address, 1)) == [CAROL]

    @coroutine
    async def test_the_newer_entry_stays(self) -> None:
        older = evolve(BOB, since=NEW_YEAR - 1, reason="older")
        newer = evolve(BOB, since=NEW_YEAR + 1, cause=Cause.COMPLAINED)
        await self.suppression.add([BOB])
        await self.suppression.add([older])
        assert list(await self.suppression.entries()) == [BOB]
        await self.suppression.add([newer])
        assert list(await self.suppression.entries()) == [newer]

    @coroutine
    async def test_drop(self) -> None:
        await self.suppression.add([BOB, CAROL])
        assert await self.suppression.drop([BOB.address, DAVE.address]) == [BOB.address]
        assert list(await self.suppression.entries()) == [CAROL]

    @coroutine
    async def test_octets_that_are_no_characters(self) -> None:
        odd = evolve(BOB, reason="\udc80 said \x00")
        await self.suppression.add([odd])
        assert BOB.address in await self.suppression.find([BOB.address])
