"""One mailbox, as those who opened it see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from attrs import define
from zope.interface import implementer

from mailkit.errors import MailboxGone, NoSuchMailbox
from mailkit.interfaces.storage import IContent, IMailbox, IWatch, NewMessage
from mailkit.model.address import AccountName
from mailkit.model.flags import DELETED, FlagAction, FlagChange
from mailkit.model.layout import Laid, Layout, Stretch
from mailkit.model.mailbox import (
    Copied,
    MailboxChange,
    MailboxName,
    MailboxStatus,
    Records,
    Snapshot,
    Want,
)
from mailkit.model.query import Query
from mailkit.model.uidset import ALL_UIDS, NO_UIDS, UIDSet
from mailkit.model.verdict import Verdict
from mailkit.storage.content import OctetsContent, all_octets
from mailkit.storage.matching import Matcher
from mailkit.storage.memory.folder import Folder, Kept, Letter, first_part, records


class Box(Protocol):
    """What a mailbox asks of the account that it belongs to."""

    name: AccountName

    def folder(self, name: MailboxName) -> Folder:
        """:raises NoSuchMailbox:"""

    def next_mod_seq(self) -> int: ...

    def now(self) -> int: ...

    def new_letter(
        self, octets: bytes, came: int, verdict: Verdict | None
    ) -> Letter: ...

    async def check_room(self, octets: int) -> None:
        """:raises OverQuota: if so much more would be too much."""


@implementer(IMailbox)
@define(eq=False)
class MemoryMailbox:
    """A mailbox of a `MemoryStore`; it stays good while the mailbox is renamed."""

    _box: Box
    _folder: Folder
    account: AccountName
    name: MailboxName

    @property
    def mailbox_id(self) -> str:
        return self._folder.mailbox_id

    @property
    def mod_seq(self) -> int:
        return self._folder.highest_mod_seq

    @property
    def uid_validity(self) -> int:
        return self._folder.uid_validity

    async def snapshot(self, take_recent: bool) -> Snapshot:
        return self._here().snapshot(take_recent)

    async def status(self) -> MailboxStatus:
        return self._here().status()

    async def append(self, messages: Sequence[NewMessage]) -> list[int]:
        self._here()
        octets = [
            message.head + await all_octets(message.content) for message in messages
        ]
        await self._box.check_room(sum(map(len, octets)))
        folder = self._here()
        folder.check_keywords(flag for message in messages for flag in message.flags)
        if not messages:
            return []
        now = self._box.now()
        dates = [
            now if message.internal_date is None else int(message.internal_date)
            for message in messages
        ]
        letters = [
            (self._box.new_letter(text, date, one.verdict), one.flags, date)
            for one, text, date in zip(messages, octets, dates, strict=True)
        ]
        uids = folder.put(letters, now, self._box.next_mod_seq())
        folder.tell()
        return uids

    async def fetch(self, uids: UIDSet, want: Want, most: int = 0) -> Records:
        found = records(self._here().among(uids), want)
        until = first_part(found, most) if most else len(found)
        part = Records.of(found[:until])
        if until < len(found):
            part.rest = uids & UIDSet(((found[until].uid, ALL_UIDS.ranges[0][1]),))
        return part

    async def lay_out(
        self, stretches: Sequence[Stretch], layout: Layout, most: int
    ) -> Laid | None:
        return None

    async def contents(self, uids: UIDSet) -> list[tuple[int, IContent]]:
        return [
            (kept.uid, OctetsContent(kept.letter.octets))
            for kept in self._here().among(uids)
        ]

    async def store(
        self, uids: UIDSet, change: FlagChange, unchanged_since: int | None = None
    ) -> UIDSet:
        folder = self._here()
        if change.action is not FlagAction.REMOVE:
            folder.check_keywords(change.flags)
        kept = folder.among(uids)
        left = NO_UIDS
        if unchanged_since is not None:
            left = UIDSet.of(k.uid for k in kept if k.mod_seq > unchanged_since)
            kept = [k for k in kept if k.mod_seq <= unchanged_since]
        if folder.change(kept, change, self._box.next_mod_seq()):
            folder.tell()
        return left

    async def copy(self, uids: UIDSet, to: MailboxName) -> Copied:
        target = self._box.folder(to)
        kept = self._here().among(uids)
        await self._box.check_room(sum(k.size for k in kept))
        kept = self._here().among(uids)
        copied = self._put_into(target, kept)
        target.tell()
        return copied

    async def move(self, uids: UIDSet, to: MailboxName) -> Copied:
        target = self._box.folder(to)
        folder = self._here()
        kept = folder.among(uids)
        copied = self._put_into(target, kept)
        if kept:
            folder.drop(kept, self._box.next_mod_seq())
        target.tell()
        folder.tell()
        return copied

    async def expunge(self, uids: UIDSet) -> UIDSet:
        folder = self._here()
        gone = [kept for kept in folder.among(uids) if DELETED in kept.flags]
        if not gone:
            return NO_UIDS
        folder.drop(gone, self._box.next_mod_seq())
        folder.tell()
        return UIDSet.of(kept.uid for kept in gone)

    async def search(self, query: Query) -> UIDSet:
        folder = self._here()
        matcher = Matcher(query)
        found = [kept for kept in folder.everything() if _matches(matcher, kept)]
        return UIDSet.of(kept.uid for kept in found)

    async def changes_since(self, mod_seq: int) -> MailboxChange:
        return self._folder.changes_since(mod_seq)

    def watch(self, hear: Callable[[], None]) -> IWatch:
        return self._here().watch(hear)

    def _here(self) -> Folder:
        if self._folder.is_gone:
            raise MailboxGone(self.name)
        return self._folder

    def _put_into(self, target: Folder, kept: Sequence[Kept]) -> Copied:
        if target.is_gone:
            raise NoSuchMailbox(target.name)
        target.check_keywords(flag for k in kept for flag in k.flags)
        if not kept:
            return Copied(target.uid_validity, ())
        uids = target.put(
            [(k.letter, k.flags, k.internal_date) for k in kept],
            self._box.now(),
            self._box.next_mod_seq(),
        )
        pairs = tuple((k.uid, uid) for k, uid in zip(kept, uids, strict=True))
        return Copied(target.uid_validity, pairs)


def _matches(matcher: Matcher, kept: Kept) -> bool:
    return matcher.matches(kept, lambda: kept.letter.octets)
