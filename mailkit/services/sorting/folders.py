"""Folders that people make for themselves: made, renamed, nested, thrown away."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, frozen

from mailkit.errors import CannotName, MailboxExists, NotAllowed
from mailkit.interfaces.storage import IMailStore
from mailkit.model.address import AccountName
from mailkit.model.mailbox import MailboxName
from mailkit.services.sorting.actions import Done, Kind
from mailkit.services.sorting.places import Special, rename
from mailkit.services.sorting.sorting import Sorting
from mailkit.services.sorting.steps import Removed, Renamed


@frozen
class Folder:
    """One of them."""

    name: MailboxName
    is_selectable: bool
    """Whether messages can lie there: not in a name that others lie below."""
    is_thrown_away: bool = False
    """It lies in the Trash, until that is emptied."""

    @property
    def leaf(self) -> str:
        """What it is called, without those above it."""
        return self.name.rpartition("/")[2]

    @property
    def above(self) -> MailboxName:
        """Below which it lies; empty: below none."""
        return MailboxName(self.name.rpartition("/")[0])

    @property
    def depth(self) -> int:
        """How many are above it."""
        return self.name.count("/")


@define(eq=False)
class Folders:
    """Of all accounts; mailboxes with a purpose are left as they are."""

    _store: IMailStore
    _sorting: Sorting

    async def folders(self, account: AccountName) -> Sequence[Folder]:
        """Each after the one that it lies below, those thrown away last."""
        special = await Special.of(self._store, account)
        found = [
            Folder(one.name, one.is_selectable, special.is_trash(one.name))
            for one in special.entries
            if one.name not in special.names and (one.is_selectable or one.has_children)
        ]
        return sorted(
            found,
            key=lambda one: (one.is_thrown_away, one.name.casefold().split("/")),
        )

    async def create(
        self, account: AccountName, leaf: str, above: str = ""
    ) -> MailboxName:
        """
        Make one; its name.

        :param above: below which one; empty: none.
        :raises CannotName: :raises MailboxExists: :raises TooMany:
        """
        special = await Special.of(self._store, account)
        name = _joined(special, leaf, above)
        await self._store.create(account, name)
        await self._store.subscribe(account, name, wish=True)
        return name

    async def change(
        self, account: AccountName, old: MailboxName, leaf: str, above: str
    ) -> Done:
        """
        Give one another name, or another place, with all that lies below it.

        :raises NoSuchMailbox: :raises CannotName: :raises MailboxExists:
        :raises NotAllowed: if it has a purpose.
        """
        special = await Special.of(self._store, account)
        _check_free(special, old)
        new = _joined(special, leaf, above)
        if new == old:
            return Done(None, kind=Kind.FOLDER_RENAMED, name=leaf)
        if new.startswith(f"{old}/"):
            raise CannotName(new)
        await rename(self._store, account, old, new)
        done = Done(None, kind=Kind.FOLDER_RENAMED, name=_leaf(new))
        return await self._sorting.keep(account, done, [Renamed(old, new)])

    async def delete(self, account: AccountName, name: MailboxName) -> Done:
        """
        Throw one away with all that lies below it: it goes into the Trash.

        One that is empty is no more.

        :raises NoSuchMailbox: :raises NotAllowed: if it has a purpose, or lies there.
        """
        special = await Special.of(self._store, account)
        _check_free(special, name)
        if special.is_trash(name):
            raise NotAllowed(name)
        done = Done(None, kind=Kind.FOLDER_DELETED, name=_leaf(name))
        has_children = any(one.name.startswith(f"{name}/") for one in special.entries)
        status = None
        if special.has(name) or not has_children:
            status = await self._store.status(account, name)
        if not has_children and status is not None and not status.exists:
            await self._store.delete(account, name)
            await self._store.subscribe(account, name, wish=False)
            return await self._sorting.keep(account, done, [Removed(name)])
        taken = {one.name.casefold() for one in special.entries}
        new = MailboxName(f"{special.trash}/{_leaf(name)}")
        number = 1
        while new.casefold() in taken:
            number += 1
            new = MailboxName(f"{special.trash}/{_leaf(name)} ({number})")
        await rename(self._store, account, name, new)
        return await self._sorting.keep(account, done, [Renamed(name, new)])


def _joined(special: Special, leaf: str, above: str) -> MailboxName:
    """:raises CannotName: :raises MailboxExists: whatever the case of its letters."""
    name = leaf.strip()
    if not name or "/" in name:
        raise CannotName(leaf)
    whole = MailboxName(f"{above}/{name}" if above else name)
    root = whole.split("/")[0].casefold()
    if above and special.is_trash(MailboxName(above)):
        raise CannotName(whole)
    if not above and root in {one.casefold() for one in special.names}:
        raise MailboxExists(whole)
    return whole


def _leaf(name: MailboxName) -> str:
    return name.rpartition("/")[2]


def _check_free(special: Special, name: MailboxName) -> None:
    if name in special.names:
        raise NotAllowed(name)
