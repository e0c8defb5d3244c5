"""A bulk sending as its author has it: stopped, gone on with, all of it signed."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path

import pytest

from tests.interop.outside import Hosts, Outside, outside
from tests.interop.server import ENVIRONMENT, MAILKIT, Server, free_ports, wait_until

MANY = int(os.environ.get("MAILKIT_SENDING", "300"))
"""Recipients; the issue's 5,000 by hand."""

SENDER = "news@example.test"
NAMES = """
outside.test. MX 10 mx.outside.test.
mx.outside.test. A 127.0.0.1
"""
TEMPLATE = """\
From: Our news <news@example.test>
To: {{ name }} <{{ email }}>
Subject: Hello {{ name }}, this is number {{ number }}
Content-Type: multipart/alternative; boundary=x

--x
Content-Type: text/plain; charset=utf-8

Grüße an {{ name }}: {{ number }}
--x
Content-Type: text/html; charset=utf-8

<p>Grüße an {{ name }}: {{ number }}</p>
--x--
"""


GONE = "n3@outside.test"
"""Somebody who is not there any more."""


def gone(address: str, verb: str, line: str) -> str:
    """What hosts say of that one."""
    return "550 5.1.1 No such user" if GONE in line else ""


@pytest.fixture
def world() -> Iterator[Outside]:
    with outside() as world:
        yield world


@pytest.fixture
def server(tmp_path: Path, world: Outside) -> Iterator[tuple[Server, Hosts]]:
    [port] = free_ports(1)
    names = world.names(NAMES)
    hosts = world.hosts(port, ["127.0.0.1"], script=gone)
    server = Server(tmp_path / "server")
    server.settings = f"""
[dns]
servers = ["{names.place}"]
[relay]
allow = ["127.0.0.0/8"]
port = {port}
[web]
origin = "https://example.test"
"""
    server.write_config()
    server.add(SENDER)
    people = ["email,name,number"]
    people += [f"n{n}@outside.test,Name {n},{n}" for n in range(MANY)]
    (server.folder / "people.csv").write_text("\n".join(people))
    (server.folder / "spring.eml.j2").write_text(TEMPLATE)
    (server.folder / "plan.bin").write_bytes(bytes(range(256)))
    yield server, hosts
    server.kill()


WORDS = (
    "send", "--from", SENDER, "--to", "people.csv", "--template", "spring.eml.j2",
    "--attach", "plan.bin", "--yes",
)  # fmt: skip


def in_sendings(server: Server) -> int:
    """How many rows were written down so far."""
    path = server.data / "sendings.sqlite"
    if not path.exists():
        return 0
    try:
        with sqlite3.connect(path) as database:
            return int(database.execute("SELECT count(*) FROM recipient").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def test_killed_and_gone_on_with(server: tuple[Server, Hosts]) -> None:
    running, hosts = server
    running.start()
    begun = subprocess.Popen(
        [*MAILKIT, "--config", str(running.config), *WORDS],
        cwd=running.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env=ENVIRONMENT,
    )
    wait_until("something is put", lambda: in_sendings(running), 60)
    begun.send_signal(signal.SIGKILL)
    begun.wait()
    table = running.command(*WORDS)
    assert "put into the queue" in table
    wait_until("all are there", lambda: len(hosts.kept) >= MANY - 1, 60 + MANY / 20)
    wait_until(
        "the queue is empty",
        lambda: "is empty" in running.command("queue", "list", "--limit", "1"),
        60,
    )
    to = sorted(name for kept in hosts.kept for name in kept.recipients)
    everybody = {f"n{number}@outside.test" for number in range(MANY)}
    assert to == sorted(everybody - {GONE})
    assert running.command(*WORDS).split()[-1] == "0"
    _check(running, hosts)
    # Who is not there any more is left out of the next one.
    wait_until("it is known", lambda: GONE in running.command("suppression", "list"))
    assert "suppressed  1" in running.command(
        *WORDS, "--name", "next", "--skip-suppressed", "--dry-run"
    )
    assert running.stop() == 0


def _check(server: Server, hosts: Hosts) -> None:
    """Each is its own, whole, signed by both keys, and can be unsubscribed from."""
    dkim = pytest.importorskip("dkim")
    records = _records(server)

    def look_up(name: bytes, timeout: int = 5) -> bytes | None:
        return records.get(name.decode().rstrip("."))

    paths = set()
    for kept in hosts.kept:
        message = message_from_bytes(kept.text)
        [to] = kept.recipients
        number = to.partition("@")[0][1:]
        assert message["Subject"] == f"Hello Name {number}, this is number {number}"
        assert message["To"] == f"Name {number} <{to}>"
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert "https://example.test/u/" in message["List-Unsubscribe"]
        assert message["List-Id"] == "<spring.example.test>"
        files = [part for part in message.walk() if part.get_filename() == "plan.bin"]
        assert files[0].get_payload(decode=True) == bytes(range(256))
        paths.add(kept.mail.partition("<")[2].partition(">")[0])
        signatures = message.get_all("DKIM-Signature") or []
        assert len(signatures) == 2
        assert all("list-unsubscribe-post" in one.lower() for one in signatures)
    assert len(paths) == MANY - 1
    assert all(path.startswith("bounce+") for path in paths)
    for kept in hosts.kept[:: max(MANY // 20, 1)]:
        for index in range(2):
            verifier = dkim.DKIM(kept.text)
            assert verifier.verify(idx=index, dnsfunc=look_up)


def _records(server: Server) -> dict[str, bytes]:
    """The keys that `mailkit domain dns` tells others to find."""
    rows = json.loads(server.command("--json", "domain", "dns", "example.test"))
    return {
        row["name"]: row["value"].replace('" "', "").strip('"').encode()
        for row in rows
        if "_domainkey" in row["name"]
    }
