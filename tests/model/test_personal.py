"""Choices, labels and people as values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.model.correspondent import (
    DAY,
    PERIOD,
    PERIODS,
    added,
    score,
    typed_words,
    words_of,
)
from mailkit.model.label import (
    PREFIX,
    Label,
    is_label,
    keyword_of,
    new_keyword,
    stands_for,
    unnamed,
)
from mailkit.model.preferences import DEFAULTS, MarkRead, Preferences, Theme

_KEYWORDS = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_characters='(){%*"\\]'),
    min_size=1,
)


# --- choices ---


def test_preferences_come_back_from_text() -> None:
    chosen = Preferences(theme=Theme.DARK, density=44, mark_read=MarkRead.NEVER)
    assert Preferences.of_facts(chosen.to_facts()) == chosen
    assert Preferences.of_facts({}) == DEFAULTS


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("theme", '"purple"'),
        ("theme", "not JSON"),
        ("theme", "[1]"),
        ("density", "48"),
        ("density", '"44"'),
        ("grouped", "1"),
        ("grouped", "null"),
        ("language", "5"),
        ("language", '"%s"' % ("x" * 99)),
        ("undo_seconds", "1e9"),
        ("undo_seconds", "31"),
        ("shortcuts", '"yes"'),
    ],
)
def test_what_cannot_be_chosen_is_as_at_the_beginning(name: str, text: str) -> None:
    facts = DEFAULTS.to_facts() | {name: text, "unknown": "1"}
    assert Preferences.of_facts(facts) == DEFAULTS


@given(st.dictionaries(st.sampled_from(sorted(DEFAULTS.to_facts())), st.text()))
def test_any_text_makes_preferences(facts: dict[str, str]) -> None:
    chosen = Preferences.of_facts(facts)
    assert Preferences.of_facts(chosen.to_facts()) == chosen


# --- labels ---


@pytest.mark.parametrize(
    ("keyword", "slug"),
    [
        ("$l_work", "work"),
        ("$l_to-do-2", "to-do-2"),
        ("Todo", "~Todo"),
        ("$l_", "~$l_"),
        ("$l_Work", "~$l_Work"),
        ("$l_~x", "~$l_~x"),
        ("~x", "~~x"),
    ],
)
def test_slugs(keyword: str, slug: str) -> None:
    assert Label(keyword, "").slug == slug
    assert keyword_of(slug) == keyword


@given(_KEYWORDS)
def test_a_slug_means_one_keyword(keyword: str) -> None:
    assert keyword_of(Label(keyword, "").slug) == keyword
    assert 1 <= unnamed(keyword).colour <= 6


@pytest.mark.parametrize(
    ("name", "keyword"),
    [
        ("Work", "$l_work"),
        ("To do!", "$l_to-do"),
        ("Ærø & Größe", "$l_r-grosse"),
        ("Café", "$l_cafe"),
        ("新聞", "$l_label"),
        ("", "$l_label"),
        ("x" * 80, "$l_" + "x" * 40),
    ],
)
def test_a_name_makes_a_keyword(name: str, keyword: str) -> None:
    assert new_keyword(name, []) == keyword


def test_a_keyword_is_made_once() -> None:
    taken = ["$L_WORK", "$l_work-2"]
    assert new_keyword("work", taken) == "$l_work-3"


@pytest.mark.parametrize(
    ("keyword", "name", "is_meant"),
    [
        ("$l_book", "Book", True),
        ("$l_two-words", "Two  words", True),
        ("two_words", "Two words", True),
        ("$l_raum", "Räum", True),
        ("$l_book-2", "Book", False),
        ("$l_c", "C#", False),
        ("$l_label", "кухня", False),
        ("$l_books", "Book", False),
        ("$l_", "", False),
    ],
)
def test_which_keyword_a_name_means(keyword: str, name: str, is_meant: bool) -> None:
    assert stands_for(keyword, name) is is_meant


@given(st.text())
def test_any_name_makes_a_keyword_of_ascii(name: str) -> None:
    keyword = new_keyword(name, [])
    assert keyword.isascii()
    assert keyword.startswith(PREFIX)
    assert not Label(keyword, name).slug.startswith("~")


@pytest.mark.parametrize(
    ("keyword", "is_one"),
    [
        ("$l_work", True),
        ("Todo", True),
        ("$Forwarded", False),
        ("$label1", False),
        ("Junk", False),
        ("NonJunk", False),
        ("\\Seen", False),
    ],
)
def test_which_keywords_are_labels(keyword: str, is_one: bool) -> None:
    assert is_label(keyword) is is_one


def test_a_label_without_a_name_has_its_keywords() -> None:
    assert unnamed("Todo").name == "Todo"
    assert unnamed("$l_work").name == "work"
    assert unnamed("$l_").name == "$l_"
    assert Label("$l_a", "A").named("B") == Label("$l_a", "B")


# --- people ---


def test_what_a_message_is_worth_after_a_while() -> None:
    now = 1000 * PERIOD
    fresh = score(added({}, now, 3.0), now)
    assert fresh == pytest.approx(3.0)
    old = score(added({}, now, 3.0), now + 60 * DAY + PERIOD / 2)
    assert old == pytest.approx(1.5, rel=0.01)


def test_few_numbers_are_kept_and_no_weight_is_lost() -> None:
    weights: dict[int, float] = {}
    for number in range(PERIODS * 2):
        weights = added(weights, number * PERIOD, 1.0)
    assert len(weights) == PERIODS
    assert sum(weights.values()) == PERIODS * 2


def test_words_of_a_person() -> None:
    words = words_of('"Jörg O\'Hara (Sales)"', "J.Ohara@Mail.Example")
    assert words == {
        "jorg",
        "o",
        "hara",
        "sales",
        "j",
        "ohara",
        "mail",
        "example",
        "mail.example",
        "j.ohara@mail.example",
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Jör", ["jor"]),
        ("carol gr", ["carol", "gr"]),
        ("@exam", ["exam"]),
        ("carol @exam", ["carol@exam"]),
        ("c@exam", ["c@exam"]),
        ("@", []),
        ("", []),
        ("o'ha", ["o", "ha"]),
        ("(", []),
    ],
)
def test_what_was_typed(text: str, words: list[str]) -> None:
    assert typed_words(text) == words
