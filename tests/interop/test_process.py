"""The server as a process: how it starts, refuses to start, reloads and ends."""

from __future__ import annotations

import imaplib
import pwd
import signal
import smtplib
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from tests.interop.server import (
    ENVIRONMENT,
    SERVICES,
    STARTING,
    TWISTD,
    Server,
    can_connect,
    free_ports,
    wait_until,
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "server")
    yield server
    server.kill()


def test_it_ends_cleanly(server: Server) -> None:
    server.start()
    assert server.stop() == 0
    assert "Traceback" not in server.log
    for service in SERVICES:
        assert f"{service} listens on tcp:{server.ports[service]}" in server.log


def test_a_session_is_told_when_the_server_ends(server: Server) -> None:
    server.start()
    client = smtplib.SMTP("127.0.0.1", server.ports["smtp"])
    client.ehlo()
    assert server.stop() == 0
    assert client.getreply()[0] == 421


def test_health(server: Server) -> None:
    server.start()
    with urlopen(f"http://127.0.0.1:{server.ports['metrics']}/healthz") as answer:
        assert answer.read() == b"ok\n"


def test_a_config_error_names_key_and_line(server: Server) -> None:
    server.settings = 'imao = ["x"]'
    server.write_config()
    lines = server.config.read_text().splitlines()
    line = lines.index('imao = ["x"]') + 1
    assert server.refusal() == (
        f"mailkit: {server.config}:{line}: listen.imao: no such setting; "
        "did you mean listen.imap?"
    )


def test_a_taken_port_is_one_line(server: Server) -> None:
    port = server.ports["imap"]
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        assert server.refusal() == (
            f"mailkit: imap: cannot listen on tcp:{port}:interface=127.0.0.1: "
            "Address already in use"
        )
    assert not can_connect(server.ports["smtp"])


def test_a_bad_certificate_is_one_line(server: Server) -> None:
    bad = server.folder / "bad.pem"
    bad.write_text("not PEM")
    server.settings = f'[tls]\ncertificate = "{bad}"\nkey = "{bad}"'
    server.write_config()
    assert server.refusal().startswith(f"mailkit: {bad}: ")


def test_data_that_cannot_be_written_is_one_line(server: Server) -> None:
    server.data.write_text("a file, not a folder")
    said = server.refusal()
    assert said == f"mailkit: cannot make {server.data}: File exists"


def test_hangup_reads_the_settings_again(server: Server) -> None:
    server.start()
    server.settings = '[limits]\nmessage_size = "1 MiB"'
    server.write_config()
    assert server.process is not None
    server.process.send_signal(signal.SIGHUP)
    wait_until("it says so", lambda: "are reloaded" in server.log)
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"]) as client:
        client.ehlo()
        assert client.esmtp_features["size"] == str(1 << 20)
    server.settings = "[limits]\nnonsense = 1"
    server.write_config()
    server.process.send_signal(signal.SIGHUP)
    wait_until("it says so", lambda: "nothing is reloaded" in server.log)
    assert server.stop() == 0


def test_a_new_password_ends_sessions(server: Server) -> None:
    """Within two seconds, where nothing else keeps the machine busy."""
    server.add("alice@example.test")
    server.start()
    client = imaplib.IMAP4("127.0.0.1", server.ports["imap"])
    client.login("alice@example.test", "correct horse battery")
    server.command("account", "passwd", "alice@example.test")
    client.sock.settimeout(60)
    assert client.readline().startswith(b"* BYE")
    client.shutdown()


def start_to_try(folder: Path, words: tuple[str, ...]) -> tuple[Server, str]:
    """A server without a config file, on ports of its own; its screen."""
    server = Server(folder)
    server.config.unlink()
    services = (*SERVICES, "http", "https")
    ports = dict(zip(services, free_ports(len(services)), strict=True))
    server.ports = ports
    listen = {
        f"MAILKIT_LISTEN__{service.upper()}": f'["tcp:{port}:interface=127.0.0.1"]'
        for service, port in ports.items()
    }
    with (folder / "server.log").open("wb") as log:
        server.process = subprocess.Popen(
            words,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**ENVIRONMENT, **listen},
        )
    last = "mailkit init DIR"
    wait_until("the screen is there", lambda: last in server.log, STARTING)
    return server, server.log


def test_a_server_to_try(tmp_path: Path) -> None:
    words = (*TWISTD, "-n", "mailkit")
    server, screen = start_to_try(tmp_path / "try", words)
    try:
        path = server.folder / "mailkit-data" / "try-it.txt"
        passwords = dict(line.split(" ") for line in path.read_text().splitlines())
        assert all(password in screen for password in passwords.values())
        client = imaplib.IMAP4("127.0.0.1", server.ports["imap"])
        client.login("bob@example.test", passwords["bob@example.test"])
        assert client.select("INBOX") == ("OK", [b"1"])
        found: Any  # what imaplib gives is not typed
        _, found = client.fetch("1", "(BODY[HEADER.FIELDS (SUBJECT)])")
        assert b"Welcome" in b"".join(found[0])
        client.logout()
        assert server.stop() == 0
    finally:
        server.kill()
    again, screen = start_to_try(server.folder, words)
    try:
        assert all(password in screen for password in passwords.values())
        assert again.stop() == 0
    finally:
        again.kill()


def test_python_m_twisted(tmp_path: Path) -> None:
    words = (TWISTD[0], "-m", "twisted", "mailkit")
    server, _ = start_to_try(tmp_path / "try", words)
    try:
        wait_until("it listens", lambda: can_connect(server.ports["smtp"]))
        assert server.stop() == 0
    finally:
        server.kill()


def test_it_becomes_who_it_shall_be(open_folder: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    server = Server(open_folder / "server")
    server.settings = '[process]\nuser = "nobody"'
    server.write_config()
    server.add("alice@example.test")
    server.start()
    try:
        assert server.process is not None
        status = Path(f"/proc/{server.process.pid}/status").read_text()
        assert f"Uid:\t{nobody.pw_uid}\t{nobody.pw_uid}\t{nobody.pw_uid}" in status
        assert server.maildir("alice@example.test").stat().st_uid == nobody.pw_uid
        # Made by root while the server runs, and the server can write there.
        server.command("account", "add", "bob@example.test")
        server.await_known("bob@example.test")
        with smtplib.SMTP("127.0.0.1", server.ports["smtp"]) as client:
            for name in ("alice", "bob"):
                message = "From: a@b.example\nDate: 21 Nov 2026 10:00:00 +0000\n\n"
                client.sendmail("a@b.example", [f"{name}@example.test"], message)
        for name in ("alice", "bob"):
            assert len(server.messages(f"{name}@example.test")) == 1
        server.command("config", "check")
        assert server.process is not None
        server.process.send_signal(signal.SIGHUP)
        wait_until("it says so", lambda: "are reloaded" in server.log)
        assert server.stop() == 0
    finally:
        server.kill()
