"""How drafts begin: blank, as answers, as forwards, as copies."""

from __future__ import annotations

from collections.abc import Callable

from attrs import evolve, field, frozen

from mailkit.errors import NoSuchDraft
from mailkit.formats import quoting, recipients, richtext
from mailkit.formats.quoting import Original, Words
from mailkit.model.account import Account
from mailkit.model.address import Address
from mailkit.model.draft import Opening, Purpose, Writing
from mailkit.model.identity import Identity
from mailkit.model.preferences import (
    DEFAULTS,
    ComposeMode,
    Preferences,
    QuotePosition,
)
from mailkit.services.composing.house import ComposingHouse
from mailkit.services.composing.originals import Found, OriginalFile, find

_LINE = "<div><br></div>"
"""
An empty line to write on. What is typed makes more of its kind: a paragraph (``p``)
would have space around each of them wherever it is read.
"""

TellDate = Callable[[float], str]
"""A moment in words, for the line above a quote."""


@frozen
class Manner:
    """How somebody wants to write, and in which words quotes are introduced."""

    preferences: Preferences = DEFAULTS
    words: Words = quoting.ENGLISH
    tell_date: TellDate = field(default=lambda seconds: "")


@frozen
class Prepared:
    """What a draft begins with; nothing is kept of it yet."""

    opening: Opening
    writing: Writing
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    files: tuple[OriginalFile, ...] = ()
    """Those of the original that come along."""
    found: Found | None = field(default=None, repr=False)


async def prepare(
    house: ComposingHouse,
    account: Account,
    opening: Opening,
    given: Writing,
    manner: Manner,
) -> Prepared:
    """
    What is in a draft before anything is typed.

    :param given: what the page was asked for with, such as a recipient.
    :raises NoSuchDraft: if the original is not there.
    """
    identities = await house.identities(account.name)
    if opening.purpose is Purpose.NEW:
        sender = await house.identity(account.name, given.sender)
        return Prepared(opening, _blank(given, sender, manner))
    found = await find_original(house, account, opening)
    moment = found.sent
    date = "" if moment is None else manner.tell_date(moment)
    found = evolve(found, original=evolve(found.original, date=date))
    original = found.original
    own = [
        parsed
        for each in (account.name, *(identity.address for identity in identities))
        if (parsed := Address.parse(each)) is not None
    ]
    mine = quoting.own_address(original, own)
    sender = await house.identity(account.name, "" if mine is None else str(mine))
    if opening.purpose.is_answer:
        return _answer(opening, found, own, sender, manner)
    if opening.purpose.is_forward:
        return _forward(opening, found, sender, manner)
    return _copy(opening, found, sender, manner)


async def find_original(
    house: ComposingHouse, account: Account, opening: Opening
) -> Found:
    """:raises NoSuchDraft: if the message is not there, or not any more."""
    summary = await house.conversations.message(account.name, opening.original)
    found = None
    if summary is not None:
        found = await find(house.store, house.lanes, account.name, summary)
    if found is None:
        raise NoSuchDraft(opening.original)
    return found


def _blank(given: Writing, sender: Identity, manner: Manner) -> Writing:
    text = f"{given.text}{_signature(sender)}"
    html = ""
    if _is_rich(manner):
        above = quoting.from_text(given.text) if given.text else _LINE
        html = above + _signature_html(sender)
    return evolve(given, sender=sender.address, text=text, html=html)


def _answer(
    opening: Opening,
    found: Found,
    own: list[Address],
    sender: Identity,
    manner: Manner,
) -> Prepared:
    original = found.original
    is_to_all = opening.purpose is Purpose.REPLY_ALL
    whom = quoting.recipients(original, own, is_to_all=is_to_all)
    text, html = _quoted(original, sender, manner)
    writing = Writing(
        sender=sender.address,
        to=recipients.write(whom.to),
        cc=recipients.write(whom.cc),
        subject=quoting.answered_subject(original.subject),
        text=text,
        html=html,
    )
    within = tuple(file for file in found.files if file.is_within and html)
    return Prepared(
        opening,
        writing,
        original.message_id,
        quoting.references(original),
        within if _has_quote(manner) else (),
        found,
    )


def _quoted(original: Original, sender: Identity, manner: Manner) -> tuple[str, str]:
    """Text and HTML of an answer before anything is typed."""
    position = manner.preferences.quote_position
    signature, signed = _signature(sender), _signature_html(sender)
    quote = quoting.answered_text(original, manner.words)
    text = f"{signature}\n\n{quote}"
    if position is QuotePosition.ABOVE:
        text = f"{quote}\n{signature}"
    elif position is QuotePosition.NONE:
        text = signature
    if not _is_rich(manner):
        return text, ""
    marked = quoting.answered_html(original, manner.words)
    html = f"{_LINE}{signed}\n{marked}"
    if position is QuotePosition.ABOVE:
        html = f"{marked}{_LINE}{_LINE}{signed}"
    elif position is QuotePosition.NONE:
        html = f"{_LINE}{signed}"
    return text, html


def _forward(
    opening: Opening, found: Found, sender: Identity, manner: Manner
) -> Prepared:
    original = found.original
    subject = quoting.forwarded_subject(original.subject)
    blank = _blank(Writing(subject=subject), sender, manner)
    if opening.purpose is Purpose.FORWARD_ATTACHED:
        return Prepared(opening, blank, found=found)
    html = blank.html
    if html:
        html += f"\n{quoting.forwarded_html(original, manner.words)}"
    text = f"{blank.text}\n\n{quoting.forwarded_text(original, manner.words)}"
    writing = evolve(blank, text=text, html=html)
    # As RFC 5322 §3.6.4 has it for answers: the copy is part of the conversation.
    named = quoting.references(original)
    return Prepared(opening, writing, "", named, found.files, found)


def _copy(opening: Opening, found: Found, sender: Identity, manner: Manner) -> Prepared:
    original = found.original
    html = original.html if _is_rich(manner) else ""
    writing = Writing(
        sender=sender.address,
        to=recipients.write(original.to),
        cc=recipients.write(original.cc),
        bcc=recipients.write(original.bcc),
        subject=original.subject,
        text=original.text,
        html=html,
    )
    in_reply_to, references = "", ()
    if opening.purpose is Purpose.EDIT:
        in_reply_to = original.in_reply_to[0] if original.in_reply_to else ""
        return Prepared(
            opening, writing, in_reply_to, original.references, found.files, found
        )
    return Prepared(opening, writing, in_reply_to, references, found.files, found)


def _is_rich(manner: Manner) -> bool:
    return manner.preferences.compose_mode is ComposeMode.RICH


def _has_quote(manner: Manner) -> bool:
    return manner.preferences.quote_position is not QuotePosition.NONE


def _signature(sender: Identity) -> str:
    """Below two empty lines to write on (RFC 3676 §4.3)."""
    text = sender.signature_text.strip("\n")
    if not text and sender.signature_html:
        text = richtext.to_text(sender.signature_html)
    return f"\n\n-- \n{text}\n" if text else ""


def _signature_html(sender: Identity) -> str:
    """Below one, which is still there when the line above it is written."""
    html = sender.signature_html
    if not html and sender.signature_text:
        html = quoting.from_text(sender.signature_text.strip("\n"))
    return f"{_LINE}<div>-- <br>{richtext.clean(html)}</div>" if html else ""
