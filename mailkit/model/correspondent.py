"""People with whom somebody exchanges mail, and how much of late."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from attrs import frozen

DAY = 86400.0
PERIOD = 30 * DAY
"""Messages of one such stretch of time count as one, so that few numbers are kept."""

PERIODS = 40
"""How many stretches are kept of a person; older ones count as the oldest of these."""

SENT_WEIGHT = 3.0
"""How much more it says that one wrote to somebody than that somebody wrote."""

_HALF = 60.0  # days after which a message counts half as much


@frozen
class Correspondent:
    """Somebody who may be meant when a few letters are typed."""

    address: str
    name: str
    score: float
    """Higher for whom one writes to often and of late."""
    sent: int = 0
    """Messages that went to this person."""
    received: int = 0
    """Messages that came from this person."""
    first: float = 0.0
    """When the first of them was, in seconds since 1970."""
    last: float = 0.0


def period_of(when: float) -> int:
    """The number of the stretch of time in which a moment lies."""
    return int(when // PERIOD)


def score(weights: Mapping[int, float], now: float) -> float:
    """
    What messages of the past are worth now: of one, ``1 / (1 + days / 60)``.

    :param weights: of messages together, by `period_of`.
    """
    total = 0.0
    for period, weight in weights.items():
        # As if all had come in the middle of the stretch, or have come just now.
        age = max(0.0, now - (period + 0.5) * PERIOD) / DAY
        total += weight / (1.0 + age / _HALF)
    return total


def added(weights: Mapping[int, float], when: float, weight: float) -> dict[int, float]:
    """The weights with one message more, at most `PERIODS` of them."""
    result = dict(weights)
    period = period_of(when)
    result[period] = result.get(period, 0.0) + weight
    while len(result) > PERIODS:
        oldest, next_one = sorted(result)[:2]
        result[next_one] += result.pop(oldest)
    return result


def folded(text: str) -> str:
    """Text as it is compared when somebody types: no case, no accents."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in parts if not unicodedata.combining(one))


def words_of(name: str, address: str) -> frozenset[str]:
    """What may be typed to mean somebody, each to its beginning."""
    local_part, _, domain = folded(address).rpartition("@")
    words = {*_parted(folded(name)), *_parted(local_part), *_parted(domain)}
    return frozenset(words | {folded(address), domain}) - {""}


def typed_words(text: str) -> list[str]:
    """
    What somebody typed, as beginnings of `words_of`.

    An address, or what is behind an ``@``, is one word.
    """
    typed = "".join(folded(text).split())
    if "@" in typed:
        address = typed.lstrip("@")
        return [address] if address else []
    return _parted(folded(text))


def _parted(text: str) -> list[str]:
    return "".join(one if one.isalnum() else " " for one in text).split()
