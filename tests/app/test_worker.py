"""One of several workers, without a parent process and without a store."""

from __future__ import annotations

import io
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.logger import Logger, globalLogBeginner

from mailkit.app import server as server_module
from mailkit.app.logging import LogSwitch
from mailkit.app.tie import BEAT, Word, hear, say
from mailkit.app.worker import Worker, main, serve
from mailkit.errors import MailkitError, StorageBroken
from mailkit.net.adopted import AdoptedEndpoint
from mailkit.storage.state.counts import make_memory

TEXT = """
hostname = "mail.example.org"
data = "data"
[listen]
smtp = ["tcp:25"]
managesieve = ["tcp:4190"]
"""


@define(eq=False)
class FakeHouse:
    """Opens, starts and closes."""

    events: list[str]
    trouble: str | None = None

    def start(self, counts_all: bool) -> None:
        self.events.append("start")

    async def leave(self) -> None:
        self.events.append("leave")

    async def close(self) -> None:
        self.events.append("close")


class Running(MemoryReactorClock):
    """A reactor that runs for as long as `play` does something."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self._stage = stage

    def callFromThread(self, call: Any, *args: Any) -> None:
        call(*args)

    def runUntilCurrent(self) -> None:
        self.advance(0)

    def adoptStreamPort(self, descriptor: int, family: int, factory: Any) -> Any:
        self._stage.events.append("port")
        return self.listenTCP(25, factory)

    def adoptStreamConnection(self, descriptor: int, family: int, factory: Any) -> Any:
        protocol = factory.buildProtocol(None)
        protocol.makeConnection(self._stage.wire)

    def run(self, installSignalHandlers: bool = True) -> None:
        super().run()
        self._stage.events.append("run")


@define(eq=False)
class Stage:
    """A worker over files of this test, its parent, and what it did."""

    folder: Path
    events: list[str] = field(factory=list)
    wire: StringTransport = field(factory=StringTransport)
    out: io.StringIO = field(factory=io.StringIO)
    parent: socket.socket = field(init=False)
    ours: socket.socket = field(init=False)
    reactor: Any = field(init=False)
    problem: Exception | None = None

    def __attrs_post_init__(self) -> None:
        self.parent, self.ours = socket.socketpair()
        self.reactor = Running(self)

    def open_house(self, *args: object) -> Any:
        if self.problem is not None:
            raise self.problem
        self.events.append("open")
        return FakeHouse(self.events)

    @property
    def begin(self) -> Word:
        return {
            "number": 2,
            "workers": 2,
            "counts": make_memory(2),
            "ports": [["smtp", "tcp:25", os.open(os.devnull, os.O_RDONLY), 2]],
            "text": TEXT,
            "path": str(self.folder / "m.toml"),
            "folder": str(self.folder),
            "user": None,
        }

    def opened(self) -> Worker:
        worker = Worker(self.begin, self.reactor, self.out)
        worker.open()
        worker.tie.makeConnection(self.wire)
        worker.server.startService()
        return worker

    def words(self) -> list[Word]:
        """What the parent was told, since the last time."""
        said, there = socket.socketpair()
        with said, there:
            said.sendall(self.wire.value())
            said.shutdown(socket.SHUT_WR)
            self.wire.clear()
            words: list[Word] = []
            while (word := hear(there)) is not None:
                words.append(word)
        return words


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    monkeypatch.setattr(server_module, "open_house", stage.open_house)
    monkeypatch.setattr(server_module, "make_builds", lambda house, settings: {})
    monkeypatch.setattr(server_module, "hear_signals", lambda *args: None)
    monkeypatch.setattr(
        globalLogBeginner, "beginLoggingTo", lambda observers, **more: None
    )
    yield stage
    stage.parent.close()
    stage.ours.close()


def test_it_serves_what_it_was_given(stage: Stage) -> None:
    say(stage.parent, stage.begin)
    assert serve(stage.ours, stage.reactor, stage.out) == 0
    assert stage.events == ["port", "open", "start", "run"]
    assert stage.words() == [{"ready": True}]
    for _ in range(3):
        stage.reactor.advance(BEAT)
    assert stage.words() == [{"alive": True}] * 3
    [trigger] = stage.reactor.triggers["before"]["shutdown"]
    trigger[0]()
    assert stage.events[-2:] == ["leave", "close"]
    assert (stage.folder / "data").exists()


def test_why_it_cannot_is_told_to_the_parent(stage: Stage) -> None:
    stage.problem = StorageBroken("a later version made it")
    say(stage.parent, stage.begin)
    assert serve(stage.ours, stage.reactor, stage.out) == 1
    assert hear(stage.parent) == {"failed": "a later version made it"}


def test_a_parent_that_is_gone_is_served_no_more(stage: Stage) -> None:
    stage.parent.close()
    assert serve(stage.ours, stage.reactor, stage.out) == 1
    assert stage.events == []


def test_its_log_bears_its_number(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    switches: list[Any] = []
    monkeypatch.setattr(
        globalLogBeginner,
        "beginLoggingTo",
        lambda observers, **more: switches.extend(observers),
    )
    stage.opened()
    [switch] = switches
    assert isinstance(switch, LogSwitch)
    Logger("mailkit.test", observer=switch).warn("hello")
    assert stage.out.getvalue().endswith("[2] hello\n")


def test_who_it_becomes_is_said_by_the_parent(stage: Stage) -> None:
    worker = Worker({**stage.begin, "user": "no such user"}, stage.reactor, stage.out)
    with pytest.raises(MailkitError, match="no user no such user"):
        worker.open()


def test_reload_is_by_the_text_of_the_parent(stage: Stage) -> None:
    worker = stage.opened()
    worker.tie.stringReceived(
        b'{"reload": "hostname = \\"a\\"\\ndata = \\"data\\"\\n'
        b'[limits]\\nconnections = 7"}'
    )
    assert worker.server.door.settings.connections == 7


def test_metrics_are_told_and_asked_for(stage: Stage) -> None:
    worker = stage.opened()
    worker.server.metrics.connected("smtp")
    worker.tie.stringReceived(b'{"tell": 9}')
    [told] = stage.words()
    assert told["told"] == 9
    assert 'mailkit_connections_total{service="smtp"} 1.0' in told["text"]
    answers: list[list[str]] = []
    for _ in range(2):
        worker.others().addCallback(answers.append)
    assert stage.words() == [{"ask": 0}, {"ask": 1}]
    worker.tie.stringReceived(b'{"answer": 1, "texts": ["x"]}')
    assert answers == [["x"]]


def test_it_ends_with_its_parent(stage: Stage) -> None:
    worker = stage.opened()
    answers: list[list[str]] = []
    worker.others().addCallback(answers.append)
    worker.tie.connectionLost()
    assert stage.reactor.hasStopped
    assert answers == [[]]
    worker.others().addCallback(answers.append)
    assert answers == [[], []]


def test_try_it_mode_has_no_file(stage: Stage) -> None:
    worker = Worker({**stage.begin, "path": None}, stage.reactor, stage.out)
    assert worker.read().settings.data == stage.folder / "data"


def test_a_port_is_adopted_by_its_descriptor(stage: Stage) -> None:
    worker = Worker(stage.begin, stage.reactor, stage.out)
    assert isinstance(worker.endpoint("smtp", "tcp:25"), AdoptedEndpoint)
    assert worker.counts.elsewhere("x") == 0


def test_main(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []
    monkeypatch.setattr(os, "setpgid", lambda *args: calls.append(args))
    stage.parent.close()
    descriptor = os.dup(stage.ours.fileno())
    assert main([str(descriptor)]) == 1
    assert calls == [(0, 0)]
