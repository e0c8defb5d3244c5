"""Routes that lead into Dovecot by LMTP (RFC 2033), over TCP and a Unix socket."""

from __future__ import annotations

import json
import smtplib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.dovecot import Dovecot, dovecot_with_lmtp
from tests.interop.server import PASSWORD, Server, wait_until

SENDER = "sender@example.test"
ROUTES = """
[[route]]
name = "by-tcp"
to = "lmtp"
recipient = ["tcp.test"]
host = "127.0.0.1"
port = {port}

[[route]]
name = "by-socket"
to = "lmtp"
recipient = ["unix.test"]
socket = "{socket}"
"""
WAYS = ["tcp.test", "unix.test"]


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    with dovecot_with_lmtp() as found:
        yield found


@pytest.fixture(scope="module")
def server(
    dovecot: Dovecot, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server whose mail for two domains is Dovecot's to keep."""
    folder: Path = tmp_path_factory.mktemp("lmtp")
    server = Server(folder)
    server.settings = ROUTES.format(port=dovecot.port, socket=dovecot.socket)
    server.write_config()
    server.add(SENDER)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def submit(server: Server, subject: str, *recipients: str) -> None:
    with smtplib.SMTP("127.0.0.1", server.ports["submission"]) as peer:
        peer.login(SENDER, PASSWORD)
        text = f"From: {SENDER}\nSubject: {subject}\n\nHello\n.\n..dots\n"
        peer.sendmail(SENDER, recipients, text)


def attempts(server: Server) -> list[int]:
    rows = json.loads(server.command("--json", "queue", "list"))
    return [row["attempts"] for row in rows]


@pytest.mark.parametrize("domain", WAYS)
def test_it_keeps_what_a_route_hands_over(
    server: Server, dovecot: Dovecot, domain: str
) -> None:
    before = {name: len(dovecot.messages(name)) for name in ("alice", "bob")}
    submit(server, f"to both at {domain}", f"alice@{domain}", f"bob@{domain}")
    for name, count in before.items():

        def there(name: str = name, count: int = count) -> bool:
            return len(dovecot.messages(name)) == count + 1

        wait_until(f"{name} has it", there)
        [octets] = [
            each
            for each in dovecot.messages(name)
            if f"to both at {domain}".encode() in each
        ]
        assert b"DKIM-Signature: " in octets
        assert octets.replace(b"\r\n", b"\n").endswith(b"Hello\n.\n..dots\n")
    wait_until("nothing waits", lambda: not attempts(server))


@pytest.mark.parametrize("domain", WAYS)
def test_each_recipient_has_a_fate_of_his_own(
    server: Server, dovecot: Dovecot, domain: str
) -> None:
    told = len(server.messages(SENDER))
    had = len(dovecot.messages("alice"))
    submit(server, "one is known", f"alice@{domain}", f"nobody@{domain}")
    wait_until("alice has it", lambda: len(dovecot.messages("alice")) == had + 1)
    wait_until("it is told", lambda: len(server.messages(SENDER)) == told + 1)
    [notice] = [
        each
        for each in server.messages(SENDER)
        if f"Final-Recipient: rfc822; nobody@{domain}".encode() in each
    ]
    assert b"Status: 5.1.1" in notice
    assert b"User doesn't exist" in notice
    assert f"Final-Recipient: rfc822; alice@{domain}".encode() not in notice


def test_while_it_is_away_mail_waits(server: Server, dovecot: Dovecot) -> None:
    had = len(dovecot.messages("bob"))
    dovecot.stop()
    for domain in WAYS:
        submit(server, "later", f"bob@{domain}")
    wait_until("it was tried in vain", lambda: attempts(server) == [1, 1])
    dovecot.start()
    server.command("queue", "retry", "--all")
    wait_until("bob has them", lambda: len(dovecot.messages("bob")) == had + 2)
    wait_until("nothing waits", lambda: not attempts(server))
