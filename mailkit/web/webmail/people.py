"""People as a list shows them: initials, a colour, short names."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from zlib import crc32

from mailkit.model.conversation import Person

COLOURS = 6


@lru_cache(4000)
def colour_of(address: str) -> int:
    """From 1 to 6; the same for the same address, always."""
    return crc32(address.lower().encode("utf-8", "replace")) % COLOURS + 1


@lru_cache(4000)
def initials(name: str, address: str) -> str:
    """One or two letters; of the address where there is no name."""
    words = [word for word in name.split() if _first(word)]
    if not words:
        words = [address.partition("@")[0]]
    letters = [_first(words[0])]
    if len(words) > 1:
        letters.append(_first(words[-1]))
    return "".join(letters) or "?"


def shown(person: Person) -> str:
    """A name, or the address of somebody without one."""
    return person.name.strip() or person.address or "?"


def first_name(person: Person) -> str:
    """What stands in a row where there are several people."""
    name = shown(person)
    return name if "@" in name or "," in name else name.split()[0]


def together(people: Sequence[Person], me: str, my_word: str) -> str:
    """
    Who takes part: ``Ingrid Solheim``, ``Ruben, Papa``, ``Ruben … Papa, me``.

    :param me: my address. :param my_word: what I am called.
    """
    if len(people) == 1:
        person = people[0]
        return my_word if person.address.lower() == me else shown(person)
    names = [
        my_word if person.address.lower() == me else first_name(person)
        for person in people
    ]
    if len(names) > 3:
        return f"{names[0]} … {names[-2]}, {names[-1]}"
    return ", ".join(names)


def _first(word: str) -> str:
    for char in word:
        if unicodedata.category(char)[0] in "LN":
            return char.upper()
    return ""
