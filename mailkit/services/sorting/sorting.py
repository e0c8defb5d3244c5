"""Archive, delete, star, label, move: everything can be undone for a while."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence

from attrs import define, evolve, field, frozen
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from mailkit.errors import MailkitError, NoSuchMailbox, NotAllowed
from mailkit.interfaces.conversations import IConversations
from mailkit.interfaces.notices import INoticeBoard
from mailkit.interfaces.personal import IPersonal
from mailkit.interfaces.storage import IMailbox, IMailStore
from mailkit.model.address import AccountName
from mailkit.model.flags import DELETED, FLAGGED, SEEN, FlagAction, FlagChange
from mailkit.model.mailbox import INBOX, MailboxName, Want
from mailkit.model.snooze import SNOOZED, Snooze
from mailkit.model.uidset import UIDSet
from mailkit.services.sorting.actions import Action, Done, Op, Targets
from mailkit.services.sorting.choosing import AT_ONCE, Choosing
from mailkit.services.sorting.muting import MUTED, MUTING
from mailkit.services.sorting.places import Special
from mailkit.services.sorting.steps import (
    Flagged,
    Forgotten,
    Moved,
    PutOff,
    Record,
    Silenced,
    Step,
    batches,
)
from mailkit.services.sorting.undoing import Undoing

UNDO_FOR = 600.0
"""Seconds for which an action can be undone."""

JUNK_WORD = "$Junk"
NOT_JUNK_WORD = "$NotJunk"

WAKING = "waking"
"""Topic of the notice board: somebody put a message off."""

_SOONEST = 5.0  # seconds from now that a message is put off for at least, and …
_EACH = 0.1  # … as many more for each that is moved before: none is to come back first


@frozen
class _Plan:
    """What an action does to each message."""

    set: tuple[str, ...] = ()
    clear: tuple[str, ...] = ()
    to: MailboxName | None = None


@define(eq=False)
class Sorting:
    """
    Does what people ask for with their mail.

    Either all of an action is done, or what failed is undone before it is told.
    """

    log = Logger()

    _store: IMailStore
    _personal: IPersonal
    _conversations: IConversations
    _choosing: Choosing
    _undoing: Undoing
    _board: INoticeBoard
    _clock: IReactorTime
    _new_token: Callable[[], str] = field(default=lambda: secrets.token_urlsafe(16))

    async def act(self, account: AccountName, action: Action, targets: Targets) -> Done:
        """
        Do it, and say how to undo it.

        :raises NoSuchMailbox: if that of the view, or the one to move to, is none.
        :raises NotAllowed: to move where messages wait for a time that they come back.
        :raises OverQuota: :raises StorageFull: :raises StorageBroken: :raises TooMany:
        """
        special = await Special.of(self._store, account)
        if action.op is Op.MOVE and not special.has(action.to):
            raise NoSuchMailbox(action.to)
        if action.op is Op.MOVE and action.to == SNOOZED:
            raise NotAllowed(action.to)
        chosen = await self._choosing.choose(account, special, action, targets)
        plan = _plan(action, special)
        if plan.to is not None:
            await self._make(account, special, plan.to)
        doing = _Doing(self._store, self._personal, account, self._clock.seconds())
        try:
            for name, uids in chosen.uids.items():
                mailbox = await self._store.open(account, name)
                for some in batches(uids, AT_ONCE):
                    await doing.batch(mailbox, UIDSet.of(some), action, plan)
            if action.op in (Op.MUTE, Op.UNMUTE):
                await self._silence(account, action.op, doing)
        except MailkitError:
            await self._take_back(account, doing.steps)
            raise
        if action.op is Op.SNOOZE:
            self._board.publish(WAKING)
        done = Done(
            action,
            len(doing.touched),
            len(doing.threads),
            is_whole=chosen.is_whole,
        )
        return await self.keep(account, done, doing.steps)

    async def _silence(self, account: AccountName, op: Op, doing: _Doing) -> None:
        """Have answers, too, stay out of the inbox, or not any more."""
        message_ids = []
        for thread_id in sorted(doing.threads):
            messages = await self._conversations.conversation(account, thread_id)
            message_ids += [one.message_id for one in messages if one.message_id]
        known = await self._personal.muted(account)
        is_muted = op is Op.MUTE
        changed = tuple(one for one in message_ids if (one in known) is not is_muted)
        if changed:
            change = self._personal.mute if is_muted else self._personal.unmute
            await change(account, changed)
            doing.steps.append(Silenced(changed, is_muted))
            self._board.publish(MUTING, account)

    async def empty(self, account: AccountName, name: MailboxName) -> int:
        """
        Remove all that lies in Trash or Junk, for good; how many messages.

        What a page shows nobody is asked for twice: this cannot be undone.

        :raises NoSuchMailbox: if it is neither.
        """
        special = await Special.of(self._store, account)
        if not special.is_unwanted(name):
            raise NoSuchMailbox(name)
        mailbox = await self._store.open(account, name)
        snapshot = await mailbox.snapshot(take_recent=False)
        doing = _Doing(self._store, self._personal, account, self._clock.seconds())
        for some in batches(snapshot.uids, AT_ONCE):
            await doing.expunge(mailbox, UIDSet.of(some))
        number = len(doing.touched)
        if name == special.trash:
            for entry in reversed(special.thrown):
                if entry.is_selectable:
                    status = await self._store.status(account, entry.name)
                    number += status.exists
                await self._store.delete(account, entry.name)
        return number

    async def count(self, account: AccountName, name: MailboxName) -> int:
        """How many messages `empty` would remove. :raises NoSuchMailbox:"""
        special = await Special.of(self._store, account)
        names = [name]
        if name == special.trash:
            names += [one.name for one in special.thrown if one.is_selectable]
        statuses = [await self._store.status(account, one) for one in names]
        return sum(status.exists for status in statuses)

    async def keep(
        self, account: AccountName, done: Done, steps: Sequence[Step]
    ) -> Done:
        """Have something undone by a token; none where nothing was changed."""
        if not steps:
            return done
        token = self._new_token()
        now = self._clock.seconds()
        text = Record(done, tuple(steps)).to_text()
        await self._personal.keep_undo(account, token, text, now + UNDO_FOR, now)
        return evolve(done, token=token)

    async def _make(
        self, account: AccountName, special: Special, name: MailboxName
    ) -> None:
        """Those with a purpose are made when they are first needed."""
        if not special.has(name):
            await self._store.create(account, name)
            await self._store.subscribe(account, name, wish=True)

    async def _take_back(self, account: AccountName, steps: Sequence[Step]) -> None:
        try:
            await self._undoing.back(account, list(steps))
        except MailkitError as error:
            self.log.error(
                "{account}: an action failed and is half done: {reason}",
                account=account,
                reason=repr(error),
            )


@define(eq=False)
class _Doing:
    """One action as it is done, batch by batch."""

    _store: IMailStore
    _personal: IPersonal
    _account: AccountName
    _now: float
    steps: list[Step] = field(init=False, factory=list)
    touched: set[str] = field(init=False, factory=set)
    """EMAILIDs."""
    threads: set[str] = field(init=False, factory=set)

    async def batch(
        self, mailbox: IMailbox, uids: UIDSet, action: Action, plan: _Plan
    ) -> None:
        """Some messages of one mailbox."""
        if action.op is Op.FOREVER:
            await self.expunge(mailbox, uids)
            return
        records = await mailbox.fetch(uids, Want.FLAGS | Want.IDS)
        rows = list(
            zip(
                records.column("uid"),
                records.column("flags"),
                records.column("email_id"),
                records.column("thread_id"),
                strict=True,
            )
        )
        ids = {uid: email_id for uid, _, email_id, _ in rows}
        threads = {thread_id for *_, thread_id in rows}
        leaves = action.op in _LEAVES
        if action.op is Op.MUTE and mailbox.name != INBOX:
            leaves = False  # marked, and left where it is
        if leaves:
            await self._forget(threads)
        before = await self._snoozed(ids) if leaves and _is_snoozed(mailbox) else ()
        if action.op is Op.SNOOZE:
            await self._put_off(ids, before, action.until)
        changed: set[int] = set()
        for flag, is_set in [(one, True) for one in plan.set] + [
            (one, False) for one in plan.clear
        ]:
            changed |= await self._flag(
                mailbox, [row[:2] for row in rows], ids, flag, is_set=is_set
            )
        if leaves:
            changed |= set(ids)
        if leaves and plan.to is not None and plan.to != mailbox.name:
            await self._move(mailbox, uids, plan.to, ids)
        if before and action.op is not Op.SNOOZE:
            await self._personal.unsnooze(self._account, list(ids.values()))
            self.steps.append(PutOff(tuple(ids.values()), before))
        self._count(rows, changed)

    def _count(
        self, rows: Sequence[tuple[int, object, str, str]], changed: set[int]
    ) -> None:
        for uid, _, email_id, thread_id in rows:
            if uid in changed:
                self.touched.add(email_id)
                self.threads.add(thread_id)

    async def expunge(self, mailbox: IMailbox, uids: UIDSet) -> None:
        """For good."""
        records = await mailbox.fetch(uids, Want.IDS)
        deleted = FlagChange(FlagAction.ADD, frozenset({DELETED}))
        await mailbox.store(uids, deleted)
        await mailbox.expunge(uids)
        self.touched |= set(records.column("email_id"))
        self.threads |= set(records.column("thread_id"))

    async def _forget(self, threads: set[str]) -> None:
        """Whatever is put away did not just come back."""
        woken = await self._personal.woken(self._account)
        forgotten = tuple(one for one in woken if one.thread_id in threads)
        if forgotten:
            await self._personal.forget_woken(self._account, threads)
            self.steps.append(Forgotten(forgotten))

    async def _snoozed(self, ids: Mapping[int, str]) -> tuple[Snooze, ...]:
        """When those would have come back that now leave, or wait for another time."""
        known = set(ids.values())
        snoozes = await self._personal.snoozes(self._account)
        return tuple(one for one in snoozes if one.email_id in known)

    async def _put_off(
        self, ids: Mapping[int, str], before: tuple[Snooze, ...], until: float
    ) -> None:
        # Before they are moved, so that none is ever away without coming back.
        wait = _SOONEST + _EACH * (len(self.touched) + len(ids))
        at = max(until, self._now + wait)
        put = [Snooze(email_id, at, INBOX) for email_id in ids.values()]
        await self._personal.snooze(self._account, put)
        self.steps.append(PutOff(tuple(ids.values()), before))

    async def _flag(
        self,
        mailbox: IMailbox,
        rows: Sequence[tuple[int, frozenset[str]]],
        ids: Mapping[int, str],
        flag: str,
        *,
        is_set: bool,
    ) -> set[int]:
        """Set or clear a flag where it is not so yet."""
        folded = flag.lower()
        uids = [
            uid
            for uid, flags in rows
            if any(one.lower() == folded for one in flags) is not is_set
        ]
        if not uids:
            return set()
        how = FlagAction.ADD if is_set else FlagAction.REMOVE
        await mailbox.store(UIDSet.of(uids), FlagChange(how, frozenset({flag})))
        self.steps.append(
            Flagged(
                mailbox.name,
                tuple(uids),
                tuple(ids[uid] for uid in uids),
                set=(flag,) if is_set else (),
                cleared=() if is_set else (flag,),
            )
        )
        return set(uids)

    async def _move(
        self, mailbox: IMailbox, uids: UIDSet, to: MailboxName, ids: Mapping[int, str]
    ) -> None:
        copied = await mailbox.move(uids, to)
        pairs = [(new, ids[old]) for old, new in copied.uids if old in ids]
        if pairs:
            there, email_ids = zip(*pairs, strict=True)
            self.steps.append(Moved(mailbox.name, to, there, email_ids))


def _is_snoozed(mailbox: IMailbox) -> bool:
    """Whether messages lie there until they come back."""
    return bool(mailbox.name == SNOOZED)


def _plan(action: Action, special: Special) -> _Plan:
    match action.op:
        case Op.ARCHIVE:
            return _Plan(to=special.archive)
        case Op.DELETE:
            return _Plan(to=special.trash)
        case Op.SPAM:
            return _Plan((JUNK_WORD,), (NOT_JUNK_WORD,), special.junk)
        case Op.NOT_SPAM:
            return _Plan((NOT_JUNK_WORD,), (JUNK_WORD,), INBOX)
        case Op.MOVE:
            return _Plan(to=action.to)
        case Op.SNOOZE:
            return _Plan(to=SNOOZED)
        case Op.UNSNOOZE:
            return _Plan(to=INBOX)
        case Op.MUTE:
            return _Plan((MUTED,), to=special.archive)
        case _:
            return _FLAG_PLANS[action.op](action)


_FLAG_PLANS: dict[Op, Callable[[Action], _Plan]] = {
    Op.FOREVER: lambda action: _Plan(),
    Op.STAR: lambda action: _Plan((FLAGGED,)),
    Op.UNSTAR: lambda action: _Plan(clear=(FLAGGED,)),
    Op.READ: lambda action: _Plan((SEEN,)),
    Op.UNREAD: lambda action: _Plan(clear=(SEEN,)),
    Op.LABEL: lambda action: _Plan((action.label,)),
    Op.UNLABEL: lambda action: _Plan(clear=(action.label,)),
    Op.UNMUTE: lambda action: _Plan(clear=(MUTED,)),
}

_LEAVES = frozenset(
    (
        Op.ARCHIVE,
        Op.DELETE,
        Op.SPAM,
        Op.NOT_SPAM,
        Op.MOVE,
        Op.SNOOZE,
        Op.UNSNOOZE,
        Op.MUTE,
    )
)
"""What takes messages away from where they came back."""
