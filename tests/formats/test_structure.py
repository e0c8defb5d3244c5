"""BODY and BODYSTRUCTURE as octets."""

# ruff: noqa: E501 (a row a line)

from __future__ import annotations

import pytest
from hypothesis import given

from mailkit.formats import mime, structure
from mailkit.formats.limits import Limits
from tests.formats.garbage import anything, message, octets

REST = b" NIL NIL NIL NIL)"


def rendered(*lines: str, limits: Limits | None = None) -> structure.Structure:
    text = message(*lines)
    limits = limits or Limits()
    return structure.render(text, mime.scan(text, limits), limits)


@pytest.mark.parametrize(
    ("lines", "body"),
    [
        (["", "x"], b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 3 1'),
        (["Content-Type: text/plain; format=flowed", "", "x"],
         b'("text" "plain" ("format" "flowed" "charset" "us-ascii") NIL NIL "7bit" 3 1'),
        (["Content-Type: Text/HTML; Charset=UTF-8", "Content-Transfer-Encoding: 8BIT", "", "x"],
         b'("text" "html" ("Charset" "UTF-8") NIL NIL "8bit" 3 1'),
        (["Content-Type: text/x; charset*=us-ascii''utf-8", "", "x"],
         b'("text" "x" ("charset*" "utf-8") NIL NIL "7bit" 3 1'),
        (["Content-Type: image/png", "Content-ID: <1@a>", "Content-Description: A", " cat", "Content-Transfer-Encoding: base64", "", "aGk="],
         b'("image" "png" NIL "<1@a>" "A cat" "base64" 6'),
        (["Content-Type: image/png; name=\"a \\\"b\\\".png\"", "", ""],
         b'("image" "png" ("name" "a \\"b\\".png") NIL NIL "7bit" 2'),
        (["Content-Type: multipart/mixed", "", "x"], b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 3 1'),
        (["Content-Type: message/delivery-status", "", "x"], b'("message" "delivery-status" NIL NIL NIL "7bit" 3'),
    ],
)  # fmt: skip
def test_single_parts(lines: list[str], body: bytes) -> None:
    found = rendered(*lines)
    assert found.body == body + b")"
    assert found.bodystructure == body + REST


def test_extension_data() -> None:
    found = rendered(
        "Content-Type: application/pdf",
        "Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==",
        "Content-Disposition: Attachment; filename=x.pdf; size=10",
        "Content-Language: de",
        "Content-Location: http://example.org/x",
        "",
    )
    assert found.bodystructure == (
        b'("application" "pdf" NIL NIL NIL "7bit" 0 "Q2hlY2sgSW50ZWdyaXR5IQ==" '
        b'("attachment" ("filename" "x.pdf" "size" "10")) "de" '
        b'"http://example.org/x")'
    )
    assert found.body == b'("application" "pdf" NIL NIL NIL "7bit" 0)'


@pytest.mark.parametrize(
    ("line", "placement"),
    [
        ("Content-Disposition: inline", b'("inline" NIL) NIL NIL'),
        ("Content-Disposition: ;", b"NIL NIL NIL"),
        ("Content-Language: de, en", b'NIL ("de" "en") NIL'),
        ("Content-Language: ", b"NIL NIL NIL"),
        ("Content-Location: ", b'NIL NIL ""'),
    ],
)
def test_placement(line: str, placement: bytes) -> None:
    found = rendered("Content-Type: a/b", line, "")
    assert found.bodystructure == (
        b'("a" "b" NIL NIL NIL "7bit" 0 NIL ' + placement + b")"
    )


def test_names_in_other_character_sets_are_utf8() -> None:
    # RFC 9051 §7.5.2, body parameter parenthesized list.
    found = rendered(
        "Content-Type: a/b; name*0*=iso-8859-1''%E9; name*1=x; u*0=1; u*1=2", ""
    )
    assert found.body == (
        b'("a" "b" ("name*" {3}\r\n\xc3\xa9x "u" "12") NIL NIL "7bit" 0)'
    )  # fmt: skip


def test_multiparts() -> None:
    found = rendered(
        "Content-Type: multipart/alternative; boundary=b",
        "Content-Language: de",
        "",
        "--b",
        "",
        "one",
        "--b",
        "Content-Type: text/html; charset=utf-8",
        "Content-Disposition: inline",
        "",
        "<p>two",
        "--b--",
    )
    plain = b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 3 0'
    marked = b'("text" "html" ("charset" "utf-8") NIL NIL "7bit" 6 0'
    assert found.body == b'(%b)%b) "alternative")' % (plain, marked)
    assert found.body[1:].startswith(plain)
    assert found.bodystructure == (
        b'(%b%b%b NIL ("inline" NIL) NIL NIL) "alternative" ("boundary" "b") '
        b'NIL "de" NIL)' % (plain, REST, marked)
    )


def test_messages() -> None:
    found = rendered(
        "Content-Type: message/rfc822",
        "Content-Disposition: inline",
        "",
        "From: a@b",
        "Subject: inside",
        "",
        "one",
        "two",
    )
    envelope = (
        b'(NIL "inside" ((NIL NIL "a" "b")) ((NIL NIL "a" "b")) '
        b'((NIL NIL "a" "b")) NIL NIL NIL NIL NIL)'
    )
    inside = b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 10 2'
    assert found.body == (
        b'("message" "rfc822" NIL NIL NIL "7bit" 40 %b %b) 5)' % (envelope, inside)
    )
    assert found.bodystructure == (
        b'("message" "rfc822" NIL NIL NIL "7bit" 40 %b %b%b 5 NIL ("inline" NIL) '
        b"NIL NIL)" % (envelope, inside, REST)
    )


EMPTY = b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0'


def test_a_multipart_without_parts_shows_an_empty_one() -> None:
    found = rendered("Content-Type: multipart/mixed; boundary=b", "", "x")
    assert found.body == EMPTY.replace(b"(", b"((", 1) + b') "mixed")'
    assert found.bodystructure == (
        b"(" + EMPTY + REST + b' "mixed" ("boundary" "b") NIL NIL NIL)'
    )


def test_a_message_beyond_the_depth_shows_an_empty_part() -> None:
    found = rendered(
        "Content-Type: message/rfc822",
        "",
        "Subject: x",
        "",
        "y",
        limits=Limits(depth=0),
    )
    envelope = b'(NIL "x"' + b" NIL" * 8 + b")"
    assert found.body == (
        b'("message" "rfc822" NIL NIL NIL "7bit" 17 '
        + envelope
        + b" "
        + EMPTY
        + b") 3)"
    )


def test_ten_thousand_parts() -> None:
    lines = ["Content-Type: multipart/mixed; boundary=b", ""]
    for _ in range(9_999):
        lines += ["--b", "", "x"]
    assert rendered(*lines, "--b--").body.count(b"us-ascii") == 9_999


def test_ten_thousand_levels() -> None:
    text = b"Content-Type: message/rfc822\r\n\r\n" * 10_000
    assert structure.render(text, mime.scan(text)).body.count(b"rfc822") == 101


def balanced(octets: bytes) -> bool:
    """Walk over one value of the grammar: strings, literals, parentheses."""
    depth = at = 0
    while at < len(octets):
        octet = octets[at : at + 1]
        if octet == b'"':
            at += 1
            while octets[at : at + 1] != b'"':
                at += 2 if octets[at : at + 1] == b"\\" else 1
        elif octet == b"{":
            end = octets.index(b"}\r\n", at)
            at = end + 2 + int(octets[at + 1 : end])
        depth += (octet == b"(") - (octet == b")")
        at += 1
        if not depth:
            break
    return at == len(octets) and depth == 0


@anything
@given(octets)
def test_garbage_gives_balanced_answers(text: bytes) -> None:
    for prefix in (b"", b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"):
        whole = prefix + text
        found = structure.render(whole, mime.scan(whole))
        assert balanced(found.body)
        assert balanced(found.bodystructure)
        assert b"\0" not in found.bodystructure
