"""Conversations of a Maildir store: all of them are answered from its index."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from typing import TypeVar

from attrs import define
from zope.interface import implementer

from mailkit.errors import MailboxGone, NoSuchMailbox
from mailkit.interfaces.conversations import IConversations
from mailkit.interfaces.lanes import ILanes
from mailkit.model.address import AccountName
from mailkit.model.conversation import (
    ConversationChange,
    Counts,
    Cursor,
    Everything,
    Flagged,
    InMailbox,
    Labelled,
    Page,
    Place,
    Row,
    Summary,
    View,
)
from mailkit.model.mailbox import INBOX, MailboxName, SpecialUse
from mailkit.model.uidset import UIDSet
from mailkit.storage.index import joining, listed
from mailkit.storage.index.index import Index
from mailkit.storage.index.rows import SHIFT, UIDS, MailboxRow
from mailkit.storage.index.scope import STARRED, Scope
from mailkit.storage.index.summaries import (
    Names,
    of_conversation,
    of_messages,
    summaries,
)
from mailkit.storage.maildir import folders, naming, reads
from mailkit.storage.maildir.home import Home, name_of

T = TypeVar("T")
_Uses = Mapping[str, SpecialUse]

PIECE = 0.005
"""Seconds of joining after which others have a turn in the account's lane."""

PIECES = 200
"""So many of them a question waits for: what joins later is shown by itself."""

_AGAIN = 20
"""How often a page is begun anew because messages on it were to be rendered first."""


@implementer(IConversations)
@define(eq=False)
class MaildirConversations:
    """
    Every promise of `IConversations`.

    Messages join their conversations when somebody asks, or when an account is quiet.
    """

    _lanes: ILanes
    _home: Callable[[AccountName], Home]

    async def page(
        self,
        account: AccountName,
        view: View,
        after: Cursor | None = None,
        most: int = 50,
        *,
        grouped: bool = True,
    ) -> Page:
        def look(home: Home, index: Index) -> Page:
            index = _looked_around(home, index, view)
            for _ in range(_AGAIN):
                with index.database.reading():
                    rows = index.mailboxes()
                    scope = _scope(home, rows, view)
                    found = listed.page(
                        index, _names(rows), scope, after, most, is_grouped=grouped
                    )
                if isinstance(found, Page):
                    return found
                _render(home, index, found.keys)
            # Messages go and come faster than they are rendered.
            return Page(())

        return await self._ask(account, look)

    async def neighbours(
        self, account: AccountName, view: View, thread_id: str
    ) -> tuple[str | None, str | None]:
        def look(home: Home, index: Index) -> tuple[str | None, str | None]:
            with index.database.reading():
                scope = _scope(home, index.mailboxes(), view)
                return listed.neighbours(index, scope, thread_id)

        return await self._ask(account, look)

    async def conversation(
        self, account: AccountName, thread_id: str
    ) -> Sequence[Summary]:
        def look(home: Home, index: Index) -> Sequence[Summary]:
            with index.database.reading():
                return of_conversation(index, _names(index.mailboxes()), thread_id)

        return await self._ask(account, look)

    async def message(self, account: AccountName, email_id: str) -> Summary | None:
        found = await self.messages(account, [email_id])
        return found[0] if found else None

    async def messages(
        self, account: AccountName, email_ids: Sequence[str]
    ) -> Sequence[Summary]:
        def look(home: Home, index: Index) -> Sequence[Summary]:
            names = _names(index.mailboxes())
            found = of_messages(index, names, email_ids)
            missing = [one for one in email_ids if one not in found]
            if missing and home.may_be_unrendered:
                _render(home, index, listed.unrendered(index, missing))
                found |= of_messages(index, names, missing)
            return [found[one] for one in dict.fromkeys(email_ids) if one in found]

        return await self._ask(account, look)

    async def summaries(
        self, account: AccountName, places: Sequence[Place]
    ) -> Sequence[Summary]:
        def look(home: Home, index: Index) -> Sequence[Summary]:
            rows = index.mailboxes()
            keys = _keys_of(rows, places)
            _render(home, index, keys)
            found = summaries(index, _names(rows), keys)
            return [found[key] for key in keys if key in found]

        return await self._ask(account, look)

    async def rows(
        self, account: AccountName, places: Sequence[Place], *, grouped: bool = True
    ) -> Sequence[Row]:
        def look(home: Home, index: Index) -> Sequence[Row]:
            mailboxes = index.mailboxes()
            keys = _keys_of(mailboxes, places)
            _render(home, index, keys)
            with index.database.reading():
                scope = _scope(home, mailboxes, Everything())
                names = _names(mailboxes)
                return listed.rows(index, names, scope, keys, is_grouped=grouped)

        return await self._ask(account, look)

    async def places(
        self,
        account: AccountName,
        view: View,
        thread_ids: Collection[str] | None = None,
        after: Place | None = None,
        most: int = 1000,
    ) -> Sequence[Place]:
        def look(home: Home, index: Index) -> Sequence[Place]:
            with index.database.reading():
                rows = index.mailboxes()
                scope = _scope(home, rows, view)
                above = _key_of(rows, after)
                keys = listed.keys_of(index, scope, thread_ids, above, most)
                return listed.places(_names(rows), keys)

        return await self._ask(account, look)

    async def count(self, account: AccountName, view: View) -> Counts:
        def look(home: Home, index: Index) -> Counts:
            index = _looked_around(home, index, view)
            with index.database.reading():
                return listed.count(index, _scope(home, index.mailboxes(), view))

        return await self._run(account, look)

    async def counts(
        self, account: AccountName, views: Sequence[View]
    ) -> Sequence[Counts | None]:
        def look(home: Home, index: Index) -> Sequence[Counts | None]:
            for name in dict.fromkeys(map(_looked_at, views)):
                with suppress(NoSuchMailbox, MailboxGone):
                    row = home.mailbox(index, name)
                    index = reads.look_around(home, index, row)[0]
            with index.database.reading():
                rows = index.mailboxes()
                uses = home.aside.special_uses()
                return [_count(index, rows, uses, view) for view in views]

        return await self._run(account, look)

    async def mod_seq(self, account: AccountName) -> int:
        return await self._run(account, lambda home, index: index.mod_seq()[0])

    async def changes(
        self, account: AccountName, mod_seq: int, most: int = 500
    ) -> ConversationChange:
        def look(home: Home, index: Index) -> ConversationChange:
            with index.database.reading():
                rows = index.mailboxes()
                return listed.changes(index, _names(rows), rows, mod_seq, most)

        return await self._ask(account, look)

    async def join(self, account: AccountName) -> None:
        """Have messages join their conversations that wait for it, piece by piece."""

        def piece(home: Home, index: Index) -> bool:
            return joining.join_some(index, naming.thread_id, PIECE)

        for _ in range(PIECES):
            if not await self._run(account, piece):
                return

    async def _ask(self, account: AccountName, work: Callable[[Home, Index], T]) -> T:
        def join_and_look(home: Home, index: Index) -> T | None:
            _make_current(home, index)
            if joining.join_some(index, naming.thread_id, PIECE):
                return None
            return work(home, index)

        found = await self._run(account, join_and_look)
        if found is None:
            await self.join(account)
            found = await self._run(account, work)
        return found

    async def _run(self, account: AccountName, work: Callable[[Home, Index], T]) -> T:
        home = self._home(account)

        def in_lane() -> T:
            return reads.asked(home, lambda index: work(home, index))

        return await self._lanes.run(account, in_lane)


