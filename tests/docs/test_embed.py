"""The programs in ``docs/howto/embed.md`` do what the page says."""

from __future__ import annotations

import re
import smtplib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from twisted.internet.endpoints import serverFromString
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.mail import pop3

from mailkit.testing import server
from mailkit.testing.at_once import at_once
from mailkit.testing.server import MailServer

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "embed.md"
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S)


class ReactorInMemory(MemoryReactorClock):
    """Nothing listens, and threads find their way back at once."""

    def callFromThread(self, call: Callable[..., object], *args: object) -> None:
        call(*args)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The first three programs, run in a reactor without sockets."""
    reactor = ReactorInMemory()
    monkeypatch.setattr("twisted.internet.reactor", reactor)
    names: dict[str, Any] = {}
    for program in PROGRAMS[:3]:
        exec(compile(program, str(PAGE), "exec"), names)
    return names


def say(names: dict[str, Any], port: int, octets: bytes) -> bytes:
    """What a client that says this hears from a port."""
    reactor = names["reactor"]
    (factory,) = [f for p, f, *_ in reactor.tcpServers if p == port]
    protocol = factory.buildProtocol(None)
    transport = StringTransport()
    protocol.makeConnection(transport)
    protocol.dataReceived(octets)
    said: bytes = transport.value()
    protocol.connectionLost()
    return said


def test_ten_lines(names: dict[str, Any]) -> None:
    """Servers listen, take mail and count it."""
    assert serverFromString is names["serverFromString"]
    said = say(
        names,
        2525,
        b"EHLO x\r\nMAIL FROM:<x@y.test>\r\nRCPT TO:<anna@example.org>\r\n"
        b"BDAT 25 LAST\r\nFrom: x@y.test\r\n\r\nhello\r\n",
    )
    assert said.splitlines()[-1].startswith(b"250 2.0.0")
    assert b"IMAP" in say(names, 2143, b"")
    assert pop3 is names["pop3"]
    count = names["count"]("anna@example.org")
    assert at_once(count) == 1


def test_for_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test on the page passes once its program sends the message."""

    class Sending(MailServer):
        def account(self, address: str, password: str = "") -> Any:
            anna = super().account(address, password)
            with smtplib.SMTP(self.host, self.ports["smtp"]) as client:
                text = "From: x@y.test\r\nSubject: Welcome\r\n\r\n"
                client.sendmail("x@y.test", [anna.address], text)
            return anna

    monkeypatch.setattr(server, "MailServer", Sending)
    names: dict[str, Any] = {}
    exec(compile(PROGRAMS[3], str(PAGE), "exec"), names)
    SimpleNamespace(**names).test_my_program()
