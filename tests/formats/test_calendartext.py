"""Invitations as text (RFC 5545)."""

from __future__ import annotations

from mailkit.formats.calendartext import calendar_text

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
        "Repeats: FREQ=DAILY",
        "From: soon",
    ]


def test_what_is_none_is_shown_as_it_is() -> None:
    assert calendar_text("hello") == "hello"
    assert calendar_text("METHOD:UNKNOWN\nEND:X") == "METHOD:UNKNOWN\nEND:X"


def test_it_ends_somewhere() -> None:
    text = "BEGIN:VEVENT\n" + "SUMMARY:x\n" * 1000
    assert len(calendar_text(text).splitlines()) == 200
