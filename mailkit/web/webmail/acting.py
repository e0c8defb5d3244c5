"""Forms that sort mail, and the way back from each of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from gettext import NullTranslations
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from attrs import evolve, frozen

from mailkit.errors import AlreadyExists, CannotName, Malformed, NoSuchItem, TooMany
from mailkit.model.address import AccountName
from mailkit.model.conversation import Everything, InMailbox, Place
from mailkit.model.label import keyword_of
from mailkit.model.mailbox import MailboxName
from mailkit.services.sorting.actions import MOST, Action, Done, Op, Targets
from mailkit.services.sorting.places import Special
from mailkit.services.sorting.room import SortingRoom
from mailkit.services.sorting.times import Offer, offers
from mailkit.web.answers import Answer
from mailkit.web.asking import Asked
from mailkit.web.dates import zone
from mailkit.web.fields import Fields
from mailkit.web.webmail.boxes import Box, find
from mailkit.web.webmail.done import said
from mailkit.web.webmail.facts import CURRENT
from mailkit.web.webmail.rooms import Room

room = Room()

MOST_CHOSEN = 1000
"""Conversations that one form names; more are chosen by ``all``."""

_ONE = frozenset(
    (
        Op.ARCHIVE,
        Op.DELETE,
        Op.FOREVER,
        Op.SPAM,
        Op.NOT_SPAM,
        Op.STAR,
        Op.UNSTAR,
        Op.READ,
        Op.UNREAD,
        Op.SNOOZE,
        Op.UNSNOOZE,
    )
)
"""What a button in a row does to that row alone: its name is the action's."""

_INBOX = "/mail/inbox"

_LONGEST_ADDRESS = 8000
"""Octets of an address that names what is chosen (RFC 9110 §4.1)."""


def _(text: str) -> str:
    """Marks words for the catalogues; they are translated where they are shown."""
    return text


_OFFERS = {
    Offer.LATER_TODAY: _("Later today"),
    Offer.TOMORROW: _("Tomorrow"),
    Offer.WEEKEND: _("This weekend"),
    Offer.NEXT_WEEK: _("Next week"),
}
_QUESTIONS = {
    Op.SNOOZE: _("Snooze until"),
    Op.LABEL: _("Add a label"),
    Op.UNLABEL: _("Remove a label"),
    Op.MOVE: _("Move to"),
}


@frozen
class _Form:
    """What a form asks for."""

    op: Op
    chosen: tuple[str, ...]
    """Conversations."""
    messages: tuple[str, ...]
    is_all: bool
    box: str
    query: str
    back: str
    here: str
    """Where it was asked for, and what gives it up leads to; empty: `back`."""

    @property
    def is_empty(self) -> bool:
        return not (self.chosen or self.messages or self.is_all)

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """The same as fields, for a form that asks for the rest."""
        return [
            ("op", self.op.value),
            ("box", self.box),
            ("q", self.query),
            ("back", self.back),
            *(("c", one) for one in self.chosen),
            *(("m", one) for one in self.messages),
            *([("all", "1")] if self.is_all else []),
            *([("here", self.here)] if self.here else []),
        ]


@room.post("/act", action="act")
async def act(asked: Asked) -> Answer:
    """
    Do something with mail.

    ``op`` is one of `Op`; ``c`` names conversations (several values, or several ids in
    one, separated by spaces), ``m`` messages; ``all=1`` means everything in ``box``, or
    everything that ``q`` finds. ``label`` is a label's slug (``new``: the name of a new
    one), ``to`` a mailbox's name, ``until`` one of `Offer`, seconds since 1970 or a
    local time. Instead of ``op`` and ``c``, a button may be called as an action and
    have a conversation as its value. What is missing is asked for on a page. ``back``
    is where to be afterwards, ``here`` where to be if nothing is done after all;
    ``quiet=1`` wants no page at all.
    """
    form = _read(asked, asked.form)
    if form.is_empty:
        return asked.redirect(form.back)
    action = await _action(asked, form)
    if isinstance(action, str):
        # A question has an address: it can be come back to, and loaded again.
        address = f"/act?{urlencode(form.hidden)}"
        if not action and len(address) <= _LONGEST_ADDRESS:
            return asked.redirect(address)
        return await _ask(asked, form, action)
    done = await asked.house.sorting.actions.act(
        asked.name, action, await _targets(asked, form)
    )
    return _answer(asked, form.back, done)


