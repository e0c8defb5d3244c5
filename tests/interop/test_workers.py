"""Several workers: real processes, real ports, one mailbox for all of them."""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import signal
import smtplib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from attrs import define, field

from tests.interop.server import (
    PASSWORD,
    PATIENCE,
    STARTING,
    Server,
    can_connect,
    wait_until,
)

ALICE = "alice@example.test"
TEXT = "From: a@b.example\nDate: 21 Nov 2026 10:00:00 +0000\nSubject: {}\n\nHello\n"
TRIES = 64
"""The kernel deals connections out by chance: so many all go to one of two never."""


@define
class Client:
    """A connection on which one line after the other is said and heard."""

    connection: socket.socket
    _octets: bytes = field(init=False, default=b"")

    @classmethod
    def to(cls, port: int) -> Client:
        client = cls(socket.create_connection(("127.0.0.1", port), PATIENCE))
        client.hear()
        return client

    def hear(self) -> str:
        """The next line; empty at the end."""
        while b"\n" not in self._octets:
            octets = self.connection.recv(65536)
            if not octets:
                return ""
            self._octets += octets
        line, _, self._octets = self._octets.partition(b"\n")
        return line.decode().rstrip()

    def say(self, line: str, until: str) -> str:
        """Say a line; the first line of the answer that begins with ``until``."""
        self.connection.sendall(line.encode() + b"\r\n")
        while not (heard := self.hear()).startswith(until):
            assert heard, f"the end instead of {until}"
        return heard

    def send(self, to: str, subject: object) -> None:
        """One message by SMTP."""
        self.say("HELO b.example", "250")
        self.say("MAIL FROM:<a@b.example>", "250")
        self.say(f"RCPT TO:<{to}>", "250")
        self.say("DATA", "354")
        text = TEXT.format(subject).replace("\n", "\r\n")
        self.say(text + ".", "250")

    def idle(self) -> None:
        """Log in, open the INBOX and wait there."""
        self.say(f'1 LOGIN {ALICE} "{PASSWORD}"', "1 OK")
        self.say("2 SELECT INBOX", "2 OK")
        self.say("3 IDLE", "+")

    def close(self) -> None:
        self.connection.close()


@define
class Several(Server):
    """A server with more than one worker."""

    workers: int = 2

    def start(self) -> None:
        super().start()
        # The ports are there before those who serve; this is told once all do.
        wait_until("all serve", lambda: "metrics listens on" in self.log, STARTING)

    @property
    def pids(self) -> list[int]:
        """The processes of the workers."""
        assert self.process is not None
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return sorted(int(child) for child in children.split())

    def is_whole_without(self, ended: int) -> bool:
        """Whether another has taken the place of that one; at one look."""
        pids = self.pids
        return len(pids) == self.workers and ended not in pids

    def worker_of(self, connection: socket.socket) -> int:
        """
        Which process serves that connection, which it has greeted.

        The kernel's list is not of one moment: others come and go while it is read.
        """
        port = connection.getsockname()[1]
        found: list[int] = []

        def is_found() -> bool:
            for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
                words = line.split()
                if words[2].endswith(f":{port:04X}"):
                    socket = f"socket:[{words[9]}]"
                    found.extend(p for p in self.pids if socket in descriptors(p))
            return bool(found)

        wait_until(f"somebody serves port {port}", is_found)
        return found[0]

    def one_of_each(self, service: str) -> dict[int, Client]:
        """A connection to each of the workers."""
        clients: dict[int, Client] = {}
        for _ in range(TRIES):
            client = Client.to(self.ports[service])
            pid = self.worker_of(client.connection)
            if pid in clients:
                client.close()
            clients.setdefault(pid, client)
            if len(clients) == self.workers:
                return clients
        raise AssertionError(f"{TRIES} connections, and all to {list(clients)}")


def descriptors(pid: int) -> set[str]:
    """What a process has open; nothing once it has ended."""
    found: set[str] = set()
    with contextlib.suppress(OSError):
        for name in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(FileNotFoundError):
                found.add(os.readlink(f"/proc/{pid}/fd/{name}"))
    return found


def is_alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Several]:
    server = Several(tmp_path / "server")
    server.add(ALICE)
    yield server
    server.kill()


def test_both_get_connections_and_all_end_with_the_server(server: Several) -> None:
    server.start()
    pids = server.pids
    assert len(pids) == 2
    smtp, imap = server.one_of_each("smtp"), server.one_of_each("imap")
    assert set(smtp) == set(imap) == set(pids)
    assert server.stop() == 0
    for client in smtp.values():
        assert client.hear().startswith("421 ")
    for client in imap.values():
        assert client.hear().startswith("* BYE ")
    assert not any(is_alive(pid) for pid in pids)
    assert not can_connect(server.ports["smtp"])
    assert "Traceback" not in server.log
    assert server.log.count("smtp listens on") == 1
    assert set(re.findall(r" info \[(\d)\] ", server.log)) == {"1", "2"}


