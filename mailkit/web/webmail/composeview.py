"""What the composer shows: fields, files, what is wrong, when to send."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import evolve, field, frozen

from mailkit.errors import (
    MailkitError,
    NoSuchDraft,
    OverQuota,
    TooLarge,
    Unavailable,
)
from mailkit.formats.quoting import Words
from mailkit.formats.recipients import parse
from mailkit.model.draft import (
    Draft,
    DraftFile,
    DraftId,
    DraftState,
    Opening,
    Purpose,
    Writing,
)
from mailkit.services.composing.errors import CannotSend, Lack, RecipientsRefused
from mailkit.services.composing.lacking import word_for_file
from mailkit.services.composing.opening import Manner, Prepared
from mailkit.services.composing.when import Later, offered
from mailkit.web.asking import Asked
from mailkit.web.dates import Say, zone


def _(text: str) -> str:
    """Marks words for the catalogues; they are translated where they are shown."""
    return text


MANY = 10
"""Recipients above which the button says how many there are."""

_LACKS: dict[Lack, tuple[str, str]] = {
    Lack.NOBODY: ("to", _("Who is it for? Write at least one address.")),
    Lack.NO_ADDRESS: ("to", _("Not an address: %(what)s")),
    Lack.SENDER: ("from", _("You may not write as %(what)s.")),
    Lack.TOO_MANY: ("to", _("That is more people than one message may have.")),
    Lack.TIME: ("at", _("Choose a time in the coming year.")),
    Lack.TOO_LARGE: (
        "files",
        _("With its files the message is larger than this server sends."),
    ),
    Lack.CANNOT: ("subject", _("This cannot be written as mail: %(what)s")),
}

_LATER = {
    Later.EVENING: _("This evening"),
    Later.TOMORROW: _("Tomorrow morning"),
    Later.MONDAY: _("Monday morning"),
}


@frozen
class Problem:
    """Why it was not sent."""

    kind: str
    """For scripts: of `Lack`, or ``refused``, ``attachment``, ``subject``."""
    field: str
    """Which field to look at: to, from, subject, files, at."""
    text: str
    """In the person's words."""
    what: tuple[str, ...] = ()
    """Addresses that are meant."""
    is_question: bool = False
    """Whether it can be sent all the same."""


@frozen(kw_only=True)
class Composer:
    """One composer, as its template has it."""

    id: DraftId
    revision: int
    title: str
    writing: Writing
    opening: Opening
    files: Sequence[DraftFile]
    is_kept: bool
    """Whether the server has it already."""
    saved: float = 0.0
    """When; seconds since 1970."""
    back: str = "/mail/inbox"
    problem: Problem | None = None
    notice: str = ""
    theirs: Draft | None = None
    """The version that another page has saved meanwhile."""
    shows_copies: bool = False
    identities: Sequence[tuple[str, str]] = ()
    """Address, and how it is shown."""
    later: Sequence[tuple[str, str, float]] = ()
    """Value, words and moment."""
    room: int = 0
    """Octets that files may have still."""
    most: int = 0
    """Octets that all files may have."""

    @property
    def recipients(self) -> int:
        """How many people it goes to."""
        found: set[str] = set()
        for text in (self.writing.to, self.writing.cc, self.writing.bcc):
            found.update(typed.address for typed in parse(text))
        return len(found)

    @property
    def is_rich(self) -> bool:
        """Whether it has been written with marks so far."""
        return bool(self.writing.html)

    @property
    def is_to_many(self) -> bool:
        """Whether the button says how many."""
        return self.recipients > MANY


def manner_of(asked: Asked) -> Manner:
    """How this person wants to write."""
    say = asked.say
    words = Words(
        wrote=say("On {date}, {people} wrote:"),
        wrote_sometime=say("{people} wrote:"),
        forwarded=say("Forwarded message"),
        sender=say("From"),
        date=say("Date"),
        subject=say("Subject"),
        to=say("To"),
        cc=say("Cc"),
    )
    return Manner(asked.preferences, words, asked.dates.long)


async def of_draft(asked: Asked, draft: Draft, back: str) -> Composer:
    """A draft that is kept."""
    return await _with_choices(
        asked,
        Composer(
            id=draft.id,
            revision=draft.revision,
            title=_title(asked, draft.opening),
            writing=draft.writing,
            opening=draft.opening,
            files=draft.files,
            is_kept=True,
            saved=draft.changed,
            back=back,
        ),
    )


