"""ENVELOPE as octets."""

# ruff: noqa: E501 (a row a line)

from __future__ import annotations

import pytest
from hypothesis import given

from mailkit.formats import header, overview
from tests.formats.garbage import anything, message, octets


def rendered(*lines: str) -> bytes:
    return overview.render(header.scan(message(*lines)))


def test_the_example_of_the_rfc() -> None:
    # RFC 9051 §8.
    assert rendered(
        "Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)",
        "From: Terry Gray <gray@cac.washington.edu>",
        "Subject: IMAP4rev2 WG mtg summary and minutes",
        "To: imap@cac.washington.edu",
        "Cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>",
        "Message-ID: <B27397-0100000@cac.washington.edu>",
    ) == (
        b'("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" '
        b'"IMAP4rev2 WG mtg summary and minutes" '
        b'(("Terry Gray" NIL "gray" "cac.washington.edu")) '
        b'(("Terry Gray" NIL "gray" "cac.washington.edu")) '
        b'(("Terry Gray" NIL "gray" "cac.washington.edu")) '
        b'((NIL NIL "imap" "cac.washington.edu")) '
        b'((NIL NIL "minutes" "CNRI.Reston.VA.US")'
        b'("John Klensin" NIL "KLENSIN" "MIT.EDU")) NIL NIL '
        b'"<B27397-0100000@cac.washington.edu>")'
    )


def test_nothing_at_all() -> None:
    assert rendered() == b"(" + b" ".join([b"NIL"] * 10) + b")"


def test_present_but_empty() -> None:
    assert (
        rendered("Date:", "Subject: ", "From:", "Sender:", "To:", "In-Reply-To:", "Message-ID:")
        == b'("" "" NIL NIL NIL NIL NIL NIL "" "")'
    )  # fmt: skip


def test_sender_and_reply_to_default_to_from() -> None:
    author = b'((NIL NIL "a" "b"))'
    assert rendered("From: a@b", "Sender:", "Reply-To: ,") == (
        b"(NIL NIL %b %b %b NIL NIL NIL NIL NIL)" % (author, author, author)
    )
    assert rendered("From: a@b", "Sender: s@b", "Reply-To: r@b") == (
        b'(NIL NIL %b ((NIL NIL "s" "b")) ((NIL NIL "r" "b")) NIL NIL NIL NIL NIL)'
        % author
    )


def test_groups() -> None:
    assert rendered("To: undisclosed-recipients:;", "Cc: g: a@b, c@d;, e@f") == (
        b"(NIL NIL NIL NIL NIL "
        b'((NIL NIL "undisclosed-recipients" NIL)(NIL NIL NIL NIL)) '
        b'((NIL NIL "g" NIL)(NIL NIL "a" "b")(NIL NIL "c" "d")(NIL NIL NIL NIL)'
        b'(NIL NIL "e" "f")) NIL NIL NIL)'
    )


def test_a_missing_host_is_no_group() -> None:
    assert b'((NIL NIL "joe" ""))' in rendered("From: joe")


def test_routes() -> None:
    assert b'((NIL "@a,@b" "joe" "c"))' in rendered("From: <@a,@b:joe@c>")


def test_several_fields_of_one_name() -> None:
    assert rendered("To: a@b", "to: c@d", "Subject: one", "Subject: two") == (
        b'(NIL "one" NIL NIL NIL ((NIL NIL "a" "b")(NIL NIL "c" "d")) NIL NIL NIL NIL)'
    )


def test_folded_fields() -> None:
    assert b'"one two\tthree"' in rendered("Subject: one", " two", "\tthree")


@pytest.mark.parametrize(
    ("octets", "written"),
    [
        (b"", b'""'),
        (b"plain", b'"plain"'),
        (b'a "b" \\c', b'"a \\"b\\" \\\\c"'),
        (b"tab\tand\x01", b'"tab\tand\x01"'),
        ("é".encode(), b"{2}\r\n\xc3\xa9"),
        (b'"\xff\\', b'{3}\r\n"\xff\\'),
        (b"a\rb", b"{3}\r\na\rb"),
        (b"a\nb", b"{3}\r\na\nb"),
        (b"a\0b", b'"a?b"'),
        (b"\0\xff", b"{2}\r\n?\xff"),
    ],
)
def test_strings(octets: bytes, written: bytes) -> None:
    assert overview.string(octets) == written
    assert overview.nstring(octets) == written


def test_nil() -> None:
    assert overview.nstring(None) == b"NIL"


@anything
@given(octets)
def test_garbage_never_raises(text: bytes) -> None:
    for name in (b"From", b"Subject", b"To"):
        fields = header.scan(name + b": " + text)
        assert overview.render(fields).startswith(b"(")
