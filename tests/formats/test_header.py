"""Header fields: found, unfolded, chosen, taken out."""

from __future__ import annotations

import email
import email.policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.formats import header
from mailkit.formats.limits import Limits
from tests.formats.garbage import anything, message, octets

LETTER = message(
    "From: a@example.org",
    "Subject: one",
    "\ttwo",
    "X-Other : spaced",
    "to: b@example.org",
    "TO: c@example.org",
    "",
    "Body: no field",
)


@pytest.mark.parametrize(
    ("text", "end"),
    [
        (b"", 0),
        (b"\r\n", 2),
        (b"\nbody", 1),
        (b"a: b\r\n\r\nbody\r\n\r\n", 8),
        (b"a: b\n\nbody", 6),
        (b"a: b\n\r\nbody", 7),
        (b"a: b\r\nc: d\n\nbody\r\n\r\n", 12),
        (b"a: b\r\n", 6),
        (b"a: b", 4),
        (b"a: b\r\r\n\n", 8),
        (b"a: b\n\n\r\nbody", 6),
    ],
)
def test_where_the_body_begins(text: bytes, end: int) -> None:
    assert header.find_end(text) == end


def test_the_end_is_looked_for_inside_a_range_only() -> None:
    text = b"xx\r\n\r\na: b\r\n\r\n"
    assert header.find_end(text, 6, 10) == 10
    assert header.find_end(text, 6, 14) == 14
    assert header.find_end(text, 6) == 14


def test_fields_in_order_with_their_octets() -> None:
    assert header.scan(LETTER, 0, header.find_end(LETTER)) == [
        (b"From: a@example.org\r\n", b"From", b" a@example.org\r"),
        (b"Subject: one\r\n\ttwo\r\n", b"Subject", b" one\r\n\ttwo\r"),
        (b"X-Other : spaced\r\n", b"X-Other", b" spaced\r"),
        (b"to: b@example.org\r\n", b"to", b" b@example.org\r"),
        (b"TO: c@example.org\r\n", b"TO", b" c@example.org\r"),
    ]


def test_lines_that_are_no_fields_are_skipped() -> None:
    text = (
        b" folded first\r\nFrom joe Fri Nov 20\r\nA: 1\r\njunk\r\nB:\r\n: no name\r\n"
    )
    assert [name for _, name, _ in header.scan(text)] == [b"A", b"B"]


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b" plain\r", b"plain"),
        (b" one\r\n\ttwo\r", b"one\ttwo"),
        (b"\r\n  later\r\n \r", b"later"),
        (b" one\n two", b"one two"),
        (b" lone\rcr\r", b"lone\rcr"),
    ],
)
def test_unfolding_takes_line_ends_only(raw: bytes, text: bytes) -> None:
    assert header.unfold(raw) == text


def test_first_and_every() -> None:
    assert header.first(LETTER, b"To") == b"b@example.org"
    assert header.every(LETTER, b"to") == [b"b@example.org", b"c@example.org"]
    assert header.first(LETTER, b"body") is None
    assert header.every(LETTER, b"body") == []


def test_selected_fields_end_with_an_empty_line() -> None:
    end = header.find_end(LETTER)
    assert (
        header.select(LETTER, {b"to", b"from"}, 0, end)
        == b"From: a@example.org\r\nto: b@example.org\r\nTO: c@example.org\r\n\r\n"
    )
    assert (
        header.leave_out(LETTER, {b"to", b"from"}, 0, end)
        == b"Subject: one\r\n\ttwo\r\nX-Other : spaced\r\n\r\n"
    )
    assert header.select(LETTER, {b"none"}, 0, end) == b"\r\n"


def test_a_last_line_without_end_gets_one() -> None:
    assert header.select(b"A: 1\r\nB: 2", {b"b"}) == b"B: 2\r\n\r\n"


def test_fields_beyond_the_limits_are_not_seen() -> None:
    text = b"A: 1\r\n" * 10
    assert len(header.scan(text, limits=Limits(fields=3))) == 3
    assert len(header.scan(text, limits=Limits(header_size=12))) == 2


def test_adding_and_removing() -> None:
    text = b"A: 1\r\nB: 2\r\n 3\r\njunk\r\nA: 4\r\n\r\nA: body\r\n"
    assert header.add_on_top(text, b"X: 0\r\n", b"Y: 0\r\n") == (
        b"X: 0\r\nY: 0\r\n" + text
    )
    assert header.remove(text, {b"a"}) == b"B: 2\r\n 3\r\njunk\r\n\r\nA: body\r\n"
    assert header.remove(text, {b"b"}) == (b"A: 1\r\njunk\r\nA: 4\r\n\r\nA: body\r\n")
    assert header.remove(text, {b"c"}) is text


@pytest.mark.parametrize(
    ("text", "replaced"),
    [
        (b"A: 1\r\nB: 2\r\n\r\nA: x", b"N: 0\r\nB: 2\r\n\r\nA: x"),
        (b"B: 2\r\na: 1\r\n\r\nA: x", b"B: 2\r\nN: 0\r\n\r\nA: x"),
        (b"A: 1\r\nB: 2\r\nA: 3\r\n\r\nA: x", b"N: 0\r\nB: 2\r\n\r\nA: x"),
        (b"B: 2\r\n\r\nA: x", b"N: 0\r\nB: 2\r\n\r\nA: x"),
        (b"B: 2\r\nA: 1", b"B: 2\r\nN: 0\r\n"),
        (b"A: 1\r\nA: 3\r\n", b"N: 0\r\n"),
    ],
)
def test_replacing(text: bytes, replaced: bytes) -> None:
    assert header.replace(text, b"A", b"N: 0\r\n") == replaced


@anything
@given(octets)
def test_garbage_never_raises(text: bytes) -> None:
    end = header.find_end(text)
    assert 0 <= end <= len(text)
    raws = [raw for raw, _, _ in header.scan(text, 0, end)]
    at = 0
    for raw in raws:
        at = text.index(raw, at) + len(raw)
    assert at <= end
    assert header.remove(header.remove(text, {b"to"}), {b"to"}) == header.remove(
        text, {b"to"}
    )
    header.replace(text, b"To", b"To: x\r\n")


@anything
@given(
    st.lists(
        st.tuples(
            st.from_regex(r"[A-Za-z][A-Za-z-]{0,10}", fullmatch=True),
            st.from_regex(r"[!-~]([ -~]{0,20}[!-~])?", fullmatch=True),
        ),
        max_size=8,
    )
)
def test_the_standard_library_reads_the_same(fields: list[tuple[str, str]]) -> None:
    text = message(*(f"{name}: {value}" for name, value in fields), "", "body")
    witness = email.message_from_bytes(text, policy=email.policy.compat32)
    assert [
        (name.decode(), header.unfold(value).decode())
        for _, name, value in header.scan(text, 0, header.find_end(text))
    ] == witness.items()


def test_endless_lines_take_linear_time() -> None:
    size = 1 << 20
    for text in (b"a" * size, b"a" + b" " * size, b"a:\n" + b" \n" * size, b":" * size):
        header.scan(text)
        header.find_end(text)
