"""
The composer, its drafts and its files.

Forms are complete without scripts: one form, whose buttons say where it goes. Whoever
sends ``Accept: application/json`` gets JSON instead of a page. All that changes
something needs a token of the class ``compose`` (field ``t`` or header ``X-CSRF``).

``GET /compose?reply=|all=|fwd=|fwdatt=|as=<mid>&draft=&to=&cc=&bcc=&subject=&body=``
    The page. Nothing is kept by it: without ``draft`` it leads (303) to itself with a
    new ``draft=<did>``, 32 hexadecimal digits, under which the first save begins the
    draft. ``draft=<mid>`` opens a message of the Drafts mailbox. ``back=/mail/…`` is
    where closing and sending lead.

``PUT /compose/<did>``
    Saves. A form (``application/x-www-form-urlencoded``) of ``from to cc bcc subject
    text``, and ``html`` where it is rich text (``text`` is then made by the server);
    ``purpose`` and ``original`` as the page had them. ``If-Match: <rev>`` (or the field
    ``rev``) is the revision that is known, 0 before the first save. What was saved may
    be sent again. Answers ``200 {draftId, rev, savedAt, attachments, problem, …}``;
    ``problem`` says why other programs do not see it (null: they do). ``409 {error:
    "changed", theirs: {…the draft…}}`` where another page was faster, ``410 {error:
    "gone"}`` once it was sent or thrown away, ``401`` when the session is over, ``413
    {error: "large"}``.

``POST /compose/<did>/att``
    Files of ``multipart/form-data``, in fields ``file``; with ``within=1`` they are
    pictures of the text, each shown by ``<img src="cid:{cid}">``. ``200 {attachments:
    [all], added: [{n, name, type, size, cid, url}], left}``; ``413 {error: "large",
    left}`` where there is not so much room. The fields of the form are saved first if
    it has ``rev``.

``DELETE /compose/<did>/att/<n>`` (``POST …/att/<n>/delete`` in forms)
    ``200 {attachments, left}``.

``GET /compose/<did>/att/<n>``
    The file; pictures to be shown, all else to be saved.

``POST /compose/<did>/send``
    Saves what the form has and puts it into the queue. ``at``: ``evening``,
    ``tomorrow``, ``monday``, seconds since 1970, or ``2026-11-30T08:00`` in the
    person's zone; empty or ``now``: at once. ``confirmed=1`` answers questions.
    ``200 {draftId, state: "queued", holdUntil, undoUntil, later}``, ``422 {error,
    field, text, what, question}`` (question: may be sent again with ``confirmed``),
    and what PUT answers. Sending twice is sending once, however late: ``state`` is
    ``sent`` where it has left already. A form whose draft was sent or thrown away
    meanwhile becomes a draft of its own.

``POST /compose/<did>/unsend``
    ``200 {the draft}``, ``409 {error: "left", text}`` when the hold is over.

``POST /compose/<did>/discard``
    Into the Trash; ``204``.

``GET /compose/<did>/state``
    What became of it: ``{draftId, state: "writing"|"queued"|"gone", holdUntil,
    attachments}``.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from attrs import evolve

from mailkit.errors import (
    DraftChanged,
    HasLeft,
    Malformed,
    NoSuchDraft,
    TooLarge,
)
from mailkit.model.draft import (
    Draft,
    DraftId,
    DraftState,
    Opening,
    Purpose,
    Writing,
    is_draft_id,
)
from mailkit.services.composing.drafts import Saved
from mailkit.services.composing.errors import (
    CannotSend,
    FilesTooLarge,
    Lack,
    RecipientsRefused,
)
from mailkit.web.answers import Answer, Outlet
from mailkit.web.asking import Asked
from mailkit.web.webmail.composeform import (
    back_of,
    given_of,
    moment_of,
    number_of,
    opening_of,
    wants_json,
    with_marks,
)
from mailkit.web.webmail.composeview import (
    Composer,
    Given,
    Problem,
    facts_of,
    file_facts,
    manner_of,
    of_draft,
    of_prepared,
    problem_of,
    question_before,
    trouble_of,
    with_problem,
)
from mailkit.web.webmail.facts import CURRENT
from mailkit.web.webmail.house import WebmailHouse
from mailkit.web.webmail.rooms import Body, Room

MIB = 1024 * 1024

room = Room()

_TEXTS = 8 * MIB  # three octets a character in a form, text and HTML
_SHOWN = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"})
_PIECE = 256 * 1024


def _files_size(house: WebmailHouse) -> int:
    return house.composing.house.settings.files_size


_OVERTAKEN = (DraftChanged, NoSuchDraft, HasLeft)

_FORM = Body(most=_TEXTS, files=_files_size)


@room.get("/compose")
async def compose(asked: Asked) -> Answer:
    """A new message, an answer, a forward, or a draft to go on with."""
    drafts = asked.house.composing.drafts
    said = asked.query.text("draft")
    opening = opening_of(asked)
    id = DraftId(said)
    if said and not is_draft_id(said):
        found = await drafts.of_message(asked.name, said)
        if found is not None:
            return _to_itself(asked, found, Opening())
        return _to_itself(asked, drafts.next_id(), Opening(Purpose.EDIT, said))
    if not said:
        return _to_itself(asked, drafts.next_id(), opening)
    back = back_of(asked.query.text("back"))
    try:
        draft = await drafts.open(asked.name, id)
    except NoSuchDraft:
        given = Writing(
            sender=asked.query.text("from"),
            to=asked.query.text("to"),
            cc=asked.query.text("cc"),
            bcc=asked.query.text("bcc"),
            subject=asked.query.text("subject"),
            text=asked.query.exact("body"),
        )
        prepared = await drafts.prepare(asked.account, opening, given, manner_of(asked))
        return _page(asked, await of_prepared(asked, id, prepared, back))
    if draft.state is not DraftState.WRITING:
        return _page(asked, await of_draft(asked, draft, back), "sent.html", draft)
    return _page(asked, await of_draft(asked, draft, back))


@room.post("/compose/<did>", action="compose", method="PUT", body=Body(most=_TEXTS))
async def autosave(asked: Asked, did: str) -> Answer:
    """Save what is written, by a script."""
    id = DraftId(did)
    try:
        return _saved(asked, await _save(asked, id, given_of(asked)))
    except DraftChanged:
        draft = await asked.house.composing.drafts.open(asked.name, id)
        theirs = {"error": "changed", "theirs": facts_of(draft)}
        return asked.json(theirs, status=409)
    except (NoSuchDraft, HasLeft):
        return asked.json({"error": "gone"}, status=410)
    except TooLarge:
        return asked.json({"error": "large"}, status=413)


@room.post("/compose/<did>", action="compose", body=_FORM)
async def save(asked: Asked, did: str) -> Answer:
    """Save what is written, by the button."""
    id, given = DraftId(did), given_of(asked)
    try:
        saved = await _save(asked, id, given)
        saved = await _attached(asked, id, saved)
    except _OVERTAKEN:
        return await _other(asked, id, given)
    except FilesTooLarge as error:
        return await _wrong(asked, id, given, _too_large(asked, error))
    if saved.problem is not None:
        composer = await of_draft(asked, saved.draft, given.back)
        said = trouble_of(asked.say, saved.problem)
        return _page(asked, evolve(composer, notice=said))
    return _back_to_it(saved.draft.id, given)


@room.post("/compose/<did>/att", action="compose", body=_FORM)
async def attach(asked: Asked, did: str) -> Answer:
    """Take files in."""
    id, given = DraftId(did), given_of(asked)
    before: set[int] = set()
    try:
        saved = None
        if "rev" in asked.form:
            saved = await _save(asked, id, given)
            before = {file.number for file in saved.draft.files}
        saved = await _attached(asked, id, saved, given.opening)
    except _OVERTAKEN:
        return await _other(asked, id, given)
    except FilesTooLarge as error:
        if wants_json(asked):
            return asked.json({"error": "large", "left": error.left}, status=413)
        return await _wrong(asked, id, given, _too_large(asked, error))
    if not wants_json(asked):
        return _back_to_it(id, given)
    added = [file for file in saved.draft.files if file.number not in before]
    return asked.json(
        {
            **_files(asked, saved),
            "added": [file_facts(id, file) for file in added[-len(asked.files) :]],
        }
    )


@room.post("/compose/<did>/att/<n>", action="compose", method="DELETE")
async def detach(asked: Asked, did: str, n: str) -> Answer:
    """Take a file away, by a script."""
    drafts = asked.house.composing.drafts
    saved = await drafts.detach(asked.name, DraftId(did), number_of(n))
    return asked.json(_files(asked, saved))


@room.post("/compose/<did>/att/<n>/delete", action="compose", body=_FORM)
async def detach_by_form(asked: Asked, did: str, n: str) -> Answer:
    """Take a file away, by the button; what is written is saved with it."""
    id, given = DraftId(did), given_of(asked)
    try:
        await _save(asked, id, given)
    except _OVERTAKEN:
        return await _other(asked, id, given)
    await asked.house.composing.drafts.detach(asked.name, id, number_of(n))
    return _back_to_it(id, given)


@room.get("/compose/<did>/att/<n>", dests="document empty image", links=False)
async def file(asked: Asked, did: str, n: str) -> Answer:
    """A file of a draft."""
    drafts = asked.house.composing.drafts
    found, content = await drafts.file(asked.name, DraftId(did), number_of(n))

    async def stream(outlet: Outlet) -> None:
        at = 0
        while piece := await content.read(at, _PIECE):
            await outlet.write(piece)
            at += len(piece)

    is_shown = found.kind.lower() in _SHOWN
    return asked.file(
        found.kind.lower() if is_shown else "application/octet-stream",
        stream,
        found.name,
        is_download=not is_shown,
        length=content.size,
    )


@room.post("/compose/<did>/send", action="compose", body=_FORM)
async def send(asked: Asked, did: str) -> Answer:
    """Put it into the queue, which holds it for a while."""
    id, given = DraftId(did), given_of(asked)
    composing = asked.house.composing
    try:
        if "rev" in asked.form:
            saved = await _save(asked, id, given)
            if saved.draft.state is DraftState.WRITING:
                saved = await _attached(asked, id, saved)
            question = question_before(asked, saved.draft)
            if question is not None:
                return await _wrong(asked, id, given, question)
        at = moment_of(asked)
        draft = await composing.outbox.send(
            asked.account, id, asked.preferences.undo_seconds, at, asked.peer
        )
    except NoSuchDraft:
        if wants_json(asked) and await composing.outbox.has_sent(asked.name, id):
            return asked.json({"draftId": id, "state": "sent", "holdUntil": 0})
        return await _kept_apart(asked, id, given)
    except _OVERTAKEN:
        return await _other(asked, id, given)
    except FilesTooLarge as error:
        return await _wrong(asked, id, given, _too_large(asked, error))
    except (CannotSend, RecipientsRefused) as error:
        return await _wrong(asked, id, given, problem_of(asked, error))
    if wants_json(asked):
        return asked.json(_sent_facts(asked, draft))
    query = {"sent": draft.id}
    if given.back:
        return asked.redirect(f"{given.back}?{urlencode(query)}")
    return asked.redirect(f"/mail/inbox?{urlencode(query)}")


@room.post("/compose/<did>/unsend", action="compose")
async def unsend(asked: Asked, did: str) -> Answer:
    """Call it back."""
    id = DraftId(did)
    try:
        draft = await asked.house.composing.outbox.unsend(asked.name, id)
    except HasLeft:
        text = asked.say("It has already left.")
        if wants_json(asked):
            return asked.json({"error": "left", "text": text}, status=409)
        return asked.page("left.html", {CURRENT: "sent"}, status=409)
    if wants_json(asked):
        return asked.json(facts_of(draft))
    return asked.redirect(f"/compose?{urlencode({'draft': draft.id})}")


@room.post("/compose/<did>/discard", action="compose", body=_FORM)
async def discard(asked: Asked, did: str) -> Answer:
    """Throw it away; the Trash has it still."""
    await asked.house.composing.drafts.discard(asked.name, DraftId(did))
    if wants_json(asked):
        return asked.empty()
    return asked.redirect(back_of(asked.form.text("back")) or "/mail/inbox")


@room.get("/compose/<did>/state", dests="empty", links=False)
async def state(asked: Asked, did: str) -> Answer:
    """How far it is."""
    try:
        draft = await asked.house.composing.drafts.open(asked.name, DraftId(did))
    except NoSuchDraft:
        return asked.json({"draftId": did, "state": "gone"})
    return asked.json(_sent_facts(asked, draft))


# -- what forms bring


async def _save(asked: Asked, id: DraftId, given: Given) -> Saved:
    drafts = asked.house.composing.drafts
    writing = given.writing
    if "html" not in asked.form:
        writing = await with_marks(asked, id, writing)
    return await drafts.save(asked.account, id, writing, given.revision, given.opening)


async def _attached(
    asked: Asked, id: DraftId, saved: Saved | None, opening: Opening | None = None
) -> Saved:
    """The files of a form become the draft's."""
    drafts = asked.house.composing.drafts
    for one in asked.files:
        kind = one.content_type.lower()
        is_within = asked.form.is_on("within") and kind in _SHOWN
        attaching = await drafts.attach(
            asked.account, id, one.name, one.content_type, opening, is_within=is_within
        )
        try:
            await attaching.take(one.content)
            saved = await attaching.finish()
        finally:
            await attaching.discard()
    if saved is None:
        raise Malformed("a form without a file")
    return saved


