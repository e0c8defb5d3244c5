"""What one mailbox holds: messages, numbers, and what happened to them."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from attrs import define, field

from mailkit.errors import TooMany
from mailkit.formats.rendered import Rendered, render
from mailkit.model.flags import (
    DELETED,
    SEEN,
    SYSTEM_FLAGS,
    FlagAction,
    FlagChange,
    Flags,
    canonical_flag,
)
from mailkit.model.mailbox import (
    FlagRecord,
    MailboxChange,
    MailboxName,
    MailboxStatus,
    MessageRecord,
    Snapshot,
    SpecialUse,
    Want,
)
from mailkit.model.uidset import NO_UIDS, UIDSet
from mailkit.model.verdict import Verdict
from mailkit.storage.watch import Watch

MOST_KEYWORDS = 1000
"""In one mailbox (STORE.md §1)."""


class Threads(Protocol):
    """The conversations of an account."""

    def of(self, letter: Letter) -> str:
        """The THREADID of a message."""


@define(eq=False)
class Letter:
    """The octets of a message and what follows from them: the same in every copy."""

    octets: bytes = field(repr=False)
    email_id: str
    _threads: Threads
    came: int
    """Seconds since 1970."""
    verdict: Verdict | None = None
    once: str = ""
    """As of `Placement.once`."""
    _rendered: Rendered | None = field(init=False, default=None, repr=False)

    @property
    def rendered(self) -> Rendered:
        if self._rendered is None:
            self._rendered = render(self.octets)
        return self._rendered

    @property
    def thread_id(self) -> str:
        return self._threads.of(self)


@define(eq=False)
class Kept:
    """One message in one mailbox."""

    uid: int
    letter: Letter
    flags: Flags
    internal_date: int
    save_date: int
    arrived: int
    """MODSEQ with which it came."""
    mod_seq: int

    @property
    def size(self) -> int:
        return len(self.letter.octets)

    @property
    def email_id(self) -> str:
        return self.letter.email_id

    @property
    def thread_id(self) -> str:
        return self.letter.thread_id


def records(messages: Iterable[Kept], want: Want) -> list[MessageRecord]:
    """Only what is wanted; all other fields are empty."""
    flags, facts = Want.FLAGS in want, Want.FACTS in want
    ids, mod_seq = Want.IDS in want, Want.MOD_SEQ in want
    envelope, body = Want.ENVELOPE in want, Want.BODY in want
    bodystructure, preview = Want.BODYSTRUCTURE in want, Want.PREVIEW in want
    fields = Want.HEADER_FIELDS in want
    renders = bool(want & _RENDERED)
    return [
        MessageRecord(
            kept.uid,
            kept.mod_seq if mod_seq else 0,
            kept.flags if flags else _NO_FLAGS,
            kept.size if facts else 0,
            kept.internal_date if facts else 0,
            kept.save_date if ids else 0,
            kept.email_id if ids else "",
            kept.thread_id if ids else "",
            shown.envelope if envelope else b"",
            shown.body if body else b"",
            shown.bodystructure if bodystructure else b"",
            shown.preview if preview else b"",
            shown.header_fields if fields else b"",
        )
        for kept in messages
        for shown in (kept.letter.rendered if renders else _NOTHING,)
    ]


def first_part(found: Sequence[MessageRecord], most: int) -> int:
    """How many of them, one at least, have no more than ``most`` rendered octets."""
    octets = 0
    for count, one in enumerate(found):
        octets += sum(map(len, one[-5:]))
        if count and octets > most:
            return count
    return len(found)


@define(eq=False)
class Folder:
    """
    The state behind every `IMailbox` of one mailbox.

    It is changed only through these methods, each of which is given the MODSEQ of
    the change; `tell` is for the caller, once the whole change is made.
    """

    name: MailboxName
    mailbox_id: str
    uid_validity: int
    highest_mod_seq: int
    special_use: SpecialUse | None = None
    is_gone: bool = False
    uid_next: int = 1
    size: int = 0
    _messages: dict[int, Kept] = field(init=False, factory=dict, repr=False)
    _keywords: dict[str, str] = field(init=False, factory=dict)
    _unseen: int = field(init=False, default=0)
    _deleted: int = field(init=False, default=0)
    _first_recent: int = field(init=False, default=1)
    _uids: array[int] | None = field(init=False, default=None, repr=False)
    # (MODSEQ, UID) of everything that ever happened, and what went (arrived, went).
    _journal: list[tuple[int, int]] = field(init=False, factory=list, repr=False)
    _gone: dict[int, int] = field(init=False, factory=dict, repr=False)
    _watches: list[Watch] = field(init=False, factory=list, repr=False)
    departed: list[tuple[int, Letter]] = field(init=False, factory=list, repr=False)
    """What went, and with which MODSEQ."""

    @property
    def uids(self) -> array[int]:
        """All UIDs, ascending; whoever sees it never changes it."""
        if self._uids is None:
            self._uids = array("I", self._messages)
        return self._uids

    def among(self, uids: UIDSet) -> list[Kept]:
        """Those of ``uids`` that exist, ascending."""
        here = self.uids
        return [
            self._messages[uid]
            for first, last in uids.ranges
            for uid in here[bisect_left(here, first) : bisect_right(here, last)]
        ]

    def everything(self) -> list[Kept]:
        """All messages, ascending by UID."""
        return list(self._messages.values())

    def put(
        self,
        letters: Sequence[tuple[Letter, Flags, int]],
        now: int,
        mod_seq: int,
    ) -> list[int]:
        """Add messages, each with flags and INTERNALDATE; the UIDs they got."""
        first = self.uid_next
        for uid, (letter, flags, internal_date) in enumerate(letters, first):
            flags = self._spelt(flags)
            kept = Kept(uid, letter, flags, internal_date, now, mod_seq, mod_seq)
            self._messages[uid] = kept
            self._journal.append((mod_seq, uid))
            self._count(kept, 1)
        self.uid_next += len(letters)
        self.highest_mod_seq = mod_seq
        self._uids = None
        return list(range(first, self.uid_next))

    def drop(self, gone: Iterable[Kept], mod_seq: int) -> None:
        """Take messages away for good."""
        for kept in gone:
            del self._messages[kept.uid]
            self._gone[kept.uid] = kept.arrived
            self.departed.append((mod_seq, kept.letter))
            self._journal.append((mod_seq, kept.uid))
            self._count(kept, -1)
        self.highest_mod_seq = mod_seq
        self._uids = None

    def change(self, kept: Sequence[Kept], change: FlagChange, mod_seq: int) -> bool:
        """Change flags; whether any message was not so already."""
        if change.action is FlagAction.REMOVE:
            flags = self._known(change.flags)
        else:
            flags = self._spelt(change.flags)
        changed = False
        for message in kept:
            before = message.flags
            match change.action:
                case FlagAction.ADD:
                    after = before | flags
                case FlagAction.REMOVE:
                    after = before - flags
                case FlagAction.REPLACE:
                    after = flags
            if after == before:
                continue
            self._count(message, -1)
            message.flags = after
            message.mod_seq = mod_seq
            self._count(message, 1)
            self._journal.append((mod_seq, message.uid))
            changed = True
        if changed:
            self.highest_mod_seq = mod_seq
        return changed

    def check_keywords(self, flags: Iterable[str]) -> None:
        """:raises TooMany: if these would be more keywords than one mailbox has."""
        new = {
            flag.lower()
            for flag in flags
            if canonical_flag(flag) not in SYSTEM_FLAGS
            and flag.lower() not in self._keywords
        }
        if len(self._keywords) + len(new) > MOST_KEYWORDS:
            raise TooMany("keywords")

    def snapshot(self, takes_recent: bool) -> Snapshot:
        status = self.status()
        recent = NO_UIDS
        if takes_recent:
            recent = UIDSet.of(uid for uid in self.uids if uid >= self._first_recent)
            self._first_recent = self.uid_next
        unseen = (uid for uid in self.uids if SEEN not in self._messages[uid].flags)
        return Snapshot(
            status,
            self.uids,
            tuple(sorted(self._keywords.values())),
            next(unseen, 0) if self._unseen else 0,
            recent,
            len(self._keywords) < MOST_KEYWORDS,
        )

    def status(self) -> MailboxStatus:
        return MailboxStatus(
            self.name,
            self.mailbox_id,
            self.uid_validity,
            self.uid_next,
            self.highest_mod_seq,
            len(self._messages),
            self._unseen,
            self._deleted,
            self.size,
            len(self.uids) - bisect_left(self.uids, self._first_recent),
        )

    def changes_since(self, mod_seq: int) -> MailboxChange:
        if self.is_gone:
            return MailboxChange(self.highest_mod_seq, is_gone=True)
        start = bisect_right(self._journal, (mod_seq, _LAST_UID))
        touched = sorted({uid for _, uid in self._journal[start:]})
        arrived: list[FlagRecord] = []
        flagged: list[FlagRecord] = []
        vanished: list[int] = []
        for uid in touched:
            kept = self._messages.get(uid)
            if kept is None:
                if self._gone[uid] <= mod_seq:
                    vanished.append(uid)
                continue
            is_new = kept.arrived > mod_seq
            record = FlagRecord(uid, kept.flags, kept.mod_seq)
            (arrived if is_new else flagged).append(record)
        return MailboxChange(
            max(mod_seq, self.highest_mod_seq),
            tuple(arrived),
            tuple(flagged),
            UIDSet.of(vanished),
        )

    def watch(self, hear: Callable[[], None]) -> Watch:
        return Watch(self._watches, hear)

    def tell(self) -> None:
        """Have everybody look who watches."""
        for watch in tuple(self._watches):
            watch.hear()

    def _spelt(self, flags: Flags) -> Flags:
        """System flags as the RFC spells them, keywords as they first came here."""
        return frozenset(
            one if one in SYSTEM_FLAGS else self._keywords.setdefault(one.lower(), one)
            for one in map(canonical_flag, flags)
        )

    def _known(self, flags: Flags) -> Flags:
        """As `_spelt`, and a keyword that never was here does not begin to be."""
        return frozenset(
            self._keywords.get(flag.lower(), canonical_flag(flag)) for flag in flags
        )

    def _count(self, kept: Kept, step: int) -> None:
        self.size += step * kept.size
        self._unseen += step * (SEEN not in kept.flags)
        self._deleted += step * (DELETED in kept.flags)


_LAST_UID = 0xFFFFFFFF
_RENDERED = (
    Want.ENVELOPE | Want.BODY | Want.BODYSTRUCTURE | Want.PREVIEW | Want.HEADER_FIELDS
)
_NOTHING = render(b"")
_NO_FLAGS: Flags = frozenset()