@room.get("/act", links=False)
async def ask(asked: Asked) -> Answer:
    """The question of an action that lacks something; nothing is done."""
    if not asked.query.text("op"):
        return asked.redirect(back_of(asked.query.text("back")))
    form = _read(asked, asked.query)
    if form.op not in _QUESTIONS:
        return asked.redirect(form.back)
    return await _ask(asked, form, "")


async def say_undone(
    sorting: SortingRoom, account: AccountName, token: str, words: NullTranslations
) -> str:
    """What a token would undo, for `WebmailHouse.undone`."""
    done = await sorting.undoing.done(account, token)
    return "" if done is None else said(done, words)


@room.post("/undo/<token>", action="act")
async def undo(asked: Asked, token: str) -> Answer:
    """The way back; ten minutes long."""
    back = back_of(asked.form.text("back"))
    if await asked.house.sorting.undoing.undo(asked.name, token) is None:
        raise NoSuchItem("the way back")
    if asked.form.is_on("quiet"):
        return asked.empty()
    return asked.redirect(back)


@room.get("/empty/<box>")
async def ask_to_empty(asked: Asked, box: str) -> Answer:
    """The one question: nothing brings back what this takes away."""
    name, found = await _unwanted(asked, box)
    total = await asked.house.sorting.actions.count(asked.name, name)
    facts = {CURRENT: box, "box": found, "total": total}
    return asked.page("empty.html", facts)


@room.post("/empty/<box>", action="act")
async def empty(asked: Asked, box: str) -> Answer:
    """Remove all that lies in Trash or Spam, for good."""
    name, found = await _unwanted(asked, box)
    await asked.house.sorting.actions.empty(asked.name, name)
    return asked.redirect(found.href)


def back_of(path: str, default: str = _INBOX) -> str:
    """Where a form leads back to: an address of ours, without what was done before."""
    if not path.startswith("/") or path.startswith("//") or "\\" in path:
        return default
    if not path.isprintable() or not path.isascii():
        return default
    parts = urlsplit(path)
    pairs = [pair for pair in parse_qsl(parts.query) if pair[0] != "done"]
    return parts.path + (f"?{urlencode(pairs)}" if pairs else "")


def _answer(asked: Asked, back: str, done: Done) -> Answer:
    if not asked.form.is_on("quiet"):
        return asked.redirect(back, undo=done.token)
    words = said(done, asked.language.words)
    answer = asked.empty(undo=done.token)
    return answer.with_headers({"X-Mailkit-Said": quote(words)})


def _read(asked: Asked, form: Fields) -> _Form:
    """:raises Malformed:"""
    name = form.text("op") or asked.query.text("op")
    chosen = _ids(form.all("c"))
    messages = _ids(form.all("m"))
    is_all = form.is_on("all")
    for one in _ONE:
        if one.value in form and not name:
            name = one.value
            chosen, messages, is_all = _ids(form.all(name)), (), False
            if not asked.preferences.grouped:
                chosen, messages = (), chosen
    try:
        op = Op(name)
    except ValueError:
        raise Malformed(f"op {name[:40]}") from None
    if len(chosen) + len(messages) > MOST_CHOSEN:
        raise Malformed("too many conversations")
    return _Form(
        op,
        chosen,
        messages,
        is_all,
        form.text("box"),
        form.text("q"),
        back_of(form.text("back")),
        back_of(form.text("here"), ""),
    )


def _ids(values: Sequence[str]) -> tuple[str, ...]:
    found = [one for value in values for one in value.split()]
    return tuple(dict.fromkeys(found))


async def _action(asked: Asked, form: _Form) -> Action | str:
    """The whole of it, or what is wrong with what is asked for; "": not there yet."""
    action = Action(form.op)
    given = {**_given(asked)}
    match form.op:
        case Op.SNOOZE:
            until = _until(asked, given["until"])
            if until is None:
                return (
                    asked.say("That is not a time to come.") if given["until"] else ""
                )
            return evolve(action, until=until)
        case Op.LABEL if given["new"]:
            try:
                label = await asked.house.sorting.labels.create(
                    asked.name, given["new"]
                )
            except AlreadyExists:
                return await _named(asked, action, given["new"])
            except (CannotName, TooMany):
                return asked.say("No label can be called that.")
            return evolve(action, label=label.keyword)
        case Op.LABEL | Op.UNLABEL:
            keyword = keyword_of(given["label"]) if given["label"] else ""
            for label in await asked.house.sorting.labels.labels(asked.name):
                if label.keyword.lower() == keyword.lower():
                    return evolve(action, label=label.keyword)
            return asked.say("There is no such label.") if keyword else ""
        case Op.MOVE:
            if not given["to"]:
                return ""
            return evolve(action, to=MailboxName(given["to"]))
        case _:
            return action


