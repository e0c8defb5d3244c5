"""Words that speak of files, and moments at which mail leaves later."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.services.composing import lacking, when
from mailkit.services.composing.when import Later
from tests.formats.garbage import anything

SPEAKS = [
    ("en", "", "See the attached plan", "attached"),
    ("en-GB", "Enclosed: plans", "", "Enclosed"),
    ("en", "", "Attachments below", "Attachments"),
    ("en", "", "Nothing here", ""),
    ("en", "", "I am unattached", ""),
    ("en", "", "> attached\nok", ""),
    ("en", "", "ok\n---------- Forwarded message ----------\nattached", ""),
    ("de", "", "Im Anhang findest du", "Im Anhang"),
    ("de", "", "Anbei die Pläne", "Anbei"),
    ("de", "", "see attached", "attached"),
    ("fr", "", "Vous trouverez ci-joint le plan", "ci-joint"),
    ("es", "", "Te adjunto el plano", "adjunto"),
    ("ru", "", "Во вложении файл", "Во вложении"),
    ("ja", "", "ファイルを添付します", "添付"),
    ("zh-CN", "", "请看附件", "附件"),
    ("he", "", "מצורף הקובץ", "מצורף"),
    ("ar", "", "الملف مرفق هنا", "مرفق"),
    ("tlh", "", "attached", "attached"),
]


@pytest.mark.parametrize(("language", "subject", "text", "word"), SPEAKS)
def test_words(language: str, subject: str, text: str, word: str) -> None:
    assert lacking.word_for_file(subject, text, language) == word


@anything
@given(st.text(), st.sampled_from(sorted(lacking.WORDS)))
def test_any_text(text: str, language: str) -> None:
    assert len(lacking.word_for_file("", text, language)) <= len(text)
    assert len(lacking.word_for_file(text, "", language)) <= len(text)


BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


OFFERED = [
    (
        "2026-11-19T09:00+01:00",  # a Thursday
        {
            Later.EVENING: "2026-11-19T18:00+01:00",
            Later.TOMORROW: "2026-11-20T08:00+01:00",
            Later.MONDAY: "2026-11-23T08:00+01:00",
        },
    ),
    (
        "2026-11-22T17:00+01:00",  # a Sunday
        {Later.TOMORROW: "2026-11-23T08:00+01:00"},
    ),
    (
        "2026-11-23T17:30+01:00",  # a Monday
        {
            Later.TOMORROW: "2026-11-24T08:00+01:00",
            Later.MONDAY: "2026-11-30T08:00+01:00",
        },
    ),
    (
        "2026-10-24T12:00+02:00",  # the clock goes back in the night
        {
            Later.EVENING: "2026-10-24T18:00+02:00",
            Later.TOMORROW: "2026-10-25T08:00+01:00",
            Later.MONDAY: "2026-10-26T08:00+01:00",
        },
    ),
]


@pytest.mark.parametrize(("now", "found"), OFFERED)
def test_what_is_offered(now: str, found: dict[Later, str]) -> None:
    expected = {later: at(text) for later, text in found.items()}
    assert when.offered(at(now), BERLIN) == expected


NOW = at("2026-11-19T09:00+01:00")
CHOSEN = [
    ("tomorrow", "2026-11-20T08:00+01:00"),
    ("2026-11-30T08:15", "2026-11-30T08:15+01:00"),
    ("2026-11-30T08:15+00:00", "2026-11-30T08:15+00:00"),
    ("1795000000", "2026-11-18T11:06:40+00:00"),
]


@pytest.mark.parametrize(("text", "moment"), CHOSEN)
def test_what_is_chosen(text: str, moment: str) -> None:
    assert when.read(text, BERLIN, NOW) == at(moment)


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01T00:00", "9" * 12])
def test_what_is_no_time(text: str) -> None:
    assert when.read(text, BERLIN, NOW) is None


def test_times_beyond_the_calendar() -> None:
    far = timezone(timedelta(hours=-23))
    assert when.read("9999-12-31T23:59", far, NOW) is not None
    assert when.moment(-1.0) == datetime(1970, 1, 1, tzinfo=UTC)
    assert when.moment(1e18).year == 9999
