"""A bounded memory."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """So many of something; what was not asked for longest is forgotten."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        """What is known; ``None``: nothing."""
        known = self._known.get(key)
        if known is not None:
            self._known.move_to_end(key)
        return known

    def put(self, key: K, value: V) -> None:
        """Know something."""
        self._known[key] = value
        if len(self._known) > self._most:
            self._known.popitem(last=False)

    def pop(self, key: K) -> V | None:
        """What is known, from now on no more."""
        return self._known.pop(key, None)