# -- answers


def _page(
    asked: Asked,
    composer: Composer,
    template: str = "compose.html",
    draft: Draft | None = None,
    status: int = 200,
) -> Answer:
    where = asked.zone_name or "UTC"
    facts: dict[str, Any] = {  # as of templates
        "composer": composer,
        "zone": where,
        CURRENT: "",
    }
    if draft is not None:
        facts["draft"] = draft
        facts["can_undo"] = asked.house.now() < draft.hold_until
    return asked.page(template, facts, status=status)


def _to_itself(asked: Asked, id: DraftId, opening: Opening) -> Answer:
    """The same page with an id, so that reloading it is the same draft."""
    query = {"draft": str(id)}
    if opening.original:
        query[opening.purpose.value] = opening.original
    for name in ("to", "cc", "bcc", "subject", "body", "from", "back"):
        value = asked.query.exact(name)
        if value:
            query[name] = value
    return asked.redirect(f"/compose?{urlencode(query)}")


def _back_to_it(id: DraftId, given: Given) -> Answer:
    query = {"draft": str(id)}
    if given.back:
        query["back"] = given.back
    return Answer(b"", 303, headers={"Location": f"/compose?{urlencode(query)}"})


def _saved(asked: Asked, saved: Saved) -> Answer:
    problem = None
    if saved.problem is not None:
        problem = trouble_of(asked.say, saved.problem)
    return asked.json({**facts_of(saved.draft), "problem": problem})


