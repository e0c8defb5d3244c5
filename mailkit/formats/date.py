"""
Dates of mail: RFC 5322's with its obsolete forms, and IMAP's INTERNALDATE.

Times are aware ``datetime`` values; the zone that was written is kept, since ENVELOPE
and SENTSINCE look at the day as the sender saw it (RFC 9051 §6.4.4).
"""

from __future__ import annotations

import re
import time
from datetime import UTC, date, datetime, timedelta, timezone

_MONTHS = (
    b"Jan",
    b"Feb",
    b"Mar",
    b"Apr",
    b"May",
    b"Jun",
    b"Jul",
    b"Aug",
    b"Sep",
    b"Oct",
    b"Nov",
    b"Dec",
)
_DAYS = (b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun")
_MONTH_NUMBERS = {name.lower(): number for number, name in enumerate(_MONTHS, 1)}

# RFC 5322 §4.3; military zones were written with the wrong sign: they say -0000.
_ZONE_HOURS: dict[bytes, int] = {
    b"ut": 0,
    b"gmt": 0,
    b"utc": 0,
    b"z": 0,
    b"edt": -4,
    b"est": -5,
    b"cdt": -5,
    b"cst": -6,
    b"mdt": -6,
    b"mst": -7,
    b"pdt": -7,
    b"pst": -8,
}

_DATE = re.compile(
    rb"\s*+(?:[A-Za-z]{2,9}\.?,?\s*+)?([0-9]{1,2})[\s-]++([A-Za-z]{3})[a-z]*+\.?[\s-]*+"
    rb"([0-9]{2,4})\s++([0-9]{1,2})\s*+[:.]\s*+([0-9]{2})(?:\s*+[:.]\s*+([0-9]{2})"
    rb"(?:\.[0-9]++)?)?(?:\s*+(?:([+-])([0-9]{2}):?([0-9]{2})|([A-Za-z]{1,5})))?"
)
_INTERNAL = re.compile(
    rb'"?([ 0-9][0-9])-([A-Za-z]{3})-([0-9]{4}) '
    rb'([0-9]{2}):([0-9]{2}):([0-9]{2}) ([+-])([0-9]{2})([0-9]{2})"?\Z'
)
_DAY = re.compile(rb'"?([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})"?\Z')
_COMMENT = re.compile(rb"\([^()]*+\)")


def parse(value: bytes) -> datetime | None:
    """
    Read a Date field's text (RFC 5322 §3.3, §4.3); nothing if it is no date.

    A zone that is missing or unknown counts as UTC.
    """
    match = _DATE.match(value)
    if match is None:
        if b"(" not in value:
            return None
        match = _DATE.match(_COMMENT.sub(b" ", value))
        if match is None:
            return None
    day, month, year, hour, minute, second, sign, east, past, zone = match.groups()
    number = _MONTH_NUMBERS.get(month.lower())
    if number is None:
        return None
    return _moment(
        _full_year(year),
        number,
        int(day),
        int(hour),
        int(minute),
        int(second or 0),
        _offset(sign, east, past)
        if sign
        else 60 * _ZONE_HOURS.get((zone or b"").lower(), 0),
    )


def format(moment: datetime) -> bytes:
    """Write a Date field's text (RFC 5322 §3.3)."""
    return b"%s, %d %s %04d %02d:%02d:%02d %s" % (
        _DAYS[moment.weekday()],
        moment.day,
        _MONTHS[moment.month - 1],
        moment.year,
        moment.hour,
        moment.minute,
        moment.second,
        _zone(moment),
    )


def parse_internal(value: bytes) -> datetime | None:
    """Read IMAP's date-time, in quotes or without (RFC 9051 §9); or nothing."""
    match = _INTERNAL.match(value)
    if match is None:
        return None
    day, month, year, hour, minute, second, sign, east, past = match.groups()
    number = _MONTH_NUMBERS.get(month.lower())
    if number is None:
        return None
    return _moment(
        int(year),
        number,
        int(day),
        int(hour),
        int(minute),
        int(second),
        _offset(sign, east, past),
    )


def format_internal(moment: datetime) -> bytes:
    """Write IMAP's date-time with its quotes (RFC 9051 §9)."""
    return b'"%02d-%s-%04d %02d:%02d:%02d %s"' % (
        moment.day,
        _MONTHS[moment.month - 1],
        moment.year,
        moment.hour,
        moment.minute,
        moment.second,
        _zone(moment),
    )


def format_internal_utc(seconds: float) -> bytes:
    """Write IMAP's date-time in UTC, with quotes, from seconds since 1970."""
    year, month, day, hour, minute, second, *_ = time.gmtime(seconds)
    return b'"%02d-%s-%04d %02d:%02d:%02d +0000"' % (
        day,
        _MONTHS[month - 1],
        year,
        hour,
        minute,
        second,
    )


def parse_day(value: bytes) -> date | None:
    """Read the date of a SEARCH key, ``1-Feb-1994`` (RFC 9051 §9); or nothing."""
    match = _DAY.match(value)
    if match is None:
        return None
    try:
        return date(int(match[3]), _MONTH_NUMBERS[match[2].lower()], int(match[1]))
    except (KeyError, ValueError):
        return None


def _full_year(digits: bytes) -> int:
    year = int(digits)
    if len(digits) == 4:
        return year
    # RFC 5322 §4.3: 00-49 are of this century, all others of two or three digits
    # count from 1900.
    return year + (2000 if len(digits) == 2 and year < 50 else 1900)


def _offset(sign: bytes, hours: bytes, minutes: bytes) -> int:
    total = 60 * int(hours) + int(minutes)
    return -total if sign == b"-" else total


def _moment(
    year: int,
    month: int,
    day: int,
    hour: int,
    minute: int,
    second: int,
    offset: int,
) -> datetime | None:
    zone = UTC
    if offset:
        if not -1440 < offset < 1440:
            return None
        zone = timezone(timedelta(minutes=offset))
    try:
        # A leap second is told as the second before it.
        return datetime(
            year, month, day, hour, minute, 59 if second == 60 else second, 0, zone
        )
    except ValueError:
        return None


def _zone(moment: datetime) -> bytes:
    offset = moment.utcoffset()
    if not offset:
        return b"+0000"
    minutes = int(offset.total_seconds()) // 60
    sign = b"+" if minutes >= 0 else b"-"
    return b"%s%02d%02d" % (sign, *divmod(abs(minutes), 60))
