"""Who watches a mailbox hears of changes: by notices, and by looking each second."""

from __future__ import annotations

import os
from collections.abc import Callable

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from mailkit.errors import MailboxGone, MailkitError
from mailkit.interfaces.lanes import ILanes
from mailkit.interfaces.notices import INoticeBoard
from mailkit.interfaces.storage import IWatch
from mailkit.model.address import AccountName
from mailkit.storage.maildir import reads
from mailkit.storage.maildir.home import Home

Key = tuple[AccountName, str]


def topic(account: AccountName) -> str:
    """Where changes of an account's mail are published."""
    return f"mail:{account}"


@define(eq=False)
class _Looked:
    """A mailbox that somebody watches."""

    home: Home
    mailbox_id: str
    folder: str = ""
    """Its path, as the last look found it."""
    wal: tuple[int, int] = (0, 0)
    looked: float = 0.0
    """When the last look was, by the house's clock."""
    hears: list[Callable[[], None]] = field(factory=list)


@implementer(IWatch)
@define(eq=False)
class Watch:
    """Somebody listens to one mailbox."""

    _watching: Watching
    _key: Key
    _hear: Callable[[], None]
    _notices: IWatch
    _is_on: bool = True

    def stop(self) -> None:
        if self._is_on:
            self._is_on = False
            self._notices.stop()
            self._watching.forget(self._key, self._hear)


@define(eq=False)
class Watching:
    """All that is watched in this process, looked at in one hand-over a second."""

    _lanes: ILanes
    _board: INoticeBoard
    _clock: IReactorTime
    _every: float
    _looked: dict[Key, _Looked] = field(init=False, factory=dict)
    _next: IDelayedCall | None = field(init=False, default=None)
    log: Logger = field(init=False, factory=Logger)

    def watch(self, home: Home, mailbox_id: str, hear: Callable[[], None]) -> Watch:
        """Have ``hear`` called soon after each change of one mailbox."""

        def notice(text: str) -> None:
            if text in ("", mailbox_id):
                hear()

        key = home.account, mailbox_id
        looked = self._looked.get(key)
        if looked is None:
            looked = self._looked[key] = _Looked(home, mailbox_id)
        looked.hears.append(hear)
        if self._next is None:
            self._next = self._clock.callLater(self._every, self._begin)
        notices = self._board.hear(topic(home.account), notice)
        return Watch(self, key, hear, notices)

    def forget(self, key: Key, hear: Callable[[], None]) -> None:
        """One listener less."""
        looked = self._looked[key]
        looked.hears.remove(hear)
        if not looked.hears:
            del self._looked[key]

    def stop(self) -> None:
        """Look no more."""
        if self._next is not None:
            self._next.cancel()
            self._next = None
        self._looked.clear()

    def _begin(self) -> None:
        self._next = None
        if not self._looked:
            return
        look = Deferred.fromCoroutine(self._look())
        look.addErrback(lambda failure: self.log.failure("watching failed", failure))
        look.addBoth(lambda _: self._again())

    def _again(self) -> None:
        if self._looked and self._next is None:
            self._next = self._clock.callLater(self._every, self._begin)

    async def _look(self) -> None:
        waiting = list(self._looked.values())
        touched = await self._lanes.run(
            "watching", lambda: [one for one in waiting if _is_touched(one)]
        )
        for one in touched:
            try:
                changed = await self._lanes.run(
                    one.home.account,
                    lambda one=one: _look_closer(one),  # type: ignore[misc]  # mypy cannot infer it
                )
            except MailboxGone:
                changed = True
            except MailkitError as error:
                self.log.warn(
                    "{account}: looking at a mailbox failed: {error}",
                    account=one.home.account,
                    error=str(error),
                )
                changed = True
            if changed:
                self._board.publish(topic(one.home.account), one.mailbox_id)


def _is_touched(one: _Looked) -> bool:
    """Whether a look from outside tells that something may have happened."""
    house = one.home.house
    if not one.folder or house.now() - one.looked >= house.settings.list_every:
        return True
    try:
        return _wal(one.home) != one.wal or bool(os.listdir(f"{one.folder}/new"))
    except OSError:
        # Who looks closer tells what is wrong, and of which account.
        return True


def _look_closer(one: _Looked) -> bool:
    """In the account's lane: whether somebody else changed the mailbox."""
    home = one.home
    home.check_there()
    with home.used() as index:
        row = index.mailbox_by_mailbox_id(one.mailbox_id)
        if row is None:
            return True
        one.folder = home.folder(row.folder)
        one.looked = home.house.now()
        # A commit by whomever: whether it was about this mailbox the row tells.
        known = home.seen.get(row.id, row.mod_seq)
        _, row = reads.look_around(home, index, row)
        home.seen[row.id] = row.mod_seq
        one.wal = _wal(home)
    return row.mod_seq != known


def _wal(home: Home) -> tuple[int, int]:
    """When and how far the index was last written."""
    try:
        found = os.stat(f"{home.index_path}-wal")
    except FileNotFoundError:
        return 0, 0
    return found.st_mtime_ns, found.st_size
