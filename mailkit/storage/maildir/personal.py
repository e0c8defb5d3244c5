"""What belongs to one person, in the account's folder beside the mail."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from attrs import define, field
from zope.interface import implementer

from mailkit.interfaces.lanes import ILanes
from mailkit.interfaces.personal import IPersonal
from mailkit.model.address import AccountName
from mailkit.model.conversation import Person
from mailkit.model.correspondent import Correspondent
from mailkit.model.identity import Identity
from mailkit.model.label import Label
from mailkit.model.preferences import Preferences
from mailkit.model.savedsearch import SavedSearch
from mailkit.model.snooze import Snooze, Woken
from mailkit.storage.index.database import Database
from mailkit.storage.maildir.home import Home
from mailkit.storage.personal import choices, people, times
from mailkit.storage.personal.waking import Waking

T = TypeVar("T")


class Keeper(Protocol):
    """What is asked of the store in whose folders this is."""

    def home(self, account: AccountName) -> Home:
        """The account as this process has it in hand."""


@implementer(IPersonal)
@define(eq=False)
class MaildirPersonal:
    """
    Over the homes of a `MaildirStore`, so that each file is open once.

    :param data: the data folder.
    """

    _keeper: Keeper
    _lanes: ILanes
    _data: Path
    _waking: Waking = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._waking = Waking(self._data / "waking.sqlite")

    # --- choices ---

    async def preferences(self, account: AccountName) -> Preferences:
        return await self._in(account, choices.preferences)

    async def change(self, account: AccountName, preferences: Preferences) -> None:
        await self._in(account, lambda one: choices.change(one, preferences))

    async def labels(self, account: AccountName) -> Sequence[Label]:
        return await self._in(account, choices.labels)

    async def put_labels(self, account: AccountName, labels: Sequence[Label]) -> None:
        await self._in(account, lambda one: choices.put_labels(one, labels))

    async def drop_label(self, account: AccountName, keyword: str) -> None:
        await self._in(account, lambda one: choices.drop_label(one, keyword))

    async def keywords(self, account: AccountName) -> Collection[str]:
        home = self._keeper.home(account)

        def in_lane() -> Collection[str]:
            with home.used() as index:
                rows = index.database.all(
                    "SELECT min(spelling) FROM keyword GROUP BY folded"
                )
                return frozenset(spelling for (spelling,) in rows)

        return await self._lanes.run(account, in_lane)

    async def searches(self, account: AccountName) -> Sequence[SavedSearch]:
        return await self._in(account, choices.searches)

    async def put_search(self, account: AccountName, search: SavedSearch) -> None:
        await self._in(account, lambda one: choices.put_search(one, search))

    async def drop_search(self, account: AccountName, id: str) -> None:
        await self._in(account, lambda one: choices.drop_search(one, id))

    async def identities(self, account: AccountName) -> Sequence[Identity]:
        return await self._in(account, choices.identities)

    async def put_identity(self, account: AccountName, identity: Identity) -> None:
        await self._in(account, lambda one: choices.put_identity(one, identity))

    async def drop_identity(self, account: AccountName, id: str) -> None:
        await self._in(account, lambda one: choices.drop_identity(one, id))

    async def trusted(self, account: AccountName) -> Sequence[str]:
        return await self._in(account, choices.trusted)

    async def is_trusted(self, account: AccountName, address: str) -> bool:
        return await self._in(account, lambda one: choices.is_trusted(one, address))

    async def trust(self, account: AccountName, address: str) -> None:
        await self._in(account, lambda one: choices.trust(one, address))

    async def distrust(self, account: AccountName, address: str) -> None:
        await self._in(account, lambda one: choices.distrust(one, address))

    # --- people ---

    async def note(
        self, account: AccountName, people: Sequence[Person], when: float, is_sent: bool
    ) -> None:
        if people:
            await self._in(account, partial(_note, people, when, is_sent=is_sent))

    async def suggest(
        self, account: AccountName, prefix: str, most: int, now: float
    ) -> Sequence[Correspondent]:
        return await self._in(
            account, lambda one: people.suggest(one, prefix, most, now)
        )

    async def known(
        self, account: AccountName, addresses: Collection[str]
    ) -> Mapping[str, Correspondent]:
        return await self._in(account, lambda one: people.known(one, addresses))

    async def hide(self, account: AccountName, address: str) -> None:
        await self._in(account, lambda one: people.hide(one, address))

    # --- messages that are put off ---

    async def snoozes(self, account: AccountName) -> Sequence[Snooze]:
        return await self._in(account, times.snoozes)

    async def snooze(self, account: AccountName, snoozes: Sequence[Snooze]) -> None:
        if not snoozes:
            return
        first = min(one.until for one in snoozes)

        def put(database: Database) -> None:
            with database.transaction(is_full=True):
                times.snooze(database, snoozes)
                self._waking.sooner(account, first)

        await self._in(account, put)

    async def unsnooze(self, account: AccountName, email_ids: Collection[str]) -> None:
        await self._in(account, lambda one: times.unsnooze(one, email_ids))

    async def woke(self, account: AccountName, woken: Sequence[Woken]) -> None:
        await self._in(account, lambda one: times.woke(one, woken))

    async def woken(self, account: AccountName) -> Sequence[Woken]:
        return await self._in(account, times.woken)

    async def forget_woken(
        self, account: AccountName, thread_ids: Collection[str]
    ) -> None:
        await self._in(account, lambda one: times.forget_woken(one, thread_ids))

    async def due(self, now: float, most: int) -> Sequence[AccountName]:
        return await self._lanes.run(self, partial(self._waking.due, now, most))

    async def next_due(self) -> float | None:
        return await self._lanes.run(self, self._waking.next_due)

    async def settle(self, account: AccountName) -> None:
        def look(database: Database) -> None:
            # Nobody puts a message off while this is held.
            with database.transaction(is_full=False):
                self._waking.correct(account, times.next_time(database))

        await self._in(account, look)

    async def is_settled(self) -> bool:
        return await self._lanes.run(self, self._waking.is_settled)

    async def note_settled(self) -> None:
        await self._lanes.run(self, self._waking.note_settled)

    # --- conversations that are kept out of the inbox ---

    async def muted(self, account: AccountName) -> Collection[str]:
        return await self._in(account, choices.muted)

    async def mute(self, account: AccountName, message_ids: Collection[str]) -> None:
        await self._in(account, lambda one: choices.mute(one, message_ids))

    async def unmute(self, account: AccountName, message_ids: Collection[str]) -> None:
        await self._in(account, lambda one: choices.unmute(one, message_ids))

    # --- ways back ---

    async def keep_undo(
        self, account: AccountName, token: str, steps: str, until: float, now: float
    ) -> None:
        def keep(database: Database) -> None:
            times.clear_undo(database, now)
            times.keep_undo(database, token, steps, until)

        await self._in(account, keep)

    async def undo_steps(
        self, account: AccountName, token: str, now: float
    ) -> str | None:
        return await self._in(account, lambda one: times.undo_steps(one, token, now))

    async def drop_undo(self, account: AccountName, token: str) -> bool:
        return await self._in(account, lambda one: times.drop_undo(one, token))

    async def close(self) -> None:
        await self._lanes.run(self, self._waking.close)

    async def _in(self, account: AccountName, work: Callable[[Database], T]) -> T:
        home = self._keeper.home(account)

        def in_lane() -> T:
            with home.used():
                return work(home.aside.database)

        return await self._lanes.run(account, in_lane)


def _note(
    met: Sequence[Person], when: float, database: Database, *, is_sent: bool
) -> None:
    people.note(database, met, when, is_sent=is_sent)
