"""Moments at which people send later, in their own time."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, tzinfo
from enum import Enum

_FURTHEST = 253402300799  # the last second that a date can have


class Later(Enum):
    """What is offered."""

    EVENING = "evening"
    """Today at 18:00; not offered after 17:00."""
    TOMORROW = "tomorrow"
    """At 08:00."""
    MONDAY = "monday"
    """The next one, at 08:00; tomorrow's is called tomorrow."""


def moment(seconds: float) -> datetime:
    """A second since 1970 as a date in UTC."""
    return datetime.fromtimestamp(min(max(seconds, 0.0), _FURTHEST), UTC)


def offered(now: float, zone: tzinfo) -> dict[Later, float]:
    """When each of them would be, in seconds since 1970; in order."""
    here = moment(now).astimezone(zone)
    found: dict[Later, float] = {}
    if here.hour < 17:
        found[Later.EVENING] = _at(here, 0, time(18))
    found[Later.TOMORROW] = _at(here, 1, time(8))
    days = -here.weekday() % 7 or 7
    if days > 1:
        found[Later.MONDAY] = _at(here, days, time(8))
    return found


def read(text: str, zone: tzinfo, now: float) -> float | None:
    """
    The moment that somebody chose, in seconds since 1970.

    One of `Later`, seconds since 1970, or what an ``<input type=datetime-local>``
    gives, which is in the person's own zone.
    """
    text = text.strip()
    for later, seconds in offered(now, zone).items():
        if text == later.value:
            return seconds
    if text.isascii() and text.isdigit() and len(text) < 12:
        return float(text)
    try:
        chosen = datetime.fromisoformat(text)
        if chosen.tzinfo is None:
            chosen = chosen.replace(tzinfo=zone)
        return chosen.timestamp()
    except (ValueError, OverflowError):
        return None


def _at(here: datetime, days: int, hour: time) -> float:
    day = here.date() + timedelta(days=days)
    return datetime.combine(day, hour, here.tzinfo).timestamp()
