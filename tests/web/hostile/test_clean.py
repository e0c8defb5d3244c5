"""Every hostile vector, cleaned, read by a browser's rules and judged."""

from __future__ import annotations

import time

import pytest

from mailkit.formats.htmlclean import Wishes, clean
from tests.web.hostile.judge import faults
from tests.web.hostile.vectors import EVIL, VECTORS


def _wishes(shows_pictures: bool) -> Wishes:
    return Wishes(
        part_url=lambda number: f"/part/M/{number}",
        picture_url=(lambda url: "/img/s/x") if shows_pictures else None,
        parts={"a@b": "2", "a": "3"},
    )


def _document(source: str, shows_pictures: bool) -> str:
    made = clean(source, _wishes(shows_pictures))
    return (
        "<!doctype html><html><head><meta charset=utf-8>"
        f"<style>{made.css}</style></head><body>{made.html}</body></html>"
    )


def test_there_are_enough() -> None:
    assert len(VECTORS) >= 200


@pytest.mark.parametrize("name", VECTORS)
def test_nothing_is_left(name: str) -> None:
    source = VECTORS[name]
    begun = time.process_time()
    document = _document(source, shows_pictures=False)
    took = time.process_time() - begun
    assert faults(document) == []
    # Some seconds is what a runaway parser would be far beyond, on any machine.
    assert took < 5


@pytest.mark.parametrize("name", VECTORS)
def test_pictures_go_through_us_alone(name: str) -> None:
    source = VECTORS[name][: 5_000 if name.startswith("huge") else None]
    assert faults(_document(source, shows_pictures=True)) == []


@pytest.mark.parametrize("name", [one for one in VECTORS if "huge" not in one])
def test_what_is_clean_stays_so(name: str) -> None:
    once = clean(VECTORS[name], _wishes(shows_pictures=False)).html
    assert faults(clean(once, _wishes(shows_pictures=False)).html) == []


def test_the_judge_sees() -> None:
    for bad in (
        "<p onclick=x>",
        "<script>x</script>",
        f"<img src=https://{EVIL}/x>",
        "<a href=javascript:x>",
        "<style>p{background:url(x)}</style>",
        "<svg></svg>",
        "<p style='background:url(x)'>",
        "<a href=https://a.example target=_top>",
        "<!-- x -->",
        "<meta http-equiv=refresh content=x>",
        "<p href=https://a.example>",
    ):
        assert faults(f"<!doctype html><body>{bad}") != [], bad
