"""Rows of the index, and how flags are kept in them."""

from __future__ import annotations

from typing import NamedTuple

from mailkit.model.flags import (
    ANSWERED,
    DELETED,
    DRAFT,
    FLAGGED,
    SEEN,
    SYSTEM_FLAGS,
    Flags,
)

SHIFT = 32
"""A message's key is its mailbox's number shifted by this, or its UID."""

UIDS = (1 << SHIFT) - 1
"""The part of a key that is the UID."""

BITS: dict[str, int] = {SEEN: 1, ANSWERED: 2, FLAGGED: 4, DELETED: 8, DRAFT: 16}
"""System flags are bits of one number; keywords are text beside it."""


class MailboxRow(NamedTuple):
    """One mailbox, in the order of its columns."""

    id: int
    folder: str
    """Its path below ``Maildir``; "" is the INBOX."""
    mailbox_id: str
    uid_validity: int
    uid_next: int
    mark: int
    first_recent: int
    mod_seq: int
    messages: int
    unseen: int
    deleted: int
    size: int
    boot: str
    cur_mtime: int
    known_since: int
    settled: int
    settled_by: str

    def key(self, uid: int) -> int:
        """The key of one of its messages."""
        return self.id << SHIFT | uid

    @property
    def first_key(self) -> int:
        return self.id << SHIFT

    @property
    def last_key(self) -> int:
        return self.id << SHIFT | UIDS


class MessageRow(NamedTuple):
    """A message as it goes into the index."""

    key: int
    mod_seq: int
    flags: int
    keywords: str
    size: int
    internal_date: int
    save_date: int
    name: str
    email_id: str
    thread_id: str
    """"" while the message is not rendered; another perhaps once it is joined."""
    has_attachments: bool = False
    verdict: str | None = None


class RenderedRow(NamedTuple):
    """What IMAP sends of a message."""

    key: int
    envelope: bytes
    body: bytes
    bodystructure: bytes
    preview: bytes
    header_fields: bytes


class FlagSets(dict[tuple[int, str], Flags]):
    """Flags of rows as sets: each distinct one is made once."""

    def __missing__(self, key: tuple[int, str]) -> Flags:
        if len(self) > _MOST_SETS:
            self.clear()
        bits, keywords = key
        flags = [flag for flag, bit in BITS.items() if bits & bit]
        found = self[key] = frozenset((*flags, *keywords.split()))
        return found


class FlagTexts(dict[bytes, Flags]):
    """Flags as a query joins them, bits and keywords, as sets."""

    def __missing__(self, text: bytes) -> Flags:
        if len(self) > _MOST_SETS:
            self.clear()
        bits, *keywords = text.decode().split()
        flags = [flag for flag, bit in BITS.items() if int(bits) & bit]
        found = self[text] = frozenset((*flags, *keywords))
        return found


def bits_of(flags: Flags) -> int:
    """The system flags among ``flags``, as a row keeps them."""
    bits = 0
    for flag in flags & SYSTEM_FLAGS:
        bits |= BITS[flag]
    return bits


def joined(keywords: frozenset[str] | list[str]) -> str:
    """Keywords as a row keeps them, a space before and after each."""
    return f" {' '.join(sorted(keywords))} " if keywords else ""


_MOST_SETS = 10_000
