"""The languages of the pages, and the catalogues."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from mailkit.web.words import Languages
from tests.web.catalogues import LOCALE, WEB, extracted, read
from tests.web.world import LANGUAGES, WebWorld

CATALOGUES = sorted(LOCALE.glob("*.po"))
_PLACE = re.compile(r"%\(\w+\)s|\{\w+\}")

_JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.S)
_TRANS = re.compile(r"\{% trans.*?endtrans %\}", re.S)
_NAMES = ("aria-label", "title", "placeholder", "alt")


class _Words(HTMLParser):
    """What a template says outside of its tags."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in _NAMES:
                self.handle_data(value or "")

    def handle_data(self, data: str) -> None:
        # Attributes that are put together beside a tag are no words.
        words = " ".join(re.sub(r'[\w-]+="[^"]*"', "", data).split())
        if re.search("[A-Za-z]{2}", words):
            self.found.append(words)


def plain_words(template: str) -> list[str]:
    """Words of a template that no catalogue can have."""
    parser = _Words()
    parser.feed(_JINJA.sub("", _TRANS.sub("", template)))
    return parser.found


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
def test_a_catalogue_is_whole(path: Path) -> None:
    """Every word of the pages, in every plural; ``-m tests.web.catalogues`` adds."""
    catalog = read(path)
    words = [message for message in extracted() if message.id]
    assert len(words) > 500
    missing = []
    for message in words:
        found = catalog.get(message.id)
        string = "" if found is None else found.string
        texts = string if isinstance(string, (tuple, list)) else (string,)
        if not all(texts):
            missing.append(message.id)
    assert missing == []


def test_nothing_is_said_without_being_marked() -> None:
    """What templates say, and what they call things, is in ``_()``."""
    assert plain_words("<p>Hello {{ x }}</p><a title='Go'>{{ _('a') }}</a>") == [
        "Hello",
        "Go",
    ]
    assert not plain_words("<p>{{ _('Hello') }} – {% if a %}{{ b }}{% endif %}</p>")
    found = {
        (path.name, words)
        for path in WEB.rglob("*.html")
        for words in plain_words(path.read_text("utf-8"))
    }
    assert found == set()


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
