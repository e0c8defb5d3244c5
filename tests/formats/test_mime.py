"""The structure of messages as offsets."""

# ruff: noqa: E501 (a row a line)

from __future__ import annotations

import email
import email.message
import email.policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.formats import header, mime
from mailkit.formats.limits import Limits
from tests.formats.garbage import anything, message, octets


def shape(text: bytes, part: mime.Part) -> object:
    """Show a tree as nested lists: type, body octets, children."""
    name = b"%b/%b" % (part.type, part.subtype)
    if part.is_multipart or part.is_message:
        return [name.decode(), *(shape(text, child) for child in part.parts)]
    return name.decode(), text[part.body : part.end]


def scanned(text: bytes, limits: Limits | None = None) -> object:
    return shape(text, mime.scan(text, limits or Limits()))


MULTIPART = "Content-Type: multipart/mixed; boundary=b"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["Subject: x", "", "one", "two"], ("text/plain", b"one\r\ntwo\r\n")),
        (["Content-Type: image/png", "", "x"], ("image/png", b"x\r\n")),
        (["Content-Type: nonsense", "", "x"], ("text/plain", b"x\r\n")),
        (["Content-Type:", "", "x"], ("text/plain", b"x\r\n")),
        ([MULTIPART, "", "pre", "--b", "", "one", "--b", "A: b", "", "two", "--b--", "post"],
         ["multipart/mixed", ("text/plain", b"one"), ("text/plain", b"two")]),
        # Delimiters right behind the header, empty parts, parts of a header only.
        ([MULTIPART, "", "--b", "--b", "", "--b", "A: b", "--b", "A: b", "", "--b--"],
         ["multipart/mixed", *[("text/plain", b"")] * 4]),
        # No closing delimiter.
        ([MULTIPART, "", "--b", "", "one", "--b", "", "two"],
         ["multipart/mixed", ("text/plain", b"one"), ("text/plain", b"two\r\n")]),
        ([MULTIPART, "", "--b", "", "one", "--bb", "--b-", "-- b", " --b", "x--b", "--b  \t", "", "two", "--b-- "],
         ["multipart/mixed", ("text/plain", b"one\r\n--bb\r\n--b-\r\n-- b\r\n --b\r\nx--b"), ("text/plain", b"two")]),
        ([MULTIPART, "", "nothing"], ["multipart/mixed"]),
        ([MULTIPART, "", "--b--", "--b", "", "late"], ["multipart/mixed"]),
        ([MULTIPART], ["multipart/mixed"]),
        # Without a boundary nothing tells the parts.
        (["Content-Type: multipart/mixed", "", "--", "", "x"], ("text/plain", b"--\r\n\r\nx\r\n")),
        (["Content-Type: multipart/mixed; boundary=\"\"", "", "x"], ("text/plain", b"x\r\n")),
        # An outer delimiter ends what is open inside (RFC 2046 §5.1.2).
        ([MULTIPART, "", "--b", "Content-Type: multipart/alternative; boundary=bc", "", "--bc", "", "one", "--b", "", "two", "--bc", "", "--b--"],
         ["multipart/mixed", ["multipart/alternative", ("text/plain", b"one")], ("text/plain", b"two\r\n--bc\r\n")]),
        (["Content-Type: multipart/digest; boundary=b", "", "--b", "", "A: b", "", "one", "--b", "Content-Type: text/html", "", "two", "--b--"],
         ["multipart/digest", ["message/rfc822", ("text/plain", b"one")], ("text/html", b"two")]),
        (["Content-Type: message/rfc822", "", MULTIPART, "", "--b", "", "one", "--b--"],
         ["message/rfc822", ["multipart/mixed", ("text/plain", b"one")]]),
        (["Content-Type: message/global", "", "A: b", "", "one"], ["message/global", ("text/plain", b"one\r\n")]),
        (["Content-Type: message/delivery-status", "", "A: b"], ("message/delivery-status", b"A: b\r\n")),
        ([MULTIPART, "", "--b", "Content-Type: message/rfc822", "", "--b--"],
         ["multipart/mixed", ["message/rfc822", ("text/plain", b"")]]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("line_end", ["\r\n", "\n"])
def test_shapes(lines: list[str], expected: object, line_end: str) -> None:
    text = message(*lines).replace(b"\r\n", line_end.encode())
    found = scanned(text)
    assert repr(found).replace(r"\r\n", r"\n") == repr(expected).replace(r"\r\n", r"\n")


def test_offsets_and_lines() -> None:
    text = message("A: b", MULTIPART, "", "--b", "", "one", "two", "--b--")
    root = mime.scan(text)
    (part,) = root.parts
    assert (root.start, root.body, root.end) == (0, text.index(b"--b\r"), len(text))
    assert text[part.start : part.body] == b"\r\n"
    assert text[part.body : part.end] == b"one\r\ntwo"
    assert (root.lines, part.lines) == (0, 1)


def test_what_is_known_already_is_not_looked_for() -> None:
    text = message("Content-Type: text/html", "", "x")
    body = header.find_end(text)
    assert mime.scan(text, described={}, body=body).subtype == b"plain"


def test_the_topmost_field_describes() -> None:
    part = mime.scan(b"content-type: a/b\r\nContent-Type: c/d\r\nCc: x\r\n\r\n")
    assert (part.type, part.subtype) == (b"a", b"b")
    assert part.described == {b"content-type": b" a/b\r"}


@pytest.mark.parametrize(
    ("value", "encoding"),
    [
        ("", b"7bit"),
        ("BASE64", b"base64"),
        ("quoted-printable; x", b"quoted-printable"),
        ("8bit (really)", b"8bit"),
        ('"Base64"', b"base64"),
        (" ; ", b"7bit"),
    ],
)
def test_encodings(value: str, encoding: bytes) -> None:
    text = message(f"Content-Transfer-Encoding: {value}", "")
    assert mime.scan(text).encoding == encoding
    assert mime.scan(b"").encoding == b"7bit"


def test_the_last_part_takes_what_is_left() -> None:
    text = message(MULTIPART, "", *["--b", "", "x"] * 5, "--b--")
    root = mime.scan(text, Limits(parts=3))
    assert len(root.parts) == 2
    assert text[root.parts[1].body : root.parts[1].end].endswith(b"x\r\n--b--\r\n")
    assert mime.scan(text, Limits(parts=1)).parts == []


def test_no_more_is_searched_than_the_limit() -> None:
    inside = [MULTIPART.replace("=b", "=c"), "", "--c", "", "x", "--c--"]
    text = message(MULTIPART, "", "--b", *inside, "--b--")
    assert scanned(text) == [
        "multipart/mixed",
        ["multipart/mixed", ("text/plain", b"x")],
    ]
    limits = Limits(searched=len(text) - mime.scan(text).body)
    assert scanned(text, limits) == ["multipart/mixed"]
    limits = Limits(searched=limits.searched + 1)
    assert scanned(text, limits) == ["multipart/mixed", ["multipart/mixed"]]
    text = b"Content-Type: message/rfc822\r\n\r\n" * 50
    limits = Limits(searched=3 * len(text))
    assert repr(scanned(text, limits)).count("rfc822") == 5


def test_lines_that_only_begin_like_delimiters_count() -> None:
    text = message(MULTIPART, "", *["--bx"] * 100, "--b", "", "late", "--b--")
    assert scanned(text) == ["multipart/mixed", ("text/plain", b"late")]
    assert scanned(text, Limits(searched=10_000)) == ["multipart/mixed"]


def test_ten_thousand_siblings() -> None:
    text = message(MULTIPART, "", *["--b", "", "x"] * 9_999, "--b--")
    assert len(mime.scan(text).parts) == 9_999


def test_ten_thousand_levels_end_at_the_limit() -> None:
    lines = []
    for level in range(10_000):
        lines += [
            f"Content-Type: multipart/mixed; boundary=b{level}",
            "",
            f"--b{level}",
        ]
    part = mime.scan(message(*lines))
    depth = 0
    while part.parts:
        (part,) = part.parts
        depth += 1
    assert depth == Limits().depth


def test_ten_thousand_messages_in_messages_end_at_the_limit() -> None:
    part = mime.scan(b"Content-Type: message/rfc822\r\n\r\n" * 10_000)
    depth = 0
    while part.parts:
        (part,) = part.parts
        depth += 1
    assert depth == Limits().depth


def parts_in_order(root: mime.Part) -> list[mime.Part]:
    found = [root]
    for part in found:
        found.extend(part.parts)
    return found


@anything
@given(octets)
def test_garbage_never_raises(text: bytes) -> None:
    for prefix in (b"", b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"):
        whole = prefix + text
        root = mime.scan(whole)
        for part in parts_in_order(root):
            assert 0 <= part.start <= part.body <= part.end <= len(whole)
            for child in part.parts:
                assert part.body <= child.start <= child.end <= part.end


PARTS = st.recursive(
    st.sampled_from([b"one", b"", b"two\r\nlines", b"\r\n\r\n", b"--"]).map(
        lambda body: ("text", body)
    ),
    lambda inside: st.lists(inside, min_size=1, max_size=3).map(
        lambda parts: ("multipart", parts)
    ),
    max_leaves=8,
)


def built(tree: tuple[str, object], names: list[int]) -> bytes:
    kind, content = tree
    if kind == "text":
        assert isinstance(content, bytes)
        return b"Content-Type: text/plain\r\n\r\n" + content
    names[0] += 1
    mark = b"=_%d" % names[0]
    assert isinstance(content, list)
    inside = b"".join(
        b"\r\n--%b\r\n%b" % (mark, built(part, names)) for part in content
    )
    return b'Content-Type: multipart/mixed; boundary="%b"\r\n\r\n%b\r\n--%b--' % (
        mark, inside, mark,
    )  # fmt: skip


def witnessed(part: email.message.Message) -> object:
    if part.is_multipart():
        return [
            part.get_content_type(),
            *(witnessed(child) for child in part.get_payload()),  # type: ignore[arg-type]  # a multipart has parts
        ]
    payload = part.get_payload()
    assert isinstance(payload, str)
    return part.get_content_type(), payload.encode()


@anything
@given(PARTS)
def test_the_standard_library_sees_the_same(tree: tuple[str, object]) -> None:
    text = built(tree, [0])
    assert scanned(text) == witnessed(
        email.message_from_bytes(text, policy=email.policy.compat32)
    )
