"""What every `ISendings` has to do."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from zope.interface.verify import verifyObject

from mailkit.interfaces.sendings import ISendings
from mailkit.model.address import Address
from mailkit.model.sending import Sending
from mailkit.testing.clock import NEW_YEAR
from mailkit.testing.contracts.messages import coroutine

SPRING = Sending(name="spring", digest="0f", begun=NEW_YEAR)
BOB = Address.of("bob", "example.net")
CAROL = Address.of("größer", "bücher.example")


class SendingsContract:
    """What was put is remembered."""

    sendings: ISendings

    def make_sendings(self) -> ISendings:
        """New ones, with nothing in them."""
        raise NotImplementedError

    def setUp(self) -> None:
        self.sendings = self.make_sendings()

    def tearDown(self) -> Any:  # Any: trial takes a Deferred, its annotation None
        return Deferred.fromCoroutine(self.sendings.close())

    @coroutine
    async def test_it_provides_the_interface(self) -> None:
        verifyObject(ISendings, self.sendings)

    @coroutine
    async def test_nothing_was_begun(self) -> None:
        assert await self.sendings.find("spring") is None
        assert await self.sendings.rows("spring") == {}
        assert await self.sendings.next_time("spring") == 0.0

    @coroutine
    async def test_the_first_of_a_name_stays(self) -> None:
        assert await self.sendings.begin(SPRING) == SPRING
        other = Sending(name="spring", digest="aa", begun=NEW_YEAR + 9)
        assert await self.sendings.begin(other) == SPRING
        assert await self.sendings.find("spring") == SPRING
        assert await self.sendings.find("autumn") is None

    @coroutine
    async def test_rows(self) -> None:
        await self.sendings.begin(SPRING)
        await self.sendings.putting("spring", [BOB, CAROL], NEW_YEAR + 24)
        assert await self.sendings.rows("spring") == {BOB: False, CAROL: False}
        assert await self.sendings.next_time("spring") == NEW_YEAR + 24
        await self.sendings.put("spring", [CAROL])
        assert await self.sendings.rows("spring") == {BOB: False, CAROL: True}
        await self.sendings.putting("spring", [CAROL], NEW_YEAR + 36)
        assert await self.sendings.rows("spring") == {BOB: False, CAROL: True}
        assert await self.sendings.rows("autumn") == {}
