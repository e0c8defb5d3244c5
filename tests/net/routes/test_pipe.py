"""Programs: what they are given, and what their end means."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import (
    ProcessDone,
    ProcessExitedAlready,
    ProcessTerminated,
)
from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure
from zope.interface.verify import verifyObject

from mailkit.errors import StorageBroken
from mailkit.interfaces.queue import Carried, IRouteEnd
from mailkit.model.envelope import RecipientParameters
from mailkit.model.queueitem import Fate
from mailkit.model.target import ToPipe
from mailkit.net.routes.pipe import IntoPipe, LineEnds
from mailkit.testing.clock import TestClock
from tests.net.relay.world import TEXT, OnDisk, item

CAT = "/bin/cat"
UNIX = TEXT.replace(b"\r\n", b"\n")


class Process:
    """What Twisted gives a protocol to its process."""

    def __init__(self, protocol: ProcessProtocol) -> None:
        self.protocol = protocol
        self.got = b""
        self.signals: list[str] = []
        self.is_stdin_closed = False
        self.producer: IPushProducer | None = None
        self.is_gone = False
        protocol.makeConnection(self)

    def registerProducer(self, producer: IPushProducer, streaming: bool) -> None:
        self.producer = producer

    def unregisterProducer(self) -> None:
        self.producer = None

    def write(self, octets: bytes) -> None:
        self.got += octets

    def closeStdin(self) -> None:
        self.is_stdin_closed = True

    def loseConnection(self) -> None:
        self.is_gone = True

    def signalProcess(self, name: str) -> None:
        if self.is_gone:
            raise ProcessExitedAlready
        self.signals.append(name)

    def end(self, code: int = 0, signal: int | None = None) -> None:
        """It exits, and its pipes are closed."""
        self.exit(code, signal)
        self.protocol.processEnded(self.reason)

    def exit(self, code: int = 0, signal: int | None = None) -> None:
        error: BaseException = ProcessTerminated(code or None, signal, 0)
        if not code and signal is None:
            error = ProcessDone(0)
        self.reason = Failure(error)
        self.protocol.processExited(self.reason)


class Reactor(TestClock):
    """Starts no programs."""

    def __init__(self) -> None:
        super().__init__()
        self.started: list[tuple[list[bytes], dict[str, str], str]] = []
        self.processes: list[Process] = []

    def spawnProcess(
        self,
        protocol: ProcessProtocol,
        executable: bytes,
        args: list[bytes],
        env: dict[str, str],
        path: str,
    ) -> None:
        assert executable == args[0]
        self.started.append((args, env, path))
        self.processes.append(Process(protocol))


@define(eq=False)
class World:
    """A program that the test plays."""

    target: ToPipe = field(factory=lambda: ToPipe(program=(CAT, "-n")))
    reactor: Reactor = field(factory=Reactor)
    done: list[Any] = field(factory=list)

    def begin(
        self, *to: str, content: OnDisk | None = None, **about: Any
    ) -> Deferred[Any]:
        end = IntoPipe(self.target, self.reactor)
        verifyObject(IRouteEnd, end)
        carrying = Deferred.fromCoroutine(
            end.carry(item(*(to or ("a@x.test",)), **about), content or OnDisk(TEXT))
        )
        carrying.addBoth(self.done.append)
        return carrying

    @property
    def process(self) -> Process:
        return self.reactor.processes[-1]

    @property
    def carried(self) -> Carried:
        [done] = self.done
        assert isinstance(done, Carried)
        assert not self.reactor.getDelayedCalls()
        return done


def test_what_a_program_is_given() -> None:
    world = World()
    told = RecipientParameters(orcpt="rfc822;team@x.test")
    world.begin("a+b@x.test", "c@x.test", told=told)
    assert world.process.got == UNIX
    assert world.process.is_stdin_closed
    world.process.end()
    world.process.end()
    [(args, env, path), (_, second, _)] = world.reactor.started
    assert (args, path) == ([CAT.encode(), b"-n"], "/")
    assert env["SENDER"] == "x@elsewhere.test"
    assert (env["RECIPIENT"], second["RECIPIENT"]) == ("a+b@x.test", "c@x.test")
    assert (env["LOCAL_PART"], env["DOMAIN"], env["DETAIL"]) == ("a+b", "x.test", "b")
    assert env["ORIGINAL_RECIPIENT"] == "team@x.test"
    assert "HOME" not in env
    assert [one.fate for one in world.carried.reports] == [Fate.RELAYED] * 2


ENDS = [
    (0, None, Fate.RELAYED, "2.1.5", "taken by the program: said \N{SNOWMAN}"),
    (65, None, Fate.FAILED, "5.6.0", "ended with 65: said \N{SNOWMAN}"),
    (67, None, Fate.FAILED, "5.1.1", "ended with 67: said \N{SNOWMAN}"),
    (75, None, Fate.WAITING, "4.3.0", "ended with 75: said \N{SNOWMAN}"),
    (77, None, Fate.FAILED, "5.7.1", "ended with 77: said \N{SNOWMAN}"),
    (1, None, Fate.WAITING, "4.3.0", "ended with 1: said \N{SNOWMAN}"),
    (78, None, Fate.WAITING, "4.3.0", "ended with 78: said \N{SNOWMAN}"),
    (0, 9, Fate.WAITING, "4.3.0", "was ended by SIGKILL: said \N{SNOWMAN}"),
]


@pytest.mark.parametrize(("code", "signal", "fate", "status", "words"), ENDS)
def test_ends(
    code: int, signal: int | None, fate: Fate, status: str, words: str
) -> None:
    world = World()
    world.begin()
    world.process.protocol.childDataReceived(1, b"said\n\x07")
    world.process.protocol.childDataReceived(2, "\N{SNOWMAN}".encode())
    world.process.end(code, signal)
    [report] = world.carried.reports
    assert (report.fate, report.status, report.words) == (fate, status, words)


def test_what_is_printed_is_bounded() -> None:
    world = World()
    world.begin()
    for _ in range(100):
        world.process.protocol.childDataReceived(1, b"x" * 1000)
    world.process.end()
    assert len(world.carried.reports[0].words) < 450


def test_a_program_that_takes_too_long_is_ended() -> None:
    world = World(ToPipe(program=(CAT,), timeout=10.0))
    world.begin()
    world.reactor.advance(10)
    assert world.process.signals == ["TERM"]
    world.reactor.advance(5)
    assert world.process.signals == ["TERM", "KILL"]
    world.process.end(signal=9)
    [report] = world.carried.reports
    assert (report.fate, report.words) == (
        Fate.WAITING,
        "took too long, was ended",
    )
    assert world.carried.is_doubtful


def test_children_that_hold_its_pipes_hold_nobody_up() -> None:
    world = World()
    world.begin()
    world.process.exit()
    assert not world.done
    world.reactor.advance(5)
    assert world.process.is_gone
    assert world.carried.reports[0].fate is Fate.RELAYED
    world.process.protocol.processEnded(world.process.reason)


def test_a_program_that_does_not_read_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailkit.net.routes.body.PIECE", 9)
    world = World(ToPipe(program=(CAT,), has_crlf=True))
    original = Process.write

    def write(process: Process, octets: bytes) -> None:
        original(process, octets)
        assert process.producer is not None
        process.producer.pauseProducing()

    monkeypatch.setattr(Process, "write", write)
    world.begin()
    assert world.process.got == TEXT[:9]
    world.process.protocol.childConnectionLost(0)
    assert not world.process.is_stdin_closed
    world.process.end()
    assert world.carried.reports[0].fate is Fate.RELAYED


def test_a_server_that_stops_ends_its_programs() -> None:
    world = World()
    carrying = world.begin()
    carrying.cancel()
    assert world.process.signals == ["TERM"]
    assert world.done[0].check(CancelledError)


def test_who_has_it_does_not_get_it_again_when_the_server_stops() -> None:
    world = World()
    carrying = world.begin("a@x.test", "b@x.test", "c@x.test")
    world.process.end()
    carrying.cancel()
    assert world.process.signals == ["TERM"]
    world.process.end()
    carried = world.carried
    assert carried.is_doubtful
    assert [one.fate for one in carried.reports] == [
        Fate.RELAYED, Fate.WAITING, Fate.WAITING
    ]  # fmt: skip
    assert len(world.reactor.processes) == 2


def test_a_signal_that_comes_too_late() -> None:
    world = World(ToPipe(program=(CAT,), timeout=10.0))
    world.begin()
    world.process.is_gone = True
    world.reactor.advance(10)
    world.process.end()
    assert world.carried.reports[0].fate is Fate.WAITING


def test_a_program_that_is_not_there() -> None:
    world = World(ToPipe(program=("/nowhere/at/all",)))
    world.begin()
    [report] = world.carried.reports
    assert (report.fate, report.status) == (Fate.WAITING, "4.3.5")
    assert not world.reactor.started


def test_a_message_that_cannot_be_read() -> None:
    world = World()
    world.begin(content=OnDisk(TEXT, lies=3))
    assert world.done[0].check(StorageBroken)
    assert world.process.signals == ["TERM"]


_MOSTLY_LINES = st.lists(st.sampled_from([b"\r", b"\n", b"a"])).map(b"".join)


@given(_MOSTLY_LINES, st.integers(1, 5))
def test_line_ends(octets: bytes, piece: int) -> None:
    said: list[bytes] = []
    ends = LineEnds(said.append)
    for at in range(0, len(octets), piece):
        ends.write(octets[at : at + piece])
    ends.finish()
    assert b"".join(said) == octets.replace(b"\r\n", b"\n")
