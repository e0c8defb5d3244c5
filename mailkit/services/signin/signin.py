"""Browsers that are signed in: they begin, are found again by their cookie, and end."""

from __future__ import annotations

import base64
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence

from attrs import define, field, frozen

from mailkit.errors import NotAuthenticated
from mailkit.interfaces.directory import IDirectory, IPasswordCheck
from mailkit.interfaces.websessions import IWebSessions
from mailkit.model.account import Account
from mailkit.model.address import AccountName
from mailkit.model.websession import WebSession
from mailkit.services.passwordcheck import WRONG
from mailkit.services.signin.settings import SessionSettings

SERVICE = "web"
"""What the metrics and application passwords call it."""

LONGEST_AGENT = 200
_SEEN_AGAIN = 60.0  # seconds for which a session is not written again

_TIDY_AGAIN = 3600.0  # seconds for which old sessions are not looked for

_COOKIE_OCTETS = 32

_MOST_GUESSED = 10_000


@frozen
class SignedIn:
    """A browser, and who uses it."""

    session: WebSession
    account: Account


@frozen
class Begun:
    """A session that has just begun."""

    signed_in: SignedIn
    cookie: str
    """What the browser is to keep; nothing here does."""


def _nobody_hears(account: AccountName) -> None:
    """Where nobody wants to know who was signed out."""


@define(eq=False)
class SignIn:
    """
    Sessions of browsers.

    :param check: whether a password is right; it holds up those who guess.
    :param now: seconds since 1970.
    :param random: that many octets nobody can guess.
    """

    _check: IPasswordCheck
    _directory: IDirectory
    _sessions: IWebSessions
    _settings: SessionSettings
    _now: Callable[[], float]
    _random: Callable[[int], bytes]
    ended: Callable[[AccountName], None] = _nobody_hears
    """Called when browsers of an account were signed out."""
    _tidied: float = field(default=0.0, init=False)
    _seen: OrderedDict[str, WebSession] = field(factory=OrderedDict, init=False)
    """Sessions that were found; they may be over."""

    async def begin(
        self, name: str, password: str, peer: str, agent: str, *, is_public: bool
    ) -> Begun:
        """
        Sign somebody in.

        :param peer: the browser's address.
        :raises NotAuthenticated: always in the same words. :raises Busy:
        """
        account = await self._check.check(name, password, SERVICE, peer)
        return await self.begin_as(account, peer, agent, is_public=is_public)

    async def begin_as(
        self, account: Account, peer: str, agent: str, *, is_public: bool
    ) -> Begun:
        """Sign in somebody who has proved who it is by other means."""
        now = self._now()
        if self._tidied + _TIDY_AGAIN <= now:
            self._tidied = now
            await self.tidy()
        cookie = base64.urlsafe_b64encode(self._random(_COOKIE_OCTETS)).decode()
        cookie = cookie.rstrip("=")
        session = WebSession(
            key=_key(cookie),
            account=account.name,
            generation=account.generation,
            made=now,
            seen=now,
            peer=peer,
            agent=agent[:LONGEST_AGENT],
            secret=self._random(_COOKIE_OCTETS),
            is_public=is_public,
        )
        await self._sessions.add(session)
        return Begun(SignedIn(session, account), cookie)

    async def find(self, cookie: str, peer: str) -> SignedIn | None:
        """Whose cookie this is; ``None``: nobody's any more."""
        session = await self._sessions.find(_key(cookie))
        if session is None:
            self._seen.pop(_key(cookie), None)
            return None
        self._note(session)
        now = self._now()
        account = await self._directory.account(session.account)
        if (
            account is None
            or account.is_suspended
            or account.generation != session.generation
            or self.ends(session) <= now
        ):
            await self._sessions.drop(session.key)
            return None
        if session.seen + _SEEN_AGAIN <= now or session.peer != peer:
            await self._sessions.see(session.key, now, peer)
        return SignedIn(session, account)

    def guess(self, cookie: str) -> AccountName | None:
        """
        Whose cookie it was when it was found last.

        It lets nobody in: what is asked for meanwhile is thrown away unless `find`
        says the same.
        """
        known = self._seen.get(_key(cookie))
        if known is None or (
            self._directory.generation(known.account) != known.generation
        ):
            return None
        return known.account

    def _note(self, session: WebSession) -> None:
        self._seen[session.key] = session
        self._seen.move_to_end(session.key)
        if len(self._seen) > _MOST_GUESSED:
            self._seen.popitem(last=False)

    def ends(self, session: WebSession) -> float:
        """When it is over, unless it is used before: seconds since 1970."""
        settings = self._settings
        idle = settings.public if session.is_public else settings.idle
        return min(session.seen + idle, session.made + settings.longest)

    async def left(self, session: WebSession) -> float:
        """
        Seconds until it is over, unless it is used before; 0 or less: it is.

        Asking is not using it.
        """
        kept = await self._sessions.find(session.key)
        generation = self._directory.generation(session.account)
        if kept is None or kept.generation != generation:
            return 0.0
        return self.ends(kept) - self._now()

    async def end(self, session: WebSession) -> None:
        """Sign one browser out."""
        await self._sessions.drop(session.key)
        self.ended(session.account)

    async def end_all(self, account: AccountName, but: WebSession | None = None) -> int:
        """Sign out every browser of an account, less one; how many."""
        count = await self._sessions.drop_all(account, but.key if but else "")
        self.ended(account)
        return count

    async def browsers(self, account: AccountName) -> Sequence[WebSession]:
        """Those that are signed in, the one that was seen last first."""
        now = self._now()
        generation = self._directory.generation(account)
        return [
            one
            for one in await self._sessions.of(account)
            if one.generation == generation and self.ends(one) > now
        ]

    async def confirm(self, account: Account, password: str, peer: str) -> None:
        """
        Whether it is really they who sit there.

        :raises NotAuthenticated: :raises Busy:
        """
        found = await self._check.check(account.name, password, SERVICE, peer)
        if found.name != account.name:
            raise NotAuthenticated(WRONG)

    async def tidy(self) -> None:
        """Forget sessions that are over."""
        now = self._now()
        await self._sessions.tidy(
            now - self._settings.longest, now - self._settings.idle
        )


def _key(cookie: str) -> str:
    return hashlib.sha256(cookie.encode("utf-8", "replace")).hexdigest()
