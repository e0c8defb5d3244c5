"""
Lists of mail: mailboxes, labels, folders.

The list is one form that is sent to ``/act`` (see `mailkit.web.webmail.acting`): ``c``
or ``m`` for each row that is ticked, ``box``, ``back``, and the button ``op``; a row's
own buttons are called as what they do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from attrs import evolve, frozen

from mailkit.errors import NoSuchMailbox
from mailkit.model.conversation import Counts, Cursor, Page, Row
from mailkit.model.mailbox import INBOX
from mailkit.model.snooze import Snooze, Woken
from mailkit.services.together import together
from mailkit.web.answers import Answer
from mailkit.web.asking import Asked
from mailkit.web.webmail import ranges
from mailkit.web.webmail.boxes import INBOX_BOX, SNOOZED_BOX, Box, find
from mailkit.web.webmail.facts import CURRENT, SIDEBAR
from mailkit.web.webmail.rooms import Room
from mailkit.web.webmail.rowviews import Group, RowViews
from mailkit.web.webmail.sidebar import look_around, sidebar_of

room = Room()

MOST = 50
"""Rows of a page."""

MOST_BACK = 20
"""Rows on top of the inbox that came back from being put off."""


def _(text: str) -> str:
    """Marks words for the catalogues; they are translated where they are shown."""
    return text


@frozen(cache_hash=True)
class Button:
    """What may be done with rows."""

    op: str
    name: str
    icon: str
    key: str = ""
    """That does the same."""


ARCHIVE = Button("archive", _("Archive"), "archive", "e")
DELETE = Button("delete", _("Delete"), "trash", "#")
FOREVER = Button("forever", _("Delete for ever"), "trash", "#")
SPAM = Button("spam", _("Report spam"), "spam", "!")
NOT_SPAM = Button("notspam", _("Not spam"), "inbox", "!")
READ = Button("read", _("Mark as read"), "read", "Shift+I")
UNREAD = Button("unread", _("Mark as unread"), "unread", "Shift+U")
SNOOZE = Button("snooze", _("Snooze"), "clock", "b")
UNSNOOZE = Button("unsnooze", _("Bring back now"), "inbox", "b")
LABEL = Button("label", _("Label"), "label", "l")
UNLABEL = Button("unlabel", _("Remove a label"), "label")
MOVE = Button("move", _("Move to"), "folder", "v")
STAR = Button("star", _("Star"), "star", "s")
UNSTAR = Button("unstar", _("Remove star"), "star", "s")
MUTE = Button("mute", _("Mute"), "mute", "m")

_BULK = (ARCHIVE, DELETE, SPAM, UNREAD, SNOOZE, LABEL)
_BULKS = {
    "archive": (MOVE, DELETE, SPAM, UNREAD, SNOOZE, LABEL),
    "spam": (NOT_SPAM, FOREVER, READ, UNREAD),
    "trash": (MOVE, FOREVER, READ, UNREAD),
    "snoozed": (UNSNOOZE, DELETE, SPAM, UNREAD, SNOOZE, LABEL),
    "sent": (ARCHIVE, DELETE, UNREAD, LABEL),
    "drafts": (DELETE,),
}
_MORE = (READ, MOVE, STAR, UNSTAR, UNLABEL, MUTE)
_MORES = {"spam": (), "trash": (), "drafts": (), "sent": (READ, MOVE, STAR, UNSTAR)}
_ROW = (ARCHIVE, DELETE, UNREAD, SNOOZE)
_ROWS = {
    "archive": (DELETE, UNREAD, SNOOZE),
    "spam": (NOT_SPAM, FOREVER, UNREAD),
    "trash": (FOREVER, UNREAD),
    "snoozed": (UNSNOOZE, DELETE, UNREAD),
    "sent": (ARCHIVE, DELETE),
    "drafts": (DELETE,),
}

_EMPTY = {
    "inbox": (_("Nothing waiting"), _("New mail shows up here by itself. Enjoy the "
                                      "quiet.")),
    "starred": (_("No stars yet"), _("Star what you want to find again quickly.")),
    "snoozed": (_("Nothing put off"), _("Snoozed mail waits here and comes back by "
                                        "itself.")),
    "sent": (_("Nothing sent yet"), _("What you send is kept here.")),
    "drafts": (_("No drafts"), _("What you begin to write is saved here.")),
    "archive": (_("The archive is empty"), _("Archived mail leaves the inbox and is "
                                             "kept here.")),
    "spam": (_("No spam"), _("Nothing suspicious came in.")),
    "trash": (_("The Trash is empty"), _("Deleted mail lies here until you empty it.")),
}  # fmt: skip
_EMPTY_OTHER = (_("Nothing here"), _("There is no mail in this list."))


@room.get("/mail/<slug:box>")
async def mailbox(asked: Asked, box: str) -> Answer:
    """A mailbox of ours (``inbox``, ``starred`` …), a label, or a folder."""
    house, name = asked.house, asked.name
    after = asked.query.text("after")
    cursor = Cursor.from_text(after) if after else None
    around = await look_around(asked)
    listed = find(box, around.entries, around.labels)
    views = [listed.view] if asked.swap else [listed.view, *around.views]
    # The page takes longest: asked for last, it is told together with the others.
    counts, woken, snoozes, page = await together(
        house.conversations.counts(name, views),
        _woken(asked, listed),
        _snoozes(asked, listed),
        _page(asked, listed, cursor),
    )
    found = dict(zip(views, counts, strict=True))
    back = await _back(asked, woken)
    rows = RowViews(
        asked, listed, around.entries, around.labels, _until(snoozes), _since(woken)
    )
    total = found[listed.view] or Counts()
    shown = ranges.range_of(
        len(page.rows),
        asked.query.number(ranges.AT, 0),
        # What is kept is how many messages there are, not how many conversations.
        None if asked.preferences.grouped else total.total,
        has_newer=page.has_newer,
        has_older=page.next is not None,
    )
    above = {"after": after} if after else {}
    if above and shown is not None:
        above[ranges.AT] = str(shown.first)
    facts = {
        CURRENT: listed.slug,
        "box": listed,
        "box_name": asked.say(listed.name) if listed.is_ours else listed.name,
        "groups": _groups(asked, rows, page, back),
        "shown": " ".join(_ids(asked, page)),
        "counts": total,
        "range": shown,
        "field": "c" if asked.preferences.grouped else "m",
        "bulk": _BULKS.get(box, _BULK),
        "more": _MORES.get(box, _MORE),
        "row_buttons": _ROWS.get(box, _ROW),
        "here": asked.path + (f"?{urlencode(above)}" if above else ""),
        "newer": _newer(listed, page, ranges.newer(shown, MOST)),
        "older": _address(listed, page.next, ranges.older(shown)) if page.next else "",
        "empty": _EMPTY.get(box, _EMPTY_OTHER),
        "is_first": cursor is None,
        "tips": box == "inbox" and not asked.preferences.tips_dismissed,
        "can_empty": box in ("trash", "spam") and bool(page.rows),
    }
    if not asked.swap:
        facts[SIDEBAR] = await sidebar_of(asked, around, found)
    return asked.page("list.html", facts)


@room.post("/tips", action="settings")
async def dismiss_tips(asked: Asked) -> Answer:
    """The first steps are shown no more."""
    changed = evolve(asked.preferences, tips_dismissed=True)
    await asked.house.personal.change(asked.name, changed)
    return asked.redirect("/mail/inbox")


async def _woken(asked: Asked, box: Box) -> Sequence[Woken]:
    return await asked.house.personal.woken(asked.name) if box is INBOX_BOX else ()


async def _snoozes(asked: Asked, box: Box) -> Sequence[Snooze]:
    if box is not SNOOZED_BOX:
        return ()
    return await asked.house.personal.snoozes(asked.name)


async def _back(asked: Asked, woken: Sequence[Woken]) -> Sequence[Row]:
    """What came back and nobody has read: on top, however old it is."""
    house, name = asked.house, asked.name
    if not woken:
        return ()
    ids = [one.email_id for one in woken[:MOST_BACK]]
    places = [
        place
        for message in await house.conversations.messages(name, ids)
        if message.is_unread
        for place in message.places
        if place.mailbox == INBOX
    ]
    grouped = asked.preferences.grouped
    rows = await house.conversations.rows(name, places, grouped=grouped)
    found: dict[str, Row] = {}
    for row in rows:
        found.setdefault(_key(row, grouped=grouped), row)
    return list(found.values())


def _groups(
    asked: Asked, views: RowViews, page: Page, back: Sequence[Row]
) -> list[Group]:
    grouped = asked.preferences.grouped
    on_top = {_key(row, grouped=grouped) for row in back}
    rest = [row for row in page.rows if _key(row, grouped=grouped) not in on_top]
    groups = views.groups(rest)
    if back and "after" not in asked.query:
        top = Group(asked.say("Back from snooze"), [views.view(row) for row in back])
        groups.insert(0, top)
    return groups


def _key(row: Row, *, grouped: bool) -> str:
    return row.thread_id if grouped else row.newest.email_id


async def _page(asked: Asked, box: Box, cursor: Cursor | None) -> Page:
    try:
        return await asked.house.conversations.page(
            asked.name, box.view, cursor, MOST, grouped=asked.preferences.grouped
        )
    except NoSuchMailbox:
        if box is not SNOOZED_BOX:
            raise
        # It is made when the first message is put off.
        return Page(())


def _ids(asked: Asked, page: Page) -> Sequence[str]:
    if asked.preferences.grouped:
        return [row.thread_id for row in page.rows]
    return [row.newest.email_id for row in page.rows]


def _newer(box: Box, page: Page, at: Mapping[str, str]) -> str:
    if not page.has_newer:
        return ""
    return _address(box, page.previous, at) if page.previous else box.href


def _address(box: Box, cursor: Cursor, at: Mapping[str, str]) -> str:
    return f"{box.href}?{urlencode({'after': cursor.to_text(), **at})}"


def _until(snoozes: Sequence[Snooze]) -> dict[str, float]:
    return {one.email_id: one.until for one in snoozes}


def _since(woken: Sequence[Woken]) -> dict[str, float]:
    return {one.thread_id: one.since for one in woken}
