"""What a form of the composer brings, and how its answer is wanted."""

from __future__ import annotations

from attrs import evolve

from mailkit.errors import Malformed, NoSuchDraft
from mailkit.model.draft import DraftId, Opening, Purpose, Writing
from mailkit.services.composing.errors import CannotSend, Lack
from mailkit.services.composing.when import read as read_moment
from mailkit.web.asking import Asked
from mailkit.web.dates import zone
from mailkit.web.webmail.composeview import Given

_PURPOSES = ("reply", "all", "fwd", "fwdatt", "as", "edit")


def given_of(asked: Asked) -> Given:
    """
    What was written, and which revision of the draft it was written on.

    :raises Malformed: for a purpose that is none.
    """
    form = asked.form
    revision = form.number("rev", 0)
    match = asked.headers.get("if-match", "").strip().strip('"')
    if match.isascii() and match.isdigit() and len(match) < 10:
        revision = int(match)
    try:
        purpose = Purpose(form.text("purpose") or "new")
    except ValueError as error:
        raise Malformed("a purpose of a draft") from error
    writing = Writing(
        sender=form.text("from"),
        to=form.text("to"),
        cc=form.text("cc"),
        bcc=form.text("bcc"),
        subject=form.text("subject"),
        text=form.exact("text").replace("\r\n", "\n"),
        html=form.exact("html"),
    )
    opening = Opening(purpose, form.text("original"))
    return Given(writing, revision, opening, back_of(form.text("back")))


async def with_marks(asked: Asked, id: DraftId, writing: Writing) -> Writing:
    """A form without scripts leaves rich text as it is, if its words are the same."""
    try:
        draft = await asked.house.composing.drafts.open(asked.name, id)
    except NoSuchDraft:
        return writing
    known = draft.writing
    if known.html and known.text.strip() == writing.text.strip():
        return evolve(writing, html=known.html, text=known.text)
    return writing


def opening_of(asked: Asked) -> Opening:
    """What the address of a composer says that it is about."""
    for name in _PURPOSES:
        original = asked.query.text(name)
        if original:
            return Opening(Purpose(name), original)
    return Opening()


def moment_of(asked: Asked) -> float | None:
    """When it is to leave. :raises CannotSend: if that is no time."""
    text = asked.form.text("at")
    if text in ("", "now") or asked.form.text("when") == "now":
        return None
    if text == "pick":
        text = asked.form.text("at_time")
    where = zone(asked.zone_name)
    found = read_moment(text, where, asked.house.now())
    if found is None:
        raise CannotSend(Lack.TIME)
    return found


def back_of(path: str) -> str:
    """Where closing leads; one of our lists, or empty."""
    if (
        path.startswith("/mail/")
        and not set(path) & set("\\?#\r\n")
        and "//" not in path
    ):
        return path
    return ""


def number_of(text: str) -> int:
    """The number of a file. :raises NoSuchDraft: for what is none."""
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise NoSuchDraft(text)
    return int(text)


def wants_json(asked: Asked) -> bool:
    """Whether a script asks, which wants no page."""
    return "application/json" in asked.headers.get("accept", "")
