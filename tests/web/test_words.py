"""The languages of the pages, and the catalogues."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mailkit.web.words import Languages
from tests.web.catalogues import LOCALE, WEB, extracted, read
from tests.web.world import LANGUAGES, WebWorld

CATALOGUES = sorted(LOCALE.glob("*.po"))
_PLACE = re.compile(r"%\(\w+\)s|\{\w+\}")

WHOLE = ("addresses", "login", "password", "plain", "register", "unsubscribe")
"""Templates of which a language has to have every word."""


def forms(text: object) -> list[str]:
    """The singular and the plural, or all of a language's plurals; without gaps."""
    texts = text if isinstance(text, (tuple, list)) else (text,)
    return [str(one) for one in texts if one]


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_a_catalogue_fills_in_the_same_facts(path: Path) -> None:
    for message in read(path):
        known = {place for text in forms(message.id) for place in _PLACE.findall(text)}
        for text in forms(message.string):
            assert set(_PLACE.findall(text)) <= known, message.id
            if isinstance(message.id, str):
                assert set(_PLACE.findall(text)) == known, message.id


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_the_first_pages_are_whole(path: Path) -> None:
    catalog = read(path)
    all_words, missing = 0, []
    for message in extracted():
        if not message.id:
            continue
        all_words += 1
        found = catalog.get(message.id)
        if found is None or not forms(found.string):
            missing.append(message)
    first = {f"mailkit/web/templates/{name}.html" for name in WHOLE}
    assert not [
        one.id for one in missing if any(place in first for place, _ in one.locations)
    ]
    assert len(missing) < all_words * 0.4


@pytest.mark.parametrize(
    ("wish", "accepted", "found"),
    [
        ("", "", "en"),
        ("", "ar", "ar"),
        ("", "ar-EG,en;q=0.5", "ar"),
        ("", "en;q=0.5, AR;q=0.9", "ar"),
        ("", "xx, *;q=0.1", "en"),
        ("", "ar;q=0, en", "en"),
        ("", "ar;q=x, en", "en"),
        ("", ",;q=1,,ar;", "ar"),
        ("", "xx," * 20 + "ar", "en"),
        ("en", "ar", "en"),
        ("ar", "en", "ar"),
        ("xx", "ar", "ar"),
    ],
)
def test_the_best_language_that_there_is(wish: str, accepted: str, found: str) -> None:
    assert LANGUAGES.choose(wish, accepted).tag == found


def test_languages_know_themselves() -> None:
    languages = Languages.load()
    assert [one.tag for one in languages.all] == ["ar", "en"]
    arabic, english = languages.all
    assert (arabic.direction, arabic.name) == ("rtl", "العربية")
    assert (english.direction, english.name) == ("ltr", "English")


def test_pages_in_arabic() -> None:
    world = WebWorld()
    page = world.get("/login", {"Accept-Language": "ar"}).text
    assert '<html lang="ar" dir="rtl">' in page
    assert "سجّل الدخول إلى بريدك" in page
    world.sign_in()
    page = world.get("/mail/inbox", {"Accept-Language": "ar"}).text
    assert "الوارد" in page
    assert "لا شيء ينتظر" in page


def test_nothing_is_trusted_but_in_one_place() -> None:
    for path in WEB.rglob("*.html"):
        text = path.read_text("utf-8")
        assert not re.search(r"\|\s*safe\b|autoescape|Markup", text), path
    for path in WEB.rglob("*.py"):
        text = path.read_text("utf-8")
        if path.name != "rendering.py":
            assert not re.search(r"Markup[(.]", text), path
