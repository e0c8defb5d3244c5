"""What a message is made of, each under its own address and behind its own headers."""

from __future__ import annotations

from urllib.parse import quote

from attrs import evolve

from mailkit.errors import NoSuchPart
from mailkit.formats.displayed import FilePart, plain_name, text_of
from mailkit.formats.picture import picture_type
from mailkit.services.reading.document import write_document
from mailkit.services.reading.message import OpenMessage
from mailkit.services.reading.packing import pack
from mailkit.web.answers import Answer, Outlet, Stream
from mailkit.web.asking import Asked
from mailkit.web.headers import MESSAGE_POLICY
from mailkit.web.webmail.invitations import speech_of
from mailkit.web.webmail.rooms import Room

room = Room()

TEXT = "text/plain; charset=utf-8"
OCTETS = "application/octet-stream"

VIEW_POLICY = "default-src 'none'; img-src 'self'; media-src 'self'; sandbox"
"""Content-Security-Policy of a file that is looked at and not saved."""

NO_PICTURES_POLICY = MESSAGE_POLICY.replace(" {o}/img/", "")
"""Of a message whose pictures on other servers are not shown."""

_VIEWED = frozenset(
    (
        "text/plain",
        "audio/mpeg",
        "audio/ogg",
        "video/mp4",
        "video/webm",
        "audio/webm",
        "video/ogg",
        "application/pdf",
    )
)
"""Kinds of files beside pictures that a browser shows without running anything."""

_PICTURES = frozenset(
    ("image/avif", "image/gif", "image/jpeg", "image/png", "image/webp")
)

_SAVED_AS = (
    _VIEWED
    | _PICTURES
    | frozenset(
        (
            "application/gzip",
            "application/msword",
            "application/rtf",
            "application/vnd.ms-excel",
            "application/vnd.ms-powerpoint",
            "application/vnd.oasis.opendocument.presentation",
            "application/vnd.oasis.opendocument.spreadsheet",
            "application/vnd.oasis.opendocument.text",
            "application/vnd.openxmlformats-officedocument.presentationml.presentation",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "application/zip",
            "message/rfc822",
            "text/calendar",
            "text/csv",
        )
    )
)
"""Kinds that keep their name when they are saved; others are octets."""

_PIECE = 64 * 1024


@room.get("/m/<mid>/html", dests="iframe document empty", links=False)
async def html(asked: Asked, mid: str) -> Answer:
    """
    The message's own document, for the frame without scripts.

    ``pictures=1`` shows pictures of other servers, through ours; ``dark=1`` turns white
    paper dark.
    """
    message = await asked.house.reading.open(asked.name, mid)
    shows = asked.query.text("pictures") == "1"
    body = await asked.house.reading.body(
        message, shows_pictures=shows, speech=speech_of(asked)
    )
    document = write_document(
        body,
        title=message.summary.subject,
        language=asked.language.tag,
        theme=asked.preferences.theme.value,
        dark=asked.query.text("dark") == "1",
    )
    return shown(asked, document, shows_pictures=shows)


@room.get("/m/<mid>/text", dests="document iframe empty", links=False)
async def text(asked: Asked, mid: str) -> Answer:
    """The text alone."""
    message = await asked.house.reading.open(asked.name, mid)
    plain = await asked.house.reading.plain(message, speech_of(asked))
    octets = plain.encode("utf-8", "replace")
    return asked.file(TEXT, _streamed(octets), is_download=False, length=len(octets))


@room.get("/m/<mid>/source", dests="document iframe empty", links=False)
async def source(asked: Asked, mid: str) -> Answer:
    """Everything as it came: ``download=1`` saves it, otherwise it is shown."""
    message = await asked.house.reading.open(asked.name, mid)
    octets = message.octets
    if asked.query.text("download") == "1":
        return asked.file(
            "message/rfc822", _streamed(octets), "message.eml", length=len(octets)
        )
    # Octets that are no UTF-8 shall be seen as what they are, in one byte each.
    charset = "utf-8" if _is_text(octets) else "iso-8859-1"
    kind = f"text/plain; charset={charset}"
    return asked.file(kind, _streamed(octets), is_download=False, length=len(octets))


@room.get("/part/<mid>/<number>", dests="image empty", links=False)
async def part(asked: Asked, mid: str, number: str) -> Answer:
    """A picture within the text; nothing else is shown there."""
    message = await asked.house.reading.open(asked.name, mid)
    one = asked.house.reading.file(message, number)
    octets = await asked.house.reading.octets_of(message, one)
    kind = picture_type(octets)
    if kind is None:
        raise NoSuchPart(number)
    return asked.file(kind, _streamed(octets), is_download=False, length=len(octets))


