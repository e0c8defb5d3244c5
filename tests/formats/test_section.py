"""Sections that FETCH names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.formats import body, mime, section
from mailkit.formats.limits import Limits
from mailkit.formats.section import Text
from tests.formats.garbage import anything, message, octets

# The example of RFC 9051 §6.4.5.1, each part with words of its own.
LETTER = message(
    "Subject: whole",
    "Content-Type: multipart/mixed; boundary=a",
    "",
    "preamble",
    "--a",
    "Content-Type: text/plain",
    "",
    "1",
    "--a",
    "Content-Type: application/octet-stream",
    "Content-Transfer-Encoding: base64",
    "",
    "Mg==",
    "--a",
    "Content-Type: message/rfc822",
    "",
    "Subject: three",
    "Content-Type: multipart/mixed; boundary=b",
    "",
    "--b",
    "",
    "3.1",
    "--b",
    "Content-Type: application/octet-stream",
    "",
    "3.2",
    "--b--",
    "--a",
    "Content-Type: multipart/mixed; boundary=c",
    "",
    "--c",
    "Content-Type: image/gif",
    "",
    "4.1",
    "--c",
    "Content-Type: message/rfc822",
    "",
    "Subject: four two",
    "Content-Type: multipart/mixed; boundary=d",
    "",
    "--d",
    "",
    "4.2.1",
    "--d",
    "Content-Type: multipart/alternative; boundary=e",
    "",
    "--e",
    "",
    "4.2.2.1",
    "--e",
    "Content-Type: text/richtext",
    "",
    "4.2.2.2",
    "--e--",
    "--d--",
    "--c--",
    "--a",
    "Content-Type: message/rfc822",
    "",
    "Subject: five",
    "",
    "5.1",
    "--a--",
    "epilogue",
)
ROOT = mime.scan(LETTER)


def octets_of(text: Text, *numbers: int) -> bytes | None:
    where = section.span(LETTER, ROOT, numbers, text)
    return None if where is None else LETTER[where[0] : where[1]]


@pytest.mark.parametrize(
    ("numbers", "content"),
    [
        ((1,), b"1"),
        ((2,), b"Mg=="),
        ((3, 1), b"3.1"),
        ((3, 2), b"3.2"),
        ((4, 1), b"4.1"),
        ((4, 2, 1), b"4.2.1"),
        ((4, 2, 2, 1), b"4.2.2.1"),
        ((4, 2, 2, 2), b"4.2.2.2"),
        ((5, 1), b"5.1"),
        ((5,), b"Subject: five\r\n\r\n5.1"),
        ((0,), None),
        ((6,), None),
        ((1, 1), None),
        ((3, 3), None),
        ((5, 2), None),
        ((5, 1, 1), None),
        ((4, 2, 2, 3), None),
        ((1 << 70,), None),
    ],
)
def test_parts_by_number(numbers: tuple[int, ...], content: bytes | None) -> None:
    assert octets_of(Text.WHOLE, *numbers) == content


def test_the_whole_message() -> None:
    assert octets_of(Text.WHOLE) == LETTER
    assert octets_of(Text.HEADER) == LETTER[: ROOT.body]
    assert octets_of(Text.TEXT) == LETTER[ROOT.body :]
    assert octets_of(Text.MIME) is None


def test_messages_inside() -> None:
    assert octets_of(Text.HEADER, 5) == b"Subject: five\r\n\r\n"
    assert octets_of(Text.TEXT, 5) == b"5.1"
    assert octets_of(Text.MIME, 5) == b"Content-Type: message/rfc822\r\n\r\n"
    header = octets_of(Text.HEADER, 4, 2)
    assert header is not None
    assert header.startswith(b"Subject: four two\r\n")
    assert octets_of(Text.HEADER, 1) is None
    assert octets_of(Text.TEXT, 4) is None
    assert octets_of(Text.MIME, 4, 2, 2, 2) == b"Content-Type: text/richtext\r\n\r\n"
    assert octets_of(Text.HEADER, 9) is None


def test_fields_of_a_header() -> None:
    assert section.header_fields(LETTER, ROOT, (), {b"subject"}) == (
        b"Subject: whole\r\n\r\n"
    )
    assert section.header_fields(LETTER, ROOT, (4, 2), {b"subject"}) == (
        b"Subject: four two\r\n\r\n"
    )
    assert section.header_fields_not(LETTER, ROOT, (4, 2), {b"subject"}) == (
        b"Content-Type: multipart/mixed; boundary=d\r\n\r\n"
    )
    assert section.header_fields(LETTER, ROOT, (1,), {b"subject"}) is None
    assert section.header_fields_not(LETTER, ROOT, (1,), {b"subject"}) is None


def test_part_one_of_a_plain_message() -> None:
    text = message("Content-Type: text/plain", "", "x")
    root = mime.scan(text)
    assert section.span(text, root, (1,), Text.WHOLE) == (root.body, len(text))
    assert section.span(text, root, (1,), Text.MIME) == (0, root.body)
    assert section.span(text, root, (2,), Text.WHOLE) is None
    assert section.span(text, root, (1, 1), Text.WHOLE) is None


def test_a_message_that_is_a_message() -> None:
    text = message("Content-Type: message/rfc822", "", "Subject: inside", "", "x")
    root = mime.scan(text)
    assert section.span(text, root, (1,), Text.WHOLE) == (root.body, len(text))
    assert section.header_fields(text, root, (1,), {b"subject"}) == (
        b"Subject: inside\r\n\r\n"
    )
    assert section.binary(text, root, (1, 1)) == b"x\r\n"


def test_what_bodystructure_makes_up_can_be_fetched() -> None:
    text = message("Content-Type: multipart/mixed; boundary=b", "", "x")
    root = mime.scan(text)
    assert section.binary(text, root, (1,)) == b""
    assert section.binary(text, root, (2,)) is None
    assert section.binary(text, root, (1, 1)) is None


def test_a_message_beyond_the_depth_still_has_a_header() -> None:
    text = message("Content-Type: message/rfc822", "", "Subject: inside", "", "x")
    root = mime.scan(text, Limits(depth=0))
    assert section.header_fields(text, root, (1,), {b"subject"}) == (
        b"Subject: inside\r\n\r\n"
    )
    assert section.span(text, root, (1, 1), Text.WHOLE) is None


def test_decoded_parts() -> None:
    assert section.binary(LETTER, ROOT, (2,)) == b"2"
    assert section.binary_size(LETTER, ROOT, (2,)) == 1
    assert section.binary(LETTER, ROOT, ()) == LETTER
    assert section.binary_size(LETTER, ROOT, ()) == len(LETTER)
    assert section.binary(LETTER, ROOT, (5,)) == b"Subject: five\r\n\r\n5.1"
    assert section.binary_size(LETTER, ROOT, (5,)) == 20
    assert section.binary_size(LETTER, ROOT, (9,)) is None


def test_decoded_text_has_crlf() -> None:
    text = message("Content-Transfer-Encoding: base64", "", "YQpiDQpjCg==")
    root = mime.scan(text)
    assert section.binary(text, root, (1,)) == b"a\r\nb\r\nc\r\n"
    assert section.binary_size(text, root, (1,)) == 9
    text = message("Content-Transfer-Encoding: quoted-printable", "", "a=0Ab=0D=0A")
    assert section.binary(text, mime.scan(text), (1,)) == b"a\r\nb\r\n\r\n"


def test_unknown_encodings() -> None:
    text = message("Content-Type: a/b", "Content-Transfer-Encoding: x", "", "y")
    root = mime.scan(text)
    with pytest.raises(body.UnknownEncoding):
        section.binary(text, root, (1,))
    with pytest.raises(body.UnknownEncoding):
        section.binary_size(text, root, (1,))


@anything
@given(octets, st.lists(st.integers(0, 3), max_size=4))
def test_garbage_never_raises(text: bytes, numbers: list[int]) -> None:
    whole = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + text
    root = mime.scan(whole)
    for kind in Text:
        where = section.span(whole, root, numbers, kind)
        assert where is None or 0 <= where[0] <= where[1] <= len(whole)
    try:
        decoded = section.binary(whole, root, numbers)
    except body.UnknownEncoding:
        return
    size = section.binary_size(whole, root, numbers)
    assert size == (None if decoded is None else len(decoded))
