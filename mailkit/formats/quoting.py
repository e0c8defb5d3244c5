"""
Answers and forwards: subjects, recipients, references, and the text that is quoted.

What is written here is shown to whoever answers before it is sent.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from html import escape

from attrs import frozen

from mailkit.formats import flowed
from mailkit.model.address import Address

NamedMailbox = tuple[str, str]
"""Display name, which may be empty, and address."""

LONGEST = 512 * 1024
"""Characters of a text that are quoted."""

_LINE_END = re.compile(r"\r\n|\r|\n")
_SPACE = re.compile(r"\s+")
# Beginnings that mail programs of other languages write; answers to answers pile up.
_ANSWERED = re.compile(
    r"\s*(?:re|aw|antw|sv|vs|odp|rif|ref|res|отв)\s*(?:\[[0-9]+\]|\([0-9]+\))?\s*[:：]",
    re.I,
)
_FORWARDED = re.compile(r"\s*(?:fwd?|wg|doorst|vb|tr|enc|rv)\s*[:：]", re.I)
_NOBODY: tuple[NamedMailbox, ...] = ()
_REFERENCES = 100
"""More are never read out of one message."""


@frozen
class Original:
    """What of a message is needed to answer it, and to forward it."""

    sender: tuple[NamedMailbox, ...] = ()
    reply_to: tuple[NamedMailbox, ...] = ()
    to: tuple[NamedMailbox, ...] = ()
    cc: tuple[NamedMailbox, ...] = ()
    bcc: tuple[NamedMailbox, ...] = ()
    subject: str = ""
    date: str = ""
    """In words, in the reader's language and zone; empty: unknown."""
    message_id: str = ""
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    text: str = ""
    """Decoded, joined where it was format=flowed."""
    html: str = ""
    """Cleaned; empty where there is none."""


@frozen
class Words:
    """What is written above what is quoted; ``{…}`` are places."""

    wrote: str = "On {date}, {people} wrote:"
    wrote_sometime: str = "{people} wrote:"
    forwarded: str = "Forwarded message"
    sender: str = "From"
    date: str = "Date"
    subject: str = "Subject"
    to: str = "To"
    cc: str = "Cc"


ENGLISH = Words()


@frozen
class Recipients:
    """Whom an answer goes to."""

    to: tuple[NamedMailbox, ...] = ()
    cc: tuple[NamedMailbox, ...] = ()


# --- subjects


def answered_subject(subject: str) -> str:
    """With one ``Re:``, however many there were (RFC 5322 §3.6.5)."""
    return f"Re: {_without(_ANSWERED, subject)}".rstrip()


def forwarded_subject(subject: str) -> str:
    """With one ``Fwd:`` in front of what the original said."""
    return f"Fwd: {_without(_FORWARDED, subject)}".rstrip()


def _without(front: re.Pattern[str], subject: str) -> str:
    subject = _SPACE.sub(" ", subject)
    at = 0
    while match := front.match(subject, at):
        at = match.end()
    return subject[at:].strip()


# --- people


def recipients(
    original: Original, own: Collection[Address], *, is_to_all: bool
) -> Recipients:
    """
    Whom an answer goes to (RFC 5322 §3.6.3): Reply-To, else From, and with all of them
    To and Cc, each once and never ourselves.

    An answer to what we sent goes to whom we wrote.
    """
    is_ours = bool(original.sender) and all(
        _is_among(address, own) for _, address in original.sender
    )
    if is_ours and all(_is_among(address, own) for _, address in original.reply_to):
        first, others = original.to, _NOBODY
    else:
        first, others = original.reply_to or original.sender, original.to
    known: set[str] = set()
    to = _others(first, own, known) or _others(first, (), known)
    if not is_to_all:
        return Recipients(tuple(to))
    # Who was written to beside us stays in front; who was told stays told.
    to += _others(others, own, known)
    return Recipients(tuple(to), tuple(_others(original.cc, own, known)))


def own_address(original: Original, own: Sequence[Address]) -> Address | None:
    """Which of our addresses it was for, or else was from: an answer is from that."""
    for people in (original.to, original.cc, original.bcc, original.sender):
        for _, address in people:
            parsed = Address.parse(address)
            if parsed is not None and parsed in own:
                return parsed
    return None


def references(original: Original) -> tuple[str, ...]:
    """What an answer names (RFC 5322 §3.6.4), the original last."""
    named = original.references
    if not named and len(original.in_reply_to) == 1:
        named = original.in_reply_to
    last = (original.message_id,) if original.message_id else ()
    return (*dict.fromkeys(named[-_REFERENCES:]), *last)


