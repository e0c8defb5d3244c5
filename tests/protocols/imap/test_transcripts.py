"""Dialogues in which the answer to a command says what was read."""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.internet.interfaces import IProtocol
from twisted.internet.protocol import Protocol

from mailkit.protocols.imap.events import (
    AppendAborted,
    AppendBegins,
    AppendChunk,
    AuthCancelled,
    Authenticate,
    Done,
    Enable,
    Event,
    HangUp,
    Idle,
    Logout,
    Select,
)
from mailkit.protocols.imap.response import Response, no, ok
from mailkit.protocols.imap.server import IMAPServer
from mailkit.protocols.imap.state import State
from tests.protocols.imap.driver import Driver
from tests.transcript import Feed, cases, name_of, replay

FOLDER = Path(__file__).parents[2] / "transcripts" / "imap_wire"

_LEFT_TO_THE_DRIVER = (
    AppendAborted,
    AppendBegins,
    AppendChunk,
    AuthCancelled,
    Authenticate,
    Enable,
    HangUp,
    Idle,
    Logout,
)


def tell(event: Event) -> Response | None:
    """Says what was read; two names of mailboxes are refused."""
    match event:
        case AppendBegins("full"):
            return no("Full", b"OVERQUOTA")
        case Select("missing"):
            return no("Missing", b"NONEXISTENT")
        case Done(problem) if problem:
            return None
    return None if isinstance(event, _LEFT_TO_THE_DRIVER) else ok(repr(event))


class Reading(Protocol):
    """A connection to a machine, without the pump."""

    def __init__(self) -> None:
        self._driver = Driver(IMAPServer(), answer=tell)

    def dataReceived(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(self._driver.feed(data))
        if self._driver.machine.state is State.LOGOUT:
            self.transport.loseConnection()


def build() -> IProtocol:
    return Reading()


@pytest.mark.parametrize(("script", "feed"), cases(FOLDER), ids=name_of)
def test_dialogue(script: Path, feed: Feed) -> None:
    replay(script, build, feed)
