"""Who is signed in to the web pages: the seam to where that is kept."""

from __future__ import annotations

from collections.abc import Sequence

from zope.interface import Interface

from mailkit.interfaces.rates import IRates
from mailkit.interfaces.spent import ISpent
from mailkit.model.address import AccountName
from mailkit.model.websession import WebSession


class IWebSessions(Interface):
    """
    Browsers that are signed in, in one place for all processes.

    Methods raise `Unavailable` where that place cannot be reached.
    """

    async def add(session: WebSession) -> None:
        """Keep a new one; it is there for all processes when this returns."""

    async def find(key: str) -> WebSession | None:
        """The one of this key; ``None``: signed out, or never there."""

    async def see(key: str, now: float, peer: str) -> None:
        """Note that it was used; nothing happens where it is gone."""

    async def drop(key: str) -> None:
        """Sign it out; at once for all processes."""

    async def drop_all(account: AccountName, but: str = "") -> int:
        """Sign out all of an account, less the one of the key ``but``; how many."""

    async def of(account: AccountName) -> Sequence[WebSession]:
        """All of an account, the one that was seen last first."""

    async def tidy(made_before: float, seen_before: float) -> None:
        """Forget those that began, or were seen last, before that."""

    async def close() -> None:
        """Let go of files and connections."""


class IWebState(IWebSessions, ISpent, IRates):
    """All that the processes of one site keep together for its pages."""
