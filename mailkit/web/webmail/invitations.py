"""Invitations in the reader's language, at the reader's hours."""

from __future__ import annotations

import re
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.core import get_global

from mailkit.formats.calendartext import Speech
from mailkit.web.asking import Asked


def _(text: str) -> str:
    """Marks words for the catalogues; they are translated where they are shown."""
    return text


WORDS = (
    _("From"),
    _("Until"),
    _("Where"),
    _("From whom"),
    _("Invited"),
    _("Status"),
    _("Repeats"),
    _("Link"),
    _("Invitation"),
    _("Cancelled"),
    _("Answer to an invitation"),
    _("Another time is proposed"),
    _("Confirmed"),
    _("Tentative"),
    _("To be done"),
    _("Being done"),
    _("Done"),
    _("Every day"),
    _("Every week"),
    _("Every month"),
    _("Every year"),
    _("until %(time)s"),
    _("%(num)s times"),
)
"""Those of `mailkit.formats.calendartext`, for the catalogues."""

_NAME = re.compile(r"[A-Za-z0-9_+-]{1,32}(?:/[A-Za-z0-9_+-]{1,32}){0,2}")


def speech_of(asked: Asked) -> Speech:
    """How whoever asks is spoken to."""
    dates = asked.dates
    where = asked.zone_name

    def time(at: datetime) -> str:
        return dates.local(at) if at.tzinfo is None else dates.long(at.timestamp())

    return Speech(
        f"{asked.language.tag} {where}",
        asked.say,
        zone_of,
        time,
        dates.day,
        dates.weekday,
    )


def zone_of(name: str) -> tzinfo | None:
    """
    The zone that a calendar program calls so: by tz database, or as Windows does.

    A path before the name is whose list of zones it is (RFC 5545 §3.8.3.1).
    """
    known = get_global("windows_zone_mapping").get(name, name)
    plain = known.rpartition("/")
    if known.startswith("/"):
        plain = (plain[0].rpartition("/")[2], "/", plain[2])
    wanted = "".join(plain)
    if not _NAME.fullmatch(wanted):
        return None
    try:
        return ZoneInfo(wanted)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder of it is no zone
        return None
