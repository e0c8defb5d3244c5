"""Answers while they may be believed, the most useful ones if memory is short."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from attrs import define, field, frozen

from mailkit.net.resolver.found import Found
from mailkit.net.resolver.question import Question

OVERHEAD = 800
"""Octets that an answer takes besides its own, about."""
EXPANSION = 6
"""Octets of memory for one of an answer, about."""
_SET_BACK = 5.0  # seconds; by less, a clock is mended every day


@frozen
class Kept:
    """An answer, or the trouble there was in getting one."""

    found: Found | None
    """``None``: trouble."""
    reason: str
    until: float
    """In seconds of the clock."""

    @property
    def size(self) -> int:
        """What it takes of the cache, in octets."""
        octets = self.found.octets if self.found is not None else len(self.reason)
        return OVERHEAD + EXPANSION * octets


@define(eq=False)
class Cache:
    """
    Least recently used goes first once there is more than ``most`` octets.

    All goes if the clock is set back: nobody knows how old it is.
    """

    most: int
    _seconds: Callable[[], float]
    _kept: OrderedDict[Question, Kept] = field(factory=OrderedDict, init=False)
    _size: int = field(default=0, init=False)
    _latest: float = field(default=float("-inf"), init=False)

    def get(self, question: Question) -> Kept | None:
        """What is known and not too old."""
        now = self._now()
        kept = self._kept.get(question)
        if kept is None:
            return None
        if kept.until <= now:
            self._drop(question)
            return None
        self._kept.move_to_end(question)
        return kept

    def keep(self, question: Question, kept: Kept) -> None:
        """Remember; what is too old already, or alone too large, is not."""
        self._drop(question)
        if kept.until <= self._now() or kept.size > self.most:
            return
        self._kept[question] = kept
        self._size += kept.size
        while self._size > self.most:
            self._drop(next(iter(self._kept)))

    def clear(self) -> None:
        """Forget all."""
        self._kept.clear()
        self._size = 0

    def __len__(self) -> int:
        return len(self._kept)

    def _now(self) -> float:
        now = self._seconds()
        if now < self._latest - _SET_BACK:
            self.clear()
        self._latest = now
        return now

    def _drop(self, question: Question) -> None:
        kept = self._kept.pop(question, None)
        if kept is not None:
            self._size -= kept.size
