"""
Counts that the workers of one server share, in memory that all of them have mapped.

Each worker writes into a table of its own and reads those of the others: nobody waits
for anybody. A key is two places in each table, by its hash, and the smaller number
counts: keys that share one place with others are told apart by the second.
"""

from __future__ import annotations

import mmap
import os
from hashlib import blake2b
from tempfile import TemporaryFile

from attrs import define, field
from zope.interface import implementer

from mailkit.interfaces.counts import ICounts

PLACES = 1 << 16
"""Numbers in each of the two halves of a worker's table."""

MOST = (1 << 16) - 1
_TABLE = 2 * PLACES
_OCTETS = 2


def make_memory(workers: int) -> int:
    """The descriptor of memory for the tables of so many workers, all empty."""
    with TemporaryFile() as file:
        file.truncate(workers * _TABLE * _OCTETS)
        return os.dup(file.fileno())


@implementer(ICounts)
@define(eq=False)
class SharedCounts:
    """The tables of all workers; ``number``, from 1, is whose this one is."""

    _descriptor: int
    _workers: int
    _number: int
    _numbers: memoryview = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        size = self._workers * _TABLE * _OCTETS
        self._numbers = memoryview(mmap.mmap(self._descriptor, size)).cast("H")

    def count(self, key: str, change: int) -> None:
        table = (self._number - 1) * _TABLE
        for place in _places(key):
            number = self._numbers[table + place] + change
            self._numbers[table + place] = min(max(number, 0), MOST)

    def elsewhere(self, key: str) -> int:
        mine = self._number - 1
        return min(
            sum(
                self._numbers[worker * _TABLE + place]
                for worker in range(self._workers)
                if worker != mine
            )
            for place in _places(key)
        )

    def forget(self, number: int) -> None:
        """Worker ``number`` is gone, and has nothing any more."""
        table = (number - 1) * _TABLE
        self._numbers[table : table + _TABLE] = memoryview(bytes(_TABLE * 2)).cast("H")


def _places(key: str) -> tuple[int, int]:
    """Where a key is counted, one in each half."""
    digest = blake2b(key.encode("utf-8", "surrogatepass"), digest_size=4).digest()
    return (
        int.from_bytes(digest[:2], "big"),
        PLACES + int.from_bytes(digest[2:], "big"),
    )
