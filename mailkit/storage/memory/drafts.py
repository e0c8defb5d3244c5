"""Drafts without a disk."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field
from zope.interface import implementer

from mailkit.errors import DraftChanged, NoSuchDraft, TooMany
from mailkit.interfaces.drafts import IDraftStore, IDraftUpload
from mailkit.interfaces.storage import IContent
from mailkit.model.address import AccountName
from mailkit.model.draft import Draft, DraftId
from mailkit.storage.content import OctetsContent

Key = tuple[AccountName, DraftId]


@implementer(IDraftStore)
@define(eq=False)
class MemoryDrafts:
    """The yardstick for all others."""

    _most: int = 1000
    _drafts: dict[Key, Draft] = field(factory=dict, init=False)
    _files: dict[tuple[Key, int], bytes] = field(factory=dict, init=False)
    _marks: dict[DraftId, AccountName] = field(factory=dict, init=False)

    async def drafts(self, account: AccountName) -> Sequence[Draft]:
        found = [draft for (name, _), draft in self._drafts.items() if name == account]
        return sorted(found, key=lambda draft: draft.changed, reverse=True)

    async def draft(self, account: AccountName, id: DraftId) -> Draft:
        return self._draft((account, id))

    async def put(self, account: AccountName, draft: Draft) -> None:
        key = account, draft.id
        known = self._drafts.get(key)
        if known is None and draft.version != 1:
            raise NoSuchDraft(draft.id)
        if known is not None and known.version >= draft.version:
            raise DraftChanged(draft.id)
        if known is None and len(await self.drafts(account)) >= self._most:
            raise TooMany("drafts")
        self._drafts[key] = draft

    async def remove(self, account: AccountName, id: DraftId) -> None:
        key = account, id
        self._drafts.pop(key, None)
        self._marks.pop(id, None)
        for at in [at for at in self._files if at[0] == key]:
            del self._files[at]

    async def begin_file(
        self, account: AccountName, id: DraftId, number: int
    ) -> IDraftUpload:
        self._draft((account, id))
        return _MemoryUpload(self, (account, id), number)

    async def file(self, account: AccountName, id: DraftId, number: int) -> IContent:
        octets = self._files.get(((account, id), number))
        if octets is None:
            raise NoSuchDraft(id)
        return OctetsContent(octets)

    async def remove_file(self, account: AccountName, id: DraftId, number: int) -> None:
        self._files.pop(((account, id), number), None)

    async def mark(self, account: AccountName, id: DraftId) -> None:
        self._marks[id] = account

    async def unmark(self, id: DraftId) -> None:
        self._marks.pop(id, None)

    async def marked(self) -> Sequence[tuple[AccountName, DraftId]]:
        return [(account, id) for id, account in sorted(self._marks.items())]

    def keep_file(self, key: Key, number: int, octets: bytes) -> None:
        """A file came to its end."""
        self._draft(key)
        self._files[key, number] = octets

    def _draft(self, key: Key) -> Draft:
        draft = self._drafts.get(key)
        if draft is None:
            raise NoSuchDraft(key[1])
        return draft


@implementer(IDraftUpload)
@define(eq=False)
class _MemoryUpload:
    """A file on its way in."""

    _drafts: MemoryDrafts
    _key: Key
    _number: int
    _pieces: list[bytes] = field(factory=list, init=False)

    @property
    def size(self) -> int:
        return sum(map(len, self._pieces))

    async def write(self, octets: bytes) -> None:
        self._pieces.append(octets)

    async def finish(self) -> None:
        self._drafts.keep_file(self._key, self._number, b"".join(self._pieces))

    async def discard(self) -> None:
        self._pieces.clear()
