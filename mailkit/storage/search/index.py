"""The index of words of every account on disk."""

from __future__ import annotations

import os
import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from attrs import define, field, frozen
from attrs.validators import ge, gt
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from mailkit.errors import MailboxGone, MailkitError, NoSuchMailbox, Unavailable
from mailkit.formats.searchable import searchable
from mailkit.interfaces.conversations import IConversations
from mailkit.interfaces.lanes import ILanes
from mailkit.interfaces.search import Found, Hit, ISearch
from mailkit.interfaces.storage import IContent, IMailStore
from mailkit.model.address import AccountName
from mailkit.model.finding import Sought
from mailkit.model.mailbox import MailboxName
from mailkit.model.uidset import UIDSet
from mailkit.storage.index.database import Database
from mailkit.storage.maildir.home import TakenAwayError
from mailkit.storage.maildir.naming import account_folder
from mailkit.storage.safefile import Files, translated
from mailkit.storage.search import filling, opening
from mailkit.storage.search.asking import Asking
from mailkit.storage.search.filling import MOST_LISTED, Listed, Wanted

T = TypeVar("T")

_TRIES = 10
"""How often it is begun anew because somebody took one of the indexes away."""


@frozen
class SearchSettings:
    """How the index of words is kept; times in seconds, sizes in octets."""

    behind: float = field(default=2.0, validator=ge(0))
    """After a change until the messages that came are looked into."""

    batch: int = field(default=50, validator=gt(0))
    """Messages that are looked into at once."""

    before_asking: int = field(default=500, validator=ge(0))
    """Messages that nobody looked into and a search waits for."""

    largest: int = field(default=32 << 20, validator=gt(0))
    """Octets of a message that are looked into; the rest of it is not found."""


_SETTINGS = SearchSettings()


