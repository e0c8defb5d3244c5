"""Messages of our own, written."""

from __future__ import annotations

from email import message_from_bytes, policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.formats import addresslist, compose, encodedword, header, mime
from mailkit.formats.compose import CannotCompose

TEXT_FIELDS = [
    ("Hello", b"Subject: Hello\r\n"),
    ("  Hello ", b"Subject: Hello\r\n"),
    ("", b"Subject: \r\n"),
    ("Grüße", b"Subject: =?utf-8?B?R3LDvMOfZQ==?=\r\n"),
    (
        "word " * 30,
        b"Subject: word word word word word word word word word word word word word"
        b"\r\n word word word word word word word word word word word word word word"
        b" word\r\n word word\r\n",
    ),
    ("x" * 200, b"Subject:\r\n %b\r\n" % (b"x" * 200)),
]


@pytest.mark.parametrize(("text", "field"), TEXT_FIELDS)
def test_text_field(text: str, field: bytes) -> None:
    assert compose.text_field("Subject", text) == field


BAD = ["a\r\nBcc: eve@example.net", "a\nb", "a\rb", "a\0b", "a\u2028b", "a\udc80b"]


@pytest.mark.parametrize("text", BAD)
def test_no_field_in_a_field(text: str) -> None:
    for write in (compose.text_field, compose.plain_field):
        with pytest.raises(CannotCompose):
            write("Subject", text)
    for pair in ((text, "bob@example.net"), ("Bob", text)):
        with pytest.raises(CannotCompose):
            compose.address_field("To", [pair])
    with pytest.raises(CannotCompose):
        compose.attachment(text, "text/plain", b"")


@pytest.mark.parametrize("name", ["", "a b", "a:", "ä", "a\r\nb", "x" * 71])
def test_names_of_fields(name: str) -> None:
    with pytest.raises(CannotCompose, match="name of a field"):
        compose.text_field(name, "x")


def test_plain_fields_are_ascii() -> None:
    field = compose.plain_field("List-Id", "<spring.example.org>")
    assert field == b"List-Id: <spring.example.org>\r\n"
    with pytest.raises(CannotCompose, match="not ASCII"):
        compose.plain_field("List-Id", "<frühling.example.org>")


def test_a_field_that_is_too_long() -> None:
    with pytest.raises(CannotCompose, match="too long"):
        compose.text_field("Subject", "x" * 999)


ADDRESSES = [
    ("", b"bob@example.net"),
    ("Bob Builder", b"Bob Builder <bob@example.net>"),
    ("Builder, Bob", b'"Builder, Bob" <bob@example.net>'),
    ('Bob "the" B\\', b'"Bob \\"the\\" B\\\\" <bob@example.net>'),
    ("=?utf-8?Q?x?=", b"=?utf-8?B?PT91dGYtOD9RP3g/PQ==?= <bob@example.net>"),
    ("Größer", b"=?utf-8?B?R3LDtsOfZXI=?= <bob@example.net>"),
]


@pytest.mark.parametrize(("shown", "written"), ADDRESSES)
def test_addresses(shown: str, written: bytes) -> None:
    field = compose.address_field("To", [(shown, "bob@example.net")])
    assert field == b"To: " + written + b"\r\n"


def test_several_addresses_are_folded() -> None:
    field = compose.address_field(
        "To", [("", f"number{n}@example.net") for n in range(9)]
    )
    assert max(map(len, field.split(b"\r\n"))) <= 78
    assert len(addresslist.parse(header.unfold(field[3:]))) == 9


@given(st.text(max_size=300))
def test_whatever_is_written_is_read_again(text: str) -> None:
    try:
        field = compose.text_field("Subject", text)
    except CannotCompose:
        return
    assert field.isascii()
    assert field.count(b"\r\n") == field.count(b"\n") == field.count(b"\r")
    [(_, name, value)] = header.scan(field)
    assert name == b"Subject"
    assert encodedword.decode(header.unfold(value)).split() == text.split()


@given(st.text(max_size=80))
def test_whatever_a_name_is_there_is_one_address(shown: str) -> None:
    try:
        field = compose.address_field("To", [(shown, "bob@example.net")])
    except CannotCompose:
        return
    [(_, _, value)] = header.scan(field)
    [one] = addresslist.flatten(addresslist.parse(value))
    assert (one.local_part, one.domain) == (b"bob", b"example.net")
    assert addresslist.is_certain(value)


TEXTS = [
    ("hello\n", b"us-ascii", b"7bit", b"hello\r\n"),
    ("a\r\nb\rc\nd", b"us-ascii", b"7bit", b"a\r\nb\r\nc\r\nd\r\n"),
    ("", b"us-ascii", b"7bit", b""),
    ("ä\n", b"utf-8", b"quoted-printable", b"=C3=A4\r\n"),
    ("a\0\n", b"utf-8", b"quoted-printable", b"a=00\r\n"),
]


@pytest.mark.parametrize(("text", "charset", "encoding", "octets"), TEXTS)
def test_text_parts(text: str, charset: bytes, encoding: bytes, octets: bytes) -> None:
    assert compose.text_part(text, "html", b"X: y\r\n") == (
        b"X: y\r\nContent-Type: text/html; charset=%b\r\n"
        b"Content-Transfer-Encoding: %b\r\n\r\n%b" % (charset, encoding, octets)
    )


def test_long_lines_are_cut_for_the_way() -> None:
    part = compose.text_part("x" * 2000)
    assert max(map(len, part.split(b"\r\n"))) < 80
    with pytest.raises(CannotCompose):
        compose.text_part("\udc80")


NAMES = [
    "plan.pdf",
    'a "plan".pdf',
    "Größe.pdf",
    "x" * 200 + ".pdf",
    "ä" * 100 + ".pdf",
    "a b;c.pdf",
    "100%.pdf",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_files(name: str) -> None:
    part = compose.attachment(name, "application/pdf", b"%PDF" * 100)
    assert max(map(len, part.split(b"\r\n"))) <= 998
    read = message_from_bytes(part, policy=policy.default)
    assert read.get_filename() == name
    assert read.get_content_type() == "application/pdf"
    assert read.get_content() == b"%PDF" * 100


@pytest.mark.parametrize("kind", ["", "message/rfc822", "multipart/mixed", "no type"])
def test_what_may_not_be_in_base64_goes_as_octets(kind: str) -> None:
    part = compose.attachment("a", kind, b"x")
    assert part.startswith(b"Content-Type: application/octet-stream\r\n")


def test_multipart() -> None:
    parts = [compose.text_part("one"), compose.text_part("two", "html")]
    octets = compose.multipart("alternative", parts, b"X: y\r\n", b"; a=b")
    root = mime.scan(octets)
    assert root.subtype == b"alternative"
    assert (b"a", b"b") in root.parameters
    assert [part.subtype for part in root.parts] == [b"plain", b"html"]
    assert [octets[part.body : part.end] for part in root.parts] == [
        b"one\r\n",
        b"two\r\n",
    ]


def test_a_boundary_stands_in_no_part() -> None:
    first = compose.multipart("mixed", [compose.text_part("x")])
    boundary = mime.boundary(mime.scan(first).parameters)
    filler = b"x" * 5000  # what a boundary is made of comes before it
    parts = [compose.text_part(filler.decode())]
    own = mime.boundary(mime.scan(compose.multipart("mixed", parts)).parameters)
    again = compose.multipart("mixed", [parts[0] + own + b"\r\n"])
    assert mime.boundary(mime.scan(again).parameters) != own
    assert len(mime.scan(again).parts) == 1
    assert boundary