async def _named(asked: Asked, action: Action, name: str) -> Action:
    """The label that has that name already."""
    folded = " ".join(name.split()).casefold()
    labels = await asked.house.personal.labels(asked.name)
    label = next(one for one in labels if one.name.casefold() == folded)
    return evolve(action, label=label.keyword)


def _given(asked: Asked) -> dict[str, str]:
    """Of the form, or of the address that a button of it leads to."""
    names = ("until", "label", "new", "to")
    return {name: asked.form.text(name) or asked.query.text(name) for name in names}


def _until(asked: Asked, text: str) -> float | None:
    now = asked.house.now()
    where = zone(asked.zone_name)
    for one in offers(datetime.fromtimestamp(now, UTC).astimezone(where)):
        if one.offer.value == text:
            return one.at.timestamp()
    if text.isascii() and text.isdigit() and len(text) < 12:
        until = float(text)
    else:
        try:
            until = datetime.fromisoformat(text).replace(tzinfo=where).timestamp()
        except (ValueError, OverflowError):
            return None
    return until if until > now else None


async def _targets(asked: Asked, form: _Form) -> Targets:
    house, name = asked.house, asked.name
    if form.query:
        return Targets(Everything(), found=await _found(asked, form))
    entries = await house.store.mailboxes(name)
    labels = await house.personal.labels(name)
    view = find(form.box, entries, labels).view if form.box else Everything()
    if form.messages:
        return Targets(view, email_ids=form.messages)
    return Targets(view, None if form.is_all else form.chosen)


async def _found(asked: Asked, form: _Form) -> Sequence[Place]:
    """What a search shows, wherever it lies."""
    house, name = asked.house, asked.name
    if form.is_all:
        where = zone(asked.zone_name)
        return await house.finding.places(name, form.query, where, MOST + 1)
    places: list[Place] = []
    for message in await house.conversations.messages(name, form.messages):
        places += message.places
    for cid in form.chosen:
        for message in await house.conversations.conversation(name, cid):
            places += message.places
    return places


async def _ask(asked: Asked, form: _Form, error: str) -> Answer:
    """A page that asks for the rest: until when, which label, which mailbox."""
    house, name = asked.house, asked.name
    facts: dict[str, object] = {
        "question": asked.say(_QUESTIONS[form.op]),
        "hidden": form.hidden,
        "back": form.here or form.back,
        "error": error,
        "field": "",
        "choices": [],
        "op": form.op.value,
    }
    match form.op:
        case Op.SNOOZE:
            now = asked.house.now()
            where = zone(asked.zone_name)
            local = datetime.fromtimestamp(now, UTC).astimezone(where)
            facts["field"] = "until"
            facts["choices"] = [
                (
                    one.offer.value,
                    asked.say(_OFFERS[one.offer]),
                    asked.dates.long(one.at.timestamp()),
                    "clock",
                    0,
                )
                for one in offers(local)
            ]
            facts["least"] = f"{local:%Y-%m-%dT%H:%M}"
        case Op.MOVE:
            facts["field"] = "to"
            facts["choices"] = await _mailboxes(asked)
        case _:
            facts["field"] = "label"
            facts["choices"] = [
                (one.slug, one.name, "", "", one.colour)
                for one in await house.sorting.labels.labels(name)
            ]
    return asked.page("choose.html", facts, status=422 if error else 200)


async def _mailboxes(asked: Asked) -> list[tuple[str, str, str, str, int]]:
    special = await Special.of(asked.house.store, asked.name)
    ours = [
        ("INBOX", asked.say("Inbox"), "inbox"),
        (special.archive, asked.say("Archive"), "archive"),
        (special.junk, asked.say("Spam"), "spam"),
        (special.trash, asked.say("Trash"), "trash"),
    ]
    folders = await asked.house.sorting.folders.folders(asked.name)
    own = [(one.name, one.name, "folder") for one in folders if one.is_selectable]
    return [(name, said, "", icon, 0) for name, said, icon in [*ours, *own]]


async def _unwanted(asked: Asked, slug: str) -> tuple[MailboxName, Box]:
    """:raises NoSuchMailbox: if it is neither Trash nor Spam."""
    entries = await asked.house.store.mailboxes(asked.name)
    box = find(slug, entries)
    if slug not in ("trash", "spam") or not isinstance(box.view, InMailbox):
        raise NoSuchItem(slug)
    return box.view.name, box
