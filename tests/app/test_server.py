"""Start, reload and end of one process, without sockets and without a store."""

from __future__ import annotations

import errno
import io
import signal
from pathlib import Path
from typing import Any, NoReturn

import pytest
from attrs import define, field
from jinja2 import TemplateSyntaxError
from twisted.application.service import Application, Service
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import CannotListenError, ConnectionDone
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.logger import ILogObserver, globalLogPublisher
from twisted.python.components import Componentized
from twisted.python.failure import Failure

from mailkit.app import server as module
from mailkit.app.check import named_endpoints
from mailkit.app.logging import LogSwitch
from mailkit.app.server import Server
from mailkit.app.settings import LogSettings, Settings
from mailkit.config.reader import Config, Misconfigured, read
from mailkit.errors import MailkitError, Refused, StorageBroken
from mailkit.interfaces.lanes import ILanes
from mailkit.interfaces.session import Build
from mailkit.metrics import Metrics
from mailkit.net.directlanes import DirectLanes
from mailkit.net.listeners import PumpFactory
from mailkit.web.rendering import Rendering
from mailkit.web.words import Language

BASIC = """
hostname = "mail.example.org"
[listen]
smtp = ["tcp:2525"]
imaps = ["tcp:2993"]
metrics = ["tcp:9108"]
"""


class Turning(MemoryReactorClock):
    """A reactor that has turns, threads and nothing outside."""

    def runUntilCurrent(self) -> None:
        self.advance(0)

    def callFromThread(self, call: Any, *args: Any, **kwargs: Any) -> None:
        call(*args, **kwargs)


class GaveUpError(Exception):
    """The server ended the process."""


def give_up(error: Exception) -> NoReturn:
    raise GaveUpError(str(error))


@define(eq=False)
class FakeHouse:
    """Opens, starts and closes."""

    events: list[str] = field(factory=list)
    trouble: str | None = None
    lanes: ILanes = field(factory=DirectLanes)
    left: Deferred[None] = field(factory=lambda: succeed(None))
    """Nothing is on its way out any more."""

    def start(self, counts_all: bool) -> None:
        self.events.append("start")

    async def leave(self) -> None:
        self.events.append("leave")
        await self.left

    async def close(self) -> None:
        self.events.append("close")