def _looked_around(home: Home, index: Index, view: View) -> Index:
    """What other programs did is seen in a mailbox as by a SELECT of it."""
    row = home.mailbox(index, _looked_at(view))
    return reads.look_around(home, index, row)[0]


def _looked_at(view: View) -> MailboxName:
    name = view.name if isinstance(view, InMailbox) else INBOX
    return folders.known_form(name)


def _make_current(home: Home, index: Index) -> None:
    """Each mailbox is listed once a boot before it answers (STORE.md §3)."""
    for row in index.mailboxes():
        try:
            home.current(index, row)
        except FileNotFoundError:
            home.repair.list_folders(home, index)
        except MailboxGone:
            continue


def _names(rows: Sequence[MailboxRow]) -> Names:
    return {row.id: name_of(row.folder) for row in rows}


def _count(
    index: Index, rows: Sequence[MailboxRow], uses: _Uses, view: View
) -> Counts | None:
    try:
        return listed.count(index, _scope_of(uses, rows, view))
    except NoSuchMailbox:
        return None


def _scope(home: Home, rows: Sequence[MailboxRow], view: View) -> Scope:
    return _scope_of(home.aside.special_uses(), rows, view)


def _scope_of(uses: _Uses, rows: Sequence[MailboxRow], view: View) -> Scope:
    out = (SpecialUse.TRASH, SpecialUse.JUNK)
    # Maildir++ names what hangs below one ``.Trash.Old``.
    thrown = tuple(
        f"{row.folder}." for row in rows if uses.get(row.mailbox_id) is SpecialUse.TRASH
    )
    left_out = tuple(
        row.id
        for row in rows
        if uses.get(row.mailbox_id) in out or row.folder.startswith(thrown)
    )
    if isinstance(view, InMailbox):
        name = folders.known_form(view.name)
        for row in rows:
            if name_of(row.folder) == name:
                return Scope({row.id: row}, left_out, is_one=True)
        raise NoSuchMailbox(view.name)
    mailboxes = {row.id: row for row in rows if row.id not in left_out}
    match view:
        case Flagged():
            mark = STARRED
        case Labelled(keyword):
            mark = keyword.lower()
        case _:
            mark = ""
    return Scope(mailboxes, left_out, mark)


def _keys_of(rows: Sequence[MailboxRow], places: Sequence[Place]) -> list[int]:
    by_name = {name_of(row.folder): row for row in rows}
    return [
        by_name[place.mailbox].key(place.uid)
        for place in places
        if place.mailbox in by_name
    ]


def _key_of(rows: Sequence[MailboxRow], place: Place | None) -> int:
    if place is None:
        return 0
    for row in rows:
        if name_of(row.folder) == place.mailbox:
            return row.key(place.uid)
    return 0


def _render(home: Home, index: Index, keys: Sequence[int]) -> None:
    """Have messages rendered and joined, of any mailboxes."""
    by_mailbox: dict[int, list[int]] = {}
    for key in keys:
        by_mailbox.setdefault(key >> SHIFT, []).append(key & UIDS)
    for mailbox, numbers in by_mailbox.items():
        row = index.mailbox_by_id(mailbox)
        if row is not None:
            reads.render_missing(home, index, row, UIDSet.of(numbers))
    joining.join_keys(index, keys, naming.thread_id)
