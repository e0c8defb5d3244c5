"""
Whole messages of our own people, written: text, HTML, pictures in it, files.

The text is there always, HTML beside it in multipart/alternative, its pictures with it
in multipart/related (RFC 2387), files around all of that in multipart/mixed. Files are
not read here: where one comes there is a `FilePlace`, and whoever sends the message
puts it in, in pieces, by `Base64` or as it is.
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

from attrs import define, evolve, field, frozen

from mailkit.formats import body, compose, date, flowed
from mailkit.formats.compose import CannotCompose
from mailkit.model.address import a_labels, fold_domain

NamedMailbox = tuple[str, str]
"""Display name, which may be empty, and address."""

_LINE = 57
"""Octets that make a line of base64 (RFC 2045 §6.8)."""

_MESSAGE_ID = re.compile(r"<[!-;=?-~]+>", re.ASCII)
_CONTENT_ID = re.compile(r"[!-;=?-~]+", re.ASCII)
_KIND = re.compile(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+", re.ASCII)
_LINE_END = re.compile(r"\r\n|\r|\n")
_REFERENCES = 50
"""Of a long conversation the first one and the last ones are named."""


@frozen
class LetterFile:
    """A file that goes with a letter."""

    number: int
    """What `FilePlace` calls it."""
    name: str
    kind: str
    """Media type; what is none goes as octets."""
    size: int
    content_id: str = ""
    """Not empty: a picture that the HTML may show by ``cid:``."""


@frozen(kw_only=True)
class Letter:
    """What a message of our own people says."""

    sender: NamedMailbox
    date: datetime
    message_id: str
    to: tuple[NamedMailbox, ...] = ()
    cc: tuple[NamedMailbox, ...] = ()
    bcc: tuple[NamedMailbox, ...] = ()
    subject: str = ""
    text: str = field(default="", repr=False)
    html: str = field(default="", repr=False)
    """Empty: text alone."""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    files: tuple[LetterFile, ...] = ()
    is_flowed: bool = True
    """Whether the text is written as format=flowed."""
    is_eight_bit: bool = False
    """Whether text that is not ASCII goes as it is (RFC 6152), where lines allow."""

    @property
    def needs_smtputf8(self) -> bool:
        """Whether a header field is not ASCII (RFC 6532): only a local part can be."""
        people = (self.sender, *self.to, *self.cc)
        return any(not _local_part(address).isascii() for _, address in people)

    @property
    def needs_8bit(self) -> bool:
        """Whether it has to be announced as 8BITMIME (RFC 6152)."""
        return self.is_eight_bit or any(map(_is_message, self.files))


@frozen
class FilePlace:
    """Where the octets of a file come."""

    number: int
    is_base64: bool
    """Otherwise as they are, which are whole lines (RFC 2046 §5.2.1)."""

    def size_of(self, octets: int) -> int:
        """How many octets they become."""
        return encoded_size(octets) if self.is_base64 else octets


Piece = bytes | FilePlace


def write(letter: Letter, *, shows_blind: bool = False) -> list[Piece]:
    """
    The message in pieces, in order.

    :param shows_blind: whether Bcc is written: for the sender's own copy alone
        (RFC 5322 §3.6.3).
    :raises CannotCompose: if something cannot stand where it should.
    """
    letter = _checked(letter)
    return [_fields(letter, shows_blind), *_body(letter)]


def encoded_size(octets: int) -> int:
    """How many octets base64 makes of so many, its line ends included."""
    return (octets + 2) // 3 * 4 + -(-octets // _LINE) * 2


def size(pieces: Sequence[Piece], letter: Letter) -> int:
    """How many octets the message will have."""
    sizes = {file.number: file.size for file in letter.files}
    return sum(
        len(piece) if isinstance(piece, bytes) else piece.size_of(sizes[piece.number])
        for piece in pieces
    )


@define(eq=False)
class Base64:
    """Writes base64 from octets that come in pieces (RFC 2045 §6.8)."""

    _left: bytes = field(default=b"", init=False)

    def feed(self, octets: bytes) -> bytes:
        """Whole lines of what came so far."""
        octets = self._left + octets
        whole = len(octets) // _LINE * _LINE
        self._left = octets[whole:]
        return _base64(octets[:whole])

    def end(self) -> bytes:
        """The last line."""
        left, self._left = self._left, b""
        return _base64(left)


def _base64(octets: bytes) -> bytes:
    encoded = b2a_base64(octets, newline=False)
    lines = (encoded[at : at + 76] for at in range(0, len(encoded), 76))
    return b"".join([line + b"\r\n" for line in lines])


# --- the header


def _checked(letter: Letter) -> Letter:
    """With addresses as they travel."""
    ids = (letter.message_id, letter.in_reply_to, *letter.references)
    for one in ids:
        if one and not _MESSAGE_ID.fullmatch(one):
            raise CannotCompose(f"{one!r} is not the identification of a message")
    return evolve(
        letter,
        sender=_travelling(letter.sender),
        to=tuple(map(_travelling, letter.to)),
        cc=tuple(map(_travelling, letter.cc)),
        bcc=tuple(map(_travelling, letter.bcc)),
    )


def _travelling(person: NamedMailbox) -> NamedMailbox:
    """The domain in A-labels, so that SMTPUTF8 is needed for local parts alone."""
    name, address = person
    local_part, at, domain = address.rpartition("@")
    if not (at and local_part and domain):
        raise CannotCompose(f"{address!r} is not an address")
    if domain.isascii() or not local_part.isascii():
        return name, address
    labels = a_labels(fold_domain(domain))
    if labels is None:
        raise CannotCompose(f"{address!r} is not an address")
    return name, f"{local_part}@{labels}"


def _local_part(address: str) -> str:
    return address.rpartition("@")[0]


def _fields(letter: Letter, shows_blind: bool) -> bytes:
    fields = [
        b"Date: %b\r\n" % date.format(letter.date),
        compose.address_field("From", [letter.sender]),
    ]
    for name, people in (("To", letter.to), ("Cc", letter.cc)):
        if people:
            fields.append(compose.address_field(name, people))
    if letter.bcc and shows_blind:
        fields.append(compose.address_field("Bcc", letter.bcc))
    fields.append(compose.text_field("Subject", letter.subject))
    fields.append(compose.plain_field("Message-ID", letter.message_id))
    if letter.in_reply_to:
        fields.append(compose.plain_field("In-Reply-To", letter.in_reply_to))
    if letter.references:
        kept = letter.references
        if len(kept) > _REFERENCES:
            kept = (kept[0], *kept[1 - _REFERENCES :])
        fields.append(compose.plain_field("References", " ".join(kept)))
    fields.append(b"MIME-Version: 1.0\r\n")
    return b"".join(fields)


# --- the body


def _body(letter: Letter) -> list[Piece]:
    inline = [file for file in letter.files if _is_shown(file, letter.html)]
    beside = [file for file in letter.files if file not in inline]
    pieces: list[Piece] = [_text(letter)]
    if letter.html:
        marked: list[Piece] = [_html(letter)]
        if inline:
            parts = [marked, *(_file(letter, file, "inline") for file in inline)]
            marked = _multipart(letter, "related", parts, b';\r\n type="text/html"')
        pieces = _multipart(letter, "alternative", [pieces, marked])
    if beside:
        parts = [pieces, *(_file(letter, file, "attachment") for file in beside)]
        pieces = _multipart(letter, "mixed", parts)
    return pieces


def _is_shown(file: LetterFile, html: str) -> bool:
    """A picture that was taken out of the text again is a file like others."""
    return bool(file.content_id) and f"cid:{file.content_id}" in html


def _text(letter: Letter) -> bytes:
    text = flowed.write(letter.text) if letter.is_flowed else letter.text
    parameters = b"; format=flowed" if letter.is_flowed else b""
    return _text_part(text, b"plain", parameters, letter.is_eight_bit)


def _html(letter: Letter) -> bytes:
    document = (
        '<!DOCTYPE html>\n<html><head><meta charset="utf-8"></head><body>\n'
        f"{letter.html}\n</body></html>"
    )
    return _text_part(document, b"html", b"", letter.is_eight_bit)


def _text_part(
    text: str, subtype: bytes, parameters: bytes, is_eight_bit: bool
) -> bytes:
    try:
        octets = "\r\n".join(_LINE_END.split(text)).encode()
    except UnicodeEncodeError as error:
        raise CannotCompose("a text has what is no character") from error
    octets = octets.replace(b"\0", b"")
    if octets and not octets.endswith(b"\r\n"):
        octets += b"\r\n"
    charset, encoding = b"utf-8", b"quoted-printable"
    is_short = not body.has_long_lines(octets)
    if octets.isascii() and is_short:
        charset, encoding = b"us-ascii", b"7bit"
    elif is_eight_bit and is_short:
        encoding = b"8bit"
    else:
        above = len(octets) - len(octets.translate(None, _ABOVE_ASCII))
        if above * 6 > len(octets):  # from there on it is the shorter one
            octets, encoding = _base64(octets), b"base64"
        else:
            octets = body.encode_quoted_printable(octets)
    return (
        b"Content-Type: text/%b; charset=%b%b\r\n"
        b"Content-Transfer-Encoding: %b\r\n\r\n%b"
        % (subtype, charset, parameters, encoding, octets)
    )


_ABOVE_ASCII = bytes(range(128, 256))


def _file(letter: Letter, file: LetterFile, disposition: str) -> list[Piece]:
    compose.check_text("a file name", file.name)
    kind = file.kind.lower()
    is_message = _is_message(file)
    if not _KIND.fullmatch(kind) or (
        kind.startswith(("message/", "multipart/")) and not is_message
    ):
        kind = "application/octet-stream"
    lines = [
        f"Content-Type: {kind}".encode(),
        b"Content-Transfer-Encoding: " + (b"8bit" if is_message else b"base64"),
        b"Content-Disposition: %b;\r\n %b"
        % (disposition.encode(), compose.parameter("filename", file.name)),
    ]
    if disposition == "inline":
        if not _CONTENT_ID.fullmatch(file.content_id):
            raise CannotCompose(f"{file.content_id!r} is not the name of a part")
        lines.append(f"Content-ID: <{file.content_id}>".encode())
    head = b"".join(line + b"\r\n" for line in lines) + b"\r\n"
    return [head, FilePlace(file.number, not is_message)]


def _is_message(file: LetterFile) -> bool:
    return file.kind.lower() == "message/rfc822"


def _multipart(
    letter: Letter,
    subtype: str,
    parts: Sequence[Sequence[Piece]],
    parameters: bytes = b"",
) -> list[Piece]:
    """
    Parts in a part (RFC 2046 §5.1).

    The boundary cannot stand in base64 or in quoted-printable; plain text is looked
    through, and in a message that is forwarded nobody can have known it.
    """
    digest = sha256(f"{letter.message_id} {subtype}".encode()).hexdigest()
    boundary = b"=_%b" % digest[:32].encode()
    number = 0
    known = [piece for part in parts for piece in part if isinstance(piece, bytes)]
    while any(boundary in piece for piece in known):
        number += 1
        boundary = b"=_%d_%b" % (number, digest[:32].encode())
    head = b'Content-Type: multipart/%b;\r\n boundary="%b"%b\r\n' % (
        subtype.encode(),
        boundary,
        parameters,
    )
    pieces: list[Piece] = [head]
    for part in parts:
        pieces += [b"\r\n--%b\r\n" % boundary, *part]
    pieces.append(b"\r\n--%b--\r\n" % boundary)
    return pieces
