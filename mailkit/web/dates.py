"""Times as people read them, in their own zone and language (CLDR)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from attrs import define, field
from babel.dates import format_date, format_time

from mailkit.web.words import Language

Say = Callable[[str], str]  # gettext


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
    _days: dict[date, str] = field(factory=dict, init=False)

    @property
    def today(self) -> date:
        """The day that it is now, where the person is."""
        return self._at(self._now).date()

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
        day = format_date(at.date(), "full", locale=self._language.locale)
        return f"{day}, {self._time(at)}"

    def medium(self, seconds: float) -> str:
        """``3 Nov 2026, 09:42``, and only the time today."""
        at = self._at(seconds)
        if at.date() == self.today:
            return self._time(at)
        day = format_date(at.date(), "medium", locale=self._language.locale)
        return f"{day}, {self._time(at)}"

    def group(self, seconds: float) -> str:
        """What the day stands under in a list."""
        say = self._language.words.gettext
        day, today = self._at(seconds).date(), self.today
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
            return str(format_date(day, "LLLL", locale=self._language.locale))
        return str(format_date(day, "yyyy", locale=self._language.locale))

    def _day(self, day: date, ago: int) -> str:
        locale = self._language.locale
        if 0 < ago < 7:
            return str(format_date(day, "EEE", locale=locale))
        if 0 <= ago < 300:
            return str(format_date(day, "d MMM", locale=locale))
        return str(format_date(day, "MMM yyyy", locale=locale))

    def _time(self, at: datetime) -> str:
        return str(format_time(at, "HH:mm", locale=self._language.locale))

    def _at(self, seconds: float) -> datetime:
        try:
            return datetime.fromtimestamp(seconds, self._zone)
        except (OverflowError, ValueError, OSError):  # a date out of any calendar
            return datetime.fromtimestamp(0, self._zone)
