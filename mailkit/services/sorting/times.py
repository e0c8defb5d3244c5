"""When a message may come back: what is offered, in the time of whoever is asked."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum

from attrs import frozen

_MORNING = 8
_LAST_HOUR = 21
_LATER = timedelta(hours=3)
_SATURDAY = 5


class Offer(Enum):
    """What is offered."""

    LATER_TODAY = "later"
    """In three hours, unless that would be in the night."""
    TOMORROW = "tomorrow"
    WEEKEND = "weekend"
    """Saturday."""
    NEXT_WEEK = "week"
    """Monday."""


@frozen
class Offered:
    """One offer."""

    offer: Offer
    at: datetime


def offers(now: datetime) -> list[Offered]:
    """
    What is offered at a moment, the soonest first; mornings are at eight.

    :param now: in the person's time zone, which the answers are in too.
    """
    found: list[Offered] = []
    later = (now + _LATER).replace(second=0, microsecond=0)
    if later.date() == now.date() and later.hour < _LAST_HOUR:
        found.append(Offered(Offer.LATER_TODAY, later))
    found.append(Offered(Offer.TOMORROW, _morning(now, 1)))
    if now.weekday() < _SATURDAY - 1:
        days = _SATURDAY - now.weekday()
        found.append(Offered(Offer.WEEKEND, _morning(now, days)))
    if now.weekday() != _SATURDAY + 1:
        found.append(Offered(Offer.NEXT_WEEK, _morning(now, 7 - now.weekday())))
    return found


def _morning(now: datetime, days: int) -> datetime:
    # By the calendar, not by 24 hours: clocks are put forward and back.
    day = now.date() + timedelta(days=days)
    return datetime(day.year, day.month, day.day, _MORNING, tzinfo=now.tzinfo)
