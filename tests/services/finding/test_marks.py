"""What of a text is marked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.formats.finding import read
from mailkit.services.finding.marks import MOST, marked, words_of


@pytest.mark.parametrize(
    ("asked", "text", "hits"),
    [
        ("tea", "Green tea, teapots and steam", ["tea", "teapots"]),
        ("TEA", "Tea", ["Tea"]),
        ("cafe", "Café Größe", ["Café"]),
        ('"green tea"', "green leaves", ["green"]),
        ("from:ann subject:plan", "Ann's plan", ["Ann", "plan"]),
        ("-tea ice", "tea ice", ["ice"]),
        ("(tea OR ice) has:star", "tea ice", ["tea", "ice"]),
        ("京都", "東京都へ 京都", ["東京都へ", "京都"]),
        ("is:read", "read", []),
        ("x", "", []),
    ],
)
def test_words_are_marked(asked: str, text: str, hits: list[str]) -> None:
    pieces = marked(text, words_of(read(asked).sought))
    assert [piece for piece, is_hit in pieces if is_hit] == hits


def test_so_many_words_and_no_more() -> None:
    assert len(words_of(read(" ".join(f"w{n}" for n in range(90))).sought)) == MOST


@given(st.text(max_size=80), st.lists(st.text(min_size=1, max_size=3)))
def test_pieces_are_the_text(text: str, words: list[str]) -> None:
    assert "".join(piece for piece, _ in marked(text, words)) == text
