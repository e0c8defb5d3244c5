"""Mailboxes of an account, as an administrator sees them: no mail, only numbers."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from mailkit.errors import Refused
from mailkit.interfaces.storage import IUpkeep, MailboxCheck
from mailkit.model.mailbox import MailboxEntry, MailboxStatus
from mailkit.services.admin.actor import Actor
from mailkit.services.admin.names import account_name
from mailkit.services.admin.office import Office


@frozen
class Listed:
    """One mailbox."""

    entry: MailboxEntry
    status: MailboxStatus | None
    """``None``: only the name is there, for those below it or a subscription."""


@frozen(eq=False)
class Mailboxes:
    """``mailkit mailbox``."""

    _office: Office

    async def list(self, actor: Actor, text: str) -> Sequence[Listed]:
        """All of an account, INBOX first. :raises NotAllowed: :raises NoSuchAccount:"""
        office = self._office
        account = await office.account(actor, account_name(text))
        listed: list[Listed] = []
        for entry in await office.store.mailboxes(account.name):
            status = None
            if entry.is_selectable:
                status = await office.store.status(account.name, entry.name)
            listed.append(Listed(entry, status))
        return listed

    async def check(self, actor: Actor, text: str) -> Sequence[MailboxCheck]:
        """
        Compare what is kept twice of an account's mail; nothing is changed.

        :raises NotAllowed: :raises NoSuchAccount:
        """
        account = await self._office.account(actor, account_name(text))
        return await self._upkeep().check(account.name)

    async def rebuild(self, actor: Actor, text: str) -> None:
        """
        Make the index of an account anew from its messages.

        :raises NotAllowed: :raises NoSuchAccount:
        """
        office = self._office
        account = await office.account(actor, account_name(text))
        await self._upkeep().rebuild(account.name)
        await office.audit.note(
            office.line(actor, "mailbox rebuild", account.name, "", "")
        )

    def _upkeep(self) -> IUpkeep:
        upkeep = IUpkeep(self._office.store, None)
        if upkeep is None:
            raise Refused("this store has nothing beside the messages themselves")
        return upkeep
