"""Messages that were put off come back, whether anybody looks or not."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from mailkit.errors import MailkitError, NoSuchMailbox
from mailkit.interfaces.directory import IDirectory
from mailkit.interfaces.notices import INoticeBoard
from mailkit.interfaces.personal import IPersonal
from mailkit.interfaces.storage import IMailbox, IMailStore, IWatch
from mailkit.model.address import AccountName
from mailkit.model.flags import SEEN, FlagAction, FlagChange
from mailkit.model.mailbox import INBOX, MailboxName, Want
from mailkit.model.query import AnyOf, HasEmailId
from mailkit.model.snooze import SNOOZED, Snooze, Woken
from mailkit.model.uidset import UIDSet
from mailkit.services.sorting.sorting import WAKING

LOOK_EVERY = 60.0
"""Seconds after which it is looked again, told or not: clocks are set, notices lost."""

_ACCOUNTS = 50  # that are looked at before others have a turn
_MESSAGES = 200  # of one search
_PUNCTUAL = 120.0  # seconds too late, below which it says that it was on time
_AGAIN = 30.0  # seconds until a look that failed is tried again


@define(eq=False)
class Waker:
    """
    Runs in one process of a server, from its start to its end.

    What it does may be stopped anywhere: the next look does the rest of it.
    """

    log = Logger()

    _store: IMailStore
    _personal: IPersonal
    _directory: IDirectory
    _board: INoticeBoard
    _clock: IReactorTime
    _watch: IWatch | None = field(init=False, default=None)
    _call: IDelayedCall | None = field(init=False, default=None)
    _working: Deferred[None] | None = field(init=False, default=None)
    _is_working: bool = field(init=False, default=False)
    _is_stopped: bool = field(init=False, default=False)
    _is_told: bool = field(init=False, default=False)

    def start(self) -> None:
        """Look now, and whenever somebody puts a message off."""
        self._watch = self._board.hear(WAKING, self._hear)
        self._look()

    async def stop(self) -> None:
        """Begin nothing new, and finish the account that is looked at."""
        self._is_stopped = True
        if self._watch is not None:
            self._watch.stop()
        self._cancel()
        if self._working is not None:
            await self._working

    def _hear(self, text: str) -> None:
        self._is_told = True
        self._look()

    def _look(self) -> None:
        if self._is_working or self._is_stopped:
            return
        self._cancel()
        self._is_told = False
        self._is_working = True
        self._working = Deferred.fromCoroutine(self._work())
        self._working.addErrback(self._failed)

    def _cancel(self) -> None:
        if self._call is not None and self._call.active():
            self._call.cancel()
        self._call = None

    def _failed(self, failure: Failure) -> None:
        """A bug: told whole; the next look comes all the same."""
        self.log.failure("messages do not come back", failure)
        self._is_working = False
        self._again(_AGAIN)

    def _again(self, seconds: float) -> None:
        if not self._is_stopped:
            self._call = self._clock.callLater(seconds, self._look)

    async def _work(self) -> None:
        """One look, and the call for the next."""
        wait = _AGAIN
        try:
            await self._settle_all()
            wait = await self._wake_due()
        except MailkitError as error:
            self.log.error("messages do not come back: {reason}", reason=repr(error))
        self._is_working = False
        self._again(0.0 if self._is_told else wait)

    async def _settle_all(self) -> None:
        """After a restore the table of times may be another's, or gone."""
        if await self._personal.is_settled():
            return
        for account in await self._directory.accounts():
            if self._is_stopped:
                return
            await self._personal.settle(account.name)
        await self._personal.note_settled()

    async def _wake_due(self) -> float:
        """Wake what is due; seconds until the next is, or until a look at least."""
        failed: set[AccountName] = set()
        while not self._is_stopped:
            now = self._clock.seconds()
            due = await self._personal.due(now, _ACCOUNTS + len(failed))
            accounts = [account for account in due if account not in failed]
            if not accounts:
                break
            for account in accounts:
                if self._is_stopped:
                    break
                try:
                    await self.wake(account)
                except MailkitError as error:
                    failed.add(account)
                    self.log.error(
                        "{account}: messages do not come back: {reason}",
                        account=account,
                        reason=repr(error),
                    )
        following = await self._personal.next_due()
        if following is None:
            return LOOK_EVERY
        least = _AGAIN if failed else 0.0
        return min(max(following - self._clock.seconds(), least), LOOK_EVERY)

    async def wake(self, account: AccountName) -> int:
        """
        Bring back what is due of one account; how many messages.

        :raises StorageFull: :raises StorageBroken: and the rest stays due.
        """
        now = self._clock.seconds()
        snoozes = await self._personal.snoozes(account)
        due = [one for one in snoozes if one.until <= now]
        count = 0
        for start in range(0, len(due), _MESSAGES):
            count += await self._bring_back(account, due[start : start + _MESSAGES])
        await self._personal.settle(account)
        return count

    async def _bring_back(self, account: AccountName, due: Sequence[Snooze]) -> int:
        now = self._clock.seconds()
        by_id = {one.email_id: one for one in due}
        try:
            mailbox = await self._store.open(account, SNOOZED)
        except NoSuchMailbox:
            await self._personal.unsnooze(account, list(by_id))
            return 0
        # Whatever lies elsewhere somebody has moved, and meant it.
        query = AnyOf(tuple(HasEmailId(email_id) for email_id in by_id))
        uids = await mailbox.search(query)
        records = await mailbox.fetch(uids, Want.IDS)
        back: dict[MailboxName, list[int]] = {}
        woken: list[Woken] = []
        for record in records:
            one = by_id[record.email_id]
            back.setdefault(one.back_to, []).append(record.uid)
            since = one.until if now - one.until < _PUNCTUAL else now
            woken.append(Woken(record.email_id, record.thread_id, since))
        if woken:
            unseen = FlagChange(FlagAction.REMOVE, frozenset({SEEN}))
            await mailbox.store(uids, unseen)
            await self._personal.woke(account, woken)
            for name, those in back.items():
                await self._move(mailbox, UIDSet.of(those), name)
        await self._personal.unsnooze(account, list(by_id))
        self.log.debug(
            "{account}: {count} messages came back", account=account, count=len(woken)
        )
        return len(woken)

    async def _move(self, mailbox: IMailbox, uids: UIDSet, to: MailboxName) -> None:
        try:
            await mailbox.move(uids, to)
        except NoSuchMailbox:
            await mailbox.move(uids, INBOX)
