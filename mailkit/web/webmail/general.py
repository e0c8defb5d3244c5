"""Settings: how a person wants the pages to be."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from mailkit.errors import Malformed
from mailkit.model.preferences import (
    ComposeMode,
    DefaultReply,
    Images,
    MarkRead,
    Preferences,
    QuotePosition,
    Theme,
)
from mailkit.web.answers import Answer
from mailkit.web.asking import Asked
from mailkit.web.dates import ZONE_NAMES
from mailkit.web.webmail.facts import CURRENT
from mailkit.web.webmail.rooms import Room

room = Room()

PAGE = "/settings/general"

_AREAS = (
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
)
ZONES = tuple(sorted(name for name in ZONE_NAMES if name.split("/")[0] in _AREAS))
"""Time zones that are offered: those of places."""

UNDO_SECONDS = (5, 10, 20, 30)


def _(text: str) -> str:
    """Marks words for the catalogues; they are translated where they are shown."""
    return text


@frozen
class Question:
    """One thing to choose, and what there is."""

    name: str
    words: str
    answers: Sequence[tuple[str, str]]
    """Values and their words."""
    hint: str = ""


_LOOK = (
    Question(
        "theme",
        _("Colours"),
        (
            (Theme.AUTO.value, _("As the device has it")),
            (Theme.LIGHT.value, _("Light")),
            (Theme.DARK.value, _("Dark")),
        ),
    ),
    Question(
        "density",
        _("Rows"),
        (("52", _("Comfortable")), ("44", _("Compact"))),
    ),
)
_READING = (
    Question(
        "images",
        _("Pictures from the internet"),
        (
            (Images.ASK.value, _("Ask each time")),
            (Images.KNOWN.value, _("Load for people I know")),
            (Images.ALWAYS.value, _("Always load")),
        ),
        _("They come through this server: no sender learns where you are."),
    ),
    Question(
        "mark_read",
        _("A message I open becomes read"),
        (
            (MarkRead.AT_ONCE.value, _("At once")),
            (MarkRead.AFTER_2_S.value, _("After two seconds")),
            (MarkRead.NEVER.value, _("Only when I say so")),
        ),
    ),
)
_WRITING = (
    Question(
        "compose_mode",
        _("New messages"),
        (
            (ComposeMode.RICH.value, _("With formatting, and plain text beside it")),
            (ComposeMode.PLAIN.value, _("Plain text")),
        ),
    ),
    Question(
        "default_reply",
        _("Answers go to"),
        (
            (DefaultReply.SENDER.value, _("The sender")),
            (DefaultReply.ALL.value, _("Everybody")),
        ),
    ),
    Question(
        "quote_position",
        _("What is answered stands"),
        (
            (QuotePosition.BELOW.value, _("Below my words")),
            (QuotePosition.ABOVE.value, _("Above my words")),
            (QuotePosition.NONE.value, _("Nowhere")),
        ),
    ),
)


@room.get("/settings/general")
async def general(asked: Asked) -> Answer:
    """The page."""
    chosen = asked.preferences
    facts = {
        CURRENT: "settings",
        "chosen": chosen.to_texts(),
        "look": _LOOK,
        "reading": _READING,
        "writing": _WRITING,
        "languages": asked.house.languages,
        "zones": ZONES,
        "server_zone": asked.house.time_zone or "UTC",
        "undo_seconds": UNDO_SECONDS,
        "is_saved": "saved" in asked.query,
    }
    return asked.page("general.html", facts)


@room.post("/settings/general", action="settings")
async def change(asked: Asked) -> Answer:
    """Keep it all; it holds from the next page on."""
    form = asked.form
    zone_name = form.text("time_zone")
    language = form.text("language")
    known = {tag for tag, _name in asked.house.languages}
    if (zone_name and zone_name not in ZONES) or (language and language not in known):
        raise Malformed("a language or time zone")
    try:
        chosen = Preferences(
            language=language,
            time_zone=zone_name,
            browser_zone=asked.preferences.browser_zone,
            density=form.number("density", 52),
            theme=Theme(form.text("theme")),
            grouped=form.is_on("grouped"),
            images=Images(form.text("images")),
            shortcuts=form.is_on("shortcuts"),
            undo_seconds=form.number("undo_seconds", 10),
            default_reply=DefaultReply(form.text("default_reply")),
            compose_mode=ComposeMode(form.text("compose_mode")),
            quote_position=QuotePosition(form.text("quote_position")),
            mark_read=MarkRead(form.text("mark_read")),
            tips_dismissed=asked.preferences.tips_dismissed,
        )
    except ValueError:
        raise Malformed("a choice") from None
    await asked.house.personal.change(asked.name, chosen)
    return asked.redirect(f"{PAGE}?saved=1")