@room.get(
    "/att/<mid>/<number>/view",
    dests="document image video audio empty",
    links=False,
)
async def view(asked: Asked, mid: str, number: str) -> Answer:
    """A file that can be looked at without running anything; others are saved."""
    message = await asked.house.reading.open(asked.name, mid)
    one = asked.house.reading.file(message, number)
    octets = await asked.house.reading.octets_of(message, one)
    kind = picture_type(octets) or (
        one.media_type if one.media_type in _VIEWED else None
    )
    if kind is None:
        return _saved(asked, one, octets)
    if kind == "text/plain":
        said, _ = text_of(message.octets, one.part, len(message.octets))
        octets = said.encode("utf-8", "replace")
        kind = TEXT
    answer = asked.file(
        kind, _streamed(octets), one.name, is_download=False, length=len(octets)
    )
    return evolve_headers(answer, {"Content-Security-Policy": VIEW_POLICY})


@room.get("/att/<mid>/<number>/<name>", dests="document empty", links=False)
async def attachment(asked: Asked, mid: str, number: str, name: str) -> Answer:
    """A file to save; its name in the address is for people alone."""
    message = await asked.house.reading.open(asked.name, mid)
    one = asked.house.reading.file(message, number)
    octets = await asked.house.reading.octets_of(message, one)
    return _saved(asked, one, octets)


@room.get("/att/<mid>/all.zip", dests="document empty", links=False)
async def archive(asked: Asked, mid: str) -> Answer:
    """All files together."""
    reading = asked.house.reading
    message = await reading.open(asked.name, mid)
    body = await reading.body(message, shows_pictures=False)
    if not body.files:
        raise NoSuchPart("all.zip")

    async def write(outlet: Outlet) -> None:
        await pack(reading, message, body.files, outlet.write)

    return asked.file("application/zip", write, archive_name(message))


@room.get("/img/<signature>/<address>", dests="image empty", links=False)
async def picture(asked: Asked, signature: str, address: str) -> Answer:
    """A picture of another server, which learns nothing of who looks."""
    pictures = asked.house.reading.pictures
    found = await pictures.open(asked.name, signature, address)
    answer = asked.file(
        found.media_type,
        _streamed(found.octets),
        is_download=False,
        length=len(found.octets),
    )
    # Nobody but this account can ask for it, and its address says all that it is.
    return evolve_headers(answer, {"Cache-Control": "private, max-age=86400"})


def shown(asked: Asked, document: bytes, *, shows_pictures: bool) -> Answer:
    """What strangers wrote; without pictures of other servers none can be asked for."""
    answer = asked.document(document)
    if shows_pictures:
        return answer
    policy = NO_PICTURES_POLICY.replace("{o}", asked.origin)
    return evolve_headers(answer, {"Content-Security-Policy": policy})


def evolve_headers(answer: Answer, headers: dict[str, str]) -> Answer:
    """The same answer with other headers in place of those of its kind."""
    return evolve(answer, headers={**answer.headers, **headers})


def file_href(mid: str, one: FilePart) -> str:
    """Where a file is saved from."""
    name = "file" if one.name in ("view", "all.zip") else one.name
    return f"/att/{mid}/{one.number}/{quote(name, safe='')}"


def view_href(mid: str, one: FilePart) -> str:
    """
    Where a file is looked at; empty where it is better saved.

    PDF can be looked at, too, but not every browser does that in a sandbox; what is
    saved opens everywhere.
    """
    is_viewed = one.media_type in _VIEWED and one.media_type != "application/pdf"
    if is_viewed or one.media_type in _PICTURES:
        return f"/att/{mid}/{one.number}/view"
    return ""


def archive_name(message: OpenMessage) -> str:
    """What all files of a message are saved as."""
    subject = message.summary.subject.strip()[:60]
    return f"{plain_name(subject, 'files')}.zip"


def _saved(asked: Asked, one: FilePart, octets: bytes) -> Answer:
    kind = one.media_type if one.media_type in _SAVED_AS else OCTETS
    return asked.file(kind, _streamed(octets), one.name, length=len(octets))


def _streamed(octets: bytes) -> Stream:
    async def write(outlet: Outlet) -> None:
        for at in range(0, len(octets), _PIECE):
            await outlet.write(octets[at : at + _PIECE])

    return write


def _is_text(octets: bytes) -> bool:
    try:
        octets.decode()
    except ValueError:
        return False
    return True
