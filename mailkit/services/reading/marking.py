"""Messages become read by being opened."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define

from mailkit.errors import MailboxGone, NoSuchMailbox
from mailkit.interfaces.storage import IMailStore
from mailkit.model.address import AccountName
from mailkit.model.conversation import Summary
from mailkit.model.flags import SEEN, FlagAction, FlagChange
from mailkit.model.mailbox import MailboxName
from mailkit.model.uidset import UIDSet

_READ = FlagChange(FlagAction.ADD, frozenset((SEEN,)))


@define(eq=False)
class Marking:
    """Marks messages as read wherever they lie."""

    _store: IMailStore

    async def read(self, account: AccountName, summaries: Sequence[Summary]) -> None:
        """What vanished meanwhile is left alone."""
        uids: dict[MailboxName, list[int]] = {}
        for one in summaries:
            for place in one.places:
                uids.setdefault(place.mailbox, []).append(place.uid)
        for name, found in uids.items():
            try:
                mailbox = await self._store.open(account, name)
                await mailbox.store(UIDSet.of(found), _READ)
            except (NoSuchMailbox, MailboxGone):
                continue
