"""What is set about signing in to the web pages."""

from __future__ import annotations

from attrs import field, frozen
from attrs.validators import gt

HOUR = 3600.0
DAY = 24 * HOUR


@frozen
class SessionSettings:
    """How long browsers stay signed in."""

    idle: float = field(default=12 * HOUR, validator=gt(0))
    """Seconds without a request after which a browser has to sign in again."""

    longest: float = field(default=30 * DAY, validator=gt(0))
    """Seconds after which it has to in any case."""

    public: float = field(default=HOUR / 2, validator=gt(0))
    """Seconds without a request where "This is a public computer" was ticked."""
