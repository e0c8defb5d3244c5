"""Invitations as text (RFC 5545)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone, tzinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.formats.calendartext import WORDS, Speech, calendar_text

INVITATION = """\
BEGIN:VCALENDAR
VERSION:2.0
METHOD:REQUEST
BEGIN:VTIMEZONE
DTSTART:16010101T000000
END:VTIMEZONE
BEGIN:VEVENT
SUMMARY:Kitchen\\, second round
DTSTART;TZID=Europe/Oslo:20261121T093000
DTEND:20261121T103000Z
LOCATION:
ORGANIZER;CN="Solheim, I.":mailto:ingrid@solheim.example
ATTENDEE;CN=amara@okafor.example:MAILTO:amara@okafor.example
ATTENDEE:mailto:x@y.example
DESCRIPTION:One line\\nand anot
 her
not a line
X-OTHER:z
END:VEVENT
BEGIN:VEVENT
SUMMARY:More
DTSTART;VALUE=DATE:20261122
DTEND;VALUE=DATE:20269999
RRULE:FREQ=DAILY
DTSTART:soon
END:VEVENT
END:VCALENDAR
"""


def test_an_invitation() -> None:
    assert calendar_text(INVITATION).splitlines() == [
        "Invitation",
        "Kitchen, second round",
        "From: 2026-11-21 09:30 (Europe/Oslo)",
        "Until: 2026-11-21 10:30 UTC",
        "From whom: Solheim, I. <ingrid@solheim.example>",
        "Invited: amara@okafor.example",
        "Invited: x@y.example",
        "One line",
        "and another",
        "",
        "More",
        "From: 2026-11-22",
        "Until: 20269999",
        "Repeats: Every day",
        "From: soon",
    ]


def test_what_is_none_is_shown_as_it_is() -> None:
    assert calendar_text("hello") == "hello"
    assert calendar_text("METHOD:UNKNOWN\nEND:X") == "METHOD:UNKNOWN\nEND:X"


def test_it_ends_somewhere() -> None:
    text = "BEGIN:VEVENT\n" + "SUMMARY:x\n" * 1000
    assert len(calendar_text(text).splitlines()) == 200


def event(*lines: str) -> str:
    return "\n".join(("BEGIN:VEVENT", *lines, "END:VEVENT"))


def zone(name: str) -> tzinfo | None:
    return {"Oslo": timezone(timedelta(hours=1)), "End": timezone.max}.get(name)


SPEECH = Speech(
    "test",
    str.upper,
    zone,
    lambda at: f"{at:%d %H:%M}{'' if at.tzinfo is None else 'z'}",
    lambda day: f"{day:%d %b}",
    lambda number: f"day {number}",
)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("DTSTART;TZID=Oslo:20261121T093000", "FROM: 21 08:30z"),
        ('DTSTART;TZID="Oslo":20261121T093000', "FROM: 21 08:30z"),
        ("DTSTART;TZID=Mars:20261121T093000", "FROM: 21 09:30 (Mars)"),
        ("DTSTART:20261121T093000", "FROM: 21 09:30"),
        ("DTSTART:20261121T093000Z", "FROM: 21 09:30z"),
        ("DTEND:20261121T103000Z", "UNTIL: 21 10:30z"),
        ("DTSTART;TZID=End:00010101T000000", "FROM: 00010101T000000"),
        ("DTSTART:20261399", "FROM: 20261399"),
        ("DTSTART:20261121T993000", "FROM: 20261121T993000"),
        ("DTEND;VALUE=DATE:20261122", "UNTIL: 21 Nov"),
        ("DTEND;VALUE=DATE:00010101", "UNTIL: 01 Jan"),
        ("STATUS:tentative", "STATUS: TENTATIVE"),
        ("STATUS:DRAFT-OF-SORTS", "STATUS: DRAFT-OF-SORTS"),
        ("RRULE:FREQ=DAILY", "REPEATS: EVERY DAY"),
        ("RRULE:FREQ=WEEKLY;WKST=MO;INTERVAL=1;BYDAY=MO,SU",
         "REPEATS: EVERY WEEK (day 0, day 6)"),
        ("RRULE:FREQ=MONTHLY;COUNT=5", "REPEATS: EVERY MONTH, 5 TIMES"),
        ("RRULE:FREQ=YEARLY;UNTIL=20261231", "REPEATS: EVERY YEAR, UNTIL 31 Dec"),
        ("RRULE:FREQ=DAILY;UNTIL=20261231T100000Z",
         "REPEATS: EVERY DAY, UNTIL 31 10:00z"),
        # What words would not say all of stands as it is.
        ("RRULE:FREQ=MONTHLY;BYDAY=1MO", "REPEATS: FREQ=MONTHLY;BYDAY=1MO"),
        ("RRULE:FREQ=WEEKLY;BYDAY=1MO", "REPEATS: FREQ=WEEKLY;BYDAY=1MO"),
        ("RRULE:FREQ=MONTHLY;BYDAY=MO", "REPEATS: FREQ=MONTHLY;BYDAY=MO"),
        ("RRULE:FREQ=DAILY;INTERVAL=2", "REPEATS: FREQ=DAILY;INTERVAL=2"),
        ("RRULE:FREQ=HOURLY", "REPEATS: FREQ=HOURLY"),
        ("RRULE:FREQ=YEARLY;BYMONTH=5", "REPEATS: FREQ=YEARLY;BYMONTH=5"),
        ("RRULE:x", "REPEATS: x"),
    ],
)  # fmt: skip
def test_a_reader_is_spoken_to(line: str, said: str) -> None:
    speech = Speech(
        "test", lambda word: word.upper().replace("(TIME)S", "(time)s").replace(
            "(NUM)S", "(num)s"), SPEECH.zone, SPEECH.time, SPEECH.day, SPEECH.weekday,
    )  # fmt: skip
    assert calendar_text(event(line), speech) == said


def test_a_day_ends_before_the_next_begins() -> None:
    one = event("DTSTART;VALUE=DATE:20261121", "DTEND;VALUE=DATE:20261122")
    three = event("DTSTART;VALUE=DATE:20261121", "DTEND;VALUE=DATE:20261124")
    said = calendar_text(one + "\n" + three, SPEECH).splitlines()
    assert said == ["FROM: 21 Nov", "", "FROM: 21 Nov", "UNTIL: 23 Nov"]


def test_zones_are_asked_for_once_and_not_for_ever() -> None:
    asked: list[str] = []
    speech = Speech(zone=lambda name: asked.append(name))
    lines = [f"DTSTART;TZID=Z{n % 150}:20261121T093000" for n in range(190)]
    said = calendar_text(event(*lines), speech).splitlines()
    assert asked == [f"Z{n}" for n in range(100)]
    assert len(said) == 190


def test_all_that_is_said_is_known_to_catalogues() -> None:
    said: list[str] = []

    def say(word: str) -> str:
        said.append(word)
        return word

    calendar_text(INVITATION, Speech(say=say))
    assert set(said) < set(WORDS)
    assert len(set(WORDS)) == len(WORDS)


@given(
    st.lists(
        st.one_of(
            st.sampled_from(["BEGIN:VEVENT", "END:VEVENT", "DTSTART:20260101"]),
            st.text(max_size=60),
            st.builds(
                "{}{}".format,
                st.sampled_from(["RRULE:", "DTEND;TZID=Oslo:", "DTSTART:", "METHOD:"]),
                st.text(max_size=40),
            ),
        ),
        max_size=30,
    )
)
def test_whatever_it_is_it_is_read(lines: list[str]) -> None:
    assert isinstance(calendar_text("\n".join(lines), SPEECH), str)


def test_plain_speech() -> None:
    plain = Speech()
    assert plain.day(date(2026, 1, 2)) == "2026-01-02"
    assert plain.time(datetime(2026, 1, 2, 3, 4, tzinfo=UTC)) == "2026-01-02 03:04 UTC"
    assert plain.weekday(6) == "SU"