@define(eq=False)
class Stage:
    """A server over files of this test, and what it did."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch
    text: str = BASIC
    reactor: Turning = field(factory=Turning)
    house: FakeHouse = field(factory=FakeHouse)
    builds: list[Settings] = field(factory=list)
    out: io.StringIO = field(factory=io.StringIO)
    handlers: dict[int, Any] = field(factory=dict)
    problem: MailkitError | None = None

    def read(self) -> Config[Settings]:
        text = f'data = "{self.folder}/data"\n{self.text}'
        return read(Settings, text, self.folder / "m.toml", {}, self.folder)

    def open_house(
        self, settings: Settings, reactor: Any, metrics: Metrics, counts: object
    ) -> Any:
        if self.problem is not None:
            raise self.problem
        self.house.events.append("open")
        return self.house

    def make_builds(self, house: object, settings: Settings) -> dict[str, Build]:
        self.builds.append(settings)
        return {}

    def server(self) -> Server:
        self.monkeypatch.setattr(module, "open_house", self.open_house)
        self.monkeypatch.setattr(module, "make_builds", self.make_builds)
        self.monkeypatch.setattr(
            signal, "signal", lambda n, h: self.handlers.update({n: h})
        )
        switch = LogSwitch(LogSettings(), self.out)
        globalLogPublisher.addObserver(switch)
        return Server(self.read(), self.read, None, switch, give_up, self.reactor)

    def started(self) -> Server:
        server = self.server()
        server.privilegedStartService()
        server.startService()
        self.reactor.run()
        return server


@pytest.fixture
def stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, observers_as_before: None
) -> Stage:
    return Stage(tmp_path, monkeypatch)


def test_it_binds_before_it_opens_and_starts_after_that(stage: Stage) -> None:
    server = stage.server()
    assert stage.reactor.tcpServers == []
    server.privilegedStartService()
    assert [port for port, *_ in stage.reactor.tcpServers] == [2525, 2993, 9108]
    assert stage.house.events == ["open"]
    server.startService()
    assert stage.house.events == ["open", "start"]
    assert (stage.folder / "data" / "tls" / "certificate.pem").exists()


def test_without_a_privileged_start_it_binds_all_the_same(stage: Stage) -> None:
    server = stage.server()
    server.startService()
    assert len(stage.reactor.tcpServers) == 3
    assert stage.house.events == ["open", "start"]


def test_who_is_ready_is_told_once_the_reactor_runs(stage: Stage) -> None:
    server = stage.server()
    ready: list[str] = []
    server.when_ready(lambda: ready.append("ready"))
    server.startService()
    assert ready == []
    stage.reactor.run()
    assert ready == ["ready"]


def test_tls_from_the_first_octet_where_the_name_says_so(stage: Stage) -> None:
    # RFC 8314 §3: implicit TLS on ports of its own.
    server = stage.server()
    first = {
        listener.service: listener.factory.surroundings.tls_first
        for listener in server.listeners
        if isinstance(listener.factory, PumpFactory)
    }
    assert first == {"smtp": False, "imaps": True}


def test_a_service_of_a_later_version_is_skipped_with_one_line(stage: Stage) -> None:
    stage.text += 'managesieve = ["tcp:4190"]\n'
    server = stage.server()
    assert [one.service for one in server.listeners] == ["smtp", "imaps", "metrics"]
    [line] = stage.out.getvalue().splitlines()
    assert line.endswith("warn managesieve: not in this version")


@pytest.mark.parametrize("endpoint", ["tcp:port", "tcpp:25", "tcp", "tcp:25:x=1"])
def test_what_is_no_endpoint_names_its_line(stage: Stage, endpoint: str) -> None:
    stage.text = BASIC.replace("tcp:2525", endpoint)
    with pytest.raises(Misconfigured, match=r"m\.toml:5: listen\.smtp: .* no endpoint"):
        stage.server()


def test_a_port_that_is_taken_ends_the_start_with_one_line(stage: Stage) -> None:
    taken = OSError(errno.EADDRINUSE, "Address already in use")

    def listen(port: int, *args: Any, **kwargs: Any) -> NoReturn:
        raise CannotListenError("", port, taken)

    stage.monkeypatch.setattr(stage.reactor, "listenTCP", listen)
    server = stage.server()
    said = "^smtp: cannot listen on tcp:2525: Address already in use$"
    with pytest.raises(GaveUpError, match=said):
        server.privilegedStartService()
    assert stage.house.events == []


def test_a_store_that_does_not_open_ends_the_start(stage: Stage) -> None:
    stage.problem = StorageBroken("a later version made it")
    with pytest.raises(GaveUpError, match=r"^a later version made it$"):
        stage.server().privilegedStartService()


def test_a_data_folder_that_cannot_be_made(stage: Stage) -> None:
    (stage.folder / "data").write_text("a file")
    with pytest.raises(Refused, match=r"cannot make .*data: File exists"):
        stage.server()


def test_signals(stage: Stage) -> None:
    stage.started()
    assert set(stage.handlers) == {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
    stage.handlers[signal.SIGHUP](signal.SIGHUP, None)
    assert "settings and certificates are reloaded" in stage.out.getvalue()
    stage.handlers[signal.SIGTERM](signal.SIGTERM, None)
    stage.handlers[signal.SIGTERM](signal.SIGTERM, None)
    assert stage.reactor.hasStopped


def test_reload_takes_limits_and_log_level(stage: Stage) -> None:
    server = stage.started()
    stage.text = BASIC + '[limits]\nconnections = 7\n[log]\nlevel = "debug"\n'
    server.reload()
    assert server.door.settings.connections == 7
    assert stage.builds[-1].limits.connections == 7
    factory = server.listeners[0].factory
    assert isinstance(factory, PumpFactory)
    assert factory.surroundings.settings.dialogue


def test_reload_says_what_needs_a_start(stage: Stage) -> None:
    server = stage.started()
    stage.text = BASIC.replace("2525", "2526")
    server.reload()
    assert "warn listen changes at the next start" in stage.out.getvalue()


def test_reload_of_nonsense_changes_nothing(stage: Stage) -> None:
    server = stage.started()
    stage.text = BASIC + "nonsense = 1\n"
    server.reload()
    assert "nothing is reloaded" in stage.out.getvalue()
    assert "listen.nonsense: no such setting" in stage.out.getvalue()
    assert len(stage.builds) == 1


def test_it_ends_by_closing_the_house(stage: Stage) -> None:
    server = stage.started()
    assert server.trouble is None
    stage.house.trouble = "the disk is full"
    assert server.trouble == "the disk is full"
    stopped: list[object] = []
    server.stopService().addBoth(stopped.append)
    assert server.trouble == "shutting down"
    assert stage.house.events == ["open", "start", "leave", "close"]
    assert stopped == [None]


def test_mail_on_its_way_out_has_its_time_while_sessions_end(stage: Stage) -> None:
    """One after the other they would take longer than a worker is given."""
    server = stage.started()
    stage.house.left = Deferred()
    ended: Deferred[None] = Deferred()

    class Draining(Service):
        def stopService(self) -> Deferred[None]:
            return ended

    Draining().setServiceParent(server)
    stopped: list[object] = []
    server.stopService().addBoth(stopped.append)
    assert stage.house.events == ["open", "start", "leave"]
    ended.callback(None)
    assert stage.house.events == ["open", "start", "leave"]
    stage.house.left.callback(None)
    assert stage.house.events == ["open", "start", "leave", "close"]
    assert stopped == [None]


def test_a_start_that_failed_can_be_stopped(stage: Stage) -> None:
    stopped: list[object] = []
    stage.server().stopService().addBoth(stopped.append)
    assert stopped == [None]


def test_metrics_and_health_are_served(stage: Stage) -> None:
    server = stage.started()
    channel = server.listeners[2].factory.buildProtocol(None)
    transport = StringTransport()
    assert channel is not None
    channel.makeConnection(transport)
    channel.dataReceived(b"GET /healthz HTTP/1.0\r\n\r\n")
    assert transport.value().endswith(b"\r\n\r\nok\n")
    channel.connectionLost(Failure(ConnectionDone()))


def test_pages_are_made_once_and_their_templates_compiled_at_the_start(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    warm: list[Rendering] = []
    monkeypatch.setattr(Rendering, "warm", lambda self, language: warm.append(self))
    stage.text += 'http = ["tcp:8080"]\nhttps = ["tcp:8443"]\n'
    server = stage.server()
    server.startService()
    assert warm == []
    stage.reactor.run()
    assert len(warm) == 1


def test_templates_that_do_not_compile_are_told(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Rendering, language: Language) -> None:
        raise TemplateSyntaxError("no such tag", 7)

    monkeypatch.setattr(Rendering, "warm", fail)
    stage.text += 'http = ["tcp:8080"]\n'
    stage.started()
    assert "the templates of pages do not compile" in stage.out.getvalue()


def test_twistd_is_given_the_log_that_the_config_wants(stage: Stage) -> None:
    server = stage.server()
    application = Application("mailkit")
    assert isinstance(application, Componentized)
    server.setServiceParent(application)
    assert isinstance(application.getComponent(ILogObserver), LogSwitch)


def test_endpoints_come_in_the_order_of_the_config(stage: Stage) -> None:
    stage.text = 'hostname = "a"\n[listen]\nimap = ["tcp:2"]\nsmtp = ["tcp:1", "tcp:3"]'
    assert named_endpoints(stage.read()) == [
        ("smtp", "tcp:1", "listen.smtp"),
        ("smtp", "tcp:3", "listen.smtp"),
        ("imap", "tcp:2", "listen.imap"),
    ]
