"""One conversation: its messages, oldest first, and what is known about it."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote, urlencode

from attrs import frozen

from mailkit.errors import (
    Malformed,
    NoSuchMailbox,
    NoSuchMessage,
    NotAllowed,
    Refused,
    Unavailable,
)
from mailkit.model.conversation import InMailbox, Person, Summary
from mailkit.model.label import Label, unnamed
from mailkit.model.mailbox import MailboxEntry, SpecialUse
from mailkit.model.preferences import MarkRead
from mailkit.services.reading.authenticity import judge
from mailkit.services.sorting.labels import without_name
from mailkit.services.together import each, together
from mailkit.web.answers import Answer
from mailkit.web.asking import Asked
from mailkit.web.webmail.boxes import Box, find
from mailkit.web.webmail.facts import CURRENT
from mailkit.web.webmail.messageview import MessageView, Views
from mailkit.web.webmail.people import shown
from mailkit.web.webmail.rooms import Room

room = Room()

MOST_OPEN = 20
"""Messages that are shown whole at once; those before the first unread are folded."""

MOST_READY = 8
"""Read messages that can be unfolded without asking the server again."""

MOST_ROWS = 60
"""Messages of a long conversation that have a line; all others have one together."""

MOST_TURNED = 200
"""Messages that have a line where one turns to earlier or later ones."""

FROM_AFAR = 3
"""Folded messages above the first that is read, from which on the page begins there."""

_HIDDEN = frozenset((SpecialUse.TRASH, SpecialUse.JUNK))


@frozen
class Chip:
    """A label, or a mailbox, that the conversation has."""

    text: str
    colour: int


@frozen
class Known:
    """How many messages were exchanged with somebody, and since which year."""

    messages: int
    since: str


@frozen
class Viewpoint:
    """From which list conversations are looked at, and by whom."""

    box: Box
    entries: Sequence[MailboxEntry]
    labels: Sequence[Label]
    """Those that have a name."""
    own: frozenset[str]
    """Addresses of the person, in lower case."""
    domains: frozenset[str]
    """Those that they know: their own, and of people that they wrote to."""


@room.get("/mail/<slug:box>/c/<cid>")
async def conversation(asked: Asked, box: str, cid: str) -> Answer:
    """A conversation, come to from any list that it is in."""
    point = await viewpoint(asked, box)
    summaries, (newer, older) = await together(
        messages_of(asked, point, cid),
        asked.house.conversations.neighbours(asked.name, point.box.view, cid),
    )
    here = f"{point.box.href}/c/{quote(cid)}"
    views = Views(
        asked,
        here,
        point.own,
        point.domains,
        frozenset(asked.query.all("pictures")),
        frozenset(asked.query.all("dark")),
    )
    wanted = asked.query.text("m")
    begin = _begin(summaries, wanted)
    shown = _window(asked, len(summaries), begin)
    rows = {n: views.head(summaries[n]) for n in shown}
    await _open(asked, views, list(rows.values()), rows.get(begin), wanted)
    if begin in rows:
        rows[begin].is_focused = begin - shown.start >= FROM_AFAR or bool(wanted)
    await _mark_read(asked, point.box, summaries)
    judged = _judged(list(rows.values()))
    facts = {
        CURRENT: point.box.slug,
        "box": point.box,
        "box_name": asked.say(point.box.name) if point.box.is_ours else point.box.name,
        "cid": cid,
        "here": here,
        "whole": f"{here}?{urlencode({'m': wanted})}" if wanted else here,
        "print": f"{here}/print" + _asked_for(asked, summaries),
        "subject": subject_of(summaries) or asked.say("(no subject)"),
        "rows": list(rows.values()),
        "earlier": shown.start,
        "earlier_from": max(0, shown.start - MOST_TURNED),
        "later": len(summaries) - shown.stop,
        "later_from": shown.stop,
        "total": len(summaries),
        "newer": f"{point.box.href}/c/{quote(newer)}" if newer else "",
        "older": f"{point.box.href}/c/{quote(older)}" if older else "",
        "chips": _chips(asked, summaries, point.entries, point.labels),
        "judged": judged,
        "known": await _known(asked, judged),
        "people": _people(summaries, point.own),
        "files": [file for row in rows.values() for file in row.files],
        "last": _last(summaries),
        "left": asked.query.text("left"),
        "is_flagged": any(one.is_flagged for one in summaries),
        "marks_late": asked.preferences.mark_read is MarkRead.AFTER_2_S,
    }
    return asked.page("conversation.html", facts)


@room.post("/m/<mid>/pictures", action="act")
async def load_pictures(asked: Asked, mid: str) -> Answer:
    """Show pictures of other servers: this time, or (``always``) of this sender."""
    back = back_of(asked.form.text("back"))
    summary = await _summary(asked, mid)
    if asked.form.text("always") == "1":
        acquaintances = asked.house.acquaintances
        verdict = judge(
            summary,
            await acquaintances.domains(asked.name),
            await acquaintances.addresses(asked.name),
        )
        # A name that anybody can write is no reason to trust.
        if not verdict.may_be_trusted:
            raise NotAllowed("this sender could not be verified")
        await asked.house.personal.trust(asked.name, verdict.address)
    return asked.redirect(f"{back}?{urlencode({'m': mid, 'pictures': mid})}#m-{mid}")


@room.post("/m/<mid>/unsubscribe", action="act")
async def unsubscribe(asked: Asked, mid: str) -> Answer:
    """Leave a list by one click, which our server sends (RFC 8058 §3.1)."""
    back = back_of(asked.form.text("back"))
    message = await asked.house.reading.open(asked.name, mid)
    if not message.leaving.one_click:
        raise Refused("the message offers no such way")
    said = "yes"
    try:
        await asked.house.one_click.unsubscribe(message.leaving.one_click)
    except (Refused, Unavailable):  # the page offers the sender's own
        said = "no"
    return asked.redirect(f"{back}?{urlencode({'m': mid, 'left': said})}#m-{mid}")


def back_of(path: str) -> str:
    """
    Where a form of ours leads back to.

    :raises Malformed: for an address that is none of a conversation.
    """
    if not path.startswith("/mail/") or "//" in path or "\\" in path or "?" in path:
        raise Malformed("an address to go back to")
    return path


async def _summary(asked: Asked, mid: str) -> Summary:
    found = await asked.house.conversations.message(asked.name, mid)
    if found is None:
        raise NoSuchMessage(mid)
    return found


async def viewpoint(asked: Asked, slug: str) -> Viewpoint:
    """
    What is to be known of a list before a conversation in it is shown.

    :param slug: of the list (`Box.slug`).
    :raises NoSuchMailbox: if there is none.
    """
    house, name = asked.house, asked.name
    entries, labels, addresses, domains = await together(
        house.store.mailboxes(name),
        house.personal.labels(name),
        house.acquaintances.addresses(name),
        house.acquaintances.domains(name),
    )
    own = frozenset(one.lower() for one in addresses)
    return Viewpoint(find(slug, entries, labels), entries, labels, own, domains)


async def messages_of(asked: Asked, point: Viewpoint, cid: str) -> list[Summary]:
    """Those of a conversation that are shown: not what lies in Trash or Junk only."""
    found = await asked.house.conversations.conversation(asked.name, cid)
    view = point.box.view
    viewed = view.name if isinstance(view, InMailbox) else None
    hidden = {
        entry.name
        for entry in point.entries
        if entry.special_use in _HIDDEN and entry.name != viewed
    }
    kept = [
        one for one in found if any(place.mailbox not in hidden for place in one.places)
    ]
    if not kept and not found:
        raise NoSuchMessage(cid)
    # What was just thrown away is still shown where somebody comes back to it.
    return kept or list(found)


def _begin(summaries: Sequence[Summary], wanted: str) -> int:
    """Where reading begins: what was asked for, the first unread, or the last."""
    letters = [n for n, one in enumerate(summaries) if not one.is_draft]
    for n, one in enumerate(summaries):
        if one.email_id == wanted:
            return n
    unread = (n for n in letters if summaries[n].is_unread)
    return next(unread, letters[-1] if letters else len(summaries) - 1)


def _window(asked: Asked, total: int, begin: int) -> range:
    """Which messages have a line: those around the first, or those turned to."""
    if "from" in asked.query:
        start = max(0, min(asked.query.number("from", 0), total - 1))
        return range(total)[start : start + MOST_TURNED]
    start = max(0, min(begin - 1, total - MOST_ROWS))
    return range(total)[start : start + MOST_ROWS]


async def _open(
    asked: Asked,
    views: Views,
    rows: Sequence[MessageView],
    begin: MessageView | None,
    wanted: str,
) -> None:
    """Unfold what is unread, and have the latest of the others at hand."""
    chosen: list[MessageView] = []
    ready = set(range(max(0, len(rows) - MOST_READY), len(rows)))
    for n, row in enumerate(rows):
        unfolds = row is begin or (row.summary.is_unread and not wanted)
        if row.summary.is_draft or not (unfolds or n in ready):
            continue
        if len(chosen) >= MOST_OPEN and row is not begin:
            continue
        row.is_open = unfolds
        chosen.append(row)
    await each(_load(asked, views, row) for row in chosen)


async def _load(asked: Asked, views: Views, row: MessageView) -> None:
    try:
        message = await asked.house.reading.open_known(asked.name, row.summary)
        await views.load(row, message)
    except (NoSuchMessage, NoSuchMailbox):
        row.error = asked.say("This message is not there any more.")
    except Unavailable:
        row.error = asked.say("This message cannot be read just now. Try again.")
    row.is_loaded = True


async def _mark_read(asked: Asked, box: Box, summaries: Sequence[Summary]) -> None:
    """The one thing that a GET changes: a person opens it now, and wants it so."""
    if not asked.is_navigation or asked.method != "GET":
        return
    if asked.preferences.mark_read is not MarkRead.AT_ONCE:
        return
    unread = [one for one in summaries if one.is_unread]
    if not unread:
        return
    await asked.house.marking.read(asked.name, unread)
    if box.slug not in ("spam", "trash"):
        await asked.house.acquaintances.note_read(asked.name, unread)


def _asked_for(asked: Asked, summaries: Sequence[Summary]) -> str:
    """Messages whose pictures are shown this time, for another page."""
    wanted = set(asked.query.all("pictures"))
    ids = [one.email_id for one in summaries if one.email_id in wanted]
    return f"?{urlencode([('pictures', id) for id in ids])}" if ids else ""


def subject_of(summaries: Sequence[Summary]) -> str:
    """The first that there is; empty: none has one."""
    return next((one.subject for one in summaries if one.subject.strip()), "")


def _judged(rows: Sequence[MessageView]) -> MessageView | None:
    """The newest message of somebody else, which the rail is about."""
    for row in reversed(rows):
        if row.authenticity is not None and not row.is_mine:
            return row
    return None


async def _known(asked: Asked, judged: MessageView | None) -> Known | None:
    """How long the person has known them."""
    if judged is None or judged.authenticity is None:
        return None
    address = judged.authenticity.address
    found = await asked.house.acquaintances.known(asked.name, address)
    if found is None:
        return Known(0, "")
    # What is being read for the first time is counted, and says nothing.
    number = found.sent + found.received
    return Known(0 if number < 2 else number, asked.dates.iso(found.first)[:4])


def _last(summaries: Sequence[Summary]) -> str:
    """The id of the message that is answered below: the last that is no draft."""
    letters = [one for one in summaries if not one.is_draft]
    return (letters or summaries)[-1].email_id


def _people(summaries: Sequence[Summary], own: frozenset[str]) -> list[Person]:
    """Who takes part, each once, at most a dozen."""
    found: dict[str, Person] = {}
    for one in summaries:
        for person in (*one.from_, *one.to[:20], *one.cc[:20]):
            key = person.address.lower()
            if key and key not in own and len(found) < 12:
                found.setdefault(key, Person(shown(person), person.address))
    return list(found.values())


def _chips(
    asked: Asked,
    summaries: Sequence[Summary],
    entries: Sequence[MailboxEntry],
    labels: Sequence[Label],
) -> list[Chip]:
    keywords = {one.lower() for summary in summaries for one in summary.keywords}
    found = [
        Chip(one.name, one.colour) for one in labels if one.keyword.lower() in keywords
    ]
    for keyword in without_name(labels, {k for s in summaries for k in s.keywords}):
        label = unnamed(keyword)
        found.append(Chip(label.name, label.colour))
    names = sorted({place.mailbox for one in summaries for place in one.places})
    uses = {entry.name: entry.special_use for entry in entries}
    for name in names:
        use = uses.get(name)
        word = _PLACES.get(use) if use else ("Inbox" if name == "INBOX" else name)
        if word:
            found.append(Chip(asked.say(word), 6))
    return found


_PLACES = {
    SpecialUse.ARCHIVE: "Archive",
    SpecialUse.JUNK: "Spam",
    SpecialUse.TRASH: "Trash",
}
"""Mailboxes that are worth a word above a conversation: not Sent and Drafts."""
