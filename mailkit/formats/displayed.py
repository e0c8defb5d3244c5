"""
Which parts of a message are its text, which its pictures and which its files.

Of alternatives (RFC 2046 §5.1.4) HTML is taken before plain text; calendars are shown
as text beside. Text that is no attachment is shown wherever it stands, in order, as
people see it in other programs. All else is offered as a file.
"""

from __future__ import annotations

import re
from contextlib import suppress
from enum import Enum

from attrs import define, field, frozen

from mailkit.formats import body, charset, encodedword, mime
from mailkit.formats.fields import disposition, parameter
from mailkit.formats.header import unfold
from mailkit.formats.limits import DEFAULT_LIMITS, Limits


class Kind(Enum):
    """How a part of the text is shown."""

    HTML = "html"
    PLAIN = "plain"
    CALENDAR = "calendar"


@frozen(eq=False)
class TextPart:
    """One part of the text."""

    number: str
    """As in IMAP, such as ``1.2`` (RFC 9051 §6.4.5)."""
    kind: Kind
    part: mime.Part = field(repr=False)


@frozen(eq=False)
class FilePart:
    """A file, or a picture within the text."""

    number: str
    name: str
    """What it may be saved as: no path, no control characters, never empty."""
    media_type: str
    """In lower case, without parameters; what it says it is."""
    size: int
    """Octets, about: what base64 adds is taken off."""
    content_id: str
    """Without angle brackets; empty if it has none (RFC 2392 §2)."""
    is_attached: bool
    """Whether it says that it is an attachment."""
    part: mime.Part = field(repr=False)


@define(eq=False)
class Displayed:
    """A message taken apart for people."""

    texts: list[TextPart] = field(factory=list)
    files: list[FilePart] = field(factory=list)
    plain: mime.Part | None = None
    """The text of HTML as plain text, where the sender wrote it so, too."""
    is_encrypted: bool = False
    """Whether what it says is encrypted (RFC 1847 §2.2, RFC 8551 §3.3)."""
    is_signed: bool = False
    """Whether a signature goes with it (RFC 1847 §2.1)."""

    def pictures(self) -> dict[str, str]:
        """Numbers of the parts that HTML may show, by Content-ID."""
        found: dict[str, str] = {}
        for one in self.files:
            if one.content_id:
                found.setdefault(one.content_id, one.number)
        return found


LONGEST_NAME = 120
"""Characters of a file's name."""

_UNSAFE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f"
    r"\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\uffff\U000e0000-\U000e0fff]"
)
_NOT_IN_NAMES = re.compile(r'[/\\:*?"<>|]+')
_DEFAULT_NAMES = {
    "text/plain": "text.txt",
    "text/html": "page.html",
    "text/calendar": "invitation.ics",
    "message/rfc822": "message.eml",
    "message/global": "message.eml",
    "image/jpeg": "picture.jpg",
    "image/png": "picture.png",
    "image/gif": "picture.gif",
    "application/pdf": "document.pdf",
}
_NEVER_SHOWN = frozenset(
    (
        ("application", "pgp-signature"),
        ("application", "pkcs7-signature"),
        ("application", "x-pkcs7-signature"),
    )
)


def display(
    octets: bytes, root: mime.Part, limits: Limits = DEFAULT_LIMITS
) -> Displayed:
    """Take a message apart that `mime.scan` looked at."""
    found = Displayed()
    _Sorter(octets, limits, found).sort(root)
    return found


def text_of(octets: bytes, part: mime.Part, most: int) -> tuple[str, bool]:
    """
    The text of a part, and whether it was cut.

    :param most: octets of it, as it travels, that are looked at.
    """
    end = min(part.end, part.body + most)
    source = octets[part.body : end]
    with suppress(body.UnknownEncoding):  # shown as it is: better than nothing
        source = body.decode(source, part.encoding)
    label = parameter(part.parameters, b"charset") or b""
    return charset.decode(source, label), end < part.end


def decoded(octets: bytes, part: mime.Part) -> bytes:
    """The octets of a file, without its transfer encoding."""
    source = octets[part.body : part.end]
    if part.is_multipart or part.is_message:
        return source
    try:
        return body.decode(source, part.encoding)
    except body.UnknownEncoding:
        return source


def is_flowed(part: mime.Part) -> bool:
    """Whether its lines are to be put together (RFC 3676 §4)."""
    return (parameter(part.parameters, b"format") or b"").strip().lower() == b"flowed"


def deletes_space(part: mime.Part) -> bool:
    """Whether the space at the end of a flowed line goes (RFC 3676 §4.1)."""
    return (parameter(part.parameters, b"delsp") or b"").strip().lower() == b"yes"


