"""Programs that hear of alarms, and their children; real ones are in interop."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.error import (
    ProcessDone,
    ProcessExitedAlready,
    ProcessTerminated,
)
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from mailkit.errors import Unavailable
from mailkit.model.alarm import Alarm
from mailkit.net.alarmchannels import PATIENCE, Command
from mailkit.testing.clock import TestClock

ALARM = Alarm(kind="mail-held", subject="a", when=17.5, words="Held.")


class Process:
    """A program that the test plays; a child of it keeps its pipes open."""

    def __init__(self, protocol: ProcessProtocol) -> None:
        self.protocol = protocol
        self.got = b""
        self.ended: Failure | None = None
        protocol.makeConnection(self)

    def write(self, octets: bytes) -> None:
        self.got += octets

    def closeStdin(self) -> None:
        """Nothing more comes."""

    def signalProcess(self, name: str) -> None:
        if self.ended is not None:
            raise ProcessExitedAlready
        assert name == "KILL"
        self.exit(ProcessTerminated(None, 9, 0))

    def exit(self, error: BaseException) -> None:
        self.ended = Failure(error)
        self.protocol.processExited(self.ended)

    def loseConnection(self) -> None:
        assert self.ended is not None
        self.protocol.processEnded(self.ended)


class Reactor(TestClock):
    """Starts no programs."""

    process: Process

    def spawnProcess(
        self, protocol: ProcessProtocol, name: str, words: Sequence[str], env: None
    ) -> None:
        self.process = Process(protocol)


def telling() -> tuple[Reactor, list[object]]:
    """What becomes of it is appended."""
    reactor, found = Reactor(), list[object]()
    command = Command(reactor, ["/bin/page"], "mail.example.org")
    Deferred.fromCoroutine(command.tell(ALARM)).addBoth(found.append)
    assert b"mail-held" in reactor.process.got
    return reactor, found


def test_children_hold_nobody_up_when_the_program_is_done() -> None:
    reactor, found = telling()
    reactor.process.exit(ProcessDone(0))
    assert not found
    reactor.advance(PATIENCE)
    assert found == [None]


def test_nor_when_it_is_ended() -> None:
    reactor, found = telling()
    reactor.advance(PATIENCE)
    [failure] = found
    assert isinstance(failure, Failure)
    with pytest.raises(Unavailable, match="signal 9"):
        failure.raiseException()