def _files(asked: Asked, saved: Saved) -> dict[str, Any]:
    draft = saved.draft
    most = asked.house.composing.house.settings.files_size
    return {
        "rev": draft.revision,
        "attachments": [file_facts(draft.id, file) for file in draft.files],
        "left": max(most - draft.file_size, 0),
    }


def _sent_facts(asked: Asked, draft: Draft) -> dict[str, Any]:
    slack = asked.house.composing.house.settings.slack
    is_sent = draft.state is not DraftState.WRITING
    return {
        "draftId": draft.id,
        "state": "queued" if is_sent else "writing",
        "holdUntil": draft.hold_until,
        "undoUntil": max(draft.hold_until - slack, 0.0),
        "later": draft.is_later,
        "attachments": [file_facts(draft.id, file) for file in draft.files],
    }


async def _other(asked: Asked, id: DraftId, given: Given) -> Answer:
    """Another page has saved something else: both are shown; or has sent it."""
    try:
        draft = await asked.house.composing.drafts.open(asked.name, id)
    except NoSuchDraft:
        return await _kept_apart(asked, id, given)
    if draft.state is not DraftState.WRITING:
        return await _kept_apart(asked, id, given)
    if wants_json(asked):
        theirs = {"error": "changed", "theirs": facts_of(draft)}
        return asked.json(theirs, status=409)
    composer = await of_draft(asked, draft, given.back)
    composer = evolve(composer, writing=given.writing, theirs=draft)
    return _page(asked, composer, status=409)


