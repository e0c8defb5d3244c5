"""Mailboxes and the messages in them, as values."""

from __future__ import annotations

from array import array
from enum import Enum, Flag, auto
from typing import NamedTuple, NewType

from attrs import field, frozen

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


class MessageRecord(NamedTuple):
    """
    One message as the index knows it: a plain row, its octets ready to send.

    Fields that were not asked for are 0, empty or ``b""``. Dates are whole
    seconds since 1970 in UTC.
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
