"""A stolen password: what it can do before somebody hears of it."""

from __future__ import annotations

import imaplib
import json
import smtplib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.interop.server import PASSWORD, Server, wait_until

ALICE = "alice@example.test"
ROOT = "root@example.test"


class Pager(BaseHTTPRequestHandler):
    """Writes down what is posted."""

    heard: list[dict[str, object]]

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.heard.append(json.loads(self.rfile.read(length)))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def pager() -> Iterator[tuple[int, list[dict[str, object]]]]:
    """A web hook: its port, and what it heard."""
    heard: list[dict[str, object]] = []
    hook = type("Hook", (Pager,), {"heard": heard})
    web = HTTPServer(("127.0.0.1", 0), hook)
    thread = threading.Thread(target=web.serve_forever, daemon=True)
    thread.start()
    yield web.server_address[1], heard
    web.shutdown()
    thread.join()
    web.server_close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "server")
    server.add(ALICE)
    server.add(ROOT, "--admin")
    yield server
    server.kill()


def once(heard: list[dict[str, object]]) -> list[dict[str, object]]:
    """Each alarm once: a hook that answers late is asked again."""
    return [one for number, one in enumerate(heard) if one not in heard[:number]]


def submit(server: Server) -> smtplib.SMTP:
    client = smtplib.SMTP("127.0.0.1", server.ports["submission"])
    client.login(ALICE, PASSWORD)
    return client


def test_a_stolen_password(
    server: Server, pager: tuple[int, list[dict[str, object]]], tmp_path: Path
) -> None:
    port, heard = pager
    paper = tmp_path / "printed"
    # A shell starts in no time; it is there as a whole or not at all.
    command = ["/bin/sh", "-c", 'cat > "$0.part" && mv "$0.part" "$0"', str(paper)]
    server.settings = f"""
[dns]
servers = ["127.0.0.1:9"]
[sending]
new = 20
[alarm]
hook = "http://127.0.0.1:{port}/alarm"
command = {json.dumps(command)}
"""
    server.write_config()
    server.start()
    taken, refusals = 0, []
    thief = submit(server)
    for number in range(30):
        try:
            thief.sendmail(
                ALICE, f"n{number}@example.net", f"From: {ALICE}\r\n\r\nBuy!\r\n"
            )
            taken += 1
        except smtplib.SMTPSenderRefused as error:
            refusals.append((error.smtp_code, error.smtp_error.decode()))
        except smtplib.SMTPRecipientsRefused as error:
            refusals += [
                (one, said.decode()) for one, said in error.recipients.values()
            ]
    assert taken == 20
    assert len(refusals) == 10
    assert {code for code, _ in refusals} == {550}
    assert all("20 recipients within a day" in said for _, said in refusals)
    thief.close()

    # Both channels, and a mail: within ten seconds, where nothing else keeps the
    # machine busy; a channel is given three.
    wait_until("the hook hears", lambda: heard)
    wait_until("the command hears", paper.exists)
    wait_until("the mail is there", lambda: server.messages(ROOT))
    [alarm] = once(heard)
    assert (alarm["kind"], alarm["subject"]) == ("sending-frozen", ALICE)
    assert json.loads(paper.read_text()) == alarm
    [mail] = server.messages(ROOT)
    assert f"mailkit account thaw {ALICE}" in " ".join(mail.decode().split())

    # Reading goes on; sending does not, not even after a new start.
    reader = imaplib.IMAP4("127.0.0.1", server.ports["imap"])
    assert reader.login(ALICE, PASSWORD)[0] == "OK"
    assert reader.select()[0] == "OK"
    reader.logout()
    assert server.stop() == 0
    server.start()
    again = submit(server)
    again.ehlo()
    assert again.mail(ALICE)[0] == 550
    again.rset()
    shown = server.command("account", "show", ALICE)
    assert "frozen since" in shown
    assert "20 recipients within a day" in shown
    server.command("account", "thaw", ALICE)
    assert again.mail(ALICE)[0] == 250
    assert again.rcpt("n25@example.net")[0] == 250
    again.close()
    assert "account thaw" in server.command("audit", ALICE)
    assert "1 of 300 in this hour" in server.command("account", "show", ALICE)
    assert once(heard) == [alarm]
    assert server.stop() == 0
