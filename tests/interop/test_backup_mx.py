"""A backup MX (RFC 5321 §5.1): mail waits for the first host; the third gets none."""

from __future__ import annotations

import json
import signal
import smtplib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.interop.outside import Outside, outside
from tests.interop.server import Server, free_ports, wait_until

RECORDS = """
backup.test. MX 10 mx.backup.test.
backup.test. MX 20 localhost.
backup.test. MX 30 third.backup.test.
mx.backup.test. A 127.0.0.2
third.backup.test. A 127.0.0.3
"""
ROUTE = """
[dns]
servers = ["{names}"]

[relay]
port = {port}

[[route]]
name = "backup"
recipient = ["backup.test"]
to = "mx"
inward = true
"""
ERROR = """
[[route]]
name = "no"
recipient = ["not@backup.test"]
to = "error"
code = 553
text = "Not here"
"""
LETTER = "From: x@far.test\nTo: y@backup.test\nSubject: hello\n\nHello\n"


@pytest.fixture
def world() -> Iterator[Outside]:
    with outside() as world:
        yield world


def rcpt(server: Server, recipient: str) -> int:
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"]) as peer:
        peer.ehlo()
        peer.mail("x@far.test")
        return peer.rcpt(recipient)[0]


def test_mail_waits_for_the_first_host(world: Outside, tmp_path: Path) -> None:
    names = world.names(RECORDS)
    [port] = free_ports(1)
    third = world.hosts(port, ["127.0.0.3"])
    settings = ROUTE.format(names=names.place, port=port)
    server = Server(tmp_path / "server", settings=settings)
    server.add("alice@example.test")
    server.start()
    try:
        with smtplib.SMTP("127.0.0.1", server.ports["smtp"]) as peer:
            peer.sendmail("x@far.test", ["y@backup.test"], LETTER)

        def waiting() -> list[dict[str, Any]]:
            rows: list[dict[str, Any]] = json.loads(
                server.command("--json", "queue", "list")
            )
            return rows

        wait_until("it was tried", lambda: [r["attempts"] for r in waiting()] == [1])
        first = world.hosts(port, ["127.0.0.2"])
        server.command("queue", "retry", "--all")
        wait_until("it is there", lambda: len(first.kept) == 1)
        assert first.kept[0].recipients == ["y@backup.test"]
        assert first.kept[0].mail.startswith("MAIL FROM:<x@far.test>")
        assert not third.connections

        assert rcpt(server, "not@backup.test") == 250
        server.settings += ERROR
        server.write_config()
        assert server.process is not None
        server.process.send_signal(signal.SIGHUP)
        wait_until("it knows", lambda: rcpt(server, "not@backup.test") == 553)
        assert rcpt(server, "y@backup.test") == 250
    finally:
        server.stop()
