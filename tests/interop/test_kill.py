"""
Nothing is lost: the real process gets ``kill -9`` at a random moment, again and again.

Four connections deliver by SMTP and LMTP, APPEND and MOVE, and write down what they
were answered. After each restart every message that was answered is there once, with
the UID that was told; one that was not answered is there once or not at all.

``MAILKIT_KILLS`` says how often (20 unless said).
"""

from __future__ import annotations

import imaplib
import os
import random
import re
import smtplib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from attrs import define, field

from tests.interop.server import PASSWORD, PATIENCE, Server, wait_until

KILLS = int(os.environ.get("MAILKIT_KILLS", "20"))

SENT, APPENDED, MOVED = "sent@kill.test", "appended@kill.test", "moved@kill.test"
TEXT = "From: x@elsewhere.test\r\nSubject: {}\r\n\r\n" + "text of the message\r\n" * 50
PLACES = ("INBOX", "Archive")

Place = tuple[str, str, int]
"""Account, mailbox and UID; 0 where no UID was told."""


@define
class Diary:
    """What the clients know."""

    begun: set[str] = field(factory=set)
    """Messages that somebody began to send."""
    known: dict[str, Place] = field(factory=dict)
    """Where messages are that were answered for."""
    going: dict[str, Place] = field(factory=dict)
    """Messages whose MOVE was not answered, and where they were before."""


@define
class Clients:
    """The four connections of one round."""

    server: Server
    diary: Diary
    round: int
    over: threading.Event = field(factory=threading.Event)
    surprises: list[BaseException] = field(factory=list)

    def start(self) -> list[threading.Thread]:
        works = (self.smtp, self.lmtp, self.append, self.move)
        threads = [threading.Thread(target=self._run, args=(work,)) for work in works]
        for thread in threads:
            thread.start()
        return threads

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except (OSError, EOFError, smtplib.SMTPException, imaplib.IMAP4.abort):
            if not self.over.is_set():
                self.over.wait(5)  # the kill may be a moment away
        except BaseException as error:  # told in the test, which fails
            self.surprises.append(error)

    def _names(self, who: str) -> Iterator[str]:
        number = 0
        while not self.over.is_set():
            name = f"{who}-{self.round}-{number}"
            self.diary.begun.add(name)
            yield name
            number += 1

    def smtp(self) -> None:
        with smtplib.SMTP("127.0.0.1", self.server.ports["smtp"]) as client:
            self._send(client, "smtp")

    def lmtp(self) -> None:
        with smtplib.LMTP("127.0.0.1", self.server.ports["lmtp"]) as client:
            self._send(client, "lmtp")

    def _send(self, client: smtplib.SMTP, who: str) -> None:
        for name in self._names(who):
            client.sendmail("x@elsewhere.test", [SENT], TEXT.format(name))
            self.diary.known[name] = (SENT, "INBOX", 0)

    def append(self) -> None:
        with imap(self.server, APPENDED) as client:
            for name in self._names("append"):
                uid = append(client, name)
                self.diary.known[name] = (APPENDED, "INBOX", uid)

    def move(self) -> None:
        with imap(self.server, MOVED) as client:
            client.select("INBOX")
            for name in self._names("move"):
                uid = append(client, name)
                here: Place = (MOVED, "INBOX", uid)
                self.diary.known[name] = here
                self.diary.going[name] = here
                typ, said = client.uid("MOVE", str(uid), "Archive")
                assert typ == "OK", said
                (code,) = client.response("COPYUID")[1]
                assert code is not None
                there = int(code.split()[2])
                self.diary.known[name] = (MOVED, "Archive", there)
                del self.diary.going[name]


def imap(server: Server, who: str) -> imaplib.IMAP4:
    client = imaplib.IMAP4("127.0.0.1", server.ports["imap"])
    client.login(who, PASSWORD)
    return client


def append(client: imaplib.IMAP4, name: str) -> int:
    """The UID that was told."""
    typ, said = client.append("INBOX", "", "", TEXT.format(name).encode())
    assert typ == "OK", said
    told = re.search(rb"APPENDUID \d+ (\d+)", said[0])
    assert told, said
    return int(told[1])


def found(server: Server) -> dict[str, list[Place]]:
    """Every message that is there, by the name in its subject."""
    places: dict[str, list[Place]] = {}
    for account in (SENT, APPENDED, MOVED):
        with imap(server, account) as client:
            for mailbox in PLACES:
                client.select(mailbox, readonly=True)
                answer = client.uid(
                    "FETCH", "1:*", "(BODY.PEEK[HEADER.FIELDS (Subject)])"
                )
                for part in answer[1]:
                    if not isinstance(part, tuple):
                        continue
                    uid = re.search(rb"UID (\d+)", part[0])
                    subject = re.search(rb"Subject: (\S+)", part[1])
                    assert uid, part
                    assert subject, part
                    places.setdefault(subject[1].decode(), []).append(
                        (account, mailbox, int(uid[1]))
                    )
    return places


def check(server: Server, diary: Diary) -> None:
    """Compare what is there with what was said."""
    places = found(server)
    for name, there in places.items():
        assert len(there) == 1, f"{name} is there {len(there)} times: {there}"
        assert name in diary.begun
    for name, said in diary.known.items():
        assert name in places, f"{name} was answered for and is gone"
        (is_at,) = places[name]
        if name in diary.going:
            # Nobody answered: it is where it was, or has gone where it was to go.
            assert is_at == said or is_at[1] == "Archive", f"{name}: {is_at}"
            diary.known[name] = is_at
        elif said[2]:
            assert is_at == said, f"{name}: said {said}, is {is_at}"
        else:
            assert is_at[:2] == said[:2]
            diary.known[name] = is_at  # from now on it keeps this UID
    for name in places.keys() - diary.known.keys():
        (diary.known[name],) = places[name]
    diary.going.clear()


def test_killed_again_and_again(tmp_path: Path) -> None:
    chance = random.Random(os.environ.get("MAILKIT_SEED", "mailkit"))
    server = Server(tmp_path / "server")
    server.add_all(SENT, APPENDED, MOVED)
    diary = Diary()
    server.start()
    try:
        for number in range(KILLS):
            clients = Clients(server, diary, number)
            threads = clients.start()
            clients.over.wait(chance.uniform(0.05, 0.7))
            wait_until("something is sent", lambda: len(diary.known) > number)  # noqa: B023 - called before the next turn
            server.kill()
            clients.over.set()
            for thread in threads:
                thread.join(PATIENCE)
            assert not clients.surprises, clients.surprises
            server.start()
            check(server, diary)
        assert len(diary.known) > KILLS, "hardly anything was sent"
    finally:
        server.stop()


@pytest.mark.parametrize("wait", [0.3])
def test_stopped(tmp_path: Path, wait: float) -> None:
    """SIGTERM in the midst of it: status 0, and nothing lost."""
    server = Server(tmp_path / "server")
    server.add_all(SENT, APPENDED, MOVED)
    diary = Diary()
    server.start()
    clients = Clients(server, diary, 0)
    threads = clients.start()
    clients.over.wait(wait)
    assert server.stop() == 0
    clients.over.set()
    for thread in threads:
        thread.join(PATIENCE)
    server.start()
    try:
        check(server, diary)
    finally:
        server.stop()
