"""
What of a message is found by its words, and in which form words are compared.

Case, diacritics and compatibility forms do not count (Unicode NFKD, case folded).
Scripts that put no spaces between words are cut into pairs of characters, so that any
two neighbours are found; a phrase finds the whole of them.
"""

from __future__ import annotations

import re
import unicodedata
from hashlib import blake2b
from typing import NamedTuple

from attrs import frozen

from mailkit.formats import (
    addresslist,
    body,
    charset,
    encodedword,
    header,
    htmltext,
    mime,
)
from mailkit.formats.attachments import has_attachments
from mailkit.formats.fields import disposition, parameter
from mailkit.formats.limits import DEFAULT_LIMITS
from mailkit.formats.limits import Limits as MessageLimits


@frozen
class Limits:
    """How much of a message is looked at."""

    text: int = 1 << 20
    """Octets of the text of all parts together."""
    people: int = 16 << 10
    """Octets of each address field: 2,000 recipients need not all be found."""
    message: MessageLimits = DEFAULT_LIMITS


class Searchable(NamedTuple):
    """The text of a message, folded; each is empty where there is nothing."""

    sender: str
    to: str
    cc: str
    bcc: str
    subject: str
    body: str
    filename: str
    list: str
    marks: str
    """The Message-ID, as of `message_token`, and `ATTACHED`."""


ATTACHED = "attached"
"""Among the marks of a message that has files."""

SHORTEST_BEGINNING = 3
"""Letters of the shortest word that also finds what begins with it."""

_LIMITS = Limits()
_ENOUGH = 0.8  # of the plain words are in the HTML: the plain part says nothing new
_NO_SPACES = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uac00-\ud7af" + (
    "\U00020000-\U0003ffff"
)
_RUN = re.compile(f"[{_NO_SPACES}]+")
_MARKS = re.compile("[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670]+")
_WORD = re.compile(r"[^\W_]+")
_ENCODED_RUN = re.compile(r"[A-Za-z0-9+/=_-]{80,}")


def fold(text: str) -> str:
    """The form in which words are compared."""
    if text.isascii():
        return text.lower()
    text = _MARKS.sub("", unicodedata.normalize("NFKD", text).casefold())
    return unicodedata.normalize("NFC", text)


def cut(folded: str) -> str:
    """Folded text with spaces put where a script has none."""
    if folded.isascii():
        return folded
    return _RUN.sub(_pairs, folded)


def tokens(text: str) -> list[str]:
    """The words of any text as they are compared, those of `cut` included."""
    return _WORD.findall(cut(fold(text)))


def is_single(token: str) -> bool:
    """Whether it is one character of a script without spaces: the begin of a pair."""
    return len(token) == 1 and _RUN.match(token) is not None


class Wanted(NamedTuple):
    """Words that follow each other, as somebody typed them."""

    tokens: tuple[str, ...]
    """Without any: everything has them."""
    is_beginning: bool
    """Whether the last finds what begins with it, too."""


def wanted(text: str, *, is_phrase: bool) -> Wanted:
    """
    Read words that are looked for.

    A plain word of `SHORTEST_BEGINNING` letters finds what begins with it, a phrase
    what is written so; a ``*`` at the end makes a beginning of both.
    """
    found = tokens(text)
    if not found:
        return Wanted((), is_beginning=False)
    last = found[-1]
    if text.endswith("*"):
        return Wanted(tuple(found), is_beginning=True)
    if is_single(last):
        if len(found) == 1:
            return Wanted((last,), is_beginning=True)
        # The pair before it holds it already.
        return Wanted(tuple(found[:-1]), is_beginning=False)
    is_long = len(last) >= SHORTEST_BEGINNING
    return Wanted(tuple(found), is_beginning=is_long and not is_phrase)


def message_token(message_id: str) -> str:
    """One short word that stands for a Message-ID, whose own words nobody looks for."""
    folded = message_id.strip().strip("<>").lower()
    return blake2b(folded.encode("utf-8", "replace"), digest_size=6).hexdigest()


