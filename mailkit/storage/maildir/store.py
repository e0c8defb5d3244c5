"""The mail store on disk: Maildir++ folders and an index (STORE.md)."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar

from attrs import define, field
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from mailkit.interfaces.lanes import ILanes
from mailkit.interfaces.notices import INoticeBoard
from mailkit.interfaces.storage import (
    Appended,
    IContent,
    IMailbox,
    IMailStore,
    IUpkeep,
    IWatch,
    MailboxCheck,
    NewMessage,
    Placement,
)
from mailkit.model.address import AccountName
from mailkit.model.mailbox import (
    INBOX,
    MailboxEntry,
    MailboxName,
    MailboxStatus,
)
from mailkit.model.uidset import ALL_UIDS
from mailkit.storage import names
from mailkit.storage.index.index import Index
from mailkit.storage.maildir import folders, inspection, reads, transfer
from mailkit.storage.maildir.chores import Chores
from mailkit.storage.maildir.conversations import MaildirConversations
from mailkit.storage.maildir.exclusive import hold
from mailkit.storage.maildir.home import Home, folder_of, name_of
from mailkit.storage.maildir.house import House, MaildirSettings, boot_id
from mailkit.storage.maildir.incoming import Incoming
from mailkit.storage.maildir.mailbox import MaildirMailbox
from mailkit.storage.maildir.removal import remove_account
from mailkit.storage.maildir.repair import Repairs
from mailkit.storage.maildir.watching import Watching, topic
from mailkit.storage.safefile import Files, told_as_ours

T = TypeVar("T")

QuotaOf = Callable[[AccountName], Awaitable[int | None]]
"""How many octets an account may keep; 0 or ``None`` is without limit."""


_SETTINGS = MaildirSettings()


async def without_limit(account: AccountName) -> int | None:
    """The quota of a server that has none."""
    return None


def _nothing(account: AccountName) -> None:
    """Nobody wants to know."""


@implementer(IMailStore, IUpkeep)
@define(eq=False)
class MaildirStore:
    """
    Every promise of `IMailStore`, kept through loss of power.

    An account begins to be when it is first named. All methods are called in the
    reactor's thread, and block it nowhere.
    """

    data: Path
    lanes: ILanes
    board: INoticeBoard
    clock: IReactorTime
    quota_of: QuotaOf = without_limit
    settings: MaildirSettings = _SETTINGS
    now: Callable[[], float] = time.time
    files: Files = field(factory=Files)
    boot: str = field(factory=boot_id)
    """Another one than the index has: power may have been lost since."""
    host: str = field(factory=socket.gethostname)
    """Part of the names of files."""
    house: House = field(init=False)
    changed: Callable[[AccountName], object] = field(init=False, default=_nothing)
    """Called in the reactor's thread after this process changed an account's mail."""
    conversations: MaildirConversations = field(init=False)
    """The same mail as people look at it."""
    _homes: dict[AccountName, Home] = field(init=False, factory=dict)
    _incoming: Incoming = field(init=False)
    _watching: Watching = field(init=False)
    _chores: Chores = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.house = House(
            self.data, self.now, self.settings, self.files, self.boot, self.host
        )
        os.makedirs(self.house.spool, mode=0o700, exist_ok=True)
        self._incoming = Incoming(self.house, self.lanes, self.home, self.told)
        self._watching = Watching(
            self.lanes, self.board, self.clock, self.settings.look_every
        )
        self._chores = Chores(self.house, self.lanes, self.clock)
        self.conversations = MaildirConversations(self.lanes, self.home)

    # --- accounts ---

    async def create_account(self, account: AccountName) -> None:
        home = self.home(account)
        await self.lanes.run(account, home.found)

    async def remove_account(self, account: AccountName, purge: bool) -> None:
        home = self.home(account)
        ids = await self.lanes.run(account, lambda: remove_account(home, purge=purge))
        self._homes.pop(account, None)
        self.told(account, ids)

    async def used(self, account: AccountName) -> int:
        return await self._read(account, lambda home, index: index.used())

    # --- mailboxes ---

    async def mailboxes(self, account: AccountName) -> list[MailboxEntry]:
        return await self._read(account, folders.entries)

    async def status(self, account: AccountName, name: MailboxName) -> MailboxStatus:
        def look(home: Home, index: Index) -> MailboxStatus:
            row = home.mailbox(index, folders.known_form(name))
            return reads.status(*reads.look_around(home, index, row))

        return await self._read(account, look)

    async def open(self, account: AccountName, name: MailboxName) -> IMailbox:
        row = await self._read(
            account, lambda home, index: home.mailbox(index, folders.known_form(name))
        )
        return MaildirMailbox(
            self, account, name_of(row.folder), row.mailbox_id, row.uid_validity
        )

    async def create(self, account: AccountName, name: MailboxName) -> None:
        await self._change(
            account, lambda home, index: folders.create(home, index, name)
        )

    async def rename(
        self, account: AccountName, old: MailboxName, new: MailboxName
    ) -> None:
        is_inbox = names.checked(old) == INBOX
        work = _move_inbox if is_inbox else folders.rename
        ids = await self._change(
            account, lambda home, index: work(home, index, old, new)
        )
        self.told(account, ids)

    async def delete(self, account: AccountName, name: MailboxName) -> None:
        gone = await self._change(
            account, lambda home, index: folders.delete(home, index, name)
        )
        self.told(account, [gone])

    async def subscribe(
        self, account: AccountName, name: MailboxName, wish: bool
    ) -> None:
        wanted = names.checked(name)
        await self._change(
            account, lambda home, index: home.aside.subscribe([wanted], wish=wish)
        )

    async def exclusively(self, account: AccountName, name: MailboxName) -> IWatch:
        mailbox = await self.open(account, name)
        run = self.house.run_folder

        def work() -> IWatch:
            with told_as_ours():
                return hold(run, account, mailbox.mailbox_id)

        return await self.lanes.run(account, work)

    # --- messages ---

    async def deliver(self, content: IContent, to: Sequence[Placement]) -> list[int]:
        return await self._incoming.deliver(content, to)

    async def append(
        self, account: AccountName, name: MailboxName, messages: Sequence[NewMessage]
    ) -> Appended:
        if not messages:
            mailbox = await self.open(account, name)
            return Appended(mailbox.uid_validity, [])
        folder = folder_of(folders.known_form(name))
        quota = await self.quota(account)
        home = self.home(account)
        return await self._incoming.append(home, folder, "", messages, quota)

    async def close(self) -> None:
        self._watching.stop()
        await self._chores.finish(list(self._homes.values()))

    # --- upkeep by people ---

    async def check(self, account: AccountName) -> Sequence[MailboxCheck]:
        return await self._change(account, inspection.check)

    async def rebuild(self, account: AccountName) -> None:
        home = self.home(account)
        self._chores.used(home)
        await self.lanes.run(account, lambda: inspection.rebuild(home))

    # --- what mailboxes ask of their store (`mailbox.Keeper`) ---

    def home(self, account: AccountName) -> Home:
        """The account as this process has it in hand."""
        home = self._homes.get(account)
        if home is None:
            path = self.house.path_of(account)
            home = self._homes[account] = Home(self.house, account, path, Repairs())
        self._chores.used(home)
        return home

    async def quota(self, account: AccountName) -> int:
        """Octets that an account may have; 0 is without limit."""
        return await self.quota_of(account) or 0

    async def append_to(
        self, account: AccountName, mailbox_id: str, messages: Sequence[NewMessage]
    ) -> list[int]:
        """Keep messages in a mailbox that was opened."""
        home = self.home(account)
        if not messages:
            await self.lanes.run(account, home.check_there)
            await self._read(
                account, lambda home, index: home.mailbox_again(index, mailbox_id)
            )
            return []
        quota = await self.quota(account)
        kept = await self._incoming.append(home, "", mailbox_id, messages, quota)
        return kept.uids

    def told(self, account: AccountName, mailbox_ids: Sequence[str]) -> None:
        """Tell everybody that mailboxes were changed."""
        self.changed(account)
        for mailbox_id in mailbox_ids:
            self.board.publish(topic(account), mailbox_id)

    def flagged(self, account: AccountName) -> None:
        """Have the names follow the flags in a while."""
        self._chores.write_behind(self.home(account))

    def watch(
        self, account: AccountName, mailbox_id: str, hear: Callable[[], None]
    ) -> IWatch:
        """Have ``hear`` called after each change of a mailbox."""
        return self._watching.watch(self.home(account), mailbox_id, hear)

    async def _read(self, account: AccountName, work: Callable[[Home, Index], T]) -> T:
        home = self.home(account)

        def in_lane() -> T:
            return reads.asked(home, lambda index: work(home, index))

        return await self.lanes.run(account, in_lane)

    async def _change(
        self, account: AccountName, work: Callable[[Home, Index], T]
    ) -> T:
        home = self.home(account)

        def in_lane() -> T:
            with home.changed() as index:
                return work(home, index)

        return await self.lanes.run(account, in_lane)


def _move_inbox(
    home: Home, index: Index, old: MailboxName, new: MailboxName
) -> list[str]:
    """Renaming INBOX moves its messages (RFC 9051 §6.3.6)."""
    folders.create(home, index, new)
    inbox = home.mailbox(index, INBOX)
    target = home.mailbox(index, names.checked(new))
    transfer.transfer(home, index, inbox, ALL_UIDS, target, is_move=True, quota=0)
    return [inbox.mailbox_id, target.mailbox_id]
