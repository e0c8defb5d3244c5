"""Dates, in RFC 5322's words and in IMAP's."""

# ruff: noqa: E501 (a row a line)

from __future__ import annotations

import email.utils
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.formats import date as dates
from tests.formats.garbage import anything, octets


def at(
    year: int, month: int, day: int, hour: int, minute: int, second: int, east: int
) -> datetime:
    zone = timezone(timedelta(minutes=east)) if east else UTC
    return datetime(year, month, day, hour, minute, second, tzinfo=zone)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        # RFC 5322 appendix A.
        (b"Fri, 21 Nov 1997 09:55:06 -0600", at(1997, 11, 21, 9, 55, 6, -360)),
        (b"Tue, 1 Jul 2003 10:52:37 +0200", at(2003, 7, 1, 10, 52, 37, 120)),
        (b"Thu,\r\n 13\r\n Feb\r\n 1969\r\n 23:32\r\n -0330 (Newfoundland Time)", at(1969, 2, 13, 23, 32, 0, -210)),
        (b"21 Nov 97 09:55:06 GMT", at(1997, 11, 21, 9, 55, 6, 0)),
        (b"Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", at(1997, 11, 21, 9, 55, 6, -360)),
        # §4.3
        (b"1 Jan 49 00:00 Z", at(2049, 1, 1, 0, 0, 0, 0)),
        (b"1 Jan 50 00:00 UT", at(1950, 1, 1, 0, 0, 0, 0)),
        (b"1 Jan 103 00:00 EST", at(2003, 1, 1, 0, 0, 0, -300)),
        (b"1 Jan 2003 00:00 PDT", at(2003, 1, 1, 0, 0, 0, -420)),
        (b"1 Jan 2003 00:00 A", at(2003, 1, 1, 0, 0, 0, 0)),
        (b"1 Jan 2003 00:00 CEST", at(2003, 1, 1, 0, 0, 0, 0)),
        (b"1 Jan 2003 00:00:00", at(2003, 1, 1, 0, 0, 0, 0)),
        (b"1 Jan 2003 00:00:00 -0000", at(2003, 1, 1, 0, 0, 0, 0)),
        # Seen in mail.
        (b"Friday, 21-Nov-97 09:55:06 GMT", at(1997, 11, 21, 9, 55, 6, 0)),
        (b"Fri 21 November 1997 9:55:06 +01:00", at(1997, 11, 21, 9, 55, 6, 60)),
        (b"Fri, 21 Nov 1997 09.55.06 +0100", at(1997, 11, 21, 9, 55, 6, 60)),
        (b"fri, 21 nov 1997 09:55:06.123 +0100 (CET)", at(1997, 11, 21, 9, 55, 6, 60)),
        (b"Sat, 31 Dec 2016 23:59:60 +0000", at(2016, 12, 31, 23, 59, 59, 0)),
        # No dates.
        (b"", None),
        (b"yesterday", None),
        (b"(Fri) yesterday", None),
        (b"31 Feb 2003 00:00:00 +0000", None),
        (b"1 Foo 2003 00:00:00 +0000", None),
        (b"1 Jan 2003 24:00:00 +0000", None),
        (b"1 Jan 0000 00:00:00 +0000", None),
        (b"1 Jan 2003 00:00:00 +2400", None),
        (b"1 Jan 2003 00:00:00 +9999", None),
    ],
)  # fmt: skip
def test_dates_of_fields(value: bytes, expected: datetime | None) -> None:
    found = dates.parse(value)
    assert found == expected
    assert (
        expected is None or found is None or (found.utcoffset() == expected.utcoffset())
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"17-Jul-1996 02:44:25 -0700", at(1996, 7, 17, 2, 44, 25, -420)),
        (b'" 7-Jul-1996 02:44:25 +0000"', at(1996, 7, 7, 2, 44, 25, 0)),
        (b'"07-jul-1996 02:44:25 +0530"', at(1996, 7, 7, 2, 44, 25, 330)),
        (b"7-Jul-1996 02:44:25 +0000", None),
        (b"17-Foo-1996 02:44:25 -0700", None),
        (b"37-Jul-1996 02:44:25 -0700", None),
        (b"  -Jul-1996 02:44:25 -0700", None),
        (b"17-Jul-1996 02:44:25 -2400", None),
        (b"17-Jul-1996 02:44:25 GMT", None),
        (b"17-Jul-1996 02:44:25 -0700x", None),
        (b"", None),
    ],
)
def test_internal_dates(value: bytes, expected: datetime | None) -> None:
    assert dates.parse_internal(value) == expected


def test_writing() -> None:
    moment = at(2026, 3, 1, 4, 5, 6, -210)
    assert dates.format(moment) == b"Sun, 1 Mar 2026 04:05:06 -0330"
    assert dates.format_internal(moment) == b'"01-Mar-2026 04:05:06 -0330"'
    assert dates.format(moment.astimezone(UTC)) == b"Sun, 1 Mar 2026 07:35:06 +0000"
    assert dates.format_internal_utc(0) == b'"01-Jan-1970 00:00:00 +0000"'
    assert dates.format_internal_utc(1795255199.9) == b'"21-Nov-2026 09:59:59 +0000"'


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"1-Feb-1994", date(1994, 2, 1)),
        (b'"01-FEB-1994"', date(1994, 2, 1)),
        (b"30-Feb-1994", None),
        (b"1-Foo-1994", None),
        (b"1994-02-01", None),
    ],
)
def test_days_of_search(value: bytes, expected: date | None) -> None:
    assert dates.parse_day(value) == expected


@anything
@given(
    st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1)).map(
        lambda moment: moment.replace(microsecond=0)
    ),
    st.integers(-1439, 1439),
)
def test_what_is_written_is_read(naive: datetime, east: int) -> None:
    moment = naive.replace(tzinfo=timezone(timedelta(minutes=east)))
    assert dates.parse(dates.format(moment)) == moment
    assert dates.parse_internal(dates.format_internal(moment)) == moment
    assert email.utils.parsedate_to_datetime(dates.format(moment).decode()) == moment


@anything
@given(octets)
def test_garbage_never_raises(value: bytes) -> None:
    dates.parse(value)
    dates.parse(b"1 Jan 2003 " + value)
    dates.parse_internal(value)
    dates.parse_day(value)
