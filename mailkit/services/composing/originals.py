"""A message that is answered, forwarded or written anew, as its author meant it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from attrs import field, frozen

from mailkit.errors import NoSuchMailbox
from mailkit.formats import (
    addresslist,
    body,
    charset,
    encodedword,
    fields,
    flowed,
    header,
    mime,
    richtext,
)
from mailkit.formats import date as dates
from mailkit.formats.quoting import LONGEST, NamedMailbox, Original
from mailkit.interfaces.lanes import ILanes
from mailkit.interfaces.storage import IMailStore
from mailkit.model.address import AccountName
from mailkit.model.conversation import Summary
from mailkit.model.uidset import UIDSet
from mailkit.services.delivery.content import read_whole

_LARGE = 64 * 1024
"""Octets of a message from which on a thread looks at it."""

_MOST_FILES = 200
_IDS = re.compile(rb"<[^<>\s]+>")
_CID = re.compile(r"""\bcid:([^"'\s<>]+)""", re.I)


@frozen
class OriginalFile:
    """A file of a message, where it lies within its octets."""

    name: str
    kind: str
    content_id: str
    """Without angle brackets; empty: it has none."""
    is_within: bool
    """Whether the HTML shows it."""
    size: int
    """Octets, decoded."""
    _start: int
    _end: int
    _encoding: bytes

    def pieces(self, octets: bytes) -> Iterator[bytes]:
        """What it holds, decoded, out of the whole message."""
        encoding = self._encoding
        if encoding not in body.ENCODED:
            encoding = b"binary"
        return body.decode_pieces(octets, encoding, self._start, self._end)


@frozen
class Found:
    """A message that was read to write something about it."""

    original: Original
    files: tuple[OriginalFile, ...]
    octets: bytes = field(repr=False)
    sent: float | None
    """Seconds since 1970, as it says."""


async def find(
    store: IMailStore, lanes: ILanes, account: AccountName, summary: Summary
) -> Found | None:
    """Read a message where it lies; ``None`` if it has gone meanwhile."""
    for place in summary.places:
        try:
            opened = await store.open(account, place.mailbox)
        except NoSuchMailbox:
            continue
        for _, content in await opened.contents(UIDSet.of([place.uid])):
            octets = await read_whole(content)
            work = partial(understand, octets)
            return work() if len(octets) < _LARGE else await lanes.hash(work)
    return None


def understand(octets: bytes) -> Found:
    """What a message says, and which files it has; for a thread, where it is large."""
    first = partial(header.first, octets)
    plain, marked, others = _sorted(octets, mime.scan(octets))
    html = ""
    if marked is not None:
        html = richtext.clean(_text(octets, marked))
    text = "" if plain is None else _plain(octets, plain)
    if plain is None and html:
        text = richtext.to_text(html)
    shown = {found.lower() for found in _CID.findall(html)}
    sent = dates.parse(first(b"Date") or b"")
    original = Original(
        sender=_people(first(b"From")),
        reply_to=_people(first(b"Reply-To")),
        to=_people(first(b"To")),
        cc=_people(first(b"Cc")),
        bcc=_people(first(b"Bcc")),
        subject=encodedword.decode(first(b"Subject") or b""),
        message_id=next(iter(_ids(first(b"Message-ID"))), ""),
        in_reply_to=_ids(first(b"In-Reply-To")),
        references=_ids(first(b"References")),
        text=text,
        html=html,
    )
    files = [_file(octets, part, shown) for part in others[:_MOST_FILES]]
    stamp = None if sent is None else sent.timestamp()
    return Found(original, tuple(files), octets, stamp)


def _sorted(
    octets: bytes, root: mime.Part
) -> tuple[mime.Part | None, mime.Part | None, list[mime.Part]]:
    """The text, the HTML, and all parts that are neither."""
    plain: mime.Part | None = None
    marked: mime.Part | None = None
    others: list[mime.Part] = []
    waiting = [root]
    while waiting:
        part = waiting.pop()
        if part.is_multipart:
            waiting.extend(reversed(part.parts))
        elif part.type != b"text" or _is_attached(part):
            others.append(part)
        elif part.subtype == b"html" and marked is None:
            marked = part
        elif part.subtype == b"plain" and plain is None:
            plain = part
        elif part.subtype not in (b"plain", b"html") or part.body != part.end:
            others.append(part)
    return plain, marked, others


def _is_attached(part: mime.Part) -> bool:
    value = part.described.get(b"content-disposition")
    found = None if value is None else fields.disposition(value)
    return found is not None and found.value == b"attachment"


def _text(octets: bytes, part: mime.Part) -> str:
    return charset.decode(_decoded(octets, part), _parameter(part, b"charset"))


def _decoded(octets: bytes, part: mime.Part) -> bytes:
    """At most as much of a text as is quoted."""
    encoding = part.encoding if part.encoding in body.ENCODED else b"binary"
    found = b""
    for piece in body.decode_pieces(octets, encoding, part.body, part.end):
        found += piece[: 4 * LONGEST]
        if len(found) > 4 * LONGEST:
            break
    return found


def _plain(octets: bytes, part: mime.Part) -> str:
    text = _text(octets, part)[:LONGEST]
    if _parameter(part, b"format").lower() == b"flowed":
        deletes = _parameter(part, b"delsp").lower() == b"yes"
        return flowed.read(text, deletes_spaces=deletes)
    return text.replace("\r\n", "\n")


def _parameter(part: mime.Part, name: bytes) -> bytes:
    return fields.parameter(part.parameters, name) or b""


def _file(octets: bytes, part: mime.Part, shown: set[str]) -> OriginalFile:
    value = part.described.get(b"content-id", b"")
    content_id = header.unfold(value).strip(b"<>").decode("utf-8", "replace")
    encoding = part.encoding
    if encoding not in body.ENCODED:
        encoding = b"binary"
    size = body.decoded_size(octets, encoding, part.body, part.end)
    kind = f"{part.type.decode('ascii', 'replace')}/"
    kind += part.subtype.decode("ascii", "replace")
    return OriginalFile(
        _name(part) or _UNNAMED.get(kind, "attachment"),
        kind,
        content_id,
        content_id.lower() in shown and part.type == b"image",
        size,
        part.body,
        part.end,
        encoding,
    )


_UNNAMED = {
    "message/rfc822": "message.eml",
    "text/calendar": "invite.ics",
    "text/html": "text.html",
    "text/plain": "text.txt",
}


def _name(part: mime.Part) -> str:
    """A file's name on one line, without folders (RFC 2183 §2.3)."""
    value = part.described.get(b"content-disposition")
    found = None if value is None else fields.disposition(value)
    for parameters, name in (
        (() if found is None else found.parameters, b"filename"),
        (part.parameters, b"name"),
    ):
        octets = fields.parameter(parameters, name)
        if octets:
            return file_name(encodedword.decode(octets))
    return ""


def file_name(text: str) -> str:
    """What a file may be called: one line, no folders, not endless."""
    last = re.split(r"[/\\]", text)[-1]
    shown = "".join(" " if _is_unseen(one) else one for one in last)
    name = " ".join(shown.split()).strip(". ")
    if len(name) > 150:
        front, dot, ending = name.rpartition(".")
        kept = f"{dot}{ending}" if dot and len(ending) < 20 else ""
        name = (front or name)[: 150 - len(kept)] + kept
    return name


def _is_unseen(one: str) -> bool:
    return one < " " or one == "\x7f" or "\ud800" <= one <= "\udfff" or one in _TURNS


_TURNS = frozenset(
    "\u0085\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
"""Line ends, and what makes a name look like another one."""


def _people(value: bytes | None) -> tuple[NamedMailbox, ...]:
    if not value:
        return ()
    found: list[NamedMailbox] = []
    for one in addresslist.flatten(addresslist.parse(value)):
        name = "" if one.name is None else encodedword.decode(one.name)
        address = one.local_part.decode("utf-8", "replace")
        if one.domain:
            address += f"@{one.domain.decode('utf-8', 'replace')}"
        found.append((" ".join(name.split()), address))
    return tuple(found)


def _ids(value: bytes | None) -> tuple[str, ...]:
    """Message identifications that may be named again: ASCII, without spaces."""
    if not value:
        return ()
    found: Sequence[bytes] = _IDS.findall(value)
    return tuple(one.decode("ascii") for one in found if _is_plain(one))


_is_plain: Callable[[bytes], bool] = bytes.isascii
