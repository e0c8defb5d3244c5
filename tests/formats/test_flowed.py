"""Text that may be joined again (RFC 3676)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.formats import flowed
from tests.formats.garbage import anything

WRITTEN = [
    ("", ""),
    ("Hello", "Hello"),
    ("ends in spaces   ", "ends in spaces"),
    ("a\r\nb\rc\nd", "a\nb\nc\nd"),
    (" stuffed", "  stuffed"),
    ("From here", " From here"),
    ("> quoted", "> quoted"),
    (">> twice", ">> twice"),
    ("> > twice", ">> twice"),
    (">", ">"),
    (">no space", "> no space"),
    ("-- ", "-- "),
    ("word " * 20, "word " * 14 + "\n" + ("word " * 6).rstrip()),
    ("> " + "word " * 20, "> " + "word " * 14 + "\n> " + ("word " * 6).rstrip()),
    ("x" * 100, "x" * 100),
    ("x" * 100 + " y", "x" * 100 + " \ny"),
    ("x" * 70 + " From y", "x" * 70 + " \n From y"),
    ("x" * 70 + " > y", "x" * 70 + " \n > y"),
]


@pytest.mark.parametrize(("text", "lines"), WRITTEN)
def test_written(text: str, lines: str) -> None:
    assert flowed.write(text) == lines


READ = [
    ("a \nb", "a b"),
    ("a\nb", "a\nb"),
    ("> a \n> b\nc", "> a b\nc"),
    ("> a \nb", "> a \nb"),
    ("a \n-- \nme", "a \n-- \nme"),
    ("-- \nme", "-- \nme"),
    (" From x", "From x"),
    (">> a\n>", ">> a\n>"),
]


@pytest.mark.parametrize(("lines", "text"), READ)
def test_read(lines: str, text: str) -> None:
    assert flowed.read(lines) == text


def test_spaces_that_are_deleted() -> None:
    assert flowed.read("日本 \n語", deletes_spaces=True) == "日本語"


@anything
@given(st.text())
def test_anything_is_read(text: str) -> None:
    assert isinstance(flowed.read(text), str)


_LINES = st.lists(
    st.text("abc >-From \x20é", max_size=200).map(lambda line: line.rstrip(" ")),
    max_size=5,
).map("\n".join)


@anything
@given(_LINES)
def test_what_is_read_is_what_was_written(text: str) -> None:
    """But for how quotes are spelt."""
    once = flowed.read(flowed.write(text))
    assert flowed.read(flowed.write(once)) == once
    if ">" not in text:
        assert once == text


@anything
@given(_LINES)
def test_no_line_is_longer_than_its_words(text: str) -> None:
    for line in flowed.write(text).split("\n"):
        words = line.rstrip(" ").split(" ")
        assert len(line) <= flowed.LENGTH + 2 or len(max(words, key=len)) + 4 > 60
