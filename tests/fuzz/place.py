"""What a dialogue is played against."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import field, frozen
from twisted.internet.interfaces import IProtocol

from mailkit.metrics import Metrics
from mailkit.services.sessions import Sessions
from mailkit.testing.clock import TestClock
from tests.transcript import Action


def _nothing() -> str:
    return ""


@frozen(eq=False)
class Place:
    """One server, and what may happen beside its dialogues."""

    service: str
    clock: TestClock
    sessions: Sessions
    metrics: Metrics
    connect: Callable[[], IProtocol]
    actions: Mapping[str, Action] = field(factory=dict)
    end: Callable[[], str] = _nothing
    """What is wrong when nobody has said a word for long; empty: nothing."""
