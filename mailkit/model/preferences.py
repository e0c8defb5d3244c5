"""How one person wants the webmail to be."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from attrs import Attribute, field, fields, frozen
from attrs.validators import ge, in_, instance_of, le, max_len


class Theme(Enum):
    """Light or dark."""

    AUTO = "auto"
    """As the machine has it."""
    LIGHT = "light"
    DARK = "dark"


class Images(Enum):
    """When pictures from elsewhere are fetched."""

    ASK = "ask"
    KNOWN = "known"
    """Of people one has written to, and of those one has trusted."""
    ALWAYS = "always"


class DefaultReply(Enum):
    """Whom an answer goes to unless one says otherwise."""

    SENDER = "reply"
    ALL = "all"


class ComposeMode(Enum):
    """How a new message is written."""

    RICH = "rich"
    PLAIN = "plain"


class QuotePosition(Enum):
    """Where the words of others stand in an answer."""

    BELOW = "below"
    """Below one's own."""
    ABOVE = "above"
    NONE = "none"


class MarkRead(Enum):
    """When a message that is opened becomes read."""

    AT_ONCE = "at_once"
    AFTER_2_S = "after_2s"
    NEVER = "never"
    """By hand alone."""


@frozen
class Preferences:
    """What an account has chosen, or else what everybody begins with."""

    language: str = field(default="", validator=[instance_of(str), max_len(35)])
    """A language tag; empty: as the browser asks."""
    time_zone: str = field(default="", validator=[instance_of(str), max_len(64)])
    """A name of the tz database; empty: as the browser has it."""
    browser_zone: str = field(default="", validator=[instance_of(str), max_len(64)])
    """Of the browser that signed in last, of the same names; empty: not known."""
    density: int = field(default=52, validator=in_((44, 52)))
    """Pixels of a row."""
    theme: Theme = field(default=Theme.AUTO, validator=instance_of(Theme))
    grouped: bool = field(default=True, validator=instance_of(bool))
    """Whether messages are shown as conversations."""
    images: Images = field(default=Images.ASK, validator=instance_of(Images))
    shortcuts: bool = field(default=True, validator=instance_of(bool))
    """Whether single letters are commands."""
    undo_seconds: int = field(default=10, validator=[instance_of(int), ge(5), le(30)])
    """How long the way back is offered."""
    default_reply: DefaultReply = field(
        default=DefaultReply.SENDER, validator=instance_of(DefaultReply)
    )
    compose_mode: ComposeMode = field(
        default=ComposeMode.RICH, validator=instance_of(ComposeMode)
    )
    quote_position: QuotePosition = field(
        default=QuotePosition.BELOW, validator=instance_of(QuotePosition)
    )
    mark_read: MarkRead = field(
        default=MarkRead.AT_ONCE, validator=instance_of(MarkRead)
    )
    tips_dismissed: bool = field(default=False, validator=instance_of(bool))
    """Whether the first steps are shown no more."""

    def to_facts(self) -> dict[str, str]:
        """Every choice as text, by its name, for a table or a file."""
        return {one.name: _text(getattr(self, one.name)) for one in _FIELDS}

    def to_texts(self) -> dict[str, str]:
        """Every choice as a form of a page has it, by its name."""
        return {name: text.strip('"') for name, text in self.to_facts().items()}

    @classmethod
    def of_facts(cls, facts: Mapping[str, str]) -> Preferences:
        """
        The way back.

        What is not there, or is nothing that can be chosen any more, is as everybody
        begins with.
        """
        chosen: dict[str, Any] = {}  # Any: each choice has its own type
        for one in _FIELDS:
            value = _value(one, facts.get(one.name))
            if value is not None:
                chosen[one.name] = value
        return cls(**chosen)


_FIELDS = fields(Preferences)


def _text(value: object) -> str:
    return json.dumps(value.value if isinstance(value, Enum) else value)


def _value(one: Attribute[Any], text: str | None) -> Any:
    """The value of a text, or ``None`` where it is none of this field's."""
    if text is None:
        return None
    try:
        value = json.loads(text)
        read: Callable[[Any], Any] = (
            type(one.default) if isinstance(one.default, Enum) else _itself
        )
        found = read(value)
        if one.validator is not None:
            one.validator(DEFAULTS, one, found)
    except (ValueError, TypeError):
        return None
    return found


def _itself(value: Any) -> Any:
    return value


DEFAULTS = Preferences()
"""What everybody begins with."""
