"""Searches that somebody keeps under a name."""

from __future__ import annotations

from attrs import frozen

MOST_SEARCHES = 100
"""Of one account."""

LONGEST_NAME = 100
"""Characters of a search's name."""

LONGEST_WORDS = 1000
"""Characters of what is searched for."""


@frozen
class SavedSearch:
    """One of them."""

    id: str
    """Unlike that of any other of the account; made by whoever makes the search."""
    name: str
    words: str
    """As they stand in the search box."""