@implementer(ISearch)
@define(eq=False)
class SearchIndex:
    """
    Every promise of `ISearch`, in ``<account>/search.sqlite``.

    All methods are called in the reactor's thread, and block it nowhere.
    """

    log = Logger()

    _data: Path
    _store: IMailStore
    _conversations: IConversations
    _lanes: ILanes
    _clock: IReactorTime
    _settings: SearchSettings = _SETTINGS
    _files: Files = field(factory=Files)
    _waiting: deque[AccountName] = field(init=False, factory=deque)
    """Accounts with mail that nobody looked into; one is worked on at a time."""
    _call: IDelayedCall | None = field(init=False, default=None)
    _begun: set[AccountName] = field(init=False, factory=set)
    """Accounts among them that have no index yet, and shall have one."""
    _is_working: bool = field(init=False, default=False)
    _working: Deferred[None] = field(init=False, factory=lambda: succeed(None))
    _is_closed: bool = field(init=False, default=False)

    # --- what `ISearch` promises ---

    async def find(
        self,
        account: AccountName,
        sought: Sought,
        after: int | None = None,
        most: int = 50,
        *,
        grouped: bool = False,
    ) -> Found:
        def ask(database: Database) -> list[Hit]:
            # One more tells whether that is all.
            with database.reading():
                return Asking(database, sought).hits(after, most + 1, grouped=grouped)

        async def catch_up_and_ask() -> tuple[int, list[Hit]]:
            done, left = await self._catch_up(account, self._settings.before_asking)
            return left, await self._with(account, ask, done)

        unread, hits = await _again(catch_up_and_ask)
        if unread:
            self.changed(account)
        if len(hits) <= most:
            return Found(tuple(hits), unread=unread)
        return Found(tuple(hits[:most]), hits[most - 1].rank, unread)

    def begin(self, account: AccountName) -> None:
        self._begun.add(account)
        self.changed(account)

    async def catch_up(self, account: AccountName, most: int = 1000) -> int:
        _, left = await _again(partial(self._catch_up, account, most))
        return left

    async def _catch_up(self, account: AccountName, most: int) -> tuple[Listed, int]:
        # An index of mail that is not there yet is made, and messages join their
        # conversations.
        await self._conversations.conversation(account, "")
        done = await self._with(account, filling.listed)
        todo = done.wanted[:most]
        count = 0
        for start in range(0, len(todo), self._settings.batch):
            if self._is_closed:
                return done, len(done.wanted) - start
            some = todo[start : start + self._settings.batch]
            count += await self._look_into(account, some, done)
        left = len(done.wanted) - len(todo)
        if not done.is_all and count:
            left += 1  # at least: no more are listed at once
        # What changed and has its document is not to be listed again by each search.
        if not left and not done.is_known:
            await self._with(account, partial(_finish, done=done), done)
        return done, left

    async def rebuild(self, account: AccountName) -> None:
        folder = self._folder(account)
        await self._lanes.run(_lane(account), lambda: opening.remove(folder))

    async def close(self) -> None:
        self._is_closed = True
        if self._call is not None:
            self._call.cancel()
            self._call = None
        self._waiting.clear()
        await self._working

    # --- behind ---

    def changed(self, account: AccountName) -> None:
        """Mail came: it is looked into in a while, if the account has an index."""
        if self._is_closed or account in self._waiting:
            return
        self._waiting.append(account)
        if self._call is None and not self._is_working:
            self._call = self._clock.callLater(self._settings.behind, self._begin)

    def _begin(self) -> None:
        self._call = None
        self._is_working = True
        self._working = Deferred.fromCoroutine(self._work())
        self._working.addErrback(self._failed)

    async def _work(self) -> None:
        # Those that come meanwhile wait a while, as these did.
        for _ in range(len(self._waiting)):
            if self._is_closed:
                break
            account = self._waiting.popleft()
            path = f"{self._folder(account)}/search.sqlite"
            if account not in self._begun and not os.path.exists(path):
                continue
            self._begun.discard(account)
            try:
                while await self.catch_up(account, MOST_LISTED) and not self._is_closed:
                    pass
                await self._tidy(account)
            except MailkitError as error:
                # The next search or message tries again.
                self.log.warn(
                    "the words of {account} are not looked into: {reason}",
                    account=account,
                    reason=str(error),
                )
        self._is_working = False
        if self._waiting and not self._is_closed:
            self._call = self._clock.callLater(self._settings.behind, self._begin)

    def _failed(self, failure: Failure) -> None:
        """A mistake of ours: it is not tried again and again."""
        self._is_working = False
        self.log.failure("words are not looked into", failure)

    async def _tidy(self, account: AccountName) -> None:
        if await _again(partial(self._with, account, filling.is_worn)):
            await self.rebuild(account)
            self.begin(account)

    async def _look_into(
        self, account: AccountName, wanted: Sequence[Wanted], done: Listed
    ) -> int:
        """How many of them could be read."""
        contents: dict[Wanted, IContent] = {}
        by_mailbox: dict[MailboxName, dict[int, Wanted]] = {}
        for one in wanted:
            by_mailbox.setdefault(one.mailbox, {})[one.uid] = one
        for name, uids in by_mailbox.items():
            try:
                mailbox = await self._store.open(account, name)
                for uid, content in await mailbox.contents(UIDSet.of(uids)):
                    contents[uids[uid]] = content
            except (NoSuchMailbox, MailboxGone):
                continue  # it went meanwhile, and its messages with it
        octets = {
            one: await content.read(0, self._settings.largest)
            if content.octets is None
            else content.octets
            for one, content in contents.items()
        }

        def keep(database: Database) -> None:
            texts = [(one, searchable(octets[one])) for one in wanted if one in octets]
            filling.put(database, texts)

        await self._conversations.messages(account, [one.email_id for one in wanted])
        await self._with(account, keep, done)
        return len(octets)

    async def _with(
        self,
        account: AccountName,
        work: Callable[[Database], T],
        done: Listed | None = None,
    ) -> T:
        """
        Work with both indexes.

        :raises TakenAwayError: if one was taken away, or is not that of ``done``.
        """
        folder = self._folder(account)

        def in_lane() -> T:
            with opening.opened(folder, self._files) as database:
                if done is not None:
                    filling.check_same(database, done)
                return work(database)

        return await self._lanes.run(_lane(account), in_lane)

    def _folder(self, account: AccountName) -> str:
        return f"{self._data}/mail/{account_folder(account)}"


async def _again(ask: Callable[[], Awaitable[T]]) -> T:
    """
    Ask, and once more where an index was taken away meanwhile.

    :raises Unavailable: if that comes to no end. :raises StorageBroken:
    """
    for _ in range(_TRIES):
        try:
            return await ask()
        except TakenAwayError as error:
            gone = error.__cause__
    if isinstance(gone, (OSError, sqlite3.Error)):
        raise translated(gone) from gone
    raise Unavailable("the index of words is being made")


def _finish(database: Database, done: Listed) -> None:
    filling.mark(database, done)
    filling.give_back(database)


def _lane(account: AccountName) -> tuple[str, AccountName]:
    """A lane of its own: reading mail does not wait for those who search in it."""
    return ("search", account)