def searchable(octets: bytes, limits: Limits = _LIMITS) -> Searchable:
    """Read a message; whatever is broken in it is text as far as it goes."""
    end = header.find_end(octets)
    found: dict[bytes, list[bytes]] = {}
    for _, name, value in header.scan(octets, 0, end, limits.message):
        found.setdefault(name.lower(), []).append(value)
    root = mime.scan(octets, limits.message, body=end)
    texts, names = _inside(octets, root, limits)
    return Searchable(
        sender=_people(found, (b"from", b"sender", b"reply-to"), limits),
        to=_people(found, (b"to",), limits),
        cc=_people(found, (b"cc",), limits),
        bcc=_people(found, (b"bcc",), limits),
        subject=cut(fold(_text(found, b"subject"))),
        body=cut(fold("\n".join(texts))),
        filename=cut(fold("\n".join(names))),
        list=cut(fold(_text(found, b"list-id"))),
        marks=_marks(found, root, limits),
    )


def _marks(found: dict[bytes, list[bytes]], root: mime.Part, limits: Limits) -> str:
    token = message_token(_text(found, b"message-id"))
    return f"{token} {ATTACHED}" if has_attachments(root, limits.message) else token


def _pairs(match: re.Match[str]) -> str:
    run = match[0]
    pairs = [run[at : at + 2] for at in range(len(run) - 1)]
    # The last character begins no pair, and is to be found alone as well.
    return f" {' '.join([*pairs, run[-1]])} "


def _text(found: dict[bytes, list[bytes]], name: bytes) -> str:
    return "\n".join(
        encodedword.decode(header.unfold(value)) for value in found.get(name, ())
    )


def _people(
    found: dict[bytes, list[bytes]], names: tuple[bytes, ...], limits: Limits
) -> str:
    texts: list[str] = []
    for name in names:
        for value in found.get(name, ()):
            octets = header.unfold(value)[: limits.people]
            if b"=?" in octets:
                # Words are decoded where they are words only (RFC 2047 §5).
                for one in addresslist.flatten(addresslist.parse(octets)):
                    address = charset.decode(b"%s@%s" % (one.local_part, one.domain))
                    texts.append(f"{encodedword.decode(one.name or b'')} {address}")
            else:
                texts.append(charset.decode(octets))
    return cut(fold("\n".join(texts)))


def _inside(
    octets: bytes, root: mime.Part, limits: Limits
) -> tuple[list[str], list[str]]:
    """The texts of the parts, and the names of files."""
    left = limits.text
    texts: list[str] = []
    names: list[str] = []
    waiting = [root]
    while waiting:
        part = waiting.pop()
        if name := _filename(part, limits.message):
            names.append(name)
        if part.parts:
            if part.is_message:
                inner = header.first(octets[part.body : part.end], b"subject")
                texts.append(encodedword.decode(header.unfold(inner or b"")))
            if part.subtype == b"alternative":
                text = _alternatives(octets, part, left)
                if text is not None:
                    texts.append(text)
                    left -= len(text)
                    continue
            waiting.extend(reversed(part.parts))
        elif part.type == b"text" and left > 0:
            text = _part_text(octets, part, left)
            texts.append(text)
            left -= len(text)
    return texts, names


def _alternatives(octets: bytes, part: mime.Part, most: int) -> str | None:
    """The same said twice is kept once; ``None``: it is not that simple."""
    kinds = [(one.type, one.subtype) for one in part.parts]
    if kinds != [(b"text", b"plain"), (b"text", b"html")]:
        return None
    plain, page = (_part_text(octets, one, most) for one in part.parts)
    known = set(page.split())
    said = plain.split()
    new = sum(1 for word in said if word not in known)
    return page if new <= (1 - _ENOUGH) * len(said) else f"{plain}\n{page}"


def _part_text(octets: bytes, part: mime.Part, most: int) -> str:
    source = octets[part.body : min(part.end, part.body + 4 * most)]
    if part.encoding in body.ENCODED:
        source = body.decode(source, part.encoding)
    label = parameter(part.parameters, b"charset") or b""
    text = charset.decode(source[:most], label)
    if part.subtype == b"html":
        text = htmltext.words(text)
    return _ENCODED_RUN.sub(" ", text)


def _filename(part: mime.Part, limits: MessageLimits) -> str:
    value = part.described.get(b"content-disposition")
    found = None if value is None else disposition(value, limits)
    name = None if found is None else parameter(found.parameters, b"filename")
    return encodedword.decode(name or parameter(part.parameters, b"name") or b"")