def test_with_one_worker_there_is_one_process(server: Several) -> None:
    server.workers = 1
    server.write_config()
    server.start()
    assert server.pids == []
    assert server.stop() == 0


def test_mail_by_either_is_told_by_both(server: Several) -> None:
    """To those who say nothing; how soon is measured in `tests.bench.idling`."""
    server.start()
    senders, readers = server.one_of_each("smtp"), server.one_of_each("imap")
    for reader in readers.values():
        reader.idle()
    letters = 0
    for _ in range(5):
        for sender in senders.values():
            letters += 1
            sender.send(ALICE, letters)
            for reader in readers.values():
                while (heard := reader.hear()) != f"* {letters} EXISTS":
                    assert heard, f"the end before message {letters}"
    assert server.stop() == 0


def test_one_that_is_killed_comes_back_and_nothing_is_lost(server: Several) -> None:
    server.start()
    over = threading.Event()
    kept: list[str] = []

    def send(sender: int) -> None:
        for number in range(100_000):
            if over.is_set():
                return
            subject = f"{sender}.{number}"
            try:
                with smtplib.SMTP("127.0.0.1", server.ports["smtp"]) as client:
                    client.sendmail("a@b.example", [ALICE], TEXT.format(subject))
                    kept.append(subject)
            except (OSError, smtplib.SMTPException):
                continue  # killed in between: it was not answered for

    threads = [threading.Thread(target=send, args=(sender,)) for sender in range(3)]
    for thread in threads:
        thread.start()
    try:
        for kill in range(1, 4):
            wanted = len(kept) + 20
            wait_until("mail comes in", lambda: len(kept) > wanted)  # noqa: B023 - called before the next turn
            victim = server.pids[kill % 2]
            os.kill(victim, signal.SIGKILL)
            wait_until(
                "another takes its place",
                lambda: server.is_whole_without(victim),  # noqa: B023 - as above
            )
            assert server.log.count(" ended: SIGKILL; another takes its place") == kill
    finally:
        over.set()
        for thread in threads:
            thread.join()
    found = [
        match[1].decode()
        for message in server.messages(ALICE)
        if (match := re.search(rb"Subject: (\S+)", message))
    ]
    assert len(found) == len(set(found))
    assert set(kept) <= set(found)
    # Both serve again, and what is there can be read through either.
    for reader in server.one_of_each("imap").values():
        reader.idle()
        reader.say("DONE", "3 OK")
        assert f"(MESSAGES {len(found)})" in reader.say(
            "4 STATUS INBOX (MESSAGES)", "* STATUS"
        )
    assert server.stop() == 0


def test_one_that_hangs_is_killed_and_replaced(server: Several) -> None:
    """It is there, and does nothing any more; so nobody gets an answer from it."""
    server.start()
    [one, other] = server.pids
    os.kill(one, signal.SIGSTOP)
    wait_until("it is found out", lambda: "said nothing for" in server.log)
    wait_until("another serves", lambda: server.is_whole_without(one))
    assert other in server.pids
    for client in server.one_of_each("smtp").values():
        client.send(ALICE, "after it")
    assert len(server.messages(ALICE)) == 2


def test_connections_wait_for_the_next_worker(server: Several) -> None:
    server.start()
    pids = server.pids
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    wait_until("they are gone", lambda: not any(is_alive(pid) for pid in pids))
    # Nobody is there to greet, and nobody is turned away.
    clients = [Client.to(server.ports["smtp"]) for _ in range(4)]
    for client in clients:
        client.send(ALICE, "waited")
    assert len(server.messages(ALICE)) == 4


def test_one_that_dies_again_and_again_gets_no_connections(server: Several) -> None:
    server.start()
    [survivor, _] = server.pids
    waits: list[str] = []

    def kill_the_other() -> None:
        wait_until("there are two", lambda: len(server.pids) == 2)
        [victim] = set(server.pids) - {survivor}
        os.kill(victim, signal.SIGKILL)
        waits.append(str(min(0.25 * 2.0 ** len(waits), 30.0)))
        told = re.compile(r" ended: SIGKILL; another takes its place in (\S+) s\n")
        wait_until("it is told", lambda: len(told.findall(server.log)) == len(waits))
        assert told.findall(server.log) == waits

    for _ in range(4):
        kill_the_other()
    while_away = 0
    while while_away < 16:
        client = Client.to(server.ports["smtp"])
        worker = server.worker_of(client.connection)
        client.close()
        if server.pids == [survivor]:
            assert worker == survivor
            while_away += 1
        else:  # this was slower than two seconds
            kill_the_other()
    wait_until("it is back", lambda: len(server.pids) == 2)
    assert set(server.one_of_each("smtp")) == set(server.pids)


def test_a_suspension_ends_sessions_in_both(server: Several) -> None:
    server.start()
    readers = server.one_of_each("imap")
    for reader in readers.values():
        reader.idle()
    server.command("account", "suspend", ALICE)
    for reader in readers.values():
        while reader.hear():
            pass


