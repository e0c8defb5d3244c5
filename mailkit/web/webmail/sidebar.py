"""The navigation of every page: mailboxes with their numbers, labels, room left."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from attrs import frozen

from mailkit.errors import NoSuchMailbox
from mailkit.model.conversation import Counts, InMailbox, Labelled, View
from mailkit.model.label import Label, unnamed
from mailkit.model.mailbox import MailboxEntry, MailboxName
from mailkit.model.savedsearch import SavedSearch
from mailkit.services.sorting.labels import without_name
from mailkit.services.together import together
from mailkit.web.asking import Asked
from mailkit.web.webmail import searchlinks
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
    searches: Sequence[Entry]
    used: int
    quota: int

    @property
    def percent(self) -> int:
        """How much of the room is used."""
        return min(100, self.used * 100 // self.quota) if self.quota else 0


@frozen
class Around:
    """What an account has, as far as navigation goes."""

    entries: Sequence[MailboxEntry]
    labels: Sequence[Label]
    """Those that have a name."""
    keywords: Sequence[str]
    """Labels that have none."""
    searches: Sequence[SavedSearch]
    scheduled: int
    used: int

    @property
    def views(self) -> list[View]:
        """Of which the numbers are wanted, in the order in which `sidebar_of` does."""
        there = {one.name for one in self.entries if one.is_selectable}
        boxes = [one for one in _places(self.entries) if _is_counted(one, there)]
        boxes += [of_folder(entry.name) for entry in folders(self.entries)]
        return [one.view for one in boxes] + [Labelled(one) for one in self.keywords]


async def look_around(asked: Asked) -> Around:
    """What somebody has, but for the numbers; a fragment has no navigation."""
    house, name = asked.house, asked.name
    if asked.swap is not None:
        entries, labels = await together(
            house.store.mailboxes(name), house.personal.labels(name)
        )
        return Around(entries, labels, (), (), 0, 0)
    entries, labels, keywords, searches, scheduled, used = await together(
        house.store.mailboxes(name),
        house.personal.labels(name),
        house.personal.keywords(name),
        house.personal.searches(name),
        house.scheduled(name),
        house.store.used(name),
    )
    unknown = without_name(labels, keywords)
    return Around(entries, labels, unknown, searches, scheduled, used)


async def make_sidebar(asked: Asked) -> Sidebar:
    """What somebody has."""
    around = await look_around(asked)
    views = around.views
    counts = await asked.house.conversations.counts(asked.name, views)
    return await sidebar_of(asked, around, dict(zip(views, counts, strict=True)))


async def sidebar_of(
    asked: Asked, around: Around, counts: Mapping[View, Counts | None]
) -> Sidebar:
    """
    The navigation.

    :param counts: of all `Around.views`; ``None``: it was deleted a moment ago.
    """
    places = []
    for box in _places(around.entries):
        found = counts.get(box.view) if box.slug in _COUNTED else None
        number = 0
        if found is not None:
            number = found.total if box.shows_total else found.unread
        places.append(
            Entry(
                box.slug,
                box.href,
                asked.say(box.name),
                box.icon,
                number,
                not box.shows_total,
                is_live=box.slug in _COUNTED,
            )
        )
    slugs = [one.box for one in places]
    at = slugs.index("sent") + 1 if "sent" in slugs else len(places)
    places.insert(
        at,
        Entry(
            "scheduled",
            "/mail/scheduled",
            asked.say("Scheduled"),
            "scheduled",
            around.scheduled,
            False,
        ),
    )
    others = [
        unnamed(keyword)
        for keyword in around.keywords
        if (counts.get(Labelled(keyword)) or Counts()).total
    ]
    return Sidebar(
        places,
        [_folder(entry, counts) for entry in folders(around.entries)],
        [_label(label) for label in (*around.labels, *others)],
        [_search(search) for search in around.searches],
        around.used,
        await asked.house.quota_of(asked.name),
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


def _is_counted(box: Box, there: Collection[MailboxName]) -> bool:
    # There is no Snoozed before anything was put off.
    is_there = not isinstance(box.view, InMailbox) or box.view.name in there
    return is_there and box.slug in _COUNTED


def _folder(entry: MailboxEntry, counts: Mapping[View, Counts | None]) -> Entry:
    box = of_folder(entry.name)
    unread = (counts.get(box.view) or Counts()).unread
    depth = min(entry.name.count("/"), 3)
    return Entry(
        box.slug, box.href, box.name, box.icon, unread, depth=depth, is_live=True
    )


def _search(search: SavedSearch) -> Entry:
    slug = searchlinks.slug_of(search)
    return Entry(slug, searchlinks.address(search), search.name, "search")


def _label(label: Label) -> Entry:
    box = of_label(label)
    return Entry(box.slug, box.href, label.name, box.icon, colour=label.colour)
