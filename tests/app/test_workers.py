"""The parent of several workers, without processes and without ports."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
from pathlib import Path
from typing import Any, NoReturn

import pytest
from attrs import define, field
from twisted.application.service import Application
from twisted.internet.error import (
    ProcessDone,
    ProcessExitedAlready,
    ProcessTerminated,
)
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.logger import ILogObserver, globalLogPublisher
from twisted.python.components import Componentized
from twisted.python.failure import Failure

from mailkit.app import server, workplace
from mailkit.app import workers as module
from mailkit.app.logging import LogSwitch
from mailkit.app.privileges import Identity
from mailkit.app.settings import LogSettings
from mailkit.app.tie import BEAT, Word, hear, say
from mailkit.app.workers import LATEST, LIVED, PATIENCE, Place, Workers
from mailkit.app.workplace import SILENCE, START
from mailkit.errors import MailkitError
from mailkit.net.bound import Bound
from mailkit.net.listeners import PortTaken
from mailkit.services.queue import sender
from mailkit.storage.state.counts import SharedCounts

READY: Word = {"ready": True}
TEXT = """
hostname = "mail.example.org"
workers = 2
[listen]
smtp = ["tcp:25"]
managesieve = ["tcp:4190"]
metrics = ["tcp:9108"]
"""


class GaveUpError(Exception):
    """The server ended the process."""


def give_up(error: Exception) -> NoReturn:
    raise GaveUpError(str(error))


@define(eq=False)
class FakeProcess:
    """A process that is there until the test says that it ended."""

    protocol: Any
    words: list[str]
    environment: dict[str, str]
    descriptors: dict[int, Any]
    events: list[str]
    pid: int
    far: socket.socket
    """The worker's end of the tie."""
    wire: StringTransport | None = None
    is_over: bool = False

    @property
    def pipes(self) -> dict[int, Any]:
        return {2: self}

    def doRead(self) -> None:
        self.protocol.childDataReceived(2, b"why\n")

    def signalProcess(self, number: signal.Signals) -> None:
        if self.is_over:
            raise ProcessExitedAlready
        self.events.append(f"{number.name} to {self.pid}")

    def end(self, reason: Exception) -> None:
        self.is_over = True
        self.protocol.processEnded(Failure(reason))

    def say(self, word: Word) -> None:
        """As the worker, once the parent has adopted the tie."""
        octets = json.dumps(word).encode()
        assert self.wire is not None
        tie: Any = self.wire.protocol  # type: ignore[attr-defined]  # set below
        tie.dataReceived(len(octets).to_bytes(4, "big") + octets)

    @property
    def heard(self) -> list[Word]:
        """What the parent has said since it adopted the tie."""
        assert self.wire is not None
        octets, words = self.wire.value(), []
        while octets:
            end = 4 + int.from_bytes(octets[:4], "big")
            words.append(json.loads(octets[4:end]))
            octets = octets[end:]
        self.wire.clear()
        return words