def test_limits_hold_for_all_together(server: Several) -> None:
    server.settings = "[limits]\nconnections_per_account = 3"
    server.write_config()
    server.start()
    readers = server.one_of_each("imap")
    for reader in readers.values():
        reader.say(f'1 LOGIN {ALICE} "{PASSWORD}"', "1 OK")
    third = Client.to(server.ports["imap"])
    third.say(f'1 LOGIN {ALICE} "{PASSWORD}"', "1 OK")
    for late in server.one_of_each("imap").values():
        assert late.say(f'1 LOGIN {ALICE} "{PASSWORD}"', "1 ").startswith("1 NO")
    # What a worker had goes with it.
    os.kill(server.worker_of(third.connection), signal.SIGKILL)
    wait_until("it is told", lambda: "another takes its place" in server.log)
    again = Client.to(server.ports["imap"])
    again.say(f'1 LOGIN {ALICE} "{PASSWORD}"', "1 OK")


def test_metrics_are_those_of_all(server: Several) -> None:
    server.start()
    clients = server.one_of_each("pop3")

    def opened() -> bool:
        with urlopen(f"http://127.0.0.1:{server.ports['metrics']}/metrics") as answer:
            page = answer.read().decode()
        return 'mailkit_connections_open{service="pop3"} 2.0\n' in page

    wait_until("both are counted", opened)
    for client in clients.values():
        client.close()


def test_hangup_reads_the_settings_again_in_all(server: Several) -> None:
    server.start()
    assert server.process is not None
    server.settings = '[limits]\nmessage_size = "1 MiB"'
    server.write_config()
    server.process.send_signal(signal.SIGHUP)
    wait_until("they say so", lambda: server.log.count("are reloaded") == 2)
    os.kill(server.pids[0], signal.SIGKILL)
    wait_until("the new one too", lambda: server.log.count("are reloaded") == 3)
    for client in server.one_of_each("smtp").values():
        assert client.say("EHLO x.example", "250-SIZE") == "250-SIZE 1048576"
    server.settings = "[limits]\nnonsense = 1"
    server.write_config()
    server.process.send_signal(signal.SIGHUP)
    wait_until("it says so", lambda: server.log.count("nothing is reloaded") == 1)
    assert server.stop() == 0


def test_a_unix_socket_is_accepted_from_by_all(server: Several) -> None:
    path = server.folder / "lmtp"
    config = server.config.read_text()
    config = re.sub(r"lmtp = .*", f'lmtp = ["unix:{path}:mode=600"]', config)
    server.config.write_text(config)
    del server.ports["lmtp"]
    server.start()
    for subject in range(2):
        with smtplib.LMTP(str(path)) as client:
            client.sendmail("a@b.example", [ALICE], TEXT.format(subject))
        # Whoever took it ends; the socket is the parent's, and stays.
        os.kill(server.pids[0], signal.SIGTERM)
        wait_until("it has", lambda: server.log.count("another takes") == subject + 1)  # noqa: B023 - as above
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(server.messages(ALICE)) == 2
    assert server.stop() == 0
    assert not path.exists()


def test_they_end_with_a_parent_that_is_killed(server: Several) -> None:
    server.start()
    pids = server.pids
    server.kill()
    wait_until("they end", lambda: not any(is_alive(pid) for pid in pids))


def test_a_second_server_is_told_that_the_port_is_taken(
    server: Several, tmp_path: Path
) -> None:
    server.start()
    second = Several(tmp_path / "second")
    second.ports = {**second.ports, "imap": server.ports["imap"]}
    second.write_config()
    assert second.refusal() == (
        f"mailkit: imap: cannot listen on tcp:{server.ports['imap']}"
        ":interface=127.0.0.1: Address already in use"
    )
    assert not can_connect(second.ports["smtp"])


def test_a_store_that_does_not_open_is_one_line(server: Several) -> None:
    path = server.data / "directory.sqlite"
    path.write_bytes(b"not a database" * 100)
    assert str(path) in server.refusal() or "directory" in server.refusal()


def test_workers_become_who_they_shall_be(open_folder: Path) -> None:
    nobody = str(pwd.getpwnam("nobody").pw_uid)
    server = Several(open_folder / "server")
    server.settings = '[process]\nuser = "nobody"'
    server.write_config()
    server.add(ALICE)
    server.start()
    try:
        assert server.process is not None

        def users(pid: int) -> list[str]:
            status = Path(f"/proc/{pid}/status").read_text()
            return status.partition("\nUid:")[2].split()[:4]

        assert [users(pid) for pid in server.pids] == [[nobody] * 4] * 2
        assert users(server.process.pid) == ["0"] * 4
        os.kill(server.pids[0], signal.SIGKILL)
        for client in server.one_of_each("smtp").values():
            client.send(ALICE, "x")
        assert len(server.messages(ALICE)) == 2
        assert [users(pid) for pid in server.pids] == [[nobody] * 4] * 2
        assert server.stop() == 0
    finally:
        server.kill()