async def of_prepared(
    asked: Asked, id: DraftId, prepared: Prepared, back: str
) -> Composer:
    """One of which nothing is kept yet."""
    files = [
        DraftFile(number, file.name, file.kind, file.size)
        for number, file in enumerate(prepared.files, 1)
    ]
    found = prepared.found
    if prepared.opening.purpose is Purpose.FORWARD_ATTACHED and found is not None:
        name = found.original.subject or asked.say("Message")
        files = [DraftFile(1, f"{name}.eml", "message/rfc822", len(found.octets))]
    return await _with_choices(
        asked,
        Composer(
            id=id,
            revision=0,
            title=_title(asked, prepared.opening),
            writing=prepared.writing,
            opening=prepared.opening,
            files=files,
            is_kept=False,
            back=back,
        ),
    )


def with_problem(composer: Composer, problem: Problem) -> Composer:
    """The same, and what is wrong with it."""
    return evolve(composer, problem=problem)


def problem_of(asked: Asked, error: CannotSend | RecipientsRefused) -> Problem:
    """Why a message was not sent, in words."""
    say = asked.say
    if isinstance(error, RecipientsRefused):
        addresses = tuple(turned.address for turned in error.turned)
        text = say("These people cannot get it: %(what)s. Nothing was sent.")
        return Problem(
            "refused", "to", text % {"what": ", ".join(addresses)}, addresses
        )
    field_name, text = _LACKS[error.lack]
    said = say(text)
    if "%(what)s" in said:
        said = said % {"what": ", ".join(error.what)}
    return Problem(error.lack.value, field_name, said, error.what)


def question_before(asked: Asked, draft: Draft) -> Problem | None:
    """What is asked once before a draft is sent."""
    if asked.form.is_on("confirmed") or draft.state is not DraftState.WRITING:
        return None
    writing = draft.writing
    if not writing.subject:
        return _no_subject(asked)
    if not draft.files:
        word = word_for_file(writing.subject, writing.text, asked.language.tag)
        if word:
            return _no_file(asked, word)
    return None


def _no_file(asked: Asked, word: str) -> Problem:
    """The text speaks of a file, and there is none."""
    text = asked.say("You wrote “%(word)s”. Send without a file?") % {"word": word}
    return Problem("attachment", "files", text, (word,), is_question=True)


def _no_subject(asked: Asked) -> Problem:
    """There is no subject."""
    return Problem(
        "subject", "subject", asked.say("Send without a subject?"), is_question=True
    )


def trouble_of(say: Say, error: MailkitError) -> str:
    """What is wrong with what was saved all the same."""
    if isinstance(error, NoSuchDraft):
        return say("Kept. The message that this is about is not there any more.")
    if isinstance(error, TooLarge):
        return say("Kept. The files of the original are too large to come along.")
    if isinstance(error, OverQuota):
        return say("Kept here, but your mailbox is full: other programs do not see it.")
    if isinstance(error, Unavailable):
        return say("Kept here; other programs will see it a little later.")
    return say("Kept here; it cannot be sent as it is yet.")


def facts_of(draft: Draft) -> Mapping[str, object]:
    """A draft in JSON, with the names of JMAP where it has them."""
    writing = draft.writing
    return {
        "draftId": draft.id,
        "rev": draft.revision,
        "savedAt": draft.changed,
        "state": draft.state.value,
        "from": writing.sender,
        "to": writing.to,
        "cc": writing.cc,
        "bcc": writing.bcc,
        "subject": writing.subject,
        "textBody": writing.text,
        "htmlBody": writing.html,
        "attachments": [file_facts(draft.id, file) for file in draft.files],
    }


def file_facts(id: DraftId, file: DraftFile) -> Mapping[str, object]:
    """A file in JSON."""
    return {
        "n": file.number,
        "name": file.name,
        "type": file.kind,
        "size": file.size,
        "cid": file.content_id,
        "url": f"/compose/{id}/att/{file.number}",
    }


def _title(asked: Asked, opening: Opening) -> str:
    if opening.purpose.is_answer:
        return asked.say("Reply")
    if opening.purpose.is_forward:
        return asked.say("Forward")
    return asked.say("New message")


async def _with_choices(asked: Asked, composer: Composer) -> Composer:
    composing = asked.house.composing
    known = await composing.house.identities(asked.name)
    identities = [
        (one.address, f"{one.name} <{one.address}>" if one.name else one.address)
        for one in known
    ]
    sender = composer.writing.sender
    if sender and all(address != sender for address, _shown in identities):
        identities.append((sender, sender))
    now = asked.house.now()
    where = zone(asked.zone_name)
    most = composing.house.settings.files_size
    writing = composer.writing
    return evolve(
        composer,
        shows_copies=bool(writing.cc or writing.bcc),
        identities=identities,
        later=[
            (one.value, asked.say(_LATER[one]), at)
            for one, at in offered(now, where).items()
        ],
        room=max(most - sum(file.size for file in composer.files), 0),
        most=most,
    )


@frozen
class Given:
    """What a form of the composer brought."""

    writing: Writing
    revision: int
    opening: Opening
    back: str = field(default="/mail/inbox")
