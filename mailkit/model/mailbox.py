"""Mailboxes and the messages in them, as values."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum, Flag, auto
from itertools import repeat
from typing import Any, NamedTuple, NewType, overload

from attrs import define, field, frozen

from mailkit.model.flags import Flags
from mailkit.model.uidset import NO_UIDS, UIDSet

MailboxName = NewType("MailboxName", str)
"""Components in NFC, separated by ``/``; the inbox is ``INBOX``."""

INBOX = MailboxName("INBOX")


class SpecialUse(Enum):
    """What a mailbox is for (RFC 6154 §2)."""

    ARCHIVE = "\\Archive"
    DRAFTS = "\\Drafts"
    JUNK = "\\Junk"
    SENT = "\\Sent"
    TRASH = "\\Trash"
    FLAGGED = "\\Flagged"
    ALL = "\\All"
    IMPORTANT = "\\Important"


SPECIAL_MAILBOXES: dict[MailboxName, SpecialUse] = {
    MailboxName("Drafts"): SpecialUse.DRAFTS,
    MailboxName("Sent"): SpecialUse.SENT,
    MailboxName("Archive"): SpecialUse.ARCHIVE,
    MailboxName("Junk"): SpecialUse.JUNK,
    MailboxName("Trash"): SpecialUse.TRASH,
}
"""Made with each account, and subscribed."""


class Want(Flag):
    """What of each message is read; ask for no more than is sent."""

    FLAGS = auto()
    FACTS = auto()  # size, date of arrival
    ENVELOPE = auto()
    BODY = auto()
    BODYSTRUCTURE = auto()
    PREVIEW = auto()
    HEADER_FIELDS = auto()
    IDS = auto()  # EMAILID, THREADID, date of saving
    MOD_SEQ = auto()


class MessageRecord(NamedTuple):
    """
    One message as the index knows it: a plain row, its octets ready to send.

    Fields that were not asked for are 0, empty or ``b""``. Dates are whole seconds
    since 1970 in UTC.
    """

    uid: int
    mod_seq: int
    flags: Flags
    size: int
    internal_date: int
    save_date: int
    email_id: str
    thread_id: str
    envelope: bytes
    body: bytes
    bodystructure: bytes
    preview: bytes
    header_fields: bytes


_ABSENT: dict[str, object] = {
    "mod_seq": 0,
    "flags": frozenset(),
    "size": 0,
    "internal_date": 0,
    "save_date": 0,
    "email_id": "",
    "thread_id": "",
}

Column = Sequence[Any]  # Any: each field of a record has its own type


@define(eq=False)
class Records(Sequence[MessageRecord]):
    """
    Messages as the index knows them, by columns, so that none of them costs an object.

    Columns are made when they are first asked for. To whoever takes it as a sequence
    it is one of `MessageRecord`.
    """

    _count: int
    _columns: Mapping[str, Callable[[], Column]]
    """Those that were wanted, UID among them."""
    _texts: Mapping[str, Callable[[], list[bytes]]] = field(factory=dict)
    """Numbers that are there as decimal text anyway."""
    rest: UIDSet = NO_UIDS
    """What was asked for and not looked at, because it was too much for once."""
    _made: dict[str, Column] = field(factory=dict, init=False)

    @classmethod
    def of(cls, records: Sequence[MessageRecord]) -> Records:
        """The same by columns."""
        found = cls(len(records), {})
        if records:
            columns = zip(*records, strict=True)
            found._made = dict(zip(MessageRecord._fields, columns, strict=True))
        return found

    def column(self, name: str) -> Column:
        """One field of all, named as in `MessageRecord`."""
        made = self._made.get(name)
        if made is None:
            make = self._columns.get(name)
            absent = [_ABSENT.get(name, b"")] * self._count
            made = absent if make is None else make()
            self._made[name] = made
        return made

    def decimals(self, name: str) -> list[bytes]:
        """A field that is a number, as text."""
        make = self._texts.get(name)
        if make is None:
            return list(map(b"%d".__mod__, self.column(name)))
        return make()

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[MessageRecord]:
        columns = map(self.column, MessageRecord._fields)
        # A NamedTuple's own constructor costs three times as much.
        return map(tuple.__new__, repeat(MessageRecord), zip(*columns, strict=True))

    @overload
    def __getitem__(self, index: int) -> MessageRecord: ...
    @overload
    def __getitem__(self, index: slice) -> list[MessageRecord]: ...
    def __getitem__(self, index: int | slice) -> MessageRecord | list[MessageRecord]:
        if isinstance(index, slice):
            return list(self)[index]
        return MessageRecord(*[self.column(n)[index] for n in MessageRecord._fields])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)


class FlagRecord(NamedTuple):
    """The flags of one message, and when they became so."""

    uid: int
    flags: Flags
    mod_seq: int


@frozen
class MailboxStatus:
    """The counters of one mailbox (RFC 9051 §6.3.11), kept, never counted."""

    name: MailboxName
    mailbox_id: str
    """The same for life, through every RENAME (RFC 8474 §4)."""
    uid_validity: int
    uid_next: int
    highest_mod_seq: int
    exists: int
    unseen: int
    deleted: int
    size: int
    """Octets of all messages together."""
    recent: int = 0
    """How many the next rev1 SELECT would take as its own."""


@frozen
class MailboxEntry:
    """One line of a listing of mailboxes."""

    name: MailboxName
    is_selectable: bool
    """False for a name that only its children or a subscription keep alive."""
    is_subscribed: bool
    has_children: bool
    special_use: SpecialUse | None = None


@frozen(eq=False)
class Snapshot:
    """
    A mailbox at one moment, to begin a view with.

    ``uids`` is ascending and never changed by anybody: all sessions of the process
    that looked at the same state share the one array.
    """

    status: MailboxStatus
    uids: array[int] = field(repr=False)
    keywords: tuple[str, ...]
    """Every keyword in use in this mailbox."""
    first_unseen: int
    """UID of the first message without ``\\Seen``; 0 where there is none."""
    recent: UIDSet
    """What this look took as its own recent messages."""
    takes_keywords: bool = True
    """Whether there may be one more keyword."""


@frozen
class MailboxChange:
    """What happened between two MODSEQs; a message that came and went is absent."""

    mod_seq: int
    """The state that this change leads to."""
    arrived: tuple[FlagRecord, ...] = ()
    """New messages, ascending by UID."""
    flagged: tuple[FlagRecord, ...] = ()
    """Messages that were there before and changed their flags, ascending."""
    vanished: UIDSet = NO_UIDS
    is_gone: bool = False
    """The mailbox itself is no more."""

    def __bool__(self) -> bool:
        return bool(self.arrived or self.flagged or self.vanished or self.is_gone)


@frozen
class Copied:
    """Where messages went (RFC 4315 §3, COPYUID)."""

    uid_validity: int
    uids: tuple[tuple[int, int], ...]
    """Pairs of UID here and UID there, ascending by the first."""
