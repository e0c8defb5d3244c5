"""Whole messages of our own people (RFC 2387); the standard library reads them."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from mailkit.formats import body, flowed, letter, validation
from mailkit.formats.compose import CannotCompose
from mailkit.formats.header import find_end
from mailkit.formats.letter import Base64, FilePlace, Letter, LetterFile
from tests.formats.garbage import anything

PLAIN = Letter(
    sender=("Anna Smith", "anna@example.org"),
    date=datetime(2026, 11, 21, 16, 30, tzinfo=UTC),
    message_id="<1@example.org>",
    to=(("", "bob@example.net"),),
    subject="Hello",
    text="Hello\nyou",
)
PICTURE = LetterFile(1, "cat.png", "image/png", 3000, "cat@mailkit")
REPORT = LetterFile(2, "Übersicht 2026.pdf", "application/pdf", 100)
MESSAGE = LetterFile(3, "forwarded.eml", "message/rfc822", 20)


def octets_of(said: Letter, *, shows_blind: bool = False) -> bytes:
    """The message, its files put in."""
    pieces = letter.write(said, shows_blind=shows_blind)
    whole = b""
    for piece in pieces:
        if isinstance(piece, bytes):
            whole += piece
            continue
        octets = file_octets(said, piece.number)
        if piece.is_base64:
            writer = Base64()
            for at in range(0, len(octets), 100):
                whole += writer.feed(octets[at : at + 100])
            whole += writer.end()
        else:
            whole += octets
    assert len(whole) == letter.size(pieces, said)
    return whole


def file_octets(said: Letter, number: int) -> bytes:
    [file] = [file for file in said.files if file.number == number]
    if file.kind == "message/rfc822":
        return b"Subject: inside\r\n\r\n."
    return bytes(at % 251 for at in range(file.size))


def read(said: Letter, *, shows_blind: bool = False) -> EmailMessage:
    octets = octets_of(said, shows_blind=shows_blind)
    assert b"\r\n\r\n" in octets
    assert octets.replace(b"\r\n", b"").count(b"\n") == 0
    head = octets[: find_end(octets)]
    findings = validation.examine(head, utf8=said.needs_smtputf8)
    assert not validation.refused_on_submission(findings)
    found = message_from_bytes(octets, policy=policy.default)
    assert isinstance(found, EmailMessage)
    assert not found.defects
    return found


def text_of(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def test_plain_text() -> None:
    assert octets_of(PLAIN) == (
        b"Date: Sat, 21 Nov 2026 16:30:00 +0000\r\n"
        b"From: Anna Smith <anna@example.org>\r\n"
        b"To: bob@example.net\r\n"
        b"Subject: Hello\r\n"
        b"Message-ID: <1@example.org>\r\n"
        b"MIME-Version: 1.0\r\n"
        b"Content-Type: text/plain; charset=us-ascii; format=flowed\r\n"
        b"Content-Transfer-Encoding: 7bit\r\n\r\n"
        b"Hello\r\nyou\r\n"
    )
    found = read(evolve(PLAIN, is_flowed=False, text=""))
    assert str(found["Content-Type"]) == 'text/plain; charset="us-ascii"'
    assert not text_of(found)


def test_fields() -> None:
    said = evolve(
        PLAIN,
        cc=(("Jörg, the", "joerg@example.net"),),
        bcc=(("", "boss@example.net"),),
        subject="Grüße aus " + "Berlin " * 20,
        in_reply_to="<0@example.org>",
        references=("<a@example.org>", "<0@example.org>"),
    )
    found = read(said)
    assert found["Cc"].addresses[0].display_name == "Jörg, the"
    assert found["Subject"].strip() == said.subject.strip()
    assert found["In-Reply-To"] == "<0@example.org>"
    assert found["References"] == "<a@example.org> <0@example.org>"
    assert found["Bcc"] is None
    assert read(said, shows_blind=True)["Bcc"] == "boss@example.net"


def test_nobody_yet() -> None:
    found = read(evolve(PLAIN, to=(), subject=""))
    assert found["To"] is None
    assert found["Subject"] == ""


def test_long_conversations() -> None:
    ids = tuple(f"<{number}@example.org>" for number in range(500))
    named = read(evolve(PLAIN, references=ids))["References"].split()
    assert named == [ids[0], *ids[-49:]]


TEXTS = [
    ("Viele Grüße aus Berlin", "quoted-printable"),
    ("日本語のテキスト", "base64"),
    ("x" * 2000, "quoted-printable"),
    ("plain", "7bit"),
    ("From here\r\n.\r\n> quoted\rends ", "7bit"),
]


@pytest.mark.parametrize(("text", "encoding"), TEXTS)
def test_text(text: str, encoding: str) -> None:
    found = read(evolve(PLAIN, text=text))
    assert found["Content-Transfer-Encoding"] == encoding
    wanted = text.replace("\r\n", "\n").replace("\r", "\n")
    wanted = "\n".join(line.rstrip(" ") for line in wanted.split("\n"))
    assert flowed.read(text_of(found).rstrip("\r\n")) == wanted


def test_eight_bit() -> None:
    said = evolve(PLAIN, text="Grüße", is_eight_bit=True)
    assert said.needs_8bit
    assert not PLAIN.needs_8bit
    assert octets_of(said).endswith("8bit\r\n\r\nGrüße\r\n".encode())
    long = read(evolve(said, text="ü" * 600, is_flowed=False))
    assert long["Content-Transfer-Encoding"] == "base64"


def test_html_and_pictures() -> None:
    said = evolve(PLAIN, html='<p>Hi <img src="cid:cat@mailkit"></p>', files=(PICTURE,))
    found = read(said)
    assert found.get_content_type() == "multipart/alternative"
    text, related = found.iter_parts()
    assert text.get_content_type() == "text/plain"
    assert related.get_content_type() == "multipart/related"
    assert related.get_param("type") == "text/html"
    html, picture = related.iter_parts()
    assert "cid:cat@mailkit" in html.get_content()
    assert picture["Content-ID"] == "<cat@mailkit>"
    assert picture["Content-Disposition"] == 'inline; filename="cat.png"'
    assert picture.get_content() == file_octets(said, 1)


def test_html_alone() -> None:
    found = read(evolve(PLAIN, html="<p>Grüße</p>"))
    kinds = [part.get_content_type() for part in found.iter_parts()]
    assert kinds == ["text/plain", "text/html"]


def test_files() -> None:
    said = evolve(PLAIN, html="<p>Hi</p>", files=(REPORT, MESSAGE))
    assert said.needs_8bit
    found = read(said)
    assert found.get_content_type() == "multipart/mixed"
    body_part, report, message = found.iter_parts()
    assert body_part.get_content_type() == "multipart/alternative"
    assert report.get_filename() == "Übersicht 2026.pdf"
    assert report.get_content() == file_octets(said, 2)
    assert message.get_content()["Subject"] == "inside"


def test_a_picture_without_html_is_a_file() -> None:
    found = read(evolve(PLAIN, files=(PICTURE,)))
    _, picture = found.iter_parts()
    assert picture.get_content_disposition() == "attachment"


@pytest.mark.parametrize("kind", ["x", "message/partial", "multipart/mixed", "a/b;c=d"])
def test_kinds_that_may_not_be(kind: str) -> None:
    _, part = read(evolve(PLAIN, files=(evolve(REPORT, kind=kind),))).iter_parts()
    assert part.get_content_type() == "application/octet-stream"


def test_boundaries_stand_in_no_text() -> None:
    [*_, last] = letter.write(evolve(PLAIN, files=(REPORT,)))
    assert isinstance(last, bytes)
    boundary = last.decode().strip().removesuffix("--")
    said = evolve(PLAIN, text=f"{boundary}\n{boundary}--", files=(REPORT,))
    text, report = read(said).iter_parts()
    assert boundary in text.get_content()
    assert report.get_filename() == REPORT.name


def test_international_addresses() -> None:
    said = evolve(
        PLAIN,
        sender=("", "anna@bücher.example"),
        to=(("Bob", "bob@example.net"), ("", "c@日本.example")),
    )
    assert not said.needs_smtputf8
    found = read(said)
    assert found["From"] == "anna@xn--bcher-kva.example"
    assert "xn--wgv71a.example" in found["To"]
    said = evolve(said, to=(("", "jürgen@bücher.example"),))
    assert said.needs_smtputf8
    assert "To: jürgen@bücher.example\r\n".encode() in octets_of(said)


BAD: list[dict[str, Any]] = [  # Any: each field has its own type
    {"subject": "a\r\nBcc: eve@example.net"},
    {"sender": ("", "anna")},
    {"to": (("a\nb", "bob@example.net"),)},
    {"to": (("", f"bob@{'üöäéßñ' * 20}.example"),)},
    {"message_id": "1@example.org"},
    {"references": ("<a b>",)},
    {"in_reply_to": "<a>\r\nX: y"},
    {"text": "\ud800"},
    {"files": (evolve(REPORT, name="a\r\nb"),)},
    {"html": '<img src="cid:a>b">', "files": (evolve(PICTURE, content_id="a>b"),)},
]


def test_a_picture_that_the_text_shows_no_more_is_a_file() -> None:
    found = read(evolve(PLAIN, html="<p>Hi</p>", files=(PICTURE,)))
    assert found.get_content_type() == "multipart/mixed"
    [file] = found.iter_attachments()
    assert file["Content-Disposition"] == 'attachment; filename="cat.png"'


@pytest.mark.parametrize("wrong", BAD)
def test_what_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(CannotCompose):
        letter.write(evolve(PLAIN, **wrong))


def test_octets_nobody_takes_go() -> None:
    assert "a b" in read(evolve(PLAIN, text="a\0 b")).get_content()


@anything
@given(st.binary(max_size=400), st.integers(1, 100))
def test_base64_in_pieces(octets: bytes, step: int) -> None:
    writer = Base64()
    written = b"".join(
        writer.feed(octets[at : at + step]) for at in range(0, len(octets), step)
    )
    written += writer.end()
    assert len(written) == letter.encoded_size(len(octets))
    assert body.decode(written, b"base64") == octets
    assert all(len(line) <= 76 for line in written.split(b"\r\n"))
    assert FilePlace(1, False).size_of(7) == 7


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


@anything
@given(_TEXT, _TEXT)
def test_any_text_comes_through(subject: str, text: str) -> None:
    said = evolve(PLAIN, text=text, is_flowed=False, html="<p>x</p>", files=(REPORT,))
    found = message_from_bytes(octets_of(said), policy=policy.default)
    assert isinstance(found, EmailMessage)
    part = found.get_body(("plain",))
    assert part is not None
    got = part.get_payload(decode=True)
    assert isinstance(got, bytes)
    wanted = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    assert got.decode().replace("\r\n", "\n").rstrip("\n") == wanted.rstrip("\n")
    try:
        octets = octets_of(evolve(PLAIN, subject=subject))
    except CannotCompose:
        return
    assert octets[: find_end(octets)].count(b"\r\n") >= 7
