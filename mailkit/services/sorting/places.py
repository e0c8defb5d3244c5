"""The mailboxes of an account by what they are for."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from mailkit.interfaces.storage import IMailStore
from mailkit.model.address import AccountName
from mailkit.model.mailbox import (
    INBOX,
    SPECIAL_MAILBOXES,
    MailboxEntry,
    MailboxName,
    SpecialUse,
)
from mailkit.model.snooze import SNOOZED

_USUAL = {use: name for name, use in SPECIAL_MAILBOXES.items()}


@frozen
class Special:
    """
    Which mailbox is for what (RFC 6154 §2).

    One that nobody marked has its usual name.
    """

    entries: Sequence[MailboxEntry]
    archive: MailboxName
    drafts: MailboxName
    junk: MailboxName
    sent: MailboxName
    trash: MailboxName

    @classmethod
    async def of(cls, store: IMailStore, account: AccountName) -> Special:
        """As it is now."""
        entries = await store.mailboxes(account)
        marked = {one.special_use: one.name for one in entries if one.is_selectable}

        def name_of(use: SpecialUse) -> MailboxName:
            return marked.get(use, _USUAL[use])

        return cls(
            entries,
            name_of(SpecialUse.ARCHIVE),
            name_of(SpecialUse.DRAFTS),
            name_of(SpecialUse.JUNK),
            name_of(SpecialUse.SENT),
            name_of(SpecialUse.TRASH),
        )

    @property
    def names(self) -> frozenset[MailboxName]:
        """Those that stay where they are."""
        return frozenset(
            (
                INBOX,
                SNOOZED,
                self.archive,
                self.drafts,
                self.junk,
                self.sent,
                self.trash,
            )
        )

    @property
    def own(self) -> frozenset[MailboxName]:
        """What one wrote oneself."""
        return frozenset((self.sent, self.drafts))

    def is_trash(self, name: MailboxName) -> bool:
        """Whether it is the Trash, or a mailbox that was thrown there."""
        return name == self.trash or name.startswith(f"{self.trash}/")

    @property
    def thrown(self) -> Sequence[MailboxEntry]:
        """What was thrown into the Trash, each after the one it lies below."""
        below = f"{self.trash}/"
        return [one for one in self.entries if one.name.startswith(below)]

    def is_unwanted(self, name: MailboxName) -> bool:
        """Whether one wants no more of what lies there."""
        return name == self.junk or self.is_trash(name)

    def has(self, name: MailboxName) -> bool:
        """Whether there is such a mailbox."""
        return any(one.name == name and one.is_selectable for one in self.entries)


async def rename(
    store: IMailStore, account: AccountName, old: MailboxName, new: MailboxName
) -> None:
    """
    Rename a mailbox with all below it, and what is subscribed stays so.

    :raises NoSuchMailbox: :raises MailboxExists: :raises CannotName:
    """
    before = await store.mailboxes(account)
    await store.rename(account, old, new)
    for entry in before:
        is_below = entry.name.startswith(f"{old}/")
        if entry.is_subscribed and (entry.name == old or is_below):
            renamed = MailboxName(new + entry.name.removeprefix(old))
            await store.subscribe(account, entry.name, wish=False)
            await store.subscribe(account, renamed, wish=True)
