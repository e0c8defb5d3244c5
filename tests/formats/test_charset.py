"""Character sets by the names of mail, and encoded words."""

# ruff: noqa: E501 (a row a line)

from __future__ import annotations

import email.header
from encodings import aliases

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.formats import charset, encodedword
from tests.formats.garbage import anything, octets


@pytest.mark.parametrize(
    ("name", "raw", "text"),
    [
        (b"utf-8", "é".encode(), "é"),
        (b"UTF8", b"\xff", "�"),
        (b"", "é".encode(), "é"),
        (b"", b"caf\xe9", "café"),
        (b"us-ascii", b"caf\xe9", "café"),
        (b"iso-8859-1", b"\x93x\x94", "“x”"),
        (b"ISO-8859-15", b"\xa4", "€"),
        (b"koi8-r", "да".encode("koi8-r"), "да"),
        (b"gb2312", "喆".encode("gb18030"), "喆"),
        (b"ks_c_5601-1987", "똠".encode("cp949"), "똠"),
        (b"shift_jis", "①".encode("cp932"), "①"),
        (b"iso-2022-jp", "日本".encode("iso2022_jp"), "日本"),
        (b"utf-7", b"+AOk-", "é"),
        (b"utf-16", b"\x00", "�"),
        (b"cp1252", b"\x81", "�"),
        (b'"windows-1251"', b"\xe4", "д"),
        # Python codecs that are no character sets.
        (b"rot13", b"abc", "abc"),
        (b"punycode", b"abc-def", "abc-def"),
        (b"unicode_escape", b"\\x41", "\\x41"),
        (b"zlib", b"x", "x"),
        (b"cp99999", b"x\xe9", "xé"),
        (b"utf-8\0", b"x", "x"),
        (b"x" * 1000, b"x", "x"),
        (b"\xff", b"x", "x"),
    ],
)
def test_decoding(name: bytes, raw: bytes, text: str) -> None:
    assert charset.decode(raw, name) == text


def test_known_names() -> None:
    assert charset.is_known(b"UTF-8")
    assert charset.is_known(b"us-ascii")
    assert charset.is_known(b"iso-8859-1")
    assert not charset.is_known(b"klingon")
    assert not charset.is_known(b"hex")


@anything
@given(octets, st.binary(max_size=12) | st.sampled_from([b"utf-7", b"hz", b"idna"]))
def test_garbage_never_raises(raw: bytes, name: bytes) -> None:
    charset.decode(raw, name)
    encodedword.decode(raw)


@pytest.mark.parametrize("name", sorted({*aliases.aliases, *aliases.aliases.values()}))
def test_every_codec_of_python_takes_garbage(name: str) -> None:
    for raw in (
        bytes(range(256)),
        b"\xff" * 7,
        b"\x1b$B\x1b(",
        b"~{",
        b"+",
        b"=",
        b"x",
    ):
        charset.decode(raw, name.encode())


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        # RFC 2047 §8.
        (b"=?US-ASCII?Q?Keith_Moore?= <m@x>", "Keith Moore <m@x>"),
        (b"=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=\r\n =?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=", "If you can read this you understand the example."),
        (b"(=?ISO-8859-1?Q?a?=)", "(a)"),
        (b"(=?ISO-8859-1?Q?a?= b)", "(a b)"),
        (b"(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)", "(ab)"),
        (b"(=?ISO-8859-1?Q?a_b?=)", "(a b)"),
        (b"(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a b)"),
        # RFC 2231 §5.
        (b"=?US-ASCII*EN?Q?Keith_Moore?=", "Keith Moore"),
        # Seen in mail.
        (b"=?utf-8?B?w6k?=", "é"),
        (b"=?utf-8?B?w6kx?", "=?utf-8?B?w6kx?"),
        (b"=?utf-8?Q?=C3?= =?utf-8?Q?=A9?=", "é"),
        (b"=?utf-8?Q?a b=?=", "a b="),
        (b"=?utf-8?B?w?=", ""),
        (b"=?utf-8?X?w?=", "=?utf-8?X?w?="),
        (b"=?utf-8?q?x?=y=?utf-8?q?z?=", "xyz"),
        (b"=?nonsense?q?=E9?=", "é"),
        ("é =?utf-8?q?x?=".encode(), "é x"),
        (b"=?utf-8?q??=", ""),
        (b"plain", "plain"),
    ],
)  # fmt: skip
def test_encoded_words(raw: bytes, text: str) -> None:
    assert encodedword.decode(raw.replace(b"\r\n", b"")) == text


@pytest.mark.parametrize(
    ("text", "raw"),
    [
        ("plain text", b"plain text"),
        ("", b""),
        ("é", b"=?utf-8?B?w6k=?="),
        ("not =?an?word?=", b"=?utf-8?B?bm90ID0/YW4/d29yZD89?="),
        ("two\r\nlines", b"two lines"),
    ],
)
def test_writing_encoded_words(text: str, raw: bytes) -> None:
    assert encodedword.encode(text) == raw


@anything
@given(st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"))))
def test_what_is_written_is_read(text: str) -> None:
    raw = encodedword.encode(text)
    assert raw.isascii()
    assert all(len(line) <= 76 or b"=?" not in line for line in raw.split(b"\r\n"))
    assert encodedword.decode(raw.replace(b"\r\n", b"")) == text
    if b"=?" in raw:
        pieces = email.header.decode_header(raw.decode().replace("\r\n", ""))
        assert str(email.header.make_header(pieces)) == text
