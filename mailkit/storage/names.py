"""Which names a mailbox may have, and how names hang together."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from mailkit.errors import CannotName
from mailkit.model.mailbox import INBOX, MailboxName

SEPARATOR = "/"
"""Between the components of a name, in memory and on the wire."""

MOST_OCTETS = 250
"""Of a folder name: file systems take 255, and hidden names add a few."""


def checked(name: str) -> MailboxName:
    """
    The one form of a name: NFC, and INBOX in capitals (RFC 9051 §5.1).

    :raises CannotName: for an empty component, a control character, or a name that
        is too long for a folder.
    """
    if name[:6].upper() in (INBOX, INBOX + SEPARATOR):
        name = INBOX + name[5:]
    if not name.isascii():
        name = unicodedata.normalize("NFC", name)
    if not all(name.split(SEPARATOR)):
        raise CannotName("a level of the name is empty")
    for character in name:
        if character < " " or unicodedata.category(character) in _UNPRINTABLE:
            raise CannotName("a control character is in the name")
    if len(folder(name).encode()) > MOST_OCTETS:
        raise CannotName("the name is too long")
    return MailboxName(name)


def folder(name: str) -> str:
    """The Maildir++ folder of a name but INBOX (STORE.md §1): ``.Work.2026``."""
    levels = name.replace("%", "%25").replace(".", "%2E").split(SEPARATOR)
    return "." + ".".join(levels)


def unfolder(folder: str) -> MailboxName:
    """The name that `folder` made a folder's name from."""
    levels = folder[1:].split(".")
    name = SEPARATOR.join(levels).replace("%2E", ".").replace("%25", "%")
    return MailboxName(name)


def above(name: MailboxName) -> Iterator[MailboxName]:
    """The names that a name hangs below, topmost first."""
    at = name.find(SEPARATOR)
    while at >= 0:
        yield MailboxName(name[:at])
        at = name.find(SEPARATOR, at + 1)


def is_below(name: MailboxName, top: MailboxName) -> bool:
    """Whether ``name`` hangs below ``top``, at any depth."""
    return name.startswith(top + SEPARATOR)


def in_order(name: MailboxName) -> tuple[bool, str]:
    """What listings are sorted by: INBOX first."""
    return (name != INBOX, name)


_UNPRINTABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})
