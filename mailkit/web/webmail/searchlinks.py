"""Where searches are that are kept under a name."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from mailkit.model.savedsearch import SavedSearch

PAGE = "/search/saved"
"""All of them, and where one more is kept (``?q=``)."""


def address(search: SavedSearch) -> str:
    """Where its results are."""
    return f"/search?{urlencode({'q': search.words})}"


def slug_of(search: SavedSearch) -> str:
    """By which the navigation knows it."""
    return f"search/{search.id}"


def current(searches: Sequence[SavedSearch], words: str) -> str:
    """Where in the navigation a search is, whether it is kept or not."""
    plain = " ".join(words.split())
    for search in searches:
        if search.words == plain:
            return slug_of(search)
    return "search"
