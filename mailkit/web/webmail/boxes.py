"""Mailboxes as addresses of pages call them, and what a list of each is of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import quote

from attrs import frozen
from werkzeug.routing import BaseConverter

from mailkit.errors import NoSuchMailbox
from mailkit.model.conversation import (
    Everything,
    Flagged,
    InMailbox,
    Labelled,
    View,
)
from mailkit.model.label import Label, keyword_of, unnamed
from mailkit.model.mailbox import INBOX, MailboxEntry, MailboxName, SpecialUse

SNOOZED = MailboxName("Snoozed")


def _(text: str) -> str:
    """Marks words for the catalogues; they are translated where they are shown."""
    return text


class SlugConverter(BaseConverter):
    """
    ``<slug:box>`` in the path of a route: what its page gets is `Box.slug`.

    Folders may have slashes in their names; a conversation is what stands behind the
    last ``/c/`` of an address.
    """

    regex = "label/[^/]+|folder/[^/].*?|(?!label/|folder/)[^/]+"
    part_isolating = False
    weight = 200  # as that of ``<path:…>``, which comes last


@frozen
class Box:
    """One list of mail."""

    slug: str
    """What stands behind ``/mail/`` in its address: ``inbox``, ``label/travel``."""
    name: str
    """What it is called; of ours in English, for gettext."""
    icon: str
    view: View
    is_ours: bool = True
    """Whether the name is one of our words."""
    shows_total: bool = False
    """Whether the number beside it is of all messages, not of unread ones."""

    @property
    def href(self) -> str:
        """Its address."""
        return f"/mail/{quote(self.slug)}"


_SPECIAL = {
    "sent": (SpecialUse.SENT, _("Sent"), "send"),
    "drafts": (SpecialUse.DRAFTS, _("Drafts"), "draft"),
    "archive": (SpecialUse.ARCHIVE, _("Archive"), "archive"),
    "spam": (SpecialUse.JUNK, _("Spam"), "spam"),
    "trash": (SpecialUse.TRASH, _("Trash"), "trash"),
}

INBOX_BOX = Box("inbox", _("Inbox"), "inbox", InMailbox(INBOX))
STARRED = Box("starred", _("Starred"), "star", Flagged())
SNOOZED_BOX = Box(
    "snoozed", _("Snoozed"), "clock", InMailbox(SNOOZED), shows_total=True
)
ALL = Box("all", _("All mail"), "all", Everything())


def special(slug: str, entries: Sequence[MailboxEntry]) -> Box:
    """
    One of Sent, Drafts, Archive, Spam, Trash, whatever its mailbox is called.

    :raises NoSuchMailbox: if the account has none.
    """
    use, name, icon = _SPECIAL[slug]
    for entry in entries:
        if entry.special_use is use:
            view = InMailbox(entry.name)
            return Box(slug, name, icon, view, shows_total=slug == "drafts")
    raise NoSuchMailbox(slug)


def find(
    slug: str, entries: Sequence[MailboxEntry], labels: Sequence[Label] = ()
) -> Box:
    """
    The list that an address is of.

    :param slug: what stands behind ``/mail/``, decoded.
    :raises NoSuchMailbox: if there is none.
    """
    for box in (INBOX_BOX, STARRED, SNOOZED_BOX, ALL):
        if box.slug == slug:
            return box
    if slug in _SPECIAL:
        return special(slug, entries)
    kind, _, rest = slug.partition("/")
    if kind == "label" and rest:
        return of_label(_label(rest, labels))
    if kind == "folder" and rest:
        for entry in entries:
            if entry.name == rest:
                return of_folder(entry.name)
    raise NoSuchMailbox(slug)


def of_label(label: Label) -> Box:
    """The list of a label."""
    view = Labelled(label.keyword)
    return Box(f"label/{label.slug}", label.name, "label", view, is_ours=False)


def of_folder(name: MailboxName) -> Box:
    """The list of a folder that the person has made."""
    last = name.rpartition("/")[2]
    return Box(f"folder/{name}", last, "folder", InMailbox(name), is_ours=False)


def folders(entries: Sequence[MailboxEntry]) -> list[MailboxEntry]:
    """
    Those that the person has made, or mail programs have.

    Not those that were thrown into the Trash.
    """
    thrown = tuple(
        f"{entry.name}/" for entry in entries if entry.special_use is SpecialUse.TRASH
    )
    return [
        entry
        for entry in entries
        if entry.is_selectable
        and entry.special_use is None
        and entry.name not in (INBOX, SNOOZED)
        and not entry.name.startswith(thrown)
    ]


def _label(slug: str, labels: Sequence[Label]) -> Label:
    keyword = keyword_of(slug)
    for label in labels:
        if label.keyword.lower() == keyword.lower():
            return label
    return unnamed(keyword)


def slug_of(mailbox: MailboxName, use: SpecialUse | None) -> str:
    """Where a mailbox is below ``/mail/``."""
    if mailbox == INBOX:
        return INBOX_BOX.slug
    if mailbox == SNOOZED:
        return SNOOZED_BOX.slug
    for slug, (known, _name, _icon) in _SPECIAL.items():
        if use is known:
            return slug
    return f"folder/{mailbox}"


def name_of(
    mailbox: MailboxName, use: SpecialUse | None, say: Callable[[str], str]
) -> str:
    """What a mailbox is called where it is one of several."""
    if mailbox == INBOX:
        return say(INBOX_BOX.name)
    if mailbox == SNOOZED:
        return say(SNOOZED_BOX.name)
    for known, name, _icon in _SPECIAL.values():
        if use is known:
            return say(name)
    return mailbox.rpartition("/")[2]
