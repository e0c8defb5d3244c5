"""
Domains that look like another one, or mix scripts as no language does.

Taken from what Unicode calls confusables (UTS #39 §4): only the letters that are
confused with Latin ones, for that is what mail domains are taken for.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache

_SAME = str.maketrans(
    {
        # Cyrillic
        "а": "a",
        "е": "e",
        "о": "o",
        "р": "p",
        "с": "c",
        "у": "y",
        "х": "x",
        "і": "i",
        "ј": "j",
        "ѕ": "s",
        "һ": "h",
        "ԁ": "d",
        "ԛ": "q",
        "ԝ": "w",
        "к": "k",
        "м": "m",
        "т": "t",
        "в": "b",
        "н": "h",
        "ь": "b",
        "п": "n",
        "г": "r",
        "ӏ": "l",
        "ё": "e",
        # Greek
        "α": "a",
        "ο": "o",
        "ν": "v",
        "ρ": "p",
        "τ": "t",
        "υ": "u",
        "κ": "k",
        "ι": "i",
        "χ": "x",
        "ε": "e",
        "η": "n",
        "ω": "w",
        "γ": "y",
        "β": "b",
        # Armenian and others
        "օ": "o",
        "ո": "n",
        "ս": "u",
        "հ": "h",
        "ց": "g",
        "զ": "q",
        "ա": "w",
        # Latin
        "ı": "i",
        "ł": "l",
        "đ": "d",
        "ø": "o",
        "ɑ": "a",
        "ɡ": "g",
        "ƅ": "b",
        "ʏ": "y",
        # digits
        "0": "o",
        "1": "l",
        "3": "e",
        "5": "s",
        "|": "l",
        "i": "l",
    }
)
_PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("nn", "m"))
_EAST_ASIAN = frozenset(("CJK", "HIRAGANA", "KATAKANA", "BOPOMOFO", "HANGUL", "LATIN"))
_SHORTEST = 7
"""Letters that a name has at least where one letter more or less is noticed here."""
_LONGEST = 253


def readable(domain: str) -> str:
    """A domain as people see it: its Unicode form where it has one (RFC 5890 §2.3)."""
    labels = []
    for label in domain[:_LONGEST].lower().split("."):
        if label.startswith("xn--"):
            with suppress(ValueError):  # no Punycode; seen as it is
                label = label[4:].encode("ascii").decode("punycode")
        labels.append(label)
    return ".".join(labels)


def has_mixed_scripts(domain: str) -> bool:
    """Whether a label has letters of scripts that are not written together."""
    return any(_is_mixed(label) for label in readable(domain).split("."))


@lru_cache(4096)  # those that a person knows are asked for with each message
def skeleton(domain: str) -> str:
    """The same for domains that one may take for each other (UTS #39 §4)."""
    text = readable(domain)
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
        text = "".join(one for one in text if not unicodedata.combining(one))
    text = text.translate(_SAME)
    for pair, one in _PAIRS:
        text = text.replace(pair, one)
    return text.replace("-", "")


def looks_like(domain: str, known: Iterable[str]) -> str | None:
    """
    The domain among those known that this one may be taken for, if it is another.

    :param known: domains that are what they seem; if ``domain`` is one of them, or
        below one, it looks like nothing else.
    """
    domain = domain.lower()
    others = [one.lower() for one in known]
    if any(domain == one or domain.endswith(f".{one}") for one in others):
        return None
    mine = skeleton(domain[:_LONGEST])
    for other in others:
        if other and (mine == skeleton(other[:_LONGEST]) or _is_near(domain, other)):
            return other
    return None


def _is_near(one: str, other: str) -> bool:
    """Whether one letter is changed, left out, put in, or two have changed places."""
    if abs(len(one) - len(other)) > 1 or one == other:
        return False
    if min(len(one.partition(".")[0]), len(other.partition(".")[0])) < _SHORTEST:
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    one, other = one[start:], other[start:]
    while one and other and one[-1] == other[-1]:
        one, other = one[:-1], other[:-1]
    if len(one) <= 1 and len(other) <= 1:
        return True
    return len(one) == len(other) == 2 and one == other[::-1]


def _is_mixed(label: str) -> bool:
    scripts = {
        unicodedata.name(one, "UNKNOWN").partition(" ")[0]
        for one in label
        if one.isalpha()
    }
    return len(scripts) > 1 and not scripts <= _EAST_ASIAN
