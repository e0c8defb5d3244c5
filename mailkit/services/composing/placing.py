"""
A draft as other programs see it: one message in the Drafts mailbox, replaced in place.

The new one is kept before the old one goes, so that there is no moment without any; a
mark says so meanwhile, and whoever finds one takes away all but the last. Which message
is a draft's tells its Message-ID.
"""

from __future__ import annotations

from attrs import define, field, frozen

from mailkit.errors import NoSuchMailbox
from mailkit.interfaces.storage import IMailbox, NewMessage
from mailkit.model.address import AccountName
from mailkit.model.draft import Draft, DraftId
from mailkit.model.flags import DELETED, DRAFT, SEEN, FlagAction, FlagChange
from mailkit.model.mailbox import MailboxName
from mailkit.model.query import HeaderContains
from mailkit.model.uidset import UIDSet
from mailkit.services.composing.house import ComposingHouse
from mailkit.services.sorting.places import Special

_REMOVE = FlagChange(FlagAction.ADD, frozenset({DELETED}))


@frozen
class _Placed:
    """Where a version of a draft was put."""

    version: int
    uid_validity: int
    uid: int
    when: float
    file_numbers: tuple[int, ...]


@define(eq=False)
class Placing:
    """Keeps the message of each draft in step with it."""

    _house: ComposingHouse
    _known: dict[tuple[AccountName, DraftId], _Placed] = field(factory=dict, init=False)
    """Of drafts that were placed here last; others may have replaced them since."""

    def is_placed(self, account: AccountName, draft: Draft) -> bool:
        """Whether this version is surely in the mailbox."""
        known = self._known.get((account, draft.id))
        return known is not None and known.version == draft.version

    async def is_there(self, account: AccountName, draft: Draft) -> bool:
        """Whether the mailbox, or the Trash, has a message of it, of any version."""
        house = self._house
        special = await Special.of(house.store, account)
        for name in (special.drafts, special.trash):
            try:
                opened = await house.store.open(account, name)
            except NoSuchMailbox:
                continue
            if await self._uids(opened, draft):
                return True
        return False

    def may_wait(self, account: AccountName, draft: Draft) -> bool:
        """Whether a change of the text alone is not worth to write large files anew."""
        house, known = self._house, self._known.get((account, draft.id))
        return (
            known is not None
            and draft.file_size > house.settings.large
            and known.file_numbers == tuple(file.number for file in draft.files)
            and house.now() - known.when < house.settings.rewritten_every
        )

    async def place(self, account: AccountName, draft: Draft) -> None:
        """
        Have the mailbox hold the draft as it is now, once.

        :raises OverQuota: :raises StorageFull: :raises StorageBroken:
        """
        house, key = self._house, (account, draft.id)
        content = await house.content(account, draft, shows_blind=True)
        name = (await Special.of(house.store, account)).drafts
        await house.drafts.mark(account, draft.id)
        new = NewMessage(content, frozenset({SEEN, DRAFT}))
        try:
            kept = await house.store.append(account, name, [new])
        except NoSuchMailbox:
            await house.store.create(account, name)
            kept = await house.store.append(account, name, [new])
        [uid] = kept.uids
        known = self._known.pop(key, None)
        opened = await house.store.open(account, name)
        if known is not None and (
            (known.version, known.uid_validity)
            == (draft.version - 1, kept.uid_validity)
        ):
            old = UIDSet.of([known.uid])
        else:
            old = await self._uids(opened, draft, but=uid)
        await remove(opened, old)
        await house.drafts.unmark(draft.id)
        self._known[key] = _Placed(
            draft.version,
            kept.uid_validity,
            uid,
            house.now(),
            tuple(file.number for file in draft.files),
        )

    async def tidy(self, account: AccountName, draft: Draft) -> None:
        """What a stop left half done: no message, or two."""
        house = self._house
        self._known.pop((account, draft.id), None)
        name = (await Special.of(house.store, account)).drafts
        try:
            opened = await house.store.open(account, name)
        except NoSuchMailbox:
            await self.place(account, draft)
            return
        found = await self._uids(opened, draft)
        if not found:
            await self.place(account, draft)
            return
        await remove(opened, UIDSet.of(list(found)[:-1]))
        await house.drafts.unmark(draft.id)

    async def unplace(
        self, account: AccountName, draft: Draft, to: MailboxName | None = None
    ) -> None:
        """Take the message away, or move it; nothing happens if there is none."""
        house = self._house
        self._known.pop((account, draft.id), None)
        special = await Special.of(house.store, account)
        await self._take(account, special.drafts, draft, to)

    async def file_sent(self, account: AccountName, draft: Draft) -> None:
        """Keep the sender's own copy, unless it is there."""
        house = self._house
        name = (await Special.of(house.store, account)).sent
        try:
            opened = await house.store.open(account, name)
        except NoSuchMailbox:
            await house.store.create(account, name)
            opened = await house.store.open(account, name)
        if await self._uids(opened, draft):
            return
        content = await house.content(account, draft, shows_blind=True)
        date = draft.hold_until if draft.is_later else draft.changed
        new = NewMessage(content, frozenset({SEEN}), date)
        await house.store.append(account, name, [new])

    async def has_filed(self, account: AccountName, id: DraftId) -> bool:
        """Whether the sender's own copy of what was a draft of that id is there."""
        house = self._house
        special = await Special.of(house.store, account)
        try:
            opened = await house.store.open(account, special.sent)
        except NoSuchMailbox:
            return False
        return bool(await opened.search(HeaderContains("Message-ID", f"<{id}")))

    async def unfile_sent(self, account: AccountName, draft: Draft) -> None:
        """Take the sender's own copy away: it was not sent after all."""
        special = await Special.of(self._house.store, account)
        await self._take(account, special.sent, draft, None)

    async def remove_original(self, account: AccountName, email_id: str) -> None:
        """A draft of another program is replaced by ours."""
        house = self._house
        name = (await Special.of(house.store, account)).drafts
        summary = await house.conversations.message(account, email_id)
        places = () if summary is None else summary.places
        uids = [place.uid for place in places if place.mailbox == name]
        if uids:
            await remove(await house.store.open(account, name), UIDSet.of(uids))

    async def flag_original(
        self, account: AccountName, email_id: str, flag: str
    ) -> None:
        """Note at a message, wherever it lies, what became of it."""
        house = self._house
        summary = await house.conversations.message(account, email_id)
        change = FlagChange(FlagAction.ADD, frozenset({flag}))
        for place in () if summary is None else summary.places:
            try:
                opened = await house.store.open(account, place.mailbox)
                await opened.store(UIDSet.of([place.uid]), change)
            except NoSuchMailbox:
                continue  # with its messages, this moment

    async def _take(
        self,
        account: AccountName,
        name: MailboxName,
        draft: Draft,
        to: MailboxName | None,
    ) -> None:
        try:
            opened = await self._house.store.open(account, name)
        except NoSuchMailbox:
            return
        found = await self._uids(opened, draft)
        if found and to is not None:
            await opened.move(found, to)
        else:
            await remove(opened, found)

    async def _uids(self, opened: IMailbox, draft: Draft, but: int = 0) -> UIDSet:
        """The messages of a draft in a mailbox, ascending."""
        query = HeaderContains("Message-ID", draft.message_id)
        found = await opened.search(query)
        return UIDSet.of([uid for uid in found if uid != but])


async def remove(opened: IMailbox, uids: UIDSet) -> None:
    """Take messages away for good."""
    if uids:
        await opened.store(uids, _REMOVE)
        await opened.expunge(uids)
