"""One mailbox of a Maildir store, as those who opened it see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from attrs import define, field
from zope.interface import implementer

from mailkit.errors import MailboxGone
from mailkit.interfaces.lanes import ILanes
from mailkit.interfaces.storage import IContent, IMailbox, IWatch, NewMessage
from mailkit.model.address import AccountName
from mailkit.model.flags import FlagChange, Flags, canonical_flag
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
from mailkit.model.uidset import UIDSet
from mailkit.storage.index import laying
from mailkit.storage.index.index import Index
from mailkit.storage.index.rows import MailboxRow
from mailkit.storage.maildir import expunging, flagging, reads, searching, transfer
from mailkit.storage.maildir.home import Home

T = TypeVar("T")


class Keeper(Protocol):
    """What a mailbox asks of its store."""

    @property
    def lanes(self) -> ILanes: ...

    def home(self, account: AccountName) -> Home: ...

    async def quota(self, account: AccountName) -> int:
        """Octets; 0 is without limit."""

    async def append_to(
        self,
        account: AccountName,
        mailbox_id: str,
        messages: Sequence[NewMessage],
    ) -> list[int]:
        """Keep messages durably, all or none."""

    def told(self, account: AccountName, mailbox_ids: Sequence[str]) -> None:
        """Mailboxes were changed."""

    def flagged(self, account: AccountName) -> None:
        """Flags wait to be written behind."""

    def watch(
        self, account: AccountName, mailbox_id: str, hear: Callable[[], None]
    ) -> IWatch: ...


@implementer(IMailbox)
@define(eq=False)
class MaildirMailbox:
    """A mailbox of a `MaildirStore`; it stays good while the mailbox is renamed."""

    _keeper: Keeper
    account: AccountName
    name: MailboxName
    mailbox_id: str
    uid_validity: int
    mod_seq: int = field(default=0, init=False)

    async def snapshot(self, take_recent: bool) -> Snapshot:
        def look(home: Home, index: Index, row: MailboxRow) -> Snapshot:
            # A SELECT looks at cur/ too, whenever it was looked at last.
            home.listed.pop(row.id, None)
            index, row = reads.look_around(home, index, row)
            if take_recent:
                with home.held_with(index):
                    row = home.mailbox_again(index, row.mailbox_id)
                    return reads.snapshot(home, index, row, take_recent=True)
            return reads.snapshot(home, index, row, take_recent=False)

        return await self._read(look)

    async def status(self) -> MailboxStatus:
        return await self._read(
            lambda home, index, row: reads.status(*reads.look_around(home, index, row))
        )

    async def append(self, messages: Sequence[NewMessage]) -> list[int]:
        return await self._keeper.append_to(self.account, self.mailbox_id, messages)

    async def fetch(self, uids: UIDSet, want: Want, most: int = 0) -> Records:
        return await self._read(
            lambda home, index, row: reads.records(home, index, row, uids, want, most)
        )

    async def lay_out(
        self, stretches: Sequence[Stretch], layout: Layout, most: int
    ) -> Laid | None:
        if not laying.can_lay_out(layout):
            return None
        return await self._read(
            lambda home, index, row: reads.laid(
                home, index, row, stretches, layout, most
            )
        )

    async def contents(self, uids: UIDSet) -> list[tuple[int, IContent]]:
        lanes = self._keeper.lanes
        return await self._read(
            lambda home, index, row: reads.contents(home, index, row, uids, lanes)
        )

    async def store(
        self, uids: UIDSet, change: FlagChange, unchanged_since: int | None = None
    ) -> UIDSet:
        change = FlagChange(change.action, canonical(change.flags))
        changed, left = await self._change(
            lambda home, index, row: flagging.store(
                home, index, row, uids, change, unchanged_since
            )
        )
        if changed:
            self._keeper.flagged(self.account)
            self._told()
        return left

    async def copy(self, uids: UIDSet, to: MailboxName) -> Copied:
        return await self._transfer(uids, to, is_move=False)

    async def move(self, uids: UIDSet, to: MailboxName) -> Copied:
        return await self._transfer(uids, to, is_move=True)

    async def _transfer(
        self, uids: UIDSet, to: MailboxName, *, is_move: bool
    ) -> Copied:
        quota = 0 if is_move else await self._keeper.quota(self.account)

        def work(home: Home, index: Index, row: MailboxRow) -> tuple[Copied, str]:
            target = home.mailbox(index, to)
            copied = transfer.transfer(
                home, index, row, uids, target, is_move=is_move, quota=quota
            )
            return copied, target.mailbox_id

        copied, target_id = await self._change(work)
        if copied.uids:
            self._keeper.told(self.account, [target_id])
            if is_move:
                self._told()
        return copied

    async def expunge(self, uids: UIDSet) -> UIDSet:
        gone = await self._change(
            lambda home, index, row: expunging.expunge(home, index, row, uids)
        )
        if gone:
            self._told()
        return gone

    async def search(self, query: Query) -> UIDSet:
        return await self._read(
            lambda home, index, row: searching.search(home, index, row, query)
        )

    async def changes_since(self, mod_seq: int) -> MailboxChange:
        try:
            return await self._read(
                lambda home, index, row: reads.changes(
                    *reads.look_around(home, index, row), mod_seq
                )
            )
        except MailboxGone:
            return MailboxChange(mod_seq, is_gone=True)

    def watch(self, hear: Callable[[], None]) -> IWatch:
        return self._keeper.watch(self.account, self.mailbox_id, hear)

    async def _read(self, work: Callable[[Home, Index, MailboxRow], T]) -> T:
        home = self._keeper.home(self.account)

        def read(index: Index) -> T:
            row = home.mailbox_again(index, self.mailbox_id)
            answer = work(home, index, row)
            self.mod_seq = row.mod_seq
            return answer

        def in_lane() -> T:
            home.check_there()
            return reads.asked(home, read)

        return await self._keeper.lanes.run(self.account, in_lane)

    async def _change(self, work: Callable[[Home, Index, MailboxRow], T]) -> T:
        home = self._keeper.home(self.account)

        def in_lane() -> T:
            home.check_there()
            with home.changed() as index:
                return work(home, index, home.mailbox_again(index, self.mailbox_id))

        return await self._keeper.lanes.run(self.account, in_lane)

    def _told(self) -> None:
        self._keeper.told(self.account, [self.mailbox_id])


def canonical(flags: Flags) -> Flags:
    """System flags spelt one way; ``\\Recent`` and the like are nobody's to set."""
    return frozenset(map(canonical_flag, flags))
