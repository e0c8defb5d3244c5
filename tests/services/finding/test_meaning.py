"""What names and days mean."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from mailkit.formats.finding import read
from mailkit.model.finding import (
    AllOf,
    AnyOf,
    Came,
    HasKeyword,
    InMailboxes,
    Mark,
    Marked,
    Not,
    Sought,
    Words,
)
from mailkit.model.label import Label
from mailkit.model.mailbox import MailboxEntry, MailboxName, SpecialUse
from mailkit.services.finding.meaning import Meaning, make_out

OSLO = ZoneInfo("Europe/Oslo")


def entry(name: str, use: SpecialUse | None = None) -> MailboxEntry:
    return MailboxEntry(MailboxName(name), True, True, False, use)


MEANING = Meaning(
    now=datetime(2026, 3, 31, 12, tzinfo=UTC).timestamp(),
    zone=OSLO,
    mailboxes=[
        entry("INBOX"),
        entry("Junk", SpecialUse.JUNK),
        entry("Papierkorb", SpecialUse.TRASH),
        entry("Sent", SpecialUse.SENT),
        entry("Work"),
        entry("Work/Öld"),
        entry("trash"),
    ],
    labels=[Label("$l_garden-club", "Garden club"), Label("$l_x", "Büro")],
)
LEFT_OUT = Not(InMailboxes(frozenset(map(MailboxName, ("Junk", "Papierkorb")))))


def boxes(*names: str) -> InMailboxes:
    return InMailboxes(frozenset(map(MailboxName, names)))


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("in:inbox", boxes("INBOX")),
        ("in:INBOX", boxes("INBOX")),
        ("in:anywhere", AllOf()),
        ("in:starred", Marked(Mark.STARRED)),
        ("in:spam", boxes("Junk")),
        ("in:junk", boxes("Junk")),
        ("in:sent", boxes("Sent")),
        # A mailbox of that very name goes before what it is for.
        ("in:trash", boxes("trash")),
        ("in:Trash", boxes("Papierkorb")),
        ("in:work", boxes("Work")),
        ("in:old", boxes("Work/Öld")),
        ("in:work/old", boxes("Work/Öld")),
        ("in:nowhere", boxes()),
        ("-in:work", Not(boxes("Work"))),
        ("in:work OR in:sent", AnyOf((boxes("Work"), boxes("Sent")))),
    ],
)
def test_places(text: str, made: Sought) -> None:
    answer = make_out(read(text).sought, MEANING)
    assert answer.sought == made
    assert not answer.leaves_out


def at(*moment: int) -> float:
    return datetime(*moment, tzinfo=OSLO).timestamp()  # type: ignore[misc, arg-type]  # year, month, day, hour


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("tea", Words("tea")),
        ("label:garden-club", HasKeyword("$l_garden-club")),
        ('label:"garden club"', HasKeyword("$l_garden-club")),
        ("label:buro", HasKeyword("$l_x")),
        ("label:wild", AnyOf((HasKeyword("wild"), HasKeyword("$l_wild")))),
        ("after:2026-03-29", Came(since=at(2026, 3, 29))),
        ("before:2026/3/30", Came(before=at(2026, 3, 30))),
        ("older_than:2d", Came(before=at(2026, 3, 29, 14))),
        ("newer_than:1m", Came(since=at(2026, 2, 28, 14))),
        ("newer_than:3m", Came(since=at(2025, 12, 31, 14))),
        ("older_than:1y", Came(before=at(2025, 3, 31, 14))),
        ("older_than:99999y", Came(before=0.0)),
        ("-is:read", Not(Marked(Mark.READ))),
    ],
)
def test_labels_and_days(text: str, made: Sought) -> None:
    answer = make_out(read(text).sought, MEANING)
    assert answer.sought == AllOf((made, LEFT_OUT))
    assert answer.leaves_out


def test_days_before_the_calendar_are_as_old_as_it() -> None:
    made = make_out(read("older_than:99999d").sought, MEANING).sought
    assert isinstance(made, AllOf)
    assert make_out(read("tea ice").sought, MEANING).sought == AllOf(
        (Words("tea"), Words("ice"), LEFT_OUT)
    )
