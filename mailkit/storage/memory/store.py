"""The mail store that forgets: for tests, demonstrations and the throw-away server."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from itertools import count

from attrs import define, field
from zope.interface import implementer

from mailkit.errors import (
    CannotName,
    MailboxExists,
    MailboxInUse,
    NoSuchMailbox,
    OverQuota,
)
from mailkit.interfaces.storage import (
    Appended,
    IContent,
    IMailbox,
    IMailStore,
    IWatch,
    NewMessage,
    Placement,
)
from mailkit.model.address import AccountName
from mailkit.model.mailbox import (
    INBOX,
    SPECIAL_MAILBOXES,
    MailboxEntry,
    MailboxName,
    MailboxStatus,
    SpecialUse,
)
from mailkit.model.verdict import Verdict
from mailkit.storage import names
from mailkit.storage.content import all_octets
from mailkit.storage.memory.conversations import MemoryConversations, MemoryThreads
from mailkit.storage.memory.folder import Folder, Letter
from mailkit.storage.memory.mailbox import MemoryMailbox

QuotaOf = Callable[[AccountName], Awaitable[int]]
"""How many octets an account may keep; 0 is without limit."""


async def without_limit(account: AccountName) -> int:
    """The quota of a server that has none."""
    return 0


@implementer(IMailStore)
@define(eq=False)
class MemoryStore:
    """
    Every promise of `IMailStore` but that of outliving the process.

    An account begins to be when it is first named. It is used in one thread, and
    waits for nothing but ``quota_of`` and contents that wait.
    """

    quota_of: QuotaOf = without_limit
    now: Callable[[], float] = time.time
    _accounts: dict[AccountName, _Account] = field(init=False, factory=dict)
    _ids: count[int] = field(init=False, factory=lambda: count(1))
    conversations: MemoryConversations = field(init=False)
    """The same mail as people look at it."""

    def __attrs_post_init__(self) -> None:
        self.conversations = MemoryConversations(self._account)

    async def create_account(self, account: AccountName) -> None:
        self._account(account)

    async def remove_account(self, account: AccountName, purge: bool) -> None:
        removed = self._accounts.pop(account, None)
        if removed is not None:
            removed.end()

    async def used(self, account: AccountName) -> int:
        return self._account(account).used()

    async def mailboxes(self, account: AccountName) -> list[MailboxEntry]:
        return self._account(account).entries()

    async def status(self, account: AccountName, name: MailboxName) -> MailboxStatus:
        return self._account(account).folder(name).status()

    async def open(self, account: AccountName, name: MailboxName) -> IMailbox:
        box = self._account(account)
        folder = box.folder(name)
        return MemoryMailbox(box, folder, account, folder.name)

    async def create(self, account: AccountName, name: MailboxName) -> None:
        self._account(account).create(name)

    async def rename(
        self, account: AccountName, old: MailboxName, new: MailboxName
    ) -> None:
        self._account(account).rename(old, new)

    async def delete(self, account: AccountName, name: MailboxName) -> None:
        self._account(account).delete(name)

    async def subscribe(
        self, account: AccountName, name: MailboxName, wish: bool
    ) -> None:
        self._account(account).subscribe(name, wish)

    async def deliver(self, content: IContent, to: Sequence[Placement]) -> list[int]:
        octets = await all_octets(content)
        letters: dict[tuple[AccountName, bytes, str], Letter] = {}
        uids: list[int] = []
        touched: list[Folder] = []
        found = self._delivered(to)
        for placement in to:
            if placement in found:
                uids.append(found[placement])
                continue
            box = self._account(placement.account)
            key = placement.account, placement.head, placement.once
            if key not in letters:
                letters[key] = box.new_letter(
                    placement.head + octets,
                    box.now(),
                    placement.verdict,
                    placement.once,
                )
            folder = box.folder_made(placement.mailbox)
            folder.check_keywords(placement.flags)
            now = box.now()
            new = [(letters[key], placement.flags, now)]
            uids += folder.put(new, now, box.next_mod_seq())
            touched.append(folder)
        for folder in touched:
            folder.tell()
        return uids

    async def append(
        self, account: AccountName, name: MailboxName, messages: Sequence[NewMessage]
    ) -> Appended:
        mailbox = await self.open(account, name)
        return Appended(mailbox.uid_validity, await mailbox.append(messages))

    async def exclusively(self, account: AccountName, name: MailboxName) -> IWatch:
        return self._account(account).hold(name)

    async def close(self) -> None:
        """Nothing is kept open."""

    def _delivered(self, to: Sequence[Placement]) -> dict[Placement, int]:
        """Those of which their account has the message; UIDs, 0 where it was moved."""
        found: dict[Placement, int] = {}
        for account, once in {(one.account, one.once) for one in to if one.once}:
            kept = self._account(account).delivered(once)
            same = [one for one in to if (one.account, one.once) == (account, once)]
            for placement in same:
                uid = kept.pop(names.checked(placement.mailbox), None)
                if uid is not None:
                    found[placement] = uid
            missing = [one for one in same if one not in found]
            found.update((one, 0) for one in missing[: len(kept)])
        return found

    def _account(self, name: AccountName) -> _Account:
        account = self._accounts.get(name)
        if account is None:
            account = _Account(self, name)
            self._accounts[name] = account
            account.create(INBOX)
            for special, use in SPECIAL_MAILBOXES.items():
                account.create(special, use)
                account.subscribe(special, True)
        return account

    def new_id(self, kind: str) -> str:
        """An OBJECTID that is new in this store (RFC 8474 §7)."""
        return f"{kind}{next(self._ids)}"


@define(eq=False)
class _Account:
    """The mailboxes of one account, and the numbers that they share."""

    _store: MemoryStore
    name: AccountName
    _folders: dict[MailboxName, Folder] = field(init=False, factory=dict)
    _subscribed: set[MailboxName] = field(init=False, factory=set)
    _held: set[MailboxName] = field(init=False, factory=set)
    _mod_seq: int = field(init=False, default=0)
    _uid_validity: int = field(init=False, default=0)
    threads: MemoryThreads = field(init=False, factory=MemoryThreads)
    departed: list[tuple[int, Letter]] = field(init=False, factory=list, repr=False)
    """What went with mailboxes that are no more, and with which MODSEQ."""

    def now(self) -> int:
        return int(self._store.now())

    def next_mod_seq(self) -> int:
        """STORE.md §2: above the last one, near the microseconds since 1970."""
        self._mod_seq = max(self._mod_seq + 1, int(self._store.now() * 1_000_000))
        return self._mod_seq

    @property
    def mod_seq(self) -> int:
        """The last one given."""
        return self._mod_seq

    @property
    def folders(self) -> list[Folder]:
        """All mailboxes, by name."""
        return [self._folders[name] for name in sorted(self._folders)]

    def new_letter(
        self, octets: bytes, came: int, verdict: Verdict | None, once: str = ""
    ) -> Letter:
        letter = Letter(
            octets, self._store.new_id("M"), self.threads, came, verdict, once
        )
        self.threads.waiting.append(letter)
        return letter

    def delivered(self, once: str) -> dict[MailboxName, int]:
        """Where there is a message that was delivered so, and its UIDs there."""
        return {
            folder.name: kept.uid
            for folder in self.folders
            for kept in folder.everything()
            if kept.letter.once == once
        }

    async def check_room(self, octets: int) -> None:
        quota = await self._store.quota_of(self.name)
        if quota and self.used() + octets > quota:
            raise OverQuota(self.name)

    def used(self) -> int:
        return sum(folder.size for folder in self._folders.values())

    def folder(self, name: MailboxName) -> Folder:
        try:
            return self._folders[names.checked(name)]
        except (KeyError, CannotName):
            raise NoSuchMailbox(name) from None

    def folder_made(self, name: MailboxName) -> Folder:
        """The folder of that name, made if it is not there."""
        if names.checked(name) not in self._folders:
            self.create(name)
        return self.folder(name)

    def create(self, name: MailboxName, use: SpecialUse | None = None) -> None:
        name = names.checked(name)
        if name in self._folders:
            raise MailboxExists(name)
        self._make_above(name)
        self._make(name, use)

    def delete(self, name: MailboxName) -> None:
        folder = self.folder(name)
        if folder.name == INBOX:
            raise CannotName(INBOX)
        folder.drop(folder.everything(), self.next_mod_seq())
        self.departed += folder.departed
        del self._folders[folder.name]
        self._end(folder)

    def rename(self, old: MailboxName, new: MailboxName) -> None:
        source, target = names.checked(old), names.checked(new)
        moved = {name for name in self._folders if names.is_below(name, source)}
        if source in self._folders:
            moved.add(source)
        if not moved:
            raise NoSuchMailbox(old)
        if source == INBOX:
            self._move_inbox(target)
            return
        if names.is_below(target, source):
            raise CannotName(new)
        new_names = {
            name: names.checked(target + name[len(source) :]) for name in moved
        }
        for name in (target, *new_names.values()):
            if name in self._folders:
                raise MailboxExists(name)
        self._make_above(target)
        for name, new_name in new_names.items():
            folder = self._folders.pop(name)
            folder.name = new_name
            self._folders[new_name] = folder
            folder.tell()

    def subscribe(self, name: MailboxName, wish: bool) -> None:
        if wish:
            self._subscribed.add(names.checked(name))
        else:
            self._subscribed.discard(name)

    def entries(self) -> list[MailboxEntry]:
        every = {*self._folders, *self._subscribed}
        inner = {top for name in self._folders for top in names.above(name)}
        return [
            MailboxEntry(
                name,
                name in self._folders,
                name in self._subscribed,
                name in inner,
                self._folders[name].special_use if name in self._folders else None,
            )
            for name in sorted(every | inner, key=names.in_order)
        ]

    def hold(self, name: MailboxName) -> IWatch:
        name = self.folder(name).name
        if name in self._held:
            raise MailboxInUse(name)
        self._held.add(name)
        return _Hold(self._held, name)

    def end(self) -> None:
        """The account is no more, and neither are its mailboxes."""
        for folder in self._folders.values():
            self._end(folder)

    def _make(self, name: MailboxName, use: SpecialUse | None = None) -> Folder:
        self._uid_validity = max(self.now(), self._uid_validity + 1)
        folder = Folder(
            name,
            self._store.new_id("F"),
            self._uid_validity,
            self.next_mod_seq(),
            use,
        )
        self._folders[name] = folder
        return folder

    def _make_above(self, name: MailboxName) -> None:
        for top in names.above(name):
            if top not in self._folders:
                self._make(top)

    def _move_inbox(self, target: MailboxName) -> None:
        if target in self._folders:
            raise MailboxExists(target)
        self._make_above(target)
        folder = self._make(target)
        inbox = self._folders[INBOX]
        kept = inbox.everything()
        folder.put(
            [(k.letter, k.flags, k.internal_date) for k in kept],
            self.now(),
            self.next_mod_seq(),
        )
        inbox.drop(kept, self.next_mod_seq())
        inbox.tell()

    def _end(self, folder: Folder) -> None:
        folder.is_gone = True
        folder.tell()


@implementer(IWatch)
@define(eq=False)
class _Hold:
    """Somebody holds a mailbox."""

    _held: set[MailboxName]
    _name: MailboxName | None

    def stop(self) -> None:
        if self._name is not None:
            self._held.discard(self._name)
            self._name = None
