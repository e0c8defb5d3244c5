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

_FRESH = 1.0
"""Seconds for which a session is not looked up again; here it ends at once."""

_MOST_FRESH = 10_000


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
    _fresh: OrderedDict[str, tuple[float, WebSession]] = field(
        factory=OrderedDict, init=False
    )
    """Sessions that were just looked up, and until when that counts."""
    _ended: int = field(default=0, init=False)
    """How often browsers were signed out."""

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

    async def find(
        self, cookie: str, peer: str, *, is_fresh: bool = False
    ) -> SignedIn | None:
        """
        Whose cookie this is; ``None``: nobody's any more.

        :param is_fresh: look it up now; otherwise what another process ended may go on
            for a second. What was ended here, or by a new password, never does.
        """
        if is_fresh:
            self._fresh.pop(_key(cookie), None)
        session = await self._look_up(_key(cookie))
        if session is None:
            return None
        now = self._now()
        account = await self._directory.account(session.account)
        if (
            account is None
            or account.is_suspended
            or account.generation != session.generation
            or self.ends(session) <= now
        ):
            self._fresh.pop(session.key, None)
            await self._sessions.drop(session.key)
            return None
        if session.seen + _SEEN_AGAIN <= now or session.peer != peer:
            self._fresh.pop(session.key, None)
            await self._sessions.see(session.key, now, peer)
        return SignedIn(session, account)

    async def _look_up(self, key: str) -> WebSession | None:
        known = self._fresh.get(key)
        if known is not None and known[0] > self._now():
            return known[1]
        self._fresh.pop(key, None)
        ended = self._ended
        session = await self._sessions.find(key)
        # One that ended while it was looked up is not remembered.
        if session is not None and ended == self._ended:
            self._fresh[key] = (self._now() + _FRESH, session)
            if len(self._fresh) > _MOST_FRESH:
                self._fresh.popitem(last=False)
        return session

    def _forget(self) -> None:
        self._ended += 1
        self._fresh.clear()

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

    def longest_left(self, session: WebSession) -> float:
        """Seconds until it is over however much it is used; 0 or less: it is."""
        return session.made + self._settings.longest - self._now()

    async def end(self, session: WebSession) -> None:
        """Sign one browser out."""
        self._forget()
        await self._sessions.drop(session.key)
        self._forget()
        self.ended(session.account)

    async def end_all(self, account: AccountName, but: WebSession | None = None) -> int:
        """Sign out every browser of an account, less one; how many."""
        self._forget()
        count = await self._sessions.drop_all(account, but.key if but else "")
        self._forget()
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
