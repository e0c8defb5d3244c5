"""The navigation of every page: mailboxes with their numbers, labels, room left."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from mailkit.errors import NoSuchMailbox
from mailkit.model.conversation import Counts
from mailkit.model.label import Label
from mailkit.model.mailbox import MailboxEntry
from mailkit.web.asking import Asked
from mailkit.web.webmail.boxes import (
    ALL,
    INBOX_BOX,
    SNOOZED_BOX,
    STARRED,
    Box,
    folders,
    of_folder,
    of_label,
    special,
)


@frozen
class Entry:
    """One line."""

    box: str
    href: str
    name: str
    icon: str
    count: int = 0
    is_unread: bool = True
    colour: int = 0
    depth: int = 0
    is_live: bool = False
    """Whether pages that are open are told when the number changes."""


@frozen
class Sidebar:
    """All lines."""

    places: Sequence[Entry]
    folders: Sequence[Entry]
    labels: Sequence[Entry]
    used: int
    quota: int

    @property
    def percent(self) -> int:
        """How much of the room is used."""
        return min(100, self.used * 100 // self.quota) if self.quota else 0


async def make_sidebar(asked: Asked) -> Sidebar:
    """What somebody has."""
    house, name = asked.house, asked.name
    entries = await house.store.mailboxes(name)
    labels = await house.sorting.labels.labels(name)
    places = []
    for box in _places(entries):
        counts = await _count(asked, box)
        number = counts.total if box.shows_total else counts.unread
        places.append(
            Entry(
                box.slug,
                box.href,
                asked.say(box.name),
                box.icon,
                number if box.slug in _COUNTED else 0,
                not box.shows_total,
                is_live=box.slug in _COUNTED,
            )
        )
    scheduled = await house.scheduled(name)
    slugs = [one.box for one in places]
    at = slugs.index("sent") + 1 if "sent" in slugs else len(places)
    places.insert(
        at,
        Entry(
            "scheduled",
            "/mail/scheduled",
            asked.say("Scheduled"),
            "scheduled",
            scheduled,
            False,
        ),
    )
    return Sidebar(
        places,
        [await _folder(asked, entry) for entry in folders(entries)],
        [_label(label) for label in labels],
        await house.store.used(name),
        await house.quota_of(name),
    )


_COUNTED = frozenset({"inbox", "snoozed", "drafts", "spam"})


def _places(entries: Sequence[MailboxEntry]) -> list[Box]:
    found = [INBOX_BOX, STARRED, SNOOZED_BOX]
    for slug in ("sent", "drafts", "archive", "spam", "trash"):
        try:
            found.append(special(slug, entries))
        except NoSuchMailbox:  # deleted by a mail program: it comes with its first use
            continue
    found.append(ALL)
    return found


async def _count(asked: Asked, box: Box) -> Counts:
    if box.slug not in _COUNTED:
        return Counts()
    try:
        return await asked.house.conversations.count(asked.name, box.view)
    except NoSuchMailbox:  # Snoozed, before anything was put off
        return Counts()


async def _folder(asked: Asked, entry: MailboxEntry) -> Entry:
    box = of_folder(entry.name)
    counts = await _count_folder(asked, box)
    depth = min(entry.name.count("/"), 3)
    return Entry(
        box.slug, box.href, box.name, box.icon, counts.unread, depth=depth, is_live=True
    )


async def _count_folder(asked: Asked, box: Box) -> Counts:
    try:
        return await asked.house.conversations.count(asked.name, box.view)
    except NoSuchMailbox:  # deleted a moment ago
        return Counts()


def _label(label: Label) -> Entry:
    box = of_label(label)
    return Entry(box.slug, box.href, label.name, box.icon, colour=label.colour)
