"""How messages get into mailboxes: written beside, then handed to the clerk."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import define, field
from twisted.internet.defer import Deferred, DeferredSemaphore

from mailkit.errors import MailkitError, StorageBroken
from mailkit.interfaces.lanes import Before, ILanes
from mailkit.interfaces.storage import Appended, IContent, NewMessage, Placement
from mailkit.model.address import AccountName
from mailkit.model.verdict import Verdict
from mailkit.storage import names
from mailkit.storage.content import all_octets
from mailkit.storage.maildir import folders
from mailkit.storage.maildir.arrivals import (
    Batch,
    Drop,
    Landing,
    land,
    sync_few,
    target_of,
)
from mailkit.storage.maildir.home import Home, NotNowError, folder_of, name_of
from mailkit.storage.maildir.house import House
from mailkit.storage.maildir.letter import Letter
from mailkit.storage.maildir.mailbox import canonical
from mailkit.storage.safefile import told_as_ours

LARGE = 1 << 20
"""Messages above this are taken one at a time into memory."""


@define(eq=False)
class Incoming:
    """Deliveries and APPENDs of all accounts."""

    _house: House
    _lanes: ILanes
    _home: Callable[[AccountName], Home]
    _told: Callable[[AccountName, Sequence[str]], None]
    _large: DeferredSemaphore = field(
        init=False, factory=lambda: DeferredSemaphore(tokens=2)
    )

    async def deliver(self, content: IContent, to: Sequence[Placement]) -> list[int]:
        """Keep one message in several mailboxes durably; their UIDs, in order."""
        if not to:
            return []
        alike: dict[tuple[bytes, str], list[Placement]] = {}
        for placement in to:
            key = placement.head, placement.once
            alike.setdefault(key, []).append(placement)
        drops: dict[int, Drop] = {}
        by_home: dict[Home, list[Drop]] = {}
        letters: list[Letter] = []
        try:
            for (head, once), placements in alike.items():
                homes = {self._home(placement.account) for placement in placements}
                folder = await self._folder(homes)
                letter = await self._letter(folder, head, content, None, letters, once)
                letter.uses = len(placements)
                for placement in placements:
                    drop = Drop(
                        letter,
                        folder_of(names.checked(placement.mailbox)),
                        canonical(placement.flags),
                        verdict=_text(placement.verdict),
                    )
                    drops[id(placement)] = drop
                    by_home.setdefault(self._home(placement.account), []).append(drop)
            landings = [Landing(home, own) for home, own in by_home.items()]
            await self._land(landings, letter)
        except BaseException as error:
            _doubt({self._home(placement.account) for placement in to}, error)
            await self._discard(letters)
            raise
        await self._discard([letter for letter in letters if letter.uses > 1])
        return [drops[id(placement)].uid for placement in to]

    async def append(
        self,
        home: Home,
        folder: str,
        mailbox_id: str,
        messages: Sequence[NewMessage],
        quota: int,
    ) -> Appended:
        """
        Keep messages in one mailbox, all or none.

        :param mailbox_id: what was opened, whatever its folder; "": what is there.
        """
        letters: list[Letter] = []
        try:
            if mailbox_id and not home.is_founded:
                await self._lanes.run(home.account, home.check_there)
            beside = await self._folder({home})
            for message in messages:
                letter = await self._letter(
                    beside,
                    message.head,
                    message.content,
                    message.internal_date,
                    letters,
                )
            drops = [
                Drop(
                    letter,
                    folder,
                    canonical(message.flags),
                    mailbox_id,
                    False,
                    _text(message.verdict),
                )
                for letter, message in zip(letters, messages, strict=True)
            ]
            await self._land([Landing(home, drops, quota)], letter)
        except BaseException as error:
            _doubt({home}, error)
            await self._discard(letters)
            raise
        row = target_of(drops[0]).row
        return Appended(row.uid_validity, [drop.uid for drop in drops])

    async def _folder(self, homes: set[Home]) -> str:
        """Where to write a message that goes to these accounts."""
        for home in homes:
            if not home.is_founded:
                await self._lanes.run(home.account, home.found)
        if len(homes) > 1:
            return self._house.spool
        return f"{homes.pop().maildir}/tmp"

    async def _letter(
        self,
        folder: str,
        head: bytes,
        content: IContent,
        date: float | None,
        letters: list[Letter],
        once: str = "",
    ) -> Letter:
        """
        One more letter; those before it are written.

        The last one, unless it is large, is written on its way to the clerk, which
        spares a hand-over.
        """
        if letters and not letters[-1].is_written:
            await self._lanes.sync(self._writing(letters[-1]))
        if content.size <= LARGE:
            letter = self._new(folder, head, await all_octets(content), date, once)
            letters.append(letter)
            return letter
        await self._large.acquire()
        try:
            letter = self._new(folder, head, await all_octets(content), date, once)
            letters.append(letter)
            await self._lanes.sync(self._writing(letter))
        finally:
            self._large.release()
        return letter

    def _new(
        self, folder: str, head: bytes, octets: bytes, date: float | None, once: str
    ) -> Letter:
        house = self._house
        base = house.names.next(once)
        return Letter(
            f"{folder}/{base}",
            base,
            int(house.now() if date is None else date),
            (head, octets) if head else (octets,),
            is_once=bool(once),
        )

    def _writing(self, letter: Letter) -> Callable[[], None]:
        def work() -> None:
            with told_as_ours():
                letter.write(self._house.files)

        return work

    def _beginning(self, letter: Letter) -> Before:
        """Write a letter, and sync it once others are written as well."""

        def begin() -> Callable[[], None]:
            with told_as_ours():
                finish = letter.begin(self._house.files)

            def rest() -> None:
                with told_as_ours():
                    finish()

            return rest

        return begin

    async def _discard(self, letters: Sequence[Letter]) -> None:
        paths = [letter.path for letter in letters if letter.is_written]
        if paths:

            def work() -> None:
                with told_as_ours():
                    for path in paths:
                        self._house.files.unlink(path)

            await self._lanes.sync(work)

    async def _land(self, landings: list[Landing], last: Letter) -> None:
        """Have the clerk give UIDs and names, and the folders synced."""
        accounts = [landing.home.account for landing in landings]
        before = None if last.is_written else self._beginning(last)
        await self._lanes.clerk(accounts, landings, _clerk, before)
        error: BaseException | None = None
        for landing in landings:
            if isinstance(landing.error, NotNowError):
                landing.error = None
                await self._lanes.run(landing.home.account, _slowly(landing))
            if landing.batch is not None:
                failure = await self._synced(landing.batch)
                landing.error = landing.error or failure
            error = error or landing.error
        if error is not None:
            raise error

    async def _synced(self, batch: Batch) -> MailkitError | None:
        """Sync a batch's folders once for all that wait for it, then tell."""
        if not batch.is_synced:
            if batch.is_syncing:
                waiting: Deferred[None] = Deferred()
                batch.waiting.append(waiting)
                await waiting
                return batch.error
            batch.is_syncing = True
            batch.error = StorageBroken("the folder was not synced")
            try:
                batch.error = await self._lanes.sync(batch.sync)
            finally:
                batch.is_synced = True
                for waiting in batch.waiting:
                    waiting.callback(None)
        if not batch.is_told:
            batch.is_told = True
            self._told(batch.home.account, [row.mailbox_id for row in batch.rows])
        return batch.error


def _doubt(homes: set[Home], error: BaseException) -> None:
    """Have it looked whether accounts are there, if what was written found no place."""
    if isinstance(error.__cause__, FileNotFoundError):
        for home in homes:
            home.doubt()


def _text(verdict: Verdict | None) -> str | None:
    return None if verdict is None else verdict.to_text()


def _clerk(items: list[list[Landing]]) -> Sequence[BaseException | None]:
    landings = [landing for item in items for landing in item]
    land(landings, waits=False)
    sync_few({landing.batch for landing in landings if landing.batch is not None})
    return [None] * len(items)


def _slowly(landing: Landing) -> Callable[[], None]:
    """What the clerk left: mailboxes are made and listed first."""

    def work() -> None:
        home = landing.home
        try:
            with home.changed() as index:
                for drop in landing.drops:
                    if drop.mailbox_id or index.mailbox(drop.folder) is not None:
                        continue
                    if drop.makes_it:
                        folders.make_for_delivery(home, index, name_of(drop.folder))
                    else:
                        home.repair.list_folders(home, index)
        except MailkitError as error:
            landing.error = error
            return
        land([landing], waits=True)

    return work
