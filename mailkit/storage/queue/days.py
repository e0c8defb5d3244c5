"""
What became of mail, by day and domain: numbers, and times in few buckets.

A bucket is an eighth of an octave, so a median is told within five per cent, and a
domain's day has some dozens of them at most.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from functools import lru_cache

from attrs import define, field

from mailkit.model.address import DomainName
from mailkit.model.queueitem import Attempt, DayStats, Fate, QueuedRecipient

DELIVERED = frozenset({Fate.SENT, Fate.RELAYED})

_STEPS = 8  # to an octave
_LEAST = 0.001  # seconds

Day = tuple[str, str]
"""The day and the domain."""


@define
class Counts:
    """Numbers of one day and domain; all but ``deferred`` are recipients."""

    accepted: int = 0
    delivered: int = 0
    deferred: int = 0
    bounced: int = 0


@define(eq=False)
class Days:
    """Numbers to be added up."""

    counts: dict[Day, Counts] = field(init=False, factory=dict)
    times: dict[Day, dict[int, int]] = field(init=False, factory=dict)

    def accepted(self, domain: str, arrived: float, recipients: int) -> None:
        """A new item."""
        self._counts(domain, arrived).accepted += recipients

    def tried(
        self,
        domain: str,
        arrived: float,
        attempt: Attempt,
        before: Iterable[Fate],
        after: Iterable[Fate],
    ) -> None:
        """An attempt of ours, and the recipients' fates before and after it."""
        ended = attempt.began + attempt.took
        old, new = list(before), list(after)
        delivered = _count(new, DELIVERED) - _count(old, DELIVERED)
        counts = self._counts(domain, ended)
        counts.bounced += _count(new, _FAILED) - _count(old, _FAILED)
        counts.deferred += Fate.WAITING in new
        if delivered > 0:
            counts.delivered += delivered
            buckets = self.times.setdefault((day_of(ended), domain), {})
            bucket = bucket_of(ended - arrived)
            buckets[bucket] = buckets.get(bucket, 0) + delivered

    def _counts(self, domain: str, when: float) -> Counts:
        day = day_of(when), domain
        counts = self.counts.get(day)
        if counts is None:
            counts = self.counts[day] = Counts()
        return counts


def stats_of(day: Day, counts: Counts, times: Mapping[int, int]) -> DayStats:
    """As it is told."""
    return DayStats(
        day=day[0],
        domain=DomainName(day[1]),
        accepted=counts.accepted,
        delivered=counts.delivered,
        deferred=counts.deferred,
        bounced=counts.bounced,
        median=median_of(times),
    )


def fates(recipients: Iterable[QueuedRecipient]) -> list[Fate]:
    """What has become of each."""
    return [recipient.fate for recipient in recipients]


def day_of(when: float) -> str:
    """``2026-11-21``, in UTC."""
    return _day(int(when // 86400))


def bucket_of(seconds: float) -> int:
    """Where a time is counted."""
    return round(_STEPS * math.log2(max(seconds, _LEAST) / _LEAST))


def median_of(times: Mapping[int, int]) -> float | None:
    """The middle one of all times that were counted; ``None`` where there is none."""
    half = sum(times.values()) / 2
    passed = 0
    for bucket in sorted(times):
        passed += times[bucket]
        if passed >= half:
            return float(_LEAST * 2 ** (bucket / _STEPS))
    return None


def _count(fates: Iterable[Fate], wanted: frozenset[Fate]) -> int:
    return sum(fate in wanted for fate in fates)


@lru_cache(maxsize=16)
def _day(number: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(number * 86400))


_FAILED = frozenset({Fate.FAILED})
