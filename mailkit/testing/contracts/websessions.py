"""What every `IWebSessions` and `ISpent` has to do."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred
from zope.interface.verify import verifyObject

from mailkit.interfaces.spent import ISpent
from mailkit.interfaces.websessions import IWebSessions
from mailkit.model.address import AccountName
from mailkit.model.websession import WebSession
from mailkit.testing.clock import NEW_YEAR
from mailkit.testing.contracts.messages import coroutine

BOB = AccountName("bob@example.test")

SESSION = WebSession(
    key="k1",
    account=AccountName("bücher@example.test"),
    generation=3,
    made=NEW_YEAR,
    seen=NEW_YEAR + 60,
    peer="2001:db8::1",
    agent="Müllers Browser/1.0 🦊",
    secret=bytes(range(224, 256)),
    is_public=True,
)


class WebSessionsContract:
    """What was added is found until it is dropped."""

    sessions: IWebSessions

    def make_sessions(self) -> IWebSessions:
        """A new, empty one."""
        raise NotImplementedError

    def setUp(self) -> None:
        self.sessions = self.make_sessions()

    def tearDown(self) -> Any:  # Any: trial takes a Deferred, its annotation None
        return Deferred.fromCoroutine(self.sessions.close())

    @coroutine
    async def test_it_provides_the_interface(self) -> None:
        verifyObject(IWebSessions, self.sessions)

    @coroutine
    async def test_nobody_is_signed_in(self) -> None:
        assert await self.sessions.find("k1") is None
        assert list(await self.sessions.of(SESSION.account)) == []
        assert await self.sessions.drop_all(SESSION.account) == 0
        await self.sessions.drop("k1")
        await self.sessions.see("k1", NEW_YEAR, "192.0.2.1")
        assert await self.sessions.find("k1") is None

    @coroutine
    async def test_what_was_added_is_found(self) -> None:
        await self.sessions.add(SESSION)
        assert await self.sessions.find("k1") == SESSION
        assert await self.sessions.find("k2") is None

    @coroutine
    async def test_when_it_was_seen(self) -> None:
        await self.sessions.add(SESSION)
        await self.sessions.see("k1", NEW_YEAR + 90, "192.0.2.1")
        seen = evolve(SESSION, seen=NEW_YEAR + 90, peer="192.0.2.1")
        assert await self.sessions.find("k1") == seen
        assert list(await self.sessions.of(SESSION.account)) == [seen]

    @coroutine
    async def test_the_one_seen_last_comes_first(self) -> None:
        one = evolve(SESSION, key="k2", seen=NEW_YEAR + 50)
        other = evolve(SESSION, key="k3", seen=NEW_YEAR + 70)
        strange = evolve(SESSION, key="k4", account=BOB)
        for session in (SESSION, one, other, strange):
            await self.sessions.add(session)
        found = await self.sessions.of(SESSION.account)
        assert [session.key for session in found] == ["k3", "k1", "k2"]

    @coroutine
    async def test_one_is_dropped(self) -> None:
        await self.sessions.add(SESSION)
        await self.sessions.add(evolve(SESSION, key="k2"))
        await self.sessions.drop("k1")
        assert await self.sessions.find("k1") is None
        [left] = await self.sessions.of(SESSION.account)
        assert left.key == "k2"

    @coroutine
    async def test_all_but_one_are_dropped(self) -> None:
        for key in ("k1", "k2", "k3"):
            await self.sessions.add(evolve(SESSION, key=key))
        await self.sessions.add(evolve(SESSION, key="k4", account=BOB))
        assert await self.sessions.drop_all(SESSION.account, but="k2") == 2
        assert [one.key for one in await self.sessions.of(SESSION.account)] == ["k2"]
        assert await self.sessions.find("k3") is None
        assert await self.sessions.drop_all(SESSION.account) == 1
        assert [one.key for one in await self.sessions.of(BOB)] == ["k4"]

    @coroutine
    async def test_what_is_over_is_forgotten(self) -> None:
        old = evolve(SESSION, key="k2", made=NEW_YEAR - 100)
        idle = evolve(SESSION, key="k3", seen=NEW_YEAR - 1)
        for session in (SESSION, old, idle):
            await self.sessions.add(session)
        await self.sessions.tidy(NEW_YEAR - 99, NEW_YEAR)
        assert [one.key for one in await self.sessions.of(SESSION.account)] == ["k1"]


class SpentContract:
    """A ticket is used once."""

    spent: ISpent

    def make_spent(self) -> ISpent:
        """A new one: nothing was used."""
        raise NotImplementedError

    def setUp(self) -> None:
        self.spent = self.make_spent()

    @coroutine
    async def test_it_provides_the_interface(self) -> None:
        verifyObject(ISpent, self.spent)

    @coroutine
    async def test_once_only(self) -> None:
        later = NEW_YEAR * 2
        assert await self.spent.spend("a", later)
        assert not await self.spent.spend("a", later)
        assert await self.spent.spend("b", later)

    @coroutine
    async def test_what_was_given_back_is_good_again(self) -> None:
        later = NEW_YEAR * 2
        await self.spent.give_back("a")
        assert await self.spent.spend("a", later)
        await self.spent.give_back("a")
        assert await self.spent.spend("a", later)
