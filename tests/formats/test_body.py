"""Transfer encodings (RFC 2045 §6), and long lines made short."""

# ruff: noqa: E501 (a row a line)

from __future__ import annotations

import base64
import quopri

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.errors import BadMessage
from mailkit.formats import body, section
from mailkit.formats import mime as structure
from tests.formats.garbage import anything, message, octets


@pytest.mark.parametrize(
    ("encoding", "encoded", "decoded"),
    [
        (b"7bit", b"x=3D", b"x=3D"),
        (b"binary", b"\0", b"\0"),
        (b"base64", b"aGVs\r\nbG8=\r\n", b"hello"),
        (b"base64", b"aGVsbG8", b"hello"),
        (b"base64", b"a GV*s\0bG8\xff=", b"hello"),
        (b"base64", b"aGVsbG8=aGVsbG8=", b"hello"),
        (b"base64", b"aGVsb", b"hel"),
        (b"base64", b"=", b""),
        (b"base64", b"", b""),
        (b"quoted-printable", b"a=3Db=\r\nc \t\r\nd ", b"a=bc\r\nd"),
        (b"quoted-printable", b"=e9=E9", b"\xe9\xe9"),
        (b"quoted-printable", b"=\nx\t\ny", b"x\ny"),
        (b"quoted-printable", b"=ZZ =", b"=ZZ "),
        (b"quoted-printable", b"", b""),
    ],
)
def test_decoding(encoding: bytes, encoded: bytes, decoded: bytes) -> None:
    assert body.decode(encoded, encoding) == decoded
    assert body.decoded_size(b"xx" + encoded, encoding, 2, len(encoded) + 2) == len(
        decoded
    )


def test_unknown_encodings_are_refused_by_name() -> None:
    with pytest.raises(body.UnknownEncoding, match="x-uuencode"):
        body.decode(b"", b"x-uuencode")
    with pytest.raises(BadMessage):
        body.decoded_size(b"", b"\xff", 0, 0)


def test_pieces_are_bounded() -> None:
    text = base64.encodebytes(b"x" * 1_000_000)
    pieces = list(body.decode_pieces(text, b"base64", 0, len(text)))
    assert max(map(len, pieces)) <= 64 * 1024
    assert b"".join(pieces) == b"x" * 1_000_000
    text = b"x" * 200_000 + b"=3D" * 100_000 + b"\r\n" * 50_000
    pieces = list(body.decode_pieces(text, b"quoted-printable", 0, len(text)))
    assert max(map(len, pieces)) <= 64 * 1024
    assert b"".join(pieces) == b"x" * 200_000 + b"=" * 100_000 + b"\r\n" * 50_000
    assert list(body.decode_pieces(b"abc", b"8bit", 1, 2)) == [b"b"]


@pytest.mark.parametrize("shift", range(4))
def test_no_escape_is_cut_between_pieces(shift: int) -> None:
    text = b"x" * (64 * 1024 - shift) + b"=41=42=43"
    assert body.decode(text, b"quoted-printable").endswith(b"xABC")


@anything
@given(octets)
def test_garbage_never_raises(text: bytes) -> None:
    for encoding in (b"base64", b"quoted-printable"):
        decoded = body.decode(text, encoding)
        assert body.decoded_size(text, encoding, 0, len(text)) == len(decoded)
    body.has_long_lines(text)


@anything
@given(st.lists(st.sampled_from([b"\r\n", b" ", b"\t", b"=", b".", b"From ", b"x" * 70,
                                 "é".encode(), b"\0"]), max_size=20).map(b"".join))  # fmt: skip
def test_what_is_encoded_is_decoded(text: bytes) -> None:
    encoded = body.encode_quoted_printable(text)
    assert all(len(line) <= 76 for line in encoded.split(b"\r\n"))
    assert encoded.isascii()
    assert encoded.count(b"\n") == encoded.count(b"\r\n")
    assert body.decode(encoded, b"quoted-printable") == text
    assert quopri.decodestring(encoded) == text


