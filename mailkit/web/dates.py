"""Times as people read them, in their own zone and language (CLDR)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from attrs import define, field
from babel.dates import format_date, format_time

from mailkit.web.words import Language

Say = Callable[[str], str]  # gettext


ZONE_NAMES = frozenset(available_timezones())
"""Of the tz database; looked up once, as the program starts."""


def zone(name: str) -> tzinfo:
    """A zone of the tz database; UTC where there is none of that name."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


@define(eq=False)
class Dates:
    """
    Writes times for one person at one moment.

    :param now: seconds since 1970.
    """

    _language: Language
    _zone: tzinfo
    _now: float
    today: date = field(init=False)
    """The day that it is now, where the person is."""
    _days: dict[date, str] = field(factory=dict, init=False)
    _groups: dict[date, str] = field(factory=dict, init=False)
    _seen: dict[float, datetime] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self.today = self._at(self._now).date()

    def iso(self, seconds: float) -> str:
        """For ``<time datetime>``."""
        return self._at(seconds).isoformat(timespec="seconds")

    def short(self, seconds: float) -> str:
        """``09:42`` today and yesterday, ``Tue`` this week, else ``3 Nov``."""
        at = self._at(seconds)
        ago = (self.today - at.date()).days
        if 0 <= ago <= 1:
            return self._time(at)
        known = self._days.get(at.date())
        if known is None:
            known = self._days[at.date()] = self._day(at.date(), ago)
        return known

    def long(self, seconds: float) -> str:
        """``Tuesday, 3 November 2026, 09:42``."""
        at = self._at(seconds)
        day = _written(self._language, at.date(), "full")
        return f"{day}, {self._time(at)}"

    def local(self, at: datetime) -> str:
        """The same of a clock that is wherever it is."""
        return f"{self.day(at.date())}, {self._time(at)}"

    def day(self, day: date) -> str:
        """``Tuesday, 3 November 2026``."""
        return _written(self._language, day, "full")

    def weekday(self, number: int) -> str:
        """``Monday``, which is 0."""
        return _written(self._language, date(2024, 1, 1 + number), "EEEE")

    def medium(self, seconds: float) -> str:
        """``3 Nov 2026, 09:42``, and only the time today."""
        at = self._at(seconds)
        if at.date() == self.today:
            return self._time(at)
        day = _written(self._language, at.date(), "medium")
        return f"{day}, {self._time(at)}"

    def group(self, seconds: float) -> str:
        """What the day stands under in a list."""
        day = self._at(seconds).date()
        known = self._groups.get(day)
        if known is None:
            known = self._groups[day] = self._group(day)
        return known

    def _group(self, day: date) -> str:
        say = self._language.words.gettext
        today = self.today
        ago = (today - day).days
        if ago <= 0:
            return say("Today") if ago == 0 else say("Later")
        if ago == 1:
            return say("Yesterday")
        if ago < 7:
            return say("Earlier this week")
        if (day.year, day.month) == (today.year, today.month):
            return say("Earlier this month")
        if day.year == today.year or today - day < timedelta(days=60):
            return _written(self._language, day, "LLLL")
        return _written(self._language, day, "yyyy")

    def _day(self, day: date, ago: int) -> str:
        if 0 < ago < 7:
            return _written(self._language, day, "EEE")
        if 0 <= ago < 300:
            return _written(self._language, day, "d MMM")
        return _written(self._language, day, "MMM yyyy")

    def _time(self, at: datetime) -> str:
        return _clock(self._language, at.hour, at.minute)

    def _at(self, seconds: float) -> datetime:
        known = self._seen.get(seconds)
        if known is not None:
            return known
        try:
            found = datetime.fromtimestamp(seconds, self._zone)
        except (OverflowError, ValueError, OSError):  # a date out of any calendar
            found = datetime.fromtimestamp(0, self._zone)
        self._seen[seconds] = found
        return found


@lru_cache(10_000)
def _written(language: Language, day: date, pattern: str) -> str:
    """A day by a pattern of CLDR; few days are on the pages of one day."""
    return str(format_date(day, pattern, locale=language.locale))


@lru_cache(10_000)
def _clock(language: Language, hour: int, minute: int) -> str:
    return str(format_time(time(hour, minute), "HH:mm", locale=language.locale))
