"""Where a connection stands, and where answers lead (RFC 9051 §3)."""

from __future__ import annotations

from enum import Enum, auto

from mailkit.protocols.imap.events import (
    Authenticate,
    Close,
    Event,
    Examine,
    Login,
    Logout,
    Select,
    Unselect,
)


class State(Enum):
    NOT_AUTHENTICATED = auto()
    AUTHENTICATED = auto()
    SELECTED = auto()
    LOGOUT = auto()


OK_LEADS_TO: dict[type[Event], State] = {
    Login: State.AUTHENTICATED,
    Authenticate: State.AUTHENTICATED,
    Select: State.SELECTED,
    Examine: State.SELECTED,
    Close: State.AUTHENTICATED,
    Unselect: State.AUTHENTICATED,
    Logout: State.LOGOUT,
}
"""What an answer of OK to a command does; other commands change nothing."""

NO_LEADS_TO: dict[type[Event], State] = {
    # What was selected before is not any more (RFC 9051 §6.3.2).
    Select: State.AUTHENTICATED,
    Examine: State.AUTHENTICATED,
}
"""What an answer of NO or BAD by the session does."""