@pytest.mark.parametrize(
    ("text", "long"),
    [
        (b"", False),
        (b"x" * 998, False),
        (b"x" * 998 + b"\r\n", False),
        (b"x" * 999, True),
        (b"x" * 999 + b"\r\n", True),
        (b"x\r\n" * 900 + b"x" * 998 + b"\r\n" + b"x\r\n" * 900, False),
        (b"x\r\n" * 900 + b"x" * 999 + b"\r\n" + b"x\r\n" * 900, True),
    ],
)
def test_long_lines(text: bytes, long: bool) -> None:
    assert body.has_long_lines(text) is long
    assert body.has_long_lines(b"y" * 5000 + text, 5000) is long


@anything
@given(st.lists(st.integers(0, 1010), max_size=6))
def test_long_lines_are_those_that_split_finds(lengths: list[int]) -> None:
    lines = [b"x" * length for length in lengths]
    assert body.has_long_lines(b"\r\n".join(lines)) is any(
        length > 998 for length in lengths
    )


LONG = "é " * 500


def test_long_text_becomes_quoted_printable() -> None:
    text = message(
        "From: a@b",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
        "Subject: x",
        "",
        LONG,
        "short",
    )
    short = body.shorten_lines(text)
    assert not body.has_long_lines(short)
    assert short.startswith(
        b"MIME-Version: 1.0\r\nFrom: a@b\r\nContent-Type: text/plain; charset=utf-8\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\nSubject: x\r\n\r\n=C3=A9 "
    )
    root = structure.scan(short)
    assert section.binary(short, root, (1,)) == message(LONG, "short")


def test_an_encoding_makes_it_mime() -> None:
    """Who sees no MIME-Version need not decode (RFC 2045 §4)."""
    short = body.shorten_lines(message("A: b", "", "x" * 999))
    assert short.startswith(
        b"MIME-Version: 1.0\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\nA: b\r\n\r\nx"
    )
    short = body.shorten_lines(message("mime-version: 1.0", "", "x" * 999))
    assert short.count(b"1.0") == 1


def test_only_the_long_part_changes() -> None:
    text = message(
        "Content-Type: multipart/mixed; boundary=b",
        "",
        "--b",
        "",
        "x" * 2000,
        "--b",
        "Content-Type: text/html",
        "",
        "y" * 2000,
        "--b",
        "Content-Type: application/x",
        "",
        "z" * 2000,
        "--b",
        "Content-Transfer-Encoding: base64",
        "",
        "eHh4" * 500,
        "--b",
        "",
        "short",
        "--b--",
    )
    short = body.shorten_lines(text)
    root = structure.scan(short)
    assert section.binary(short, root, (1,)) == b"x" * 2000
    assert section.binary(short, root, (2,)) == b"y" * 2000
    assert b"z" * 2000 in short
    assert b"eHh4" * 500 in short
    assert short.count(b"quoted-printable") == 2
    assert short.endswith(text[text.index(b"--b\r\nContent-Type: application/x") :])


def test_short_messages_stay_the_same_object() -> None:
    text = message("A: b", "", "x")
    assert body.shorten_lines(text) is text


@pytest.mark.parametrize(
    "kind",
    [
        "multipart/signed; boundary=b",
        "Multipart/Encrypted; boundary=b",
    ],
)
def test_inside_signed_parts_nothing_is_changed(kind: str) -> None:
    text = message(f"Content-Type: {kind}", "", "--b", "", "x" * 999, "--b--")
    with pytest.raises(body.ProtectedLines):
        body.shorten_lines(text)


@pytest.mark.parametrize("kind", ["pkcs7-mime", "x-pkcs7-mime"])
def test_signed_blobs_are_not_changed(kind: str) -> None:
    text = message(f"Content-Type: application/{kind}", "", "x" * 999)
    with pytest.raises(body.ProtectedLines):
        body.shorten_lines(text)


def test_long_lines_beside_a_signed_part_may_change() -> None:
    text = message(
        "Content-Type: multipart/mixed; boundary=a",
        "",
        "--a",
        "Content-Type: multipart/signed; boundary=b",
        "",
        "--b",
        "",
        "signed",
        "--b--",
        "--a",
        "",
        "x" * 999,
        "--a--",
    )
    assert not body.has_long_lines(body.shorten_lines(text))


def test_ten_mebibytes_without_long_lines() -> None:
    text = (b"x" * 70 + b"\r\n") * 140_000
    assert not body.has_long_lines(text)
