"""What all POP3 sessions of a server share, and how one is made."""

from __future__ import annotations

from attrs import define, field, frozen
from twisted.internet.interfaces import IReactorTime

from mailkit.config.units import MINUTE, Seconds
from mailkit.interfaces.storage import IMailStore
from mailkit.metrics import Metrics
from mailkit.services.authentication import Authentication
from mailkit.services.sessions import Sessions


@frozen
class POP3Settings:
    """What a POP3 service allows."""

    login_time: Seconds = MINUTE
    """Seconds of silence before the login (RFC 1939 §3 speaks of those after it)."""

    timeout: Seconds = 10 * MINUTE
    """Seconds of silence after the login; less than 600 is forbidden (RFC 1939 §3)."""

    failures: int = 3
    """Failed logins before the connection is closed."""


@define(eq=False)
class POP3House:
    """The collaborators of every session."""

    hostname: str
    """What the greeting says."""
    store: IMailStore
    authentication: Authentication
    sessions: Sessions
    clock: IReactorTime
    metrics: Metrics
    settings: POP3Settings = field(factory=POP3Settings)
