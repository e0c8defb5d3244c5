"""Sets of UIDs as ascending ranges (RFC 9051 §4.1.1)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NewType

from attrs import frozen

UID = NewType("UID", int)
ModSeq = NewType("ModSeq", int)


@frozen
class UIDSet:
    """
    UIDs in ascending order, as closed ranges that neither touch nor overlap.

    Ranges may name UIDs that no message has; ``1:*`` costs one pair.
    """

    ranges: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, uids: Iterable[int]) -> UIDSet:
        """From single UIDs in any order."""
        ranges: list[tuple[int, int]] = []
        first = last = 0
        for uid in sorted(uids):
            if last and uid <= last + 1:
                last = uid
                continue
            if last:
                ranges.append((first, last))
            first = last = uid
        if last:
            ranges.append((first, last))
        return cls(tuple(ranges))

    @classmethod
    def of_ranges(cls, ranges: Iterable[tuple[int, int]]) -> UIDSet:
        """From ranges in any order, each in either direction, overlapping or not."""
        merged: list[tuple[int, int]] = []
        for low, high in sorted((min(r), max(r)) for r in ranges):
            if merged and low <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(merged[-1][1], high))
            else:
                merged.append((low, high))
        return cls(tuple(merged))

    def __contains__(self, uid: object) -> bool:
        if not isinstance(uid, int):
            return False
        low, high = 0, len(self.ranges)
        while low < high:
            middle = (low + high) // 2
            first, last = self.ranges[middle]
            if uid < first:
                high = middle
            elif uid > last:
                low = middle + 1
            else:
                return True
        return False

    def __iter__(self) -> Iterator[int]:
        """Every UID in turn; mind open ranges such as 1:4294967295."""
        for first, last in self.ranges:
            yield from range(first, last + 1)

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def __len__(self) -> int:
        return sum(last - first + 1 for first, last in self.ranges)

    def __or__(self, other: UIDSet) -> UIDSet:
        return UIDSet.of_ranges((*self.ranges, *other.ranges))

    def __and__(self, other: UIDSet) -> UIDSet:
        ranges: list[tuple[int, int]] = []
        mine, theirs = list(self.ranges), list(other.ranges)
        i = j = 0
        while i < len(mine) and j < len(theirs):
            low = max(mine[i][0], theirs[j][0])
            high = min(mine[i][1], theirs[j][1])
            if low <= high:
                ranges.append((low, high))
            if mine[i][1] < theirs[j][1]:
                i += 1
            else:
                j += 1
        return UIDSet(tuple(ranges))

    def __sub__(self, other: UIDSet) -> UIDSet:
        ranges: list[tuple[int, int]] = []
        for first, last in self.ranges:
            start = first
            for low, high in other.ranges:
                if high < start:
                    continue
                if low > last:
                    break
                if low > start:
                    ranges.append((start, low - 1))
                start = high + 1
            if start <= last:
                ranges.append((start, last))
        return UIDSet(tuple(ranges))

    def __str__(self) -> str:
        """As IMAP writes it: ``1:3,7``."""
        return ",".join(
            f"{low}" if low == high else f"{low}:{high}" for low, high in self.ranges
        )


NO_UIDS = UIDSet()
ALL_UIDS = UIDSet(((1, 0xFFFFFFFF),))
