"""Content-Type, Content-Disposition (RFC 2183 §2), message identifications."""

# ruff: noqa: E501 (a row a line)

from __future__ import annotations

import email.message
import email.utils

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mailkit.formats import fields
from mailkit.formats.limits import Limits
from tests.formats.garbage import anything, octets


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"text/plain", (b"text", b"plain", ())),
        (b" Text/HTML ;\r\n charset=UTF-8\r", (b"text", b"html", ((b"charset", b"UTF-8"),))),
        (b'a/b; x="q\\"; y"; z=1', (b"a", b"b", ((b"x", b'q"; y'), (b"z", b"1")))),
        (b'a/b; boundary="no end', (b"a", b"b", ((b"boundary", b"no end"),))),
        (b'a/b; boundary="no end\\', (b"a", b"b", ((b"boundary", b"no end"),))),
        (b"a/b; name=two words.pdf ; c=d", (b"a", b"b", ((b"name", b"two words.pdf"), (b"c", b"d")))),
        (b"a/b (why; x=y); c=d (e)", (b"a", b"b", ((b"c", b"d"),))),
        (b"a/b;;; ;c=d;", (b"a", b"b", ((b"c", b"d"),))),
        (b"a/b; noequals; c=d", (b"a", b"b", ((b"c", b"d"),))),
        (b"a/b; c=", (b"a", b"b", ((b"c", b""),))),
        (b"a / b", (b"a", b"b", ())),
        (b"text", None),
        (b"", None),
        (b"/plain", None),
        (b"(text/plain", None),
    ],
)  # fmt: skip
def test_content_types(value: bytes, expected: object) -> None:
    assert fields.content_type(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"inline", (b"inline", ())),
        (b" Attachment; filename=x.pdf\r", (b"attachment", ((b"filename", b"x.pdf"),))),
        (b'"attachment"; filename="a b"', (b"attachment", ((b"filename", b"a b"),))),
        (b"", None),
        (b"; filename=x", None),
    ],
)
def test_dispositions(value: bytes, expected: object) -> None:
    assert fields.disposition(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        # RFC 2231 §3: continuations, in any order.
        (b"a/b; u*1=two; U*0=one", [(b"u", b"onetwo")]),
        # §4: charset and language.
        (b"a/b; t*=us-ascii'en-us'This%20is%20%2A%2A%2Afun", [(b"t*", b"This is ***fun")]),
        (b"a/b; t*=iso-8859-1''%E9", [(b"t*", b"\xc3\xa9")]),
        # §4.1: both.
        (b"a/b; t*0*=us-ascii'en'A%20; t*1*=%42%27; t*2=\"C%43\"", [(b"t*", b"A B'C%43")]),
        (b"a/b; t*=nonsense", [(b"t*", b"nonsense")]),
        (b"a/b; t*0*=utf-8''%C3; t*1*=%A9", [(b"t*", b"\xc3\xa9")]),
        (b"a/b; n=plain; n*=utf-8''%C3%A9; x=y", [(b"n", b"plain"), (b"n*", b"\xc3\xa9"), (b"x", b"y")]),
        (b"a/b; n*0=a; n*0=b; odd**=c; *=d", [(b"n", b"a"), (b"odd**", b"c"), (b"*", b"d")]),
        (b"a/b; x=1; x=2; y*=z", [(b"x", b"1"), (b"y*", b"z")]),
    ],
)  # fmt: skip
def test_extended_parameters(value: bytes, expected: list[tuple[bytes, bytes]]) -> None:
    found = fields.content_type(value)
    assert found is not None
    assert list(found.parameters) == expected


def test_the_extended_form_of_a_parameter_wins() -> None:
    found = fields.content_type(b"a/b; Name=e; NAME=f; name*=utf-8''%C3%A9")
    assert found is not None
    assert fields.parameter(found.parameters, b"name") == b"\xc3\xa9"
    assert fields.parameter(((b"Name", b"e"), (b"name", b"f")), b"name") == b"e"
    assert fields.parameter((), b"name") is None


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        (b"<1@a> <2@a>", [b"<1@a>", b"<2@a>"]),
        (b"<1@a><2@a>\r\n\t<3@a>", [b"<1@a>", b"<2@a>", b"<3@a>"]),
        (b"Your message of Friday <1@a>", [b"<1@a>"]),
        (b"<broken by\r\n folding@a>", [b"<brokenbyfolding@a>"]),
        (b"<<1@a>>", [b"<1@a>"]),
        (b"1@a", []),
        (b"<>", []),
        (b"<1@a", []),
    ],
)
def test_message_ids(value: bytes, ids: list[bytes]) -> None:
    assert fields.message_ids(value) == ids


def test_languages() -> None:
    assert fields.languages(b" de, en-GB (British),\r\n fr\r") == [
        b"de",
        b"en-GB",
        b"fr",
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"a(b)c", b"a c"),
        (b"a(b(c)d)e(f", b"a e"),
        (b'a"(b)"c', b'a"(b)"c'),
        (b'a(b"c)d', b"a d"),
        (b"a\\(b(c\\)d)e", b"a\\(b e"),
        (b"a)b(c)", b"a b "),
        (b"(" * 1000 + b")" * 1000 + b"x", b" x"),
    ],
)
def test_comments(value: bytes, expected: bytes) -> None:
    assert fields.without_comments(value) == expected


def test_limits() -> None:
    endless = b"a/b" + b"; p=1" * 2000
    found = fields.content_type(endless, Limits(parameters=7))
    assert found is not None
    assert len(found.parameters) == 7
    assert len(fields.message_ids(b"<1@a>" * 50, Limits(message_ids=3))) == 3


def test_endless_fields_take_linear_time() -> None:
    size = 1 << 16
    for text in (
        b";",
        b"; ",
        b"a;",
        b"(",
        b"()",
        b'"',
        b'("',
        b"\\",
        b"=",
        b"<",
        b"; a*0=b",
    ):
        value = b"a/b" + text * size
        fields.content_type(value)
        fields.disposition(value)
        fields.message_ids(value)


@anything
@given(octets)
def test_garbage_never_raises(value: bytes) -> None:
    fields.content_type(value)
    fields.content_type(b"a/b;" + value)
    fields.disposition(value)
    fields.message_ids(value)
    fields.languages(value)
    fields.without_comments(value)


@anything
@given(st.text("abc (),;:\"\\é李'%*", max_size=30), st.sampled_from(["ascii", "utf-8"]))
def test_what_the_standard_library_writes_is_read(text: str, charset: str) -> None:
    assume(charset == "utf-8" or text.isascii())
    witness = email.message.Message()
    if charset == "ascii":
        witness.add_header("Content-Disposition", "attachment", filename=text)
    else:
        witness.add_header(
            "Content-Disposition", "attachment", filename=("utf-8", "", text)
        )
    found = fields.disposition(witness["Content-Disposition"].encode())
    assert found is not None
    assert fields.parameter(found.parameters, b"filename") == (
        text.encode() if text or charset == "utf-8" else None
    )
