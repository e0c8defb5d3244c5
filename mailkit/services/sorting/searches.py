"""Searches that people keep under a name."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence

from attrs import define, field

from mailkit.errors import CannotName, NoSuchItem
from mailkit.interfaces.personal import IPersonal
from mailkit.model.address import AccountName
from mailkit.model.savedsearch import LONGEST_NAME, LONGEST_WORDS, SavedSearch
from mailkit.services.sorting.actions import Done, Kind
from mailkit.services.sorting.naming import checked_name
from mailkit.services.sorting.sorting import Sorting
from mailkit.services.sorting.steps import Unsaved


@define(eq=False)
class Searches:
    """Of all accounts."""

    _personal: IPersonal
    _sorting: Sorting
    _new_id: Callable[[], str] = field(default=lambda: secrets.token_hex(8))

    async def searches(self, account: AccountName) -> Sequence[SavedSearch]:
        """By their names."""
        return await self._personal.searches(account)

    async def create(self, account: AccountName, name: str, words: str) -> SavedSearch:
        """
        Keep one.

        :raises CannotName: also for words that are none, or endless.
        :raises AlreadyExists: :raises TooMany:
        """
        return await self._put(account, self._new_id(), name, words)

    async def change(
        self, account: AccountName, id: str, name: str, words: str
    ) -> SavedSearch:
        """
        Give one another name, or have it look for something else.

        :raises NoSuchItem: :raises CannotName: :raises AlreadyExists:
        """
        await self._one(account, id)
        return await self._put(account, id, name, words)

    async def delete(self, account: AccountName, id: str) -> Done:
        """Keep one no more; it can be undone. :raises NoSuchItem:"""
        search = await self._one(account, id)
        await self._personal.drop_search(account, id)
        done = Done(None, kind=Kind.SEARCH_DELETED, name=search.name)
        return await self._sorting.keep(account, done, [Unsaved(search)])

    async def _put(
        self, account: AccountName, id: str, name: str, words: str
    ) -> SavedSearch:
        wanted = " ".join(words.split())
        if not wanted or len(wanted) > LONGEST_WORDS:
            raise CannotName(words)
        search = SavedSearch(id, checked_name(name, LONGEST_NAME), wanted)
        await self._personal.put_search(account, search)
        return search

    async def _one(self, account: AccountName, id: str) -> SavedSearch:
        for one in await self._personal.searches(account):
            if one.id == id:
                return one
        raise NoSuchItem("a search")