def _others(
    people: Sequence[NamedMailbox], own: Collection[Address], known: set[str]
) -> list[NamedMailbox]:
    found: list[NamedMailbox] = []
    for name, address in people:
        folded = str(Address.parse(address) or address)
        if address and folded not in known and not _is_among(address, own):
            known.add(folded)
            found.append((name, address))
    return found


def _is_among(address: str, own: Collection[Address]) -> bool:
    return Address.parse(address) in own


# --- text


def answered_text(original: Original, words: Words = ENGLISH) -> str:
    """The original's text as an answer quotes it, without its signature."""
    above = _wrote(original, words)
    lines = _without_signature(_LINE_END.split(original.text[:LONGEST].rstrip()))
    quoted = "\n".join(_quoted(line) for line in lines)
    return f"{above}\n{quoted}\n"


def answered_html(original: Original, words: Words = ENGLISH) -> str:
    """The same for rich text; `Original.html` is clean already."""
    inside = original.html or from_text(original.text[:LONGEST].rstrip())
    return (
        f"<p>{escape(_wrote(original, words))}</p>\n"
        f'<blockquote type="cite">{inside}</blockquote>\n'
    )


def forwarded_text(original: Original, words: Words = ENGLISH) -> str:
    """The original with what its header says, below what is written above it."""
    rows = [f"{name}: {value}" for name, value in _rows(original, words)]
    head = "\n".join((f"---------- {words.forwarded} ----------", *rows))
    return f"{head}\n\n{original.text[:LONGEST].rstrip()}\n"


def forwarded_html(original: Original, words: Words = ENGLISH) -> str:
    """The same for rich text; `Original.html` is clean already."""
    rows = "<br>\n".join(
        f"<b>{escape(name)}:</b> {escape(value)}"
        for name, value in _rows(original, words)
    )
    inside = original.html or from_text(original.text[:LONGEST].rstrip())
    title = escape(words.forwarded)
    return f"<p>---------- {title} ----------<br>\n{rows}</p>\n<div>{inside}</div>\n"


def from_text(text: str) -> str:
    """Plain text as HTML: quoted lines as quotes, ends of lines kept."""
    out: list[str] = []
    depth = 0
    lines = _LINE_END.split(text)
    for number, line in enumerate(lines):
        bare = line.lstrip("> ") if line.startswith(">") else line
        marks = line[: len(line) - len(bare)].count(">")
        marks = min(marks, _DEEPEST)
        if marks != depth:
            step = "<blockquote>" if marks > depth else "</blockquote>"
            out.append(step * abs(marks - depth))
            depth = marks
        elif number:
            out.append("<br>\n")
        out.append(escape(bare, quote=False))
    out.append("</blockquote>" * depth)
    return f"<div>{''.join(out)}</div>"


_DEEPEST = 20
"""Quotes in quotes that are shown as such."""


def _wrote(original: Original, words: Words) -> str:
    people = ", ".join(_spelled(person) for person in original.sender) or "?"
    if not original.date:
        return words.wrote_sometime.format(people=people)
    return words.wrote.format(date=original.date, people=people)


def _rows(original: Original, words: Words) -> list[tuple[str, str]]:
    rows = [
        (words.sender, _listed(original.sender)),
        (words.date, original.date),
        (words.subject, original.subject),
        (words.to, _listed(original.to)),
        (words.cc, _listed(original.cc)),
    ]
    return [(name, _SPACE.sub(" ", value)) for name, value in rows if value]


def _listed(people: Sequence[NamedMailbox]) -> str:
    return ", ".join(map(_spelled, people))


def _spelled(person: NamedMailbox) -> str:
    name, address = person
    return f"{name} <{address}>" if name else address


def _quoted(line: str) -> str:
    if not line:
        return ">"
    return f">{line}" if line.startswith(">") else f"> {line}"


def _without_signature(lines: list[str]) -> list[str]:
    """Up to the last line that begins a signature (RFC 3676 §4.3)."""
    for at in range(len(lines) - 1, 0, -1):
        if lines[at] == flowed.SIGNATURE or lines[at] == "--":
            above = lines[:at]
            while len(above) > 1 and not above[-1].strip():
                above.pop()
            return above
    return lines


def unquoted(text: str) -> str:
    """What somebody wrote themselves: without quoted lines and what follows a mark."""
    own: list[str] = []
    for line in _LINE_END.split(text):
        if line.startswith("----------"):
            break
        if not line.startswith(">"):
            own.append(line)
    return "\n".join(own)