def plain_name(name: str, default: str = "file") -> str:
    """
    A file name that shows what it is and leads nowhere.

    What turns the direction of writing would show ``exe.pdf`` where ``fdp.exe`` is.
    """
    name = _UNSAFE.sub("", name.replace("\t", " "))
    name = _NOT_IN_NAMES.sub("_", name).strip(" .")
    if len(name) > LONGEST_NAME:
        stem, dot, ending = name.rpartition(".")
        if dot and len(ending) <= 10:
            name = f"{stem[: LONGEST_NAME - len(ending) - 1]}.{ending}"
        else:
            name = name[:LONGEST_NAME]
    return name or default


def media_type(part: mime.Part) -> str:
    """What a part says it is, without parameters."""
    return f"{_ascii(part.type)}/{_ascii(part.subtype)}"


class _Sorter:
    def __init__(self, octets: bytes, limits: Limits, found: Displayed) -> None:
        self._octets = octets
        self._limits = limits
        self._found = found

    def sort(self, root: mime.Part) -> None:
        """Walk without recursion: messages may be nested as deep as the limits let."""
        first = "" if root.is_multipart else "1"
        waiting = [(root, first, False)]
        while waiting:
            part, number, is_file = waiting.pop()
            if not part.is_multipart:
                self._leaf(part, number, is_file)
                continue
            children = [
                (child, f"{number}.{n}" if number else str(n), is_file)
                for n, child in enumerate(part.parts, 1)
            ]
            if part.subtype == b"alternative":
                children = self._chosen(children)
            elif part.subtype == b"signed":
                self._found.is_signed = True
            elif part.subtype == b"encrypted":
                self._found.is_encrypted = True
                children = [(child, number, True) for child, number, _ in children]
            waiting.extend(reversed(children))

    def _chosen(
        self, children: list[tuple[mime.Part, str, bool]]
    ) -> list[tuple[mime.Part, str, bool]]:
        """Of alternatives the best one, and what is none: calendars and files."""
        best = None
        rank = 0
        plain = None
        for child in children:
            part = child[0]
            value = self._rank(part)
            if value >= rank and value:
                best, rank = child, value
            if value == 1 and plain is None:
                plain = part
        others = [
            child
            for child in children
            if child is not best
            and not child[0].is_multipart
            and (child[0].type != b"text" or child[0].subtype == b"calendar")
        ]
        if best is None:
            return children
        if rank == 3 and self._found.plain is None:
            self._found.plain = plain
        return [best, *others]

    def _rank(self, part: mime.Part) -> int:
        if part.is_multipart:
            return max((self._rank(one) for one in part.parts[:50]), default=0)
        if part.type != b"text" or self._is_attachment(part):
            return 0
        return {b"html": 3, b"plain": 1, b"enriched": 1}.get(part.subtype, 0)

    def _leaf(self, part: mime.Part, number: str, is_file: bool) -> None:
        is_attached = self._is_attachment(part)
        if not (is_file or is_attached) and part.type == b"text":
            if part.subtype == b"html":
                self._text(part, number, Kind.HTML)
                return
            if part.subtype == b"calendar":
                self._text(part, number, Kind.CALENDAR)
            elif not self._name(part) or part.subtype == b"plain":
                self._text(part, number, Kind.PLAIN)
                return
        kind = (_ascii(part.type), _ascii(part.subtype))
        if kind in (("application", "pkcs7-mime"), ("application", "x-pkcs7-mime")):
            smime = parameter(part.parameters, b"smime-type") or b"enveloped-data"
            self._found.is_encrypted |= smime.strip().lower() == b"enveloped-data"
        if kind in _NEVER_SHOWN:
            return
        name = f"{kind[0]}/{kind[1]}"
        default = _DEFAULT_NAMES.get(name, f"{kind[0]}.{kind[1]}"[:40])
        self._found.files.append(
            FilePart(
                number,
                plain_name(self._name(part), plain_name(default)),
                name,
                _size(part),
                self._content_id(part),
                is_attached,
                part,
            )
        )

    def _text(self, part: mime.Part, number: str, kind: Kind) -> None:
        if part.end > part.body or not self._found.texts:
            self._found.texts.append(TextPart(number, kind, part))

    def _is_attachment(self, part: mime.Part) -> bool:
        value = part.described.get(b"content-disposition")
        found = None if value is None else disposition(value, self._limits)
        return found is not None and found.value == b"attachment"

    def _name(self, part: mime.Part) -> str:
        value = part.described.get(b"content-disposition")
        said = None
        if value is not None:
            found = disposition(value, self._limits)
            said = None if found is None else parameter(found.parameters, b"filename")
        if said is None:
            said = parameter(part.parameters, b"name")
        return "" if said is None else encodedword.decode(said)

    def _content_id(self, part: mime.Part) -> str:
        value = part.described.get(b"content-id", b"")
        text = unfold(value).decode("utf-8", "replace")
        return text.removeprefix("<").removesuffix(">")


def _size(part: mime.Part) -> int:
    size = part.end - part.body
    return size * 3 // 4 if part.encoding == b"base64" else size


def _ascii(octets: bytes) -> str:
    return octets.decode("ascii", "replace")