@define(eq=False)
class Stage:
    """A parent over files of this test, and what it did."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch
    reactor: Any = field(factory=MemoryReactorClock)
    processes: list[FakeProcess] = field(factory=list)
    events: list[str] = field(factory=list)
    answers: list[Word | None] = field(factory=list)
    """What those that are started next say at once."""
    handlers: dict[int, Any] = field(factory=dict)
    out: io.StringIO = field(factory=io.StringIO)
    taken: str = ""

    def spawn(self, protocol: Any, executable: str, words: Any, **more: Any) -> Any:
        descriptor = int(words[-1])
        far = socket.socket(fileno=os.dup(descriptor))
        process = FakeProcess(
            protocol,
            words,
            more["env"],
            more["childFDs"],
            self.events,
            100 + len(self.processes),
            far,
        )
        self.processes.append(process)
        answer = self.answers.pop(0) if self.answers else READY
        if answer is None:
            far.close()
        else:
            say(far, answer)
        return process

    def adopt(self, descriptor: int, family: int, factory: Any) -> None:
        name = socket.socket(fileno=os.dup(descriptor))
        with name:
            [process] = [one for one in self.processes if not one.wire][:1]
        process.wire = StringTransport()
        tie = factory.buildProtocol(None)
        process.wire.protocol = tie  # type: ignore[attr-defined]  # to be found again
        tie.makeConnection(process.wire)

    def bind(
        self, service: str, description: str, count: int, is_dealt: bool, reactor: Any
    ) -> Bound:
        if service == self.taken:
            raise PortTaken(f"{service}: cannot listen on {description}: taken")
        sockets: Any = [
            FakeSocket(f"{service} {n}", self.events)
            for n in range(1, 1 + (count if is_dealt else 1))
        ]
        return Bound(service, description, sockets)

    @property
    def place(self) -> Place:
        path = self.folder / "m.toml"
        if not path.exists():
            path.write_text(f'data = "{self.folder}/data"\n{TEXT}')
        return Place(path, self.folder)

    def parent(self, identity: Identity | None = None) -> Workers:
        self.reactor.spawnProcess = self.spawn
        self.reactor.adoptStreamConnection = self.adopt
        self.reactor.callFromThread = lambda call: call()
        self.monkeypatch.setattr(module, "bind", self.bind)
        self.monkeypatch.setattr(
            signal, "signal", lambda n, h: self.handlers.update({n: h})
        )
        switch = LogSwitch(LogSettings(), self.out)
        globalLogPublisher.addObserver(switch)
        text = self.place.load()
        return Workers(2, self.place, text, identity, switch, give_up, self.reactor)

    def started(self) -> Workers:
        parent = self.parent()
        parent.privilegedStartService()
        parent.startService()
        self.reactor.run()
        return parent

    @property
    def lines(self) -> list[str]:
        """The log, without times."""
        return [line.split(" ", 1)[1] for line in self.out.getvalue().splitlines()]


@define(eq=False)
class FakeSocket:
    name: str
    events: list[str]
    family: int = 2

    def fileno(self) -> int:
        return 77

    def shutdown(self, how: int) -> None:
        self.events.append(f"{self.name} rests")

    def listen(self, backlog: int) -> None:
        self.events.append(f"{self.name} wakes")

    def close(self) -> None:
        self.events.append(f"{self.name} closes")


@pytest.fixture
def stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, observers_as_before: None
) -> Stage:
    return Stage(tmp_path, monkeypatch)


def test_workers_get_all_they_need(stage: Stage) -> None:
    identity = Identity("nobody", os.getuid(), os.getgid())
    parent = stage.parent(identity)
    parent.privilegedStartService()
    begun = [hear(one.far) for one in stage.processes]
    one, two = stage.processes
    assert begun[0] == {
        "number": 1,
        "ports": [["smtp", "tcp:25", 77, 2], ["metrics", "tcp:9108", 77, 2]],
        "workers": 2,
        "counts": parent.shared[0],
        "text": stage.place.load(),
        "path": str(stage.folder / "m.toml"),
        "folder": str(stage.folder),
        "user": "nobody",
    }
    assert begun[1] is not None
    assert begun[1]["number"] == 2
    assert one.words[1:-1] == ["-P", "-m", "mailkit.app.work"]
    assert one.descriptors[77] == 77
    assert two.descriptors[1] == two.descriptors[2] == "r"
    assert one.environment["PYTHONPATH"]
    assert (stage.folder / "data" / "tls" / "certificate.pem").exists()


def test_ports_are_told_once_all_serve(stage: Stage) -> None:
    parent = stage.parent()
    ready: list[str] = []
    parent.when_ready(lambda: ready.append("ready"))
    parent.startService()  # `python -m twisted`: nobody began it
    assert ready == []
    stage.reactor.run()
    assert ready == ["ready"]
    assert stage.lines == [
        "warn managesieve: not in this version",
        "info smtp listens on tcp:25",
        "info metrics listens on tcp:9108",
    ]


def test_a_taken_port_ends_the_start(stage: Stage) -> None:
    stage.taken = "metrics"
    with pytest.raises(GaveUpError, match=r"^metrics: cannot listen on .*: taken$"):
        stage.parent().privilegedStartService()
    assert stage.processes == []
    assert stage.events == ["smtp 1 closes", "smtp 2 closes"]


@pytest.mark.parametrize(
    ("answer", "said", "written"),
    [
        ({"failed": "the disk is broken"}, "the disk is broken", ""),
        (None, "worker 2 ended before it served", "why\n"),
    ],
)
def test_a_worker_that_cannot_serve_ends_the_start(
    stage: Stage, answer: Word | None, said: str, written: str
) -> None:
    stage.answers = [READY, answer]
    with pytest.raises(GaveUpError, match=f"^{said}$"):
        stage.parent().privilegedStartService()
    assert stage.events[:2] == ["SIGKILL to 100", "SIGKILL to 101"]
    assert stage.out.getvalue().endswith(written)


def test_a_worker_that_hangs_ends_the_start(stage: Stage) -> None:
    stage.monkeypatch.setattr(workplace, "START", 0.001)
    stage.answers = [{"nothing": "of use"}]
    parent = stage.parent()
    parent.workers[0].start()
    assert hear(stage.processes[0].far) is not None
    parent.workers[0]._connection.recv(100)  # type: ignore[union-attr]  # it has one
    with pytest.raises(MailkitError, match="worker 1 does not get ready"):
        parent.workers[0].wait()


def test_another_takes_the_place_of_one_that_ended(stage: Stage) -> None:
    stage.started()
    stage.processes[0].end(ProcessTerminated(None, signal.SIGKILL))
    assert stage.lines[-1] == (
        "error [1] worker 1 (process 100) ended: SIGKILL; "
        "another takes its place in 0.25 s"
    )
    assert len(stage.processes) == 2
    stage.reactor.advance(0.25)
    assert len(stage.processes) == 3
    begin = hear(stage.processes[2].far)
    assert begin is not None
    assert begin["number"] == 1
    stage.processes[2].say(READY)
    assert stage.processes[2].heard == []


def test_it_takes_longer_each_time_and_others_get_the_connections(
    stage: Stage,
) -> None:
    parent = stage.started()
    waits: list[float] = []
    for _ in range(9):
        stage.events.clear()
        stage.processes[-1].end(ProcessTerminated(1))
        again = parent.workers[1].again
        assert again is not None
        waits.append(again.getTime() - stage.reactor.seconds())
        rests = ["smtp 2 rests"] if waits[-1] > 1 else []
        assert stage.events == rests
        stage.reactor.advance(waits[-1])
        assert stage.events == [*rests, "smtp 2 wakes"]
    assert waits == [0.25, 0.5, 1, 2, 4, 8, 16, LATEST, LATEST]
    stage.reactor.advance(LIVED + 1)
    stage.processes[-1].end(ProcessDone(None))
    assert "worker 2 (process 110) ended: status 0" in stage.lines[-1]
    assert "in 0.25 s" in stage.lines[-1]


def pass_beats(stage: Stage, seconds: float, speaking: FakeProcess) -> None:
    """Time passes, in which only one of the workers says something."""
    for _ in range(round(seconds / BEAT)):
        stage.reactor.advance(BEAT)
        speaking.say({"alive": True})


def test_a_worker_that_says_nothing_is_killed_and_replaced(stage: Stage) -> None:
    stage.started()
    alive, silent, *_ = stage.processes
    pass_beats(stage, SILENCE - BEAT, alive)
    assert stage.events == []
    pass_beats(stage, BEAT, alive)
    assert stage.events == [f"SIGKILL to {silent.pid}"]
    silent.end(ProcessTerminated(None, signal.SIGKILL))
    errors = [line for line in stage.lines if line.startswith("error")]
    assert errors == [
        f"error [2] worker 2 (process {silent.pid}) ended: killed, as it had said "
        "nothing for 20 s; another takes its place in 0.25 s"
    ]
    pass_beats(stage, 3 * SILENCE, alive)
    assert len(stage.processes) == 3


def test_one_that_has_just_started_has_longer(stage: Stage) -> None:
    stage.started()
    alive, first, *_ = stage.processes
    first.end(ProcessTerminated(1))
    stage.reactor.advance(0.25)
    [second] = stage.processes[2:]
    pass_beats(stage, START - BEAT, alive)
    assert stage.events[2:] == []
    second.say(READY)
    pass_beats(stage, SILENCE - BEAT, alive)
    assert f"SIGKILL to {second.pid}" not in stage.events
    pass_beats(stage, BEAT, alive)
    assert stage.events[-1] == f"SIGKILL to {second.pid}"


def test_a_clock_that_is_set_kills_nobody(stage: Stage) -> None:
    """Nor does a computer that slept: what counts is what the parent lived through."""
    stage.started()
    stage.reactor.advance(3600)
    assert not any("SIGKILL" in event for event in stage.events)


def test_nobody_is_found_silent_once_all_are_to_end(stage: Stage) -> None:
    parent = stage.started()
    parent.stopService()
    stage.events.clear()
    for _ in range(3):
        stage.reactor.advance(BEAT)
    assert stage.events == []


def test_one_that_says_why_it_ended_is_quoted(stage: Stage) -> None:
    stage.started()
    stage.processes[0].say({"failed": "no room"})
    stage.processes[0].end(ProcessTerminated(1))
    assert "worker 1 (process 100) ended: no room; another" in stage.lines[-1]


def test_a_worker_that_ends_while_it_is_told(stage: Stage) -> None:
    stage.answers = [None]
    parent = stage.parent()
    parent.workers[0].start()
    parent.workers[0].say({"reload": ""})
    stage.processes[0].end(ProcessTerminated(1))
    assert not parent.workers[0].signal(signal.SIGTERM)
    assert not parent.workers[0].is_ready


def test_lines_of_workers_are_passed_on_whole(stage: Stage) -> None:
    stage.started()
    child = stage.processes[0].protocol
    before = stage.out.getvalue()
    child.childDataReceived(1, "one\ntwo\nthré".encode()[:-1])
    child.childDataReceived(2, b"other\n")
    child.childDataReceived(1, b"\xa9e\n")
    child.childDataReceived(1, b"the last")
    stage.processes[0].end(ProcessDone(None))
    lines = stage.out.getvalue().removeprefix(before).splitlines()
    assert lines[:5] == ["one", "two", "other", "thrée", "the last"]


def test_reload_gives_everybody_the_same_text(stage: Stage) -> None:
    parent = stage.started()
    path = stage.folder / "m.toml"
    text = path.read_text() + "[limits]\nconnections = 7\n"
    path.write_text(text)
    stage.handlers[signal.SIGHUP](signal.SIGHUP, None)
    assert [one.heard for one in stage.processes] == [[{"reload": text}]] * 2
    path.write_text("nonsense = 1")
    parent.reload()
    assert [one.heard for one in stage.processes] == [[], []]
    assert "error nothing is reloaded: " in stage.lines[-1]
    # Whoever comes later begins with what holds until the next start.
    stage.processes[0].end(ProcessDone(None))
    stage.reactor.advance(1)
    begin = hear(stage.processes[2].far)
    assert begin is not None
    assert "connections" not in begin["text"]
    stage.processes[2].say(READY)
    assert stage.processes[2].heard == [{"reload": text}]


def test_one_worker_gets_the_metrics_of_the_others(stage: Stage) -> None:
    stage.started()
    one, two = stage.processes
    one.say({"ask": 5})
    [asked] = two.heard
    assert set(asked) == {"tell"}
    two.say({"told": asked["tell"], "text": "x 1"})
    assert one.heard == [{"answer": 5, "texts": ["x 1"]}]
    two.say({"told": asked["tell"], "text": "again"})
    assert one.heard == []


def test_metrics_do_not_wait_for_those_that_say_nothing(stage: Stage) -> None:
    stage.started()
    one, two = stage.processes
    one.say({"ask": 1})
    stage.reactor.advance(1)
    assert one.heard == [{"answer": 1, "texts": []}]
    one.say({"ask": 2})
    two.end(ProcessTerminated(1))
    assert one.heard == [{"answer": 2, "texts": []}]
    one.say({"ask": 3})
    assert one.heard == [{"answer": 3, "texts": []}]


def test_what_one_that_is_gone_counted_is_forgotten(stage: Stage) -> None:
    parent = stage.started()
    [memory] = parent.shared
    first, second = (SharedCounts(memory, 2, number) for number in (1, 2))
    first.count("all", 3)
    assert second.elsewhere("all") == 3
    stage.processes[0].end(ProcessDone(None))
    assert second.elsewhere("all") == 0


def test_it_ends_when_all_workers_have_ended(stage: Stage) -> None:
    parent = stage.started()
    stage.handlers[signal.SIGTERM](signal.SIGTERM, None)
    stage.handlers[signal.SIGTERM](signal.SIGTERM, None)
    assert stage.reactor.hasStopped
    stopped: list[object] = []
    parent.stopService().addBoth(stopped.append)
    assert stage.events == [
        "smtp 1 closes",
        "smtp 2 closes",
        "metrics 1 closes",
        "SIGTERM to 100",
        "SIGTERM to 101",
    ]
    stage.processes[0].end(ProcessDone(None))
    assert stopped == []
    stage.processes[1].end(ProcessDone(None))
    assert stopped == [None]
    stage.reactor.advance(60)
    assert len(stage.processes) == 2


def test_who_will_not_end_is_killed(stage: Stage) -> None:
    parent = stage.started()
    stage.processes[0].end(ProcessTerminated(1))
    stopped: list[object] = []
    parent.stopService().addBoth(stopped.append)
    assert parent.workers[0].again is None
    stage.events.clear()
    stage.reactor.advance(PATIENCE)
    assert stage.events == ["SIGKILL to 101"]
    assert stage.lines[-1] == "error [2] worker 2 would not end"
    stage.processes[1].end(ProcessTerminated(None, signal.SIGKILL))
    assert stopped == [None]


def test_what_ends_in_good_order_is_not_killed_before() -> None:
    assert max(server.PATIENCE, sender.PATIENCE + sender.TO_RECORD) < PATIENCE


def test_twistd_is_given_the_log_that_the_config_wants(stage: Stage) -> None:
    application = Application("mailkit")
    assert isinstance(application, Componentized)
    stage.parent().setServiceParent(application)
    assert isinstance(application.getComponent(ILogObserver), LogSwitch)
