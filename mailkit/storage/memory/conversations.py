"""Conversations of the store that forgets: looked for among all messages each time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from hashlib import blake2b
from typing import NamedTuple, Protocol

from attrs import define, field
from zope.interface import implementer

from mailkit.errors import NoSuchMailbox
from mailkit.formats.overviewed import Overview
from mailkit.interfaces.conversations import IConversations
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
    Person,
    Place,
    Row,
    Summary,
    View,
)
from mailkit.model.flags import FLAGGED, SEEN, SYSTEM_FLAGS, Flags
from mailkit.model.mailbox import MailboxName, SpecialUse
from mailkit.storage import names, threads
from mailkit.storage.memory.folder import Folder, Kept, Letter
from mailkit.storage.summaries import summary_of, with_place

_NEWS = 100
_SHIFT = 32


class _Box(Protocol):
    """One account."""

    @property
    def threads(self) -> MemoryThreads: ...

    @property
    def folders(self) -> list[Folder]: ...

    @property
    def mod_seq(self) -> int: ...

    @property
    def departed(self) -> list[tuple[int, Letter]]: ...

    def folder(self, name: MailboxName) -> Folder:
        """:raises NoSuchMailbox:"""


@define(eq=False)
class MemoryThreads:
    """The conversations of one account."""

    waiting: list[Letter] = field(init=False, factory=list, repr=False)
    """Messages that nobody asked about yet."""
    _clues: dict[int, str] = field(init=False, factory=dict, repr=False)
    _joined: dict[Letter, str] = field(init=False, factory=dict, repr=False)
    _letters: dict[str, list[Letter]] = field(init=False, factory=dict, repr=False)

    def of(self, letter: Letter) -> str:
        """The THREADID of a message."""
        if letter not in self._joined:
            for one in sorted(self.waiting, key=lambda one: one.came):
                self._join(one)
            self.waiting.clear()
        return self._joined[letter]

    def _join(self, letter: Letter) -> None:
        named = threads.Named.of(letter.rendered.header_fields)
        own = letter.email_id.encode()
        thread_id = threads.join(named, self, letter.came, _new_thread, own)
        self._joined[letter] = thread_id
        self._letters.setdefault(thread_id, []).append(letter)

    # --- `threads.Clues` ---

    def find(self, word: int) -> str | None:
        return self._clues.get(word)

    def note(self, word: int, thread_id: str) -> None:
        self._clues[word] = thread_id

    def is_full(self, thread_id: str) -> bool:
        return len(self._letters.get(thread_id, ())) >= threads.MOST

    def is_among(self, thread_id: str, writers: Collection[bytes], since: int) -> bool:
        letters = self._letters.get(thread_id, [])
        if not letters or max(letter.came for letter in letters) < since:
            return False
        wanted = {writer.decode("utf-8", "replace") for writer in writers}
        for letter in letters:
            found = Overview.of(letter.rendered.envelope)
            everybody = found.from_ + found.to + found.cc
            if any(person.address.lower() in wanted for person in everybody):
                return True
        return False


def _new_thread(root: bytes) -> str:
    return "T" + blake2b(root, digest_size=12).hexdigest()


class _Found(NamedTuple):
    """A message in its place; ordered as lists are, from their end."""

    internal_date: int
    key: int
    folder: Folder
    kept: Kept

    @property
    def place(self) -> Place:
        return Place(self.folder.name, self.kept.uid)

    @property
    def cursor(self) -> Cursor:
        return Cursor(self.internal_date, self.key)

    @property
    def group(self) -> str:
        return self.kept.thread_id


@implementer(IConversations)
@define(eq=False)
class MemoryConversations:
    """Every promise of `IConversations` but that of being quick."""

    _account: Callable[[AccountName], _Box]

    async def page(
        self,
        account: AccountName,
        view: View,
        after: Cursor | None = None,
        most: int = 50,
        *,
        grouped: bool = True,
    ) -> Page:
        heads = _heads(self._account(account), view, grouped=grouped)
        at = 0
        if after is not None:
            at = len([one for one in heads if one.cursor >= after])
        shown = heads[at : at + most]
        beside = _beside(self._account(account), view)
        return Page(
            tuple(_row(one, beside, grouped=grouped) for one in shown),
            shown[-1].cursor if len(heads) > at + most and shown else None,
            heads[at - most - 1].cursor if at > most else None,
            at > 0,
        )

    async def neighbours(
        self, account: AccountName, view: View, thread_id: str
    ) -> tuple[str | None, str | None]:
        heads = _heads(self._account(account), view, grouped=True)
        ids = [one.group for one in heads]
        if thread_id not in ids:
            return None, None
        at = ids.index(thread_id)
        return (
            ids[at - 1] if at else None,
            ids[at + 1] if at + 1 < len(ids) else None,
        )

    async def conversation(
        self, account: AccountName, thread_id: str
    ) -> Sequence[Summary]:
        found = _all(self._account(account).folders)
        return _each_once(one for one in found if one.group == thread_id)

    async def message(self, account: AccountName, email_id: str) -> Summary | None:
        found = await self.messages(account, [email_id])
        return found[0] if found else None

    async def messages(
        self, account: AccountName, email_ids: Sequence[str]
    ) -> Sequence[Summary]:
        found = {
            one.email_id: one
            for one in _each_once(_all(self._account(account).folders))
        }
        return [found[one] for one in dict.fromkeys(email_ids) if one in found]

    async def summaries(
        self, account: AccountName, places: Sequence[Place]
    ) -> Sequence[Summary]:
        found = {one.place: one for one in _all(self._account(account).folders)}
        return [_summary(found[place]) for place in places if place in found]

    async def rows(
        self, account: AccountName, places: Sequence[Place], *, grouped: bool = True
    ) -> Sequence[Row]:
        box = self._account(account)
        found = {one.place: one for one in _all(box.folders)}
        beside = _beside(box, Everything())
        return [
            _row(found[place], beside, grouped=grouped)
            for place in places
            if place in found
        ]

    async def places(
        self,
        account: AccountName,
        view: View,
        thread_ids: Collection[str] | None = None,
        after: Place | None = None,
        most: int = 1000,
    ) -> Sequence[Place]:
        box = self._account(account)
        numbers = {folder.name: _number(folder) for folder in box.folders}
        above = (0, 0)
        if after is not None:
            above = (numbers.get(after.mailbox, 0), after.uid)
        found = [
            one.place
            for one in sorted(_viewed(box, view), key=lambda one: one.key)
            if divmod(one.key, 1 << _SHIFT) > above
            and (thread_ids is None or one.group in thread_ids)
        ]
        return found[:most]

    async def count(self, account: AccountName, view: View) -> Counts:
        found = _viewed(self._account(account), view)
        return Counts(len(found), len([f for f in found if SEEN not in f.kept.flags]))

    async def counts(
        self, account: AccountName, views: Sequence[View]
    ) -> Sequence[Counts | None]:
        found: list[Counts | None] = []
        for view in views:
            try:
                found.append(await self.count(account, view))
            except NoSuchMailbox:
                found.append(None)
        return found

    async def mod_seq(self, account: AccountName) -> int:
        return self._account(account).mod_seq

    async def changes(
        self, account: AccountName, mod_seq: int, most: int = 500
    ) -> ConversationChange:
        box = self._account(account)
        here = _all(box.folders)
        changed = [one for one in here if one.kept.mod_seq > mod_seq]
        departed = [*box.departed, *(gone for f in box.folders for gone in f.departed)]
        left = {letter.thread_id for number, letter in departed if number > mod_seq}
        touched = {one.group for one in changed}
        gone = left - {one.group for one in here}
        new = [one for one in changed if one.kept.arrived > mod_seq]
        new.sort(key=lambda one: (one.kept.mod_seq, one.key))
        told = sorted(new[-_NEWS:], key=lambda one: (one.internal_date, one.key))
        return ConversationChange(
            max(mod_seq, box.mod_seq),
            frozenset(touched | (left - gone)),
            frozenset(gone),
            tuple(f.name for f in box.folders if f.highest_mod_seq > mod_seq),
            tuple(map(_summary, told)),
            max(len(changed), len(left)) <= most,
        )


def _number(folder: Folder) -> int:
    """Ids of mailboxes are a letter and a number."""
    return int(folder.mailbox_id[1:])


def _all(folders: Iterable[Folder]) -> list[_Found]:
    """Every message, oldest first."""
    return sorted(
        [
            _Found(
                kept.internal_date, _number(folder) << _SHIFT | kept.uid, folder, kept
            )
            for folder in folders
            for kept in folder.everything()
        ],
        key=lambda one: (one.internal_date, one.key),
    )


def _shown(box: _Box) -> list[Folder]:
    """All but Trash, with what was thrown there, and Junk."""
    trash = [one.name for one in box.folders if one.special_use is SpecialUse.TRASH]
    return [
        folder
        for folder in box.folders
        if folder.special_use not in (SpecialUse.TRASH, SpecialUse.JUNK)
        and not any(names.is_below(folder.name, top) for top in trash)
    ]


def _viewed(box: _Box, view: View) -> list[_Found]:
    match view:
        case InMailbox(name):
            return _all([box.folder(name)])
        case Flagged():
            mark = FLAGGED.lower()
        case Labelled(keyword):
            mark = keyword.lower()
        case Everything():
            mark = ""
    found = _all(_shown(box))
    if not mark:
        return found
    return [one for one in found if mark in {f.lower() for f in one.kept.flags}]


def _heads(box: _Box, view: View, *, grouped: bool) -> list[_Found]:
    """The newest of each group, newest first."""
    newest = {
        one.group if grouped else one.kept.email_id: one for one in _viewed(box, view)
    }
    return sorted(newest.values(), key=lambda one: one.cursor, reverse=True)


def _beside(box: _Box, view: View) -> list[_Found]:
    """Of which messages conversations are counted."""
    viewed = box.folder(view.name) if isinstance(view, InMailbox) else None
    shown = _shown(box)
    return _all(f for f in box.folders if f is viewed or f in shown)


def _row(one: _Found, beside: Sequence[_Found], *, grouped: bool) -> Row:
    newest = _summary(one)
    group = [one]
    if grouped:
        group = [other for other in beside if other.group == one.group] or [one]
    flags: Flags = frozenset().union(*(other.kept.flags for other in group))
    people: dict[str, Person] = {}
    for other in group:
        for person in _summary(other).from_:
            people.setdefault(person.address.lower(), person)
    unread = {o.kept.email_id for o in group if SEEN not in o.kept.flags}
    return Row(
        newest.thread_id,
        newest,
        one.cursor,
        len({other.kept.email_id for other in group}),
        len(unread),
        FLAGGED in flags,
        flags - SYSTEM_FLAGS,
        tuple(people.values()),
        any(other.kept.letter.rendered.has_attachments for other in group),
    )


def _each_once(found: Iterable[_Found]) -> list[Summary]:
    once: dict[str, Summary] = {}
    for one in found:
        known = once.get(one.kept.email_id)
        if known is None:
            once[one.kept.email_id] = _summary(one)
        else:
            once[one.kept.email_id] = with_place(known, one.place, one.kept.flags)
    return list(once.values())


def _summary(one: _Found) -> Summary:
    kept = one.kept
    shown = kept.letter.rendered
    return summary_of(
        shown.envelope,
        shown.preview,
        email_id=kept.email_id,
        thread_id=kept.thread_id,
        place=one.place,
        flags=kept.flags,
        size=kept.size,
        internal_date=float(kept.internal_date),
        has_attachments=shown.has_attachments,
        verdict=kept.letter.verdict,
    )
