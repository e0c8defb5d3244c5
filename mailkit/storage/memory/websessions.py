"""Sessions of browsers, for as long as this process lives."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, evolve, field
from zope.interface import implementer

from mailkit.interfaces.spent import ISpent
from mailkit.interfaces.websessions import IWebSessions
from mailkit.model.address import AccountName
from mailkit.model.websession import WebSession


@implementer(IWebSessions)
@define(eq=False)
class MemoryWebSessions:
    """For tests, and the yardstick of the others."""

    _sessions: dict[str, WebSession] = field(factory=dict, init=False)

    async def add(self, session: WebSession) -> None:
        self._sessions[session.key] = session

    async def find(self, key: str) -> WebSession | None:
        return self._sessions.get(key)

    async def see(self, key: str, now: float, peer: str) -> None:
        session = self._sessions.get(key)
        if session is not None:
            self._sessions[key] = evolve(session, seen=now, peer=peer)

    async def drop(self, key: str) -> None:
        self._sessions.pop(key, None)

    async def drop_all(self, account: AccountName, but: str = "") -> int:
        gone = [one.key for one in await self.of(account) if one.key != but]
        for key in gone:
            del self._sessions[key]
        return len(gone)

    async def of(self, account: AccountName) -> Sequence[WebSession]:
        found = [one for one in self._sessions.values() if one.account == account]
        return sorted(found, key=lambda one: one.seen, reverse=True)

    async def tidy(self, made_before: float, seen_before: float) -> None:
        for key, one in list(self._sessions.items()):
            if one.made < made_before or one.seen < seen_before:
                del self._sessions[key]

    async def close(self) -> None:
        """Nothing to let go of."""


@implementer(ISpent)
@define(eq=False)
class MemorySpent:
    """Tickets that were used, for as long as this process lives."""

    _spent: dict[str, float] = field(factory=dict, init=False)

    async def spend(self, ticket: str, until: float) -> bool:
        if ticket in self._spent:
            return False
        self._spent[ticket] = until
        return True

    async def give_back(self, ticket: str) -> None:
        self._spent.pop(ticket, None)
