"""What is attached to a message, and what only belongs to its text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.formats import mime
from mailkit.formats.attachments import has_attachments


def multipart(subtype: str, *parts: str) -> str:
    body = "".join(f"--b{len(subtype)}\r\n{part}\r\n" for part in parts)
    boundary = f"b{len(subtype)}"
    return (
        f"Content-Type: multipart/{subtype}; boundary={boundary}\r\n\r\n"
        f"{body}--{boundary}--\r\n"
    )


TEXT = "Content-Type: text/plain\r\n\r\nHello"
HTML = "Content-Type: text/html\r\n\r\n<p>Hello"
PICTURE = "Content-Type: image/png\r\n{}\r\nx"
FILE = "Content-Type: application/pdf\r\n{}\r\nx"

CASES = {
    "nothing": ("", False),
    "text": (TEXT, False),
    "a text with a name": ("Content-Type: text/plain; name=a.txt\r\n\r\nx", True),
    "a named text within": (
        "Content-Disposition: inline; filename=a.txt\r\n\r\nx",
        True,
    ),
    "a text apart": ("Content-Disposition: attachment\r\n\r\nx", True),
    "a text within": ("Content-Disposition: inline\r\n\r\nx", False),
    "a file alone": (FILE.format(""), True),
    "both forms of a text": (multipart("alternative", TEXT, HTML), False),
    "an invitation among the forms": (
        multipart("alternative", TEXT, "Content-Type: text/calendar\r\n\r\nx"),
        False,
    ),
    "a form that is a file too": (
        multipart(
            "alternative", TEXT, FILE.format("Content-Disposition: attachment\r\n")
        ),
        True,
    ),
    "an unnamed form": (multipart("alternative", TEXT, FILE.format("")), False),
    "a file": (multipart("mixed", TEXT, FILE.format("")), True),
    "a picture that the text shows": (
        multipart("related", HTML, PICTURE.format("Content-ID: <1@a>\r\n")),
        False,
    ),
    "a picture that it does not": (multipart("mixed", TEXT, PICTURE.format("")), True),
    "a picture that it shows, to be had apart": (
        multipart(
            "mixed",
            TEXT,
            PICTURE.format("Content-ID: <1@a>\r\nContent-Disposition: attachment\r\n"),
        ),
        True,
    ),
    "two texts": (multipart("mixed", TEXT, TEXT), False),
    "a message": (
        multipart("mixed", TEXT, "Content-Type: message/rfc822\r\n\r\nA: b\r\n\r\nx"),
        True,
    ),
    "a message that came back": (
        multipart("report", TEXT, "Content-Type: message/rfc822\r\n\r\nA: b\r\n\r\n"),
        False,
    ),
    "a signature": (
        multipart(
            "signed",
            TEXT,
            "Content-Type: application/pgp-signature; name=s.asc\r\n"
            "Content-Disposition: attachment; filename=s.asc\r\n\r\nx",
        ),
        False,
    ),
    "ciphertext": (multipart("encrypted", FILE.format(""), FILE.format("")), False),
    "inside of inside": (
        multipart("mixed", multipart("alternative", TEXT, HTML), FILE.format("")),
        True,
    ),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
def test_what_is_attached(text: str, expected: bool) -> None:
    assert has_attachments(mime.scan(text.encode())) is expected


@given(st.binary(max_size=300))
def test_anything_at_all(octets: bytes) -> None:
    has_attachments(mime.scan(octets))
