"""Changing back what an action changed, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import assert_never

from attrs import define, evolve
from twisted.internet.interfaces import IReactorTime

from mailkit.errors import MailboxExists, Malformed, NoSuchMailbox
from mailkit.interfaces.conversations import IConversations
from mailkit.interfaces.notices import INoticeBoard
from mailkit.interfaces.personal import IPersonal
from mailkit.interfaces.storage import IMailStore
from mailkit.model.address import AccountName
from mailkit.model.flags import FlagAction, FlagChange
from mailkit.model.mailbox import MailboxName, Want
from mailkit.model.uidset import UIDSet
from mailkit.services.sorting.actions import Done
from mailkit.services.sorting.muting import MUTING
from mailkit.services.sorting.places import rename
from mailkit.services.sorting.steps import (
    Flagged,
    Forgotten,
    Moved,
    PutOff,
    Record,
    Removed,
    Renamed,
    Silenced,
    Step,
    Unnamed,
    Unsaved,
    batches,
)

AT_ONCE = 500

_AGAIN = 60.0  # seconds until what should have come back meanwhile comes back

_Places = dict[MailboxName, list[int]]


@define(eq=False)
class Undoing:
    """Undoes what was kept under a token."""

    _store: IMailStore
    _personal: IPersonal
    _conversations: IConversations
    _board: INoticeBoard
    _clock: IReactorTime

    async def done(self, account: AccountName, token: str) -> Done | None:
        """What a token would undo; ``None``: its time is over, or it was undone."""
        record = await self._record(account, token)
        return record.done if record is not None and record.steps else None

    async def undo(self, account: AccountName, token: str) -> Done | None:
        """
        Undo it; what is undone, also by an earlier try; ``None``: its time is over.

        If that fails halfway it may be tried again.

        :raises OverQuota: :raises StorageFull: :raises StorageBroken:
        """
        record = await self._record(account, token)
        if record is not None and not record.steps:
            return record.done  # whoever asked may not have heard of it
        if record is None or not await self._personal.drop_undo(account, token):
            return None
        steps = list(record.steps)
        try:
            await self.back(account, steps)
        finally:
            now = self._clock.seconds()
            left = evolve(record, steps=tuple(steps)).to_text()
            await self._personal.keep_undo(account, token, left, now + 600, now)
        return record.done

    async def back(self, account: AccountName, steps: list[Step]) -> None:
        """Take steps back, the last first; those that are left stay in the list."""
        while steps:
            await self._back(account, steps[-1])
            steps.pop()

    async def _record(self, account: AccountName, token: str) -> Record | None:
        now = self._clock.seconds()
        text = await self._personal.undo_steps(account, token, now)
        if text is None:
            return None
        try:
            return Record.from_text(text, token)
        except Malformed:
            return None  # another version of the program was at work here

    async def _back(self, account: AccountName, step: Step) -> None:
        match step:
            case Flagged():
                await self._unflag(account, step)
            case Moved():
                await self._unmove(account, step)
            case PutOff():
                await self._unsnooze(account, step)
            case Forgotten(woken):
                await self._personal.woke(account, woken)
            case Renamed(old, new):
                await rename(self._store, account, new, old)
            case Removed(mailbox):
                with suppress(MailboxExists):
                    await self._store.create(account, mailbox)
                await self._store.subscribe(account, mailbox, wish=True)
            case Unnamed(label):
                await self._personal.put_labels(account, [label])
            case Silenced(message_ids, is_muted):
                change = self._personal.unmute if is_muted else self._personal.mute
                await change(account, message_ids)
                self._board.publish(MUTING, account)
            case Unsaved(search):
                await self._personal.put_search(account, search)
            case _:
                assert_never(step)

    async def _unflag(self, account: AccountName, step: Flagged) -> None:
        places = await self._find(account, step.mailbox, step.uids, step.email_ids)
        for name, uids in places.items():
            mailbox = await self._store.open(account, name)
            for some in batches(uids, AT_ONCE):
                those = UIDSet.of(some)
                if step.set:
                    change = FlagChange(FlagAction.REMOVE, frozenset(step.set))
                    await mailbox.store(those, change)
                if step.cleared:
                    change = FlagChange(FlagAction.ADD, frozenset(step.cleared))
                    await mailbox.store(those, change)

    async def _unmove(self, account: AccountName, step: Moved) -> None:
        places = await self._find(account, step.to, step.uids, step.email_ids)
        uids = places.get(step.to)  # whoever moved it on since meant that
        if not uids:
            return
        mailbox = await self._store.open(account, step.to)
        for some in batches(uids, AT_ONCE):
            try:
                await mailbox.move(UIDSet.of(some), step.mailbox)
            except NoSuchMailbox:
                await self._store.create(account, step.mailbox)
                await mailbox.move(UIDSet.of(some), step.mailbox)

    async def _unsnooze(self, account: AccountName, step: PutOff) -> None:
        known = {one.email_id for one in step.before}
        others = [one for one in step.email_ids if one not in known]
        await self._personal.unsnooze(account, others)
        soonest = self._clock.seconds() + _AGAIN
        again = [evolve(one, until=max(one.until, soonest)) for one in step.before]
        await self._personal.snooze(account, again)

    async def _find(
        self,
        account: AccountName,
        name: MailboxName,
        uids: Sequence[int],
        email_ids: Sequence[str],
    ) -> _Places:
        """Where messages are now: where they were left, or else wherever they went."""
        wanted = dict(zip(uids, email_ids, strict=True))
        places: _Places = {}
        try:
            mailbox = await self._store.open(account, name)
        except NoSuchMailbox:
            pass
        else:
            for some in batches(uids, AT_ONCE):
                records = await mailbox.fetch(UIDSet.of(some), Want.IDS)
                for uid, email_id in zip(
                    records.column("uid"), records.column("email_id"), strict=True
                ):
                    if wanted.get(uid) == email_id:
                        places.setdefault(name, []).append(uid)
                        del wanted[uid]
        lost = list(wanted.values())
        for start in range(0, len(lost), AT_ONCE):
            found = await self._conversations.messages(
                account, lost[start : start + AT_ONCE]
            )
            for message in found:
                for place in message.places:
                    places.setdefault(place.mailbox, []).append(place.uid)
        return places