async def _kept_apart(asked: Asked, id: DraftId, given: Given) -> Answer:
    """The draft was sent or thrown away meanwhile: what was written is another."""
    if wants_json(asked):
        return asked.json({"error": "gone"}, status=410)
    if not is_draft_id(id):
        raise NoSuchDraft(id)
    id = asked.house.composing.drafts.next_id()
    saved = await _save(asked, id, evolve(given, revision=0))
    if asked.files:
        saved = await _attached(asked, id, saved)
    composer = await of_draft(asked, saved.draft, given.back)
    said = asked.say(
        "This draft was sent or thrown away already. "
        "What you wrote is kept as a new one."
    )
    return _page(asked, evolve(composer, notice=said))


async def _wrong(asked: Asked, id: DraftId, given: Given, problem: Problem) -> Answer:
    """It was not sent, and why; what was written stays in the form."""
    if wants_json(asked):
        facts = {
            "error": problem.kind,
            "field": problem.field,
            "text": problem.text,
            "what": problem.what,
            "question": problem.is_question,
        }
        return asked.json(facts, status=422)
    draft = await asked.house.composing.drafts.open(asked.name, id)
    composer = await of_draft(asked, draft, given.back)
    return _page(asked, with_problem(composer, problem), status=422)


def _too_large(asked: Asked, error: FilesTooLarge) -> Problem:
    text = asked.say("There is no room for so large a file.")
    return Problem(Lack.TOO_LARGE.value, "files", text)
