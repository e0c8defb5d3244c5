"""The first words of a message (RFC 8970 §3.3)."""

# ruff: noqa: E501 (a row a line)

from __future__ import annotations

import pytest
from hypothesis import given

from mailkit.formats import mime, preview
from tests.formats.garbage import anything, message, octets


def words(*lines: str) -> str:
    text = message(*lines)
    return preview.preview(text, mime.scan(text))


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["", "one", " two  ", "", "three"], "one two three"),
        (["", ""], ""),
        (["Content-Type: image/png", "", "x"], ""),
        (["Content-Type: text/calendar", "", "x"], ""),
        (["Content-Disposition: attachment", "", "x"], ""),
        (["Content-Disposition: ;", "", "x"], "x"),
        (["Content-Disposition: inline", "", "x"], "x"),
        (["Content-Type: text/plain; charset=utf-8", "", "é"], "é"),
        (["Content-Transfer-Encoding: base64", "", "w6kgeA=="], "é x"),
        (["Content-Transfer-Encoding: quoted-printable", "", "=C3=A9=20x=", "y"], "é xy"),
        (["Content-Transfer-Encoding: x-unknown", "", "x"], "x"),
        (["", "On Friday Joe wrote:", "> quoted", " > more", "answer"], "On Friday Joe wrote: answer"),
        (["", "> all", "> quoted"], "> all > quoted"),
        (["", "bell\x07\u200b\u202e"], "bell"),
    ],
)  # fmt: skip
def test_plain_text(lines: list[str], expected: str) -> None:
    assert words(*lines) == expected


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<p>one</p><p>two</p>", "one two"),
        ("<b>O</b>ne <a href='x'>t</a>wo", "One two"),
        ("<style>p { color: red }</style><head><title>T</title></head>x", "x"),
        ("<!-- no --><script>alert(1)</script>x<!-- open", "x"),
        ("1 &lt; 2 &amp; &eacute;&nbsp;&zwnj;&#x200b;", "1 < 2 & é"),
        ("a < b", "a < b"),
        ("x<br", "x"),
        ("<style>open", ""),
    ],
)
def test_markup(markup: str, expected: str) -> None:
    assert words("Content-Type: text/html; charset=utf-8", "", markup) == expected


def test_the_first_text_counts() -> None:
    parts = ["Content-Type: multipart/mixed; boundary=b", ""]
    for kind, content in (
        ("image/png", "picture"),
        ("text/html", "<p>marked"),
        ("text/html", "<p>second"),
        ("text/plain", " "),
        ("text/plain", "plain"),
        ("text/plain", "late"),
    ):
        parts += ["--b", f"Content-Type: {kind}", "", content]
    assert words(*parts) == "plain"
    assert words(*parts[:-12]) == "marked"


def test_text_inside_multiparts_comes_in_order() -> None:
    assert (
        words(
            "Content-Type: multipart/mixed; boundary=b",
            "",
            "--b",
            "Content-Type: multipart/alternative; boundary=c",
            "",
            "--c",
            "",
            "first",
            "--b",
            "",
            "second",
            "--b--",
        )
        == "first"
    )


def test_messages_inside_do_not_count() -> None:
    assert words("Content-Type: message/rfc822", "", "Subject: x", "", "y") == ""


def test_at_most_two_hundred_characters() -> None:
    assert words("", "x" * 500) == "x" * 200
    assert words("", "ab " * 500) == ("ab " * 67)[:200].rstrip()
    assert words("", "é" * 5000) == "é" * 200
    assert words("", "é é " * 5000) == ("é " * 100).rstrip()


def test_no_character_is_shown_in_halves() -> None:
    long = "é" * 400 + " " * 1000 + "é" * 2000
    assert words("Content-Type: text/plain; charset=utf-8", "", "x" + long) == (
        "x" + "é" * 199
    )
    assert words("", "x " + "\t" * 1021 + "é") == "x"
    assert words("", "\t" * 1023 + "é") == ""


@anything
@given(octets)
def test_garbage_never_raises(text: bytes) -> None:
    for prefix in (
        b"\r\n",
        b"Content-Type: text/html\r\n\r\n",
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n",
        b"Content-Transfer-Encoding: base64\r\n\r\n",
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\n",
    ):
        whole = prefix + text
        found = preview.preview(whole, mime.scan(whole))
        assert len(found) <= preview.LENGTH
        assert "\n" not in found
        assert "\0" not in found
