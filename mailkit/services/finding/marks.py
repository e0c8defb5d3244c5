"""Which words of a text are to be marked as what was looked for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mailkit.formats.searchable import cut, fold, tokens
from mailkit.model.finding import AllOf, AnyOf, Not, Sought, Words

MOST = 50
"""Words that are marked."""

_PIECE = re.compile(r"[^\W_]+|[\W_]+")

Piece = tuple[str, bool]
"""Some text, and whether it is marked."""


def words_of(sought: Sought) -> tuple[str, ...]:
    """The folded words that a hit was found by; not those that it must not have."""
    return tuple(dict.fromkeys(_words(sought)))[:MOST]


def marked(text: str, words: Sequence[str]) -> tuple[Piece, ...]:
    """
    Text in pieces.

    :param words: of `words_of`; what begins with one of them is marked.
    """
    if not words:
        return ((text, False),) if text else ()
    pieces: list[Piece] = []
    for found in _PIECE.findall(text):
        is_hit = found[0].isalnum() and _is_hit(found, words)
        if pieces and pieces[-1][1] == is_hit:
            pieces[-1] = (pieces[-1][0] + found, is_hit)
        else:
            pieces.append((found, is_hit))
    return tuple(pieces)


def _is_hit(word: str, wanted: Sequence[str]) -> bool:
    parts = cut(fold(word)).split()
    return any(part.startswith(one) for part in parts for one in wanted)


def _words(sought: Sought) -> Iterator[str]:
    match sought:
        case Words(text):
            yield from tokens(text)
        case AllOf(inner) | AnyOf(inner):
            for one in inner:
                yield from _words(one)
        case Not():
            return
