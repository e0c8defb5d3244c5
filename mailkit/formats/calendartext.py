"""What an invitation says, in lines that people read (RFC 5545); none is answered."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, tzinfo

from attrs import frozen

_FOLD = re.compile(r"\r?\n[ \t]")
_LINE = re.compile(r"([A-Za-z-]{1,40})((?:;[^:\"]*(?:\"[^\"]*\"[^:\"]*)*)?):(.*)")
_ESCAPED = re.compile(r"\\([\\;,nN])")
_COMMON_NAME = re.compile(r";CN=(?:\"([^\"]*)\"|([^;:]*))", re.IGNORECASE)
_ZONE = re.compile(r";TZID=\"?([^;:\"]*)", re.IGNORECASE)
_DATE = re.compile(r"(\d{8})(?:T(\d{4})\d{2}(Z)?)?\Z")
_SHOWN = {
    "SUMMARY": "",
    "DTSTART": "From",
    "DTEND": "Until",
    "LOCATION": "Where",
    "ORGANIZER": "From whom",
    "ATTENDEE": "Invited",
    "STATUS": "Status",
    "RRULE": "Repeats",
    "URL": "Link",
    "DESCRIPTION": "",
}
_METHODS = {
    "REQUEST": "Invitation",
    "CANCEL": "Cancelled",
    "REPLY": "Answer to an invitation",
    "COUNTER": "Another time is proposed",
}
_STATES = {
    "CONFIRMED": "Confirmed",
    "TENTATIVE": "Tentative",
    "CANCELLED": "Cancelled",
    "NEEDS-ACTION": "To be done",
    "IN-PROCESS": "Being done",
    "COMPLETED": "Done",
}
_OFTEN = {
    "DAILY": "Every day",
    "WEEKLY": "Every week",
    "MONTHLY": "Every month",
    "YEARLY": "Every year",
}
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_UNTIL = "until %(time)s"
_TIMES = "%(num)s times"
_MOST = 200
_MOST_ZONES = 100  # that are looked for

WORDS: Sequence[str] = (
    *dict.fromkeys(
        word
        for words in (_SHOWN, _METHODS, _STATES, _OFTEN)
        for word in words.values()
        if word
    ),
    _UNTIL,
    _TIMES,
)
"""All that `Speech.say` is asked for."""


def _plain_zone(name: str) -> tzinfo | None:
    """Where nobody knows of zones."""
    return None


def _plain_day(day: date) -> str:
    return f"{day:%Y-%m-%d}"


def _plain_time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}{'' if at.tzinfo is None else ' UTC'}"


@frozen
class Speech:
    """How a reader is spoken to."""

    key: str = ""
    """Other words, another key."""
    say: Callable[[str], str] = str
    """One of `WORDS`, translated."""
    zone: Callable[[str], tzinfo | None] = _plain_zone
    """The time zone that a calendar names so; ``None``: nobody knows it."""
    time: Callable[[datetime], str] = _plain_time
    """A moment; without a zone: of whatever clock is where the event is."""
    day: Callable[[date], str] = _plain_day
    weekday: Callable[[int], str] = _DAYS.__getitem__
    """The name of a day, Monday being 0."""


PLAIN = Speech()


def calendar_text(source: str, speech: Speech = PLAIN, most: int = 256 * 1024) -> str:
    """
    Write what the first events say; the source itself, if it has none.

    :param most: characters that are looked at.
    """
    writer = _Writer(speech)
    inside: list[str] = []
    for line in _FOLD.sub("", source[:most]).splitlines():
        match = _LINE.match(line)
        if match is None or len(writer.lines) >= _MOST:
            continue
        name, parameters, value = match[1].upper(), match[2], match[3].strip()
        if name == "BEGIN":
            inside.append(value.upper())
            if inside[-1] in ("VEVENT", "VTODO"):
                writer.begin()
        elif name == "END":
            del inside[-1:]
        elif name == "METHOD" and value.upper() in _METHODS:
            writer.lines.insert(0, speech.say(_METHODS[value.upper()]))
        elif name in _SHOWN and inside[-1:] in (["VEVENT"], ["VTODO"]):
            writer.write(name, parameters, value)
    return "\n".join(writer.lines) if writer.lines else source[:most]


class _Writer:
    """Lines so far."""

    def __init__(self, speech: Speech) -> None:
        self.lines: list[str] = []
        self._speech = speech
        self._has_events = False
        self._first_day: date | None = None
        self._zones: dict[str, tzinfo | None] = {}

    def begin(self) -> None:
        """Another event."""
        if self._has_events:
            self.lines.append("")
        self._has_events = True
        self._first_day = None

    def write(self, name: str, parameters: str, value: str) -> None:
        """What a property says; nothing, if that is nothing to people."""
        text = self._said(name, parameters, value)
        if text:
            label = _SHOWN[name]
            said = f"{self._speech.say(label)}: {text}" if label else text
            self.lines.append(said)

    def _said(self, name: str, parameters: str, value: str) -> str:
        match name:
            case "DTSTART" | "DTEND":
                return self._when(parameters, value, is_end=name == "DTEND")
            case "ORGANIZER" | "ATTENDEE":
                return _person(parameters, value)
            case "STATUS":
                known = _STATES.get(value.upper())
                return self._speech.say(known) if known else value
            case "RRULE":
                return self._repeats(value) or value
            case _:
                return _ESCAPED.sub(lambda m: "\n" if m[1] in "nN" else m[1], value)

    def _when(self, parameters: str, value: str, *, is_end: bool) -> str:
        at = _read(value)
        if at is None:
            return value
        if isinstance(at, datetime):
            zone = _ZONE.search(parameters)
            if at.tzinfo is not None or zone is None:
                return self._speech.time(at)
            found = self._zone(zone[1])
            if found is None:
                return f"{self._speech.time(at)} ({zone[1]})"
            with suppress(OverflowError):  # at either end of all calendars
                return self._speech.time(at.replace(tzinfo=found).astimezone(UTC))
            return value
        if not is_end:
            self._first_day = at
            return self._speech.day(at)
        # The day on which it is over (RFC 5545 §3.6.1) is no day of it.
        last = at - timedelta(days=1) if at > date.min else at
        if self._first_day is not None and last <= self._first_day:
            return ""
        return self._speech.day(last)

    def _zone(self, name: str) -> tzinfo | None:
        if name not in self._zones and len(self._zones) < _MOST_ZONES:
            self._zones[name] = self._speech.zone(name)
        return self._zones.get(name)

    def _repeats(self, rule: str) -> str:
        """A rule in words, if that says all of it (RFC 5545 §3.3.10)."""
        speech = self._speech
        parts: dict[str, str] = {}
        for part in rule.upper().split(";")[:20]:
            name, _, value = part.partition("=")
            parts[name] = value
        often = _OFTEN.get(parts.pop("FREQ", ""))
        days = parts.pop("BYDAY", "").split(",")
        until, count = _read(parts.pop("UNTIL", "")), parts.pop("COUNT", "")
        is_plain = parts.pop("INTERVAL", "1") == "1"
        parts.pop("WKST", None)  # says nothing where every week counts
        if often is None or parts or not is_plain:
            return ""
        said = speech.say(often)
        if days != [""]:
            if not set(days) <= set(_DAYS) or often != _OFTEN["WEEKLY"]:
                return ""
            names = (speech.weekday(_DAYS.index(day)) for day in days[:7])
            said += f" ({', '.join(names)})"
        if until is not None:
            end = (
                speech.time(until) if isinstance(until, datetime) else speech.day(until)
            )
            said += f", {speech.say(_UNTIL) % {'time': end}}"
        if count.isascii() and count.isdigit():
            said += f", {speech.say(_TIMES) % {'num': count[:9]}}"
        return said


def _person(parameters: str, value: str) -> str:
    address = re.sub(r"(?i)^mailto:", "", value)
    match = _COMMON_NAME.search(parameters)
    common = (match[1] or match[2]) if match else ""
    return f"{common} <{address}>" if common and common != address else address


def _read(value: str) -> date | datetime | None:
    """A day, or a moment that has UTC or no zone (RFC 5545 §3.3.4, §3.3.5)."""
    match = _DATE.match(value)
    if match is None:
        return None
    try:
        if not match[2]:
            return datetime.strptime(match[1], "%Y%m%d").date()
        at = datetime.strptime(match[1] + match[2], "%Y%m%d%H%M")
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if match[3] else at
