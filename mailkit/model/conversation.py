"""Conversations: messages of an account that answer each other, wherever they lie."""

from __future__ import annotations

import base64
import binascii
import struct

from attrs import field, frozen

from mailkit.errors import Malformed
from mailkit.model.flags import DRAFT, FLAGGED, SEEN, Flags
from mailkit.model.mailbox import MailboxName
from mailkit.model.verdict import Verdict


@frozen(order=True)
class Person:
    """Somebody in From, To and the like; what was not given is empty."""

    name: str
    """Decoded, on one line; the group's name with an empty address, for a group."""
    address: str
    """``local-part@domain`` as it was written."""


@frozen(order=True)
class Place:
    """Where a message lies: it may lie in several mailboxes."""

    mailbox: MailboxName
    uid: int


@frozen
class Summary:
    """What a list or the head of a message shows, without a look at its file."""

    email_id: str
    thread_id: str
    places: tuple[Place, ...]
    """Those of the account, or of the view where there is one; never empty."""
    flags: Flags
    """Of all of its places together; it is seen where it is so in each."""
    keywords: Flags
    """Those of ``flags`` that are no system flags."""
    size: int
    internal_date: float
    """Seconds since 1970: when it came."""
    sent: float | None
    """Seconds since 1970, as its author says."""
    from_: tuple[Person, ...] = ()
    reply_to: tuple[Person, ...] = ()
    """The same as ``from_`` where nothing else is said."""
    to: tuple[Person, ...] = ()
    cc: tuple[Person, ...] = ()
    bcc: tuple[Person, ...] = ()
    subject: str = ""
    message_id: str = ""
    """With its angle brackets; empty if it has none."""
    in_reply_to: str = ""
    preview: str = ""
    has_attachments: bool = False
    verdict: Verdict | None = None
    """``None``: nobody checked it."""

    @property
    def is_unread(self) -> bool:
        return SEEN not in self.flags

    @property
    def is_flagged(self) -> bool:
        return FLAGGED in self.flags

    @property
    def is_draft(self) -> bool:
        return DRAFT in self.flags


@frozen
class InMailbox:
    """All that is in one mailbox."""

    name: MailboxName


@frozen
class Flagged:
    """All that is starred, but for what is in Trash and Junk."""


@frozen
class Labelled:
    """All with a keyword, whatever its case, but for what is in Trash and Junk."""

    keyword: str


@frozen
class Everything:
    """All but for what is in Trash and Junk."""


View = InMailbox | Flagged | Labelled | Everything
"""What a list is of."""


@frozen(order=True)
class Cursor:
    """
    A place between two messages of a list, newest first: below this one.

    Good for as long as anybody keeps it, whatever came or went meanwhile.
    """

    internal_date: int
    key: int
    """Tells messages of one second apart; what it means is the store's."""

    def to_text(self) -> str:
        """For addresses of pages: letters, digits, ``-`` and ``_``."""
        octets = struct.pack(">qq", self.internal_date, self.key)
        return base64.urlsafe_b64encode(octets).decode().rstrip("=")

    @classmethod
    def from_text(cls, text: str) -> Cursor:
        """:raises Malformed: if it is none of ours."""
        if len(text) != _CURSOR_LENGTH or not text.isascii():
            raise Malformed("a cursor")
        try:
            octets = base64.b64decode(text + "==", b"-_", validate=True)
        except binascii.Error:
            raise Malformed("a cursor") from None
        return cls(*struct.unpack(">qq", octets))


_CURSOR_LENGTH = 22


@frozen
class Row:
    """
    One line of a list: a conversation, or a message where they are not grouped.

    All but ``newest`` is of the whole conversation: wherever its messages lie, without
    those in Trash and Junk, unless the view is that mailbox.
    """

    thread_id: str
    newest: Summary
    """The newest within the view."""
    cursor: Cursor
    """Below it the next row begins."""
    messages: int = 1
    unread: int = 0
    is_flagged: bool = False
    keywords: Flags = frozenset()
    people: tuple[Person, ...] = ()
    """
    Who wrote, oldest first, each once by address; of a long conversation who wrote
    its first message and the latest.
    """
    has_attachments: bool = False


@frozen
class Page:
    """Some rows of a list, newest first."""

    rows: tuple[Row, ...]
    next: Cursor | None = None
    """For the rows below; ``None`` where there are none."""
    previous: Cursor | None = None
    """``after`` of the page above, if there is one that is not the first."""
    has_newer: bool = False
    """Whether there are rows above: with ``previous`` or from the top."""


@frozen
class Counts:
    """How many messages a view has, and how many of them nobody read."""

    total: int = 0
    unread: int = 0


@frozen
class ConversationChange:
    """What happened to an account's mail between two MODSEQs."""

    mod_seq: int
    """The state that this leads to: ask with it the next time."""
    threads: frozenset[str] = frozenset()
    """Conversations that have other messages, flags or places, and still are."""
    gone: frozenset[str] = frozenset()
    """Conversations that have no message any longer."""
    mailboxes: tuple[MailboxName, ...] = ()
    """Mailboxes that changed in any way."""
    arrived: tuple[Summary, ...] = field(default=(), repr=False)
    """New messages, oldest first, by where they lie; the newest of them, if many."""
    is_whole: bool = True
    """False: there is more than this says, and everything is to be looked at anew."""

    def __bool__(self) -> bool:
        return bool(self.threads or self.gone or self.mailboxes or not self.is_whole)
