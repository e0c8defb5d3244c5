"""`mailkit doctor` as it prints: what it asks is stood in for."""

from __future__ import annotations

import time
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import click
import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from mailkit.app.cli import doctor as module
from mailkit.errors import DNSTrouble, Unavailable
from mailkit.services.doctor.finding import Finding
from mailkit.services.doctor.machine import Served, judge_served
from mailkit.testing.at_once import at_once
from mailkit.testing.dns import DictResolver
from tests.app.cli.conftest import Shell

T = TypeVar("T")

AROUND = """
mail.example.org. A 203.0.113.5
5.113.0.203.in-addr.arpa. PTR mail.example.org.
_25._tcp.mail.example.org. A 203.0.113.5
org. NS a.org.
gmail.com. MX 10 mx.gmail.com.
mx.gmail.com. A 198.51.100.1
"""


def run(reactor: object, coroutine: Coroutine[Any, Any, T]) -> T:
    return at_once(coroutine)


@pytest.fixture
def resolver(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> DictResolver:
    """A world in which all is well, for ``example.org``."""
    shell.ok("domain", "add", "example.org")
    records = shell.ok("domain", "dns", "example.org")
    resolver = DictResolver(records + AROUND, authentic=True)

    def ports(settings: object, now: Any) -> list[Finding]:
        served = Served("smtp 25", ("mail.example.org",), now() + timedelta(days=90))
        return [judge_served(served, ["mail.example.org"], datetime.now(UTC))]

    monkeypatch.setattr(module, "Resolver", lambda *_: resolver)
    monkeypatch.setattr(module, "run", run)
    monkeypatch.setattr(module, "greet", lambda *_: ("220 mx.gmail.com", True))
    monkeypatch.setattr(module, "time_of", lambda *_: time.time())
    monkeypatch.setattr(module, "free_on", lambda _: (10**9, 0.5))
    monkeypatch.setattr(module, "look_at_ports", ports)
    return resolver


def test_a_page_that_takes_long_to_tell_the_time(
    shell: Shell, resolver: DictResolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our clock is not wrong by as much."""

    def slow(*_: object) -> float:
        asked = time.time()
        monkeypatch.setattr(time, "time", lambda: asked + 14)
        return asked + 1

    monkeypatch.setattr(module, "time_of", slow)
    assert "clock: right, by" in shell.ok("doctor")


def test_all_is_well(shell: Shell, resolver: DictResolver) -> None:
    said = shell.ok("doctor")
    lines = said.splitlines()
    assert lines[0] == "example.org"
    assert "  ok      MX: mail goes to mail.example.org" in lines
    assert "this server" in lines
    assert "  ok      PTR 203.0.113.5: mail.example.org, and back" in lines
    assert "  ok      port 25 outward: mx.gmail.com answers: 220 mx.gmail.com" in lines
    assert "  ok      blocklist bl.spamcop.net: 203.0.113.5 is not on it" in lines
    assert "  ok      clock: right, by https://www.iana.org/" in lines
    assert lines[-1].endswith(" ok, 2 note")  # no MTA-STS, no DANE without ports


def test_all_is_asked_at_once(
    shell: Shell, resolver: DictResolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where DNS is silent each answer takes long: they are waited for together."""
    silent = ("example.org", "example.net", "mail.example.org", "gmail.com")
    shell.ok("domain", "add", "example.net")
    for name in silent:
        resolver.hold(name)

    def run(reactor: object, coroutine: Coroutine[Any, Any, T]) -> T:
        results: list[T] = []
        Deferred.fromCoroutine(coroutine).addCallback(results.append)
        assert {name for name, _ in resolver.asked} >= set(silent)
        for name in silent:
            resolver.release(name)
        [result] = results
        return result

    monkeypatch.setattr(module, "run", run)
    said = shell.run("doctor")
    assert said.out.startswith("example.net\n")
    assert "\nexample.org\n" in said.out
    assert "\nthis server\n" in said.out


def test_something_is_wrong(shell: Shell, resolver: DictResolver) -> None:
    resolver.drop("5.113.0.203.in-addr.arpa")
    said = shell.run("--json", "doctor", "EXAMPLE.org")
    assert said.status == 1
    [wrong] = [one for one in said.json if one["state"] == "wrong"]
    assert wrong == {
        "of": "this server",
        "subject": "PTR 203.0.113.5",
        "state": "wrong",
        "words": "it has no name",
        "next_step": "ask whoever gave you 203.0.113.5 to name it mail.example.org"
        " (reverse DNS)",
    }


def test_port_25_is_closed(
    shell: Shell, resolver: DictResolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "greet", lambda *_: ("no connection", False))
    said = shell.run("doctor")
    assert said.status == 1
    assert "  wrong   port 25 outward: mx.gmail.com: no connection\n" in said.out
    assert "          → ask your provider to open port 25" in said.out


def test_nobody_tells_the_time(
    shell: Shell, resolver: DictResolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(*_: object) -> float:
        raise Unavailable("https://www.iana.org/: no route to host")

    monkeypatch.setattr(module, "time_of", silent)
    said = shell.run("doctor")
    assert said.status == 1
    assert "  unknown clock: nobody tells the time: https://www.iana.org/: " in said.out


def test_what_nobody_wants_to_know_is_not_asked(
    shell: Shell, resolver: DictResolver
) -> None:
    with (shell.folder / "mailkit.toml").open("a") as file:
        file.write('[doctor]\nclock = ""\nblocklists = []\n[relay]\nenabled = false\n')
    said = shell.ok("doctor")
    for word in ("clock", "blocklist", "port 25"):
        assert word not in said


def test_names_that_are_none(shell: Shell, resolver: DictResolver) -> None:
    assert shell.refused("doctor", "a..b") == "a..b is no name of a domain"
    words = "example.net is not a domain of this server"
    assert shell.refused("doctor", "example.net") == words


# -- the reactor


class Reactor(Clock):
    """Runs until it is stopped; each turn is a second."""

    running = False

    def callWhenRunning(self, what: Any) -> None:
        self.callLater(0, what)

    def run(self, installSignalHandlers: bool) -> None:
        self.running = True
        while self.running:
            self.advance(1)

    def stop(self) -> None:
        self.running = False


def test_the_reactor_runs_until_it_is_known() -> None:
    async def well() -> int:
        return 1

    async def badly() -> int:
        raise DNSTrouble("no answer")

    assert module.run(Reactor(), well()) == 1
    with pytest.raises(DNSTrouble, match="no answer"):
        module.run(Reactor(), badly())


def test_whoever_does_not_want_to_wait() -> None:
    reactor = Reactor()
    reactor.callLater(5, reactor.stop)

    async def long() -> None:
        await Deferred[None]()

    with pytest.raises(click.Abort):
        module.run(reactor, long())
