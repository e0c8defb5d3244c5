"""What stands between Twisted's command line and the server."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from twisted.application.service import IService
from twisted.logger import ILogObserver, LogEvent, LogLevel, globalLogPublisher
from zope.interface import implementer

from mailkit.app import find, serving
from mailkit.app.logging import LogSwitch
from mailkit.app.server import Server
from mailkit.app.serving import give_up, make_server
from mailkit.app.tap import Options, makeService
from mailkit.app.workers import Workers


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(find, "SYSTEM", tmp_path / "nothing")
    monkeypatch.delenv("MAILKIT_CONFIG", raising=False)
    return tmp_path


@pytest.fixture
def error(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    out = io.StringIO()
    monkeypatch.setattr(sys, "__stderr__", out)
    return out


def warnings_of(call: Any) -> list[str]:
    told: list[str] = []

    @implementer(ILogObserver)
    def observe(event: LogEvent) -> None:
        if event["log_level"].name == "warn":
            told.append(event["log_format"].format(**event))

    globalLogPublisher.addObserver(observe)
    try:
        call()
    finally:
        globalLogPublisher.removeObserver(observe)
    return told


def parsed(*words: str) -> Options:
    options = Options()
    options.parseOptions(list(words))
    return options


def test_a_config_makes_a_service(nowhere: Path) -> None:
    (nowhere / "m.toml").write_text('hostname = "a.example"\ndata = "d"\n')
    service = makeService(parsed("--config", "m.toml"))
    assert isinstance(service, Server)
    assert IService.providedBy(service)
    assert service.config.settings.data == nowhere / "d"
    assert service.listeners == []


def test_several_workers_have_a_parent(nowhere: Path) -> None:
    (nowhere / "m.toml").write_text('hostname = "a.example"\ndata = "d"\nworkers = 3')
    service = makeService(parsed("--config", "m.toml"))
    assert isinstance(service, Workers)
    assert [worker.number for worker in service.workers] == [1, 2, 3]


def test_one_worker_for_each_core(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (nowhere / "m.toml").write_text('hostname = "a.example"\ndata = "d"\nworkers = 0')
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 3})
    service = makeService(parsed("--config", "m.toml"))
    assert isinstance(service, Workers)
    assert len(service.workers) == 2
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {3})
    assert isinstance(makeService(parsed("--config", "m.toml")), Server)


def test_what_is_wrong_is_one_line_and_status_1(
    nowhere: Path, error: io.StringIO
) -> None:
    (nowhere / "mailkit.toml").write_text('hostname = "a.example"\nworker = 1\n')
    with pytest.raises(SystemExit) as caught:
        makeService(parsed())
    assert caught.value.code == 1
    assert error.getvalue() == (
        f"mailkit: {nowhere}/mailkit.toml:2: worker: no such setting; "
        "did you mean workers?\n"
    )


def test_a_certificate_that_does_not_parse(nowhere: Path, error: io.StringIO) -> None:
    (nowhere / "bad.pem").write_text("not PEM")
    (nowhere / "mailkit.toml").write_text(
        'hostname = "a.example"\ndata = "d"\n'
        '[tls]\ncertificate = "bad.pem"\nkey = "bad.pem"\n'
    )
    with pytest.raises(SystemExit):
        makeService(parsed())
    assert error.getvalue().startswith(f"mailkit: {nowhere}/bad.pem: ")
    assert error.getvalue().count("\n") == 1


def test_without_a_config_there_is_a_server_to_try(nowhere: Path) -> None:
    server = make_server(None, {})
    assert isinstance(server, Server)
    assert [one.service for one in server.listeners][:2] == ["smtp", "submission"]
    assert (nowhere / "mailkit-data" / "try-it.txt").exists()


def test_strays_and_root_are_warned_about(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (nowhere / "mailkit.toml").write_text('hostname = "a.example"\ndata = "d"\n')
    monkeypatch.setenv("MAILKIT_PORT", "1")
    monkeypatch.setattr(serving, "is_root", lambda: True)
    told = warnings_of(lambda: make_server(None, {}))
    assert told == [
        "MAILKIT_PORT names no setting",
        "serving as root: name a user in [process] user",
    ]


def test_who_it_becomes_is_looked_up_before_anything_is_bound(
    nowhere: Path, error: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "is_root", lambda: True)
    (nowhere / "mailkit.toml").write_text(
        'hostname = "a.example"\ndata = "d"\n[process]\nuser = "no such"\n'
    )
    with pytest.raises(SystemExit):
        makeService(parsed())
    assert error.getvalue() == "mailkit: no user no such on this machine\n"


def test_the_log_goes_where_twistd_was_told(nowhere: Path) -> None:
    (nowhere / "mailkit.toml").write_text(
        'hostname = "a.example"\ndata = "d"\n[listen]\nhttp = ["tcp:1"]\n'
    )
    server = make_server(None, {"logfile": str(nowhere / "x.log"), "nodaemon": True})
    switch: Any = server._switch
    switch(
        {"log_level": LogLevel.info, "log_format": "hello", "log_namespace": "mailkit"}
    )
    assert "hello" in (nowhere / "x.log").read_text()


def test_python_m_twisted_is_given_our_log(nowhere: Path) -> None:
    (nowhere / "mailkit.toml").write_text('hostname = "a.example"\ndata = "d"\n')
    parent: dict[str, Any] = {"fileLogObserverFactory": None}
    make_server(None, parent)
    assert isinstance(parent["fileLogObserverFactory"](io.StringIO()), LogSwitch)


def test_giving_up_late_leaves_no_pid_file(nowhere: Path, error: io.StringIO) -> None:
    pid = nowhere / "twistd.pid"
    pid.write_text("1")
    (nowhere / "mailkit.toml").write_text('hostname = "a.example"\ndata = "d"\n')
    server = make_server(None, {"pidfile": str(pid)})
    with pytest.raises(SystemExit):
        server._give_up(ValueError("because"))
    assert not pid.exists()
    assert error.getvalue() == "mailkit: because\n"


def test_give_up(error: io.StringIO) -> None:
    with pytest.raises(SystemExit) as caught:
        give_up(ValueError("because"))
    assert (caught.value.code, error.getvalue()) == (1, "mailkit: because\n")
