"""Invitations as readers see them."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from mailkit.formats.calendartext import WORDS as SPOKEN
from mailkit.model.preferences import Preferences
from mailkit.testing.at_once import at_once
from mailkit.web.webmail.invitations import WORDS, zone_of
from tests.web.letters import put
from tests.web.world import ALICE, WebWorld

INVITATION = """\
Content-Type: text/calendar; charset=utf-8; method=REQUEST

BEGIN:VCALENDAR
METHOD:REQUEST
BEGIN:VEVENT
SUMMARY:Kitchen
DTSTART;TZID=W. Europe Standard Time:20261121T093000
DTEND:20261121T103000Z
RRULE:FREQ=WEEKLY;BYDAY=SA;COUNT=4
STATUS:CONFIRMED
ATTENDEE;CN=Bob:mailto:bob@far.example
END:VEVENT
END:VCALENDAR
"""
PAGES = ("/mail/inbox/c/t1", "/mail/inbox/c/t1/print", "/m/m1/text")


@pytest.fixture
def world() -> WebWorld:
    made = WebWorld()
    put(made, INVITATION)
    made.sign_in()
    return made


def choose(world: WebWorld, language: str, zone: str) -> None:
    at_once(
        world.personal.change(ALICE, Preferences(language=language, time_zone=zone))
    )


@pytest.mark.parametrize("path", PAGES)
def test_in_the_reader_s_time_zone(world: WebWorld, path: str) -> None:
    choose(world, "en", "America/New_York")
    text = world.get(path).text
    assert "From: Saturday, November 21, 2026, 03:30" in text
    assert "Until: Saturday, November 21, 2026, 05:30" in text
    assert "Repeats: Every week (Saturday), 4 times" in text
    assert "Status: Confirmed" in text
    # What was read is kept at hand, for this reader as he is now.
    choose(world, "en", "Asia/Tokyo")
    assert "From: Saturday, November 21, 2026, 17:30" in world.get(path).text


@pytest.mark.parametrize("path", PAGES)
def test_in_the_reader_s_language(world: WebWorld, path: str) -> None:
    choose(world, "ar", "Europe/Oslo")
    text = world.get(path).text
    for words in ("دعوة", "حتى: السبت، 21 نوفمبر 2026", "المدعوّون: Bob", "كل أسبوع"):
        assert words in text
    for words in ("Invitation", "Until", "Every week"):
        assert words not in text


def test_the_catalogues_have_all_of_it() -> None:
    assert set(SPOKEN) == set(WORDS)


@pytest.mark.parametrize(
    ("name", "hours"),
    [
        ("Europe/Oslo", 1),
        ("W. Europe Standard Time", 1),
        ("Eastern Standard Time", -5),
        ("/mozilla.org/20050126_1/Europe/Oslo", 1),
        ("UTC", 0),
        ("Mars/Olympus", None),
        ("Europe", None),
        ("../../etc/passwd", None),
        ("/", None),
        ("", None),
        ("x" * 1000, None),
        ("Europe/\0", None),
    ],
)
def test_zones_of_calendar_programs(name: str, hours: int | None) -> None:
    found = zone_of(name)
    if hours is None:
        assert found is None
    else:
        assert found is not None
        assert found.utcoffset(datetime(2026, 1, 1)) == timedelta(hours=hours)
