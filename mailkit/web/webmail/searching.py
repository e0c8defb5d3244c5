"""
Search: what was found, and the form for those who do not know the words.

The words of the box are the only state: the form writes them (``/search/options`` leads
to ``/search?q=…``), and a page of results can be kept as a link.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from attrs import frozen

from mailkit.formats.finding import Note
from mailkit.services.finding.marks import marked
from mailkit.web.answers import Answer
from mailkit.web.asking import Asked
from mailkit.web.dates import zone
from mailkit.web.webmail import ranges, searchlinks
from mailkit.web.webmail.facts import CURRENT
from mailkit.web.webmail.listing import (
    ARCHIVE,
    DELETE,
    LABEL,
    MOVE,
    READ,
    SNOOZE,
    SPAM,
    STAR,
    UNREAD,
    UNSTAR,
    Button,
)
from mailkit.web.webmail.rooms import Room
from mailkit.web.webmail.rowviews import RowViews

room = Room()

MOST = 50
"""Rows of a page."""

BULK: Sequence[Button] = (ARCHIVE, DELETE, SPAM, UNREAD, SNOOZE, LABEL)
MORE: Sequence[Button] = (READ, MOVE, STAR, UNSTAR)
ROW: Sequence[Button] = (ARCHIVE, DELETE, UNREAD, SNOOZE)


def _(text: str) -> str:
    """Marks words for the catalogues; they are translated where they are shown."""
    return text


@frozen
class Option:
    """One field of the form, and the operator that it writes."""

    name: str
    label: str
    operator: str
    kind: str = "text"


OPTIONS = (
    Option("from", _("From"), "from"),
    Option("to", _("To"), "to"),
    Option("subject", _("Subject"), "subject"),
    # Not "words": every page has an element of that name.
    Option("has", _("Has the words"), ""),
    Option("not", _("Does not have"), "-"),
    Option("filename", _("Name of a file"), "filename"),
    Option("after", _("Since"), "after", "date"),
    Option("before", _("Before"), "before", "date"),
    Option("larger", _("Larger than (5M, 300K)"), "larger"),
)


@room.get("/search")
async def search(asked: Asked) -> Answer:
    """What was found, the newest first; without words the form."""
    text = asked.query.text("q")
    if not text:
        return asked.redirect("/search/options")
    house, name = asked.house, asked.name
    after = asked.query.text("after")
    results = await house.finding.find(
        name,
        text,
        zone(asked.zone_name),
        int(after) if after.isdecimal() and len(after) < 19 else None,
        MOST,
        grouped=asked.preferences.grouped,
    )
    entries = await house.store.mailboxes(name)
    labels = await house.personal.labels(name)
    searches = await house.personal.searches(name)
    views = RowViews(asked, None, entries, labels)
    words = results.words
    shown = ranges.range_of(
        len(results.rows),
        asked.query.number(ranges.AT, 0),
        None,
        has_newer=bool(after),
        has_older=results.next is not None,
    )
    facts = {
        CURRENT: searchlinks.current(searches, text),
        "text": text,
        "keep": f"{searchlinks.PAGE}?{urlencode({'q': text})}",
        "range": shown,
        "groups": views.groups(results.rows),
        "shown": " ".join(
            row.thread_id if asked.preferences.grouped else row.newest.email_id
            for row in results.rows
        ),
        "field": "c" if asked.preferences.grouped else "m",
        "marked": lambda said: marked(said, words),
        "notes": [_note(asked, note) for note in results.notes],
        "is_cut": results.is_cut,
        "unread": results.unread,
        "everywhere": _address(f"{text} in:anywhere") if results.leaves_out else "",
        "is_first": not after,
        "here": _address(
            text, after, {} if shown is None else {ranges.AT: str(shown.first)}
        ),
        "first": _address(text),
        "older": ""
        if results.next is None
        else _address(text, str(results.next), ranges.older(shown)),
        "bulk": BULK,
        "more": MORE,
        "row_buttons": ROW,
    }
    return asked.page("search.html", facts)


@room.get("/search/options")
async def options(asked: Asked) -> Answer:
    """The form, which writes the words of the box."""
    query = asked.query
    if "find" in query:
        words = _written(asked)
        if words:
            return asked.redirect(_address(words))
    house, name = asked.house, asked.name
    labels = await house.sorting.labels.labels(name)
    folders = await house.sorting.folders.folders(name)
    facts = {
        CURRENT: "search",
        "options": OPTIONS,
        "labels": [(one.slug, one.name) for one in labels],
        "folders": [one.name for one in folders if one.is_selectable],
    }
    return asked.page("options.html", facts)


def _written(asked: Asked) -> str:
    """The words that the form means."""
    query = asked.query
    parts: list[str] = []
    for option in OPTIONS:
        value = query.text(option.name).replace('"', " ").strip()
        if not value:
            continue
        match option.operator:
            case "":
                parts.append(value)
            case "-":
                parts += (f"-{word}" for word in value.split())
            case operator:
                is_one = len(value.split()) == 1
                parts.append(f"{operator}:{value if is_one else _quoted(value)}")
    if query.is_on("files"):
        parts.append("has:attachment")
    if query.is_on("starred"):
        parts.append("is:starred")
    if query.is_on("unread"):
        parts.append("is:unread")
    for operator in ("in", "label"):
        value = query.text(operator).replace('"', " ")
        if value:
            parts.append(f"{operator}:{_quoted(value) if ' ' in value else value}")
    return " ".join(parts)


def _quoted(value: str) -> str:
    return f'"{" ".join(value.split())}"'


def _address(text: str, after: str = "", at: Mapping[str, str] | None = None) -> str:
    pairs = {"q": text}
    if after:
        pairs |= {"after": after, **(at or {})}
    return f"/search?{urlencode(pairs)}"


def _note(asked: Asked, note: Note) -> str:
    words = {"operator": f"{note.operator}:", "value": note.value}
    if note.value:
        text = _("“%(operator)s%(value)s” is no search word that we know; it was "
                 "looked for as it stands.")  # fmt: skip
    else:
        text = _("Nothing stands behind “%(operator)s”; it was looked for as it "
                 "stands.")  # fmt: skip
    return asked.say(text) % words
