"""What transcripts cannot tell: time, full disks, and peers that leave."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pytest
from attrs import define, evolve, field
from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.defer import Deferred
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from zope.interface import implementer

from mailkit.errors import (
    BadMessage,
    Busy,
    LocalMisuse,
    MailkitError,
    Malformed,
    Refused,
    StorageBroken,
    StorageFull,
    TooLarge,
    Unavailable,
)
from mailkit.interfaces.session import ISession
from mailkit.interfaces.storage import IContent, IMailStore, Placement
from mailkit.model.event import Step
from mailkit.protocols.smtp.events import TextBlock
from mailkit.protocols.smtp.limits import DEFAULT_LIMITS
from mailkit.services.smtp.replies import (
    AUTH_REPLIES,
    REPLIES,
    outcome_of,
    reply_for,
)
from mailkit.services.smtp.session import SMTPSession
from mailkit.services.smtp.settings import SMTPSettings
from mailkit.storage.memory.store import MemoryStore
from mailkit.testing.at_once import at_once
from tests.services.smtp.world import ALICE, BOB, World
from tests.transcript import Wire

PEER = IPv4Address("TCP", "192.0.2.1", 54321)
READY = b"HELO client\r\n"
MAIL = b"MAIL FROM:<dave@example.net>\r\nRCPT TO:<alice@example.org>\r\n"
TEXT = b"From: dave@example.net\r\n\r\nhello\r\n.\r\n"


@define(eq=False)
class Client:
    """One connection to a world's service."""

    world: World
    service: str = "smtp"
    peer: IPv4Address | UNIXAddress = PEER
    wire: Wire = field(init=False)
    _session: ISession | None = field(init=False)

    def __attrs_post_init__(self) -> None:
        protocol = self.world.protocol(self.service)
        self.wire = Wire(protocol, self.peer)
        protocol.makeConnection(self.wire)
        self._session = self.world.pumps[-1].session
        self.hear()

    def say(self, *octets: bytes) -> list[str]:
        """Say something; the lines of the answer."""
        for piece in octets:
            self.wire.arrive(piece)
        return self.hear()

    def hear(self) -> list[str]:
        """What came since the last time."""
        lines: list[str] = self.wire.value().decode().splitlines()
        self.wire.clear()
        return lines

    @property
    def session(self) -> SMTPSession:
        assert isinstance(self._session, SMTPSession)
        return self._session


@implementer(IMailStore)
@define(eq=False)
class SlowStore(MemoryStore):
    """Delivers when it is told to."""

    gate: Deferred[None] = field(factory=Deferred)
    error: MailkitError | None = None

    async def deliver(self, content: IContent, to: Sequence[Placement]) -> list[int]:
        if self.error is not None:
            raise self.error
        await self.gate
        return await MemoryStore.deliver(self, content, to)


# -- a peer that leaves


def test_a_commit_is_finished_when_the_peer_has_left() -> None:
    store = SlowStore()
    client = Client(World(store=store))
    client.say(READY, MAIL, b"DATA\r\n", TEXT)
    assert client.world.mailbox(ALICE) == []
    client.wire.leave()
    assert client.world.mailbox(ALICE) == []
    store.gate.callback(None)
    assert len(client.world.mailbox(ALICE)) == 1
    assert all(file.is_discarded for file in client.world.spool.files)


DIALOGUE = READY + MAIL + b"DATA\r\n" + TEXT + READY + MAIL + b"BDAT 2 LAST\r\n\r\n"


@pytest.mark.parametrize("service", ["smtp", "lmtp"])
def test_leaving_at_any_octet_keeps_all_or_nothing(service: str) -> None:
    dialogue = DIALOGUE.replace(b"HELO", b"LHLO") if service == "lmtp" else DIALOGUE
    for length in range(len(dialogue) + 1):
        client = Client(World(), service)
        answers = client.say(dialogue[:length])
        client.wire.leave()
        told = sum(line.startswith("250 2.0.0 Accepted") for line in answers)
        assert len(client.world.mailbox(ALICE)) == told
        assert all(file.is_discarded for file in client.world.spool.files)
        assert client.world.sessions.count(ALICE) == 0


def test_nothing_is_kept_twice_and_nothing_half() -> None:
    """Whoever is awaited when the peer leaves: everything is kept, or nothing."""
    for steps in range(12):
        world = World()
        gates = Gates()
        world.spool.pause = gates.wait
        client = Client(world)
        client.say(READY + MAIL + MAIL[30:] + b"DATA\r\n" + TEXT + b"QUIT\r\n")
        for _ in range(steps):
            gates.open_one()
        client.wire.leave()
        while gates.open_one():
            pass
        kept = world.mailbox(ALICE)
        accepted = [e for e in world.events.events if e.step is Step.ACCEPTED]
        assert len(kept) == len(accepted) <= 1
        assert all(file.is_discarded for file in world.spool.files)


@define(eq=False)
class Gates:
    """Whoever waits here goes on when the test says so."""

    waiting: list[Deferred[None]] = field(factory=list)

    def wait(self) -> Deferred[None]:
        self.waiting.append(Deferred())
        return self.waiting[-1]

    def open_one(self) -> bool:
        if self.waiting:
            self.waiting.pop(0).callback(None)
            return True
        return False


# -- time


def test_silence() -> None:
    client = Client(World())
    client.say(READY)
    client.world.clock.advance(299)
    assert not client.wire.is_lost
    client.world.clock.advance(2)
    assert client.hear() == ["421 4.4.2 mx.example.org timed out"]
    assert client.wire.disconnecting


def test_a_shutdown_waits_for_a_transaction() -> None:
    store = SlowStore()
    client = Client(World(store=store))
    client.say(READY, MAIL, b"DATA\r\n", TEXT)
    pump = client.world.pumps[0]
    pump.end("shutting down")
    assert client.hear() == []
    store.gate.callback(None)
    assert client.hear() == [
        "250 2.0.0 Accepted as T1",
        "421 4.3.2 mx.example.org shutting down",
    ]


@pytest.mark.parametrize(
    ("said", "is_idle"),
    [(READY, True), (READY + MAIL, False), (READY + MAIL + b"RSET\r\n", True)],
)
def test_idleness(said: bytes, is_idle: bool) -> None:
    client = Client(World())
    client.say(said)
    assert client.session.is_idle is is_idle


# -- what goes wrong


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (StorageFull(), "452 4.3.1 No room at present, try again later"),
        (StorageBroken(), "451 4.3.0 Trouble on our side, try again later"),
    ],
)
def test_the_store_fails(error: MailkitError, line: str) -> None:
    store = SlowStore()
    store.error = error
    client = Client(World(store=store))
    client.say(READY, MAIL, b"DATA\r\n")
    assert client.say(TEXT) == [line]
    store.error = None
    store.gate.callback(None)
    client.say(MAIL, b"DATA\r\n")
    assert client.say(TEXT) == ["250 2.0.0 Accepted as T2"]
    [refused, accepted, delivered] = client.world.events.events
    assert refused.step is Step.REFUSED
    assert refused.detail == type(error).__name__
    assert accepted.transaction == delivered.transaction == "T2"


def test_no_room_at_all() -> None:
    world = World()
    world.spool.left = 0
    client = Client(world)
    client.say(READY)
    assert client.say(b"MAIL FROM:<>\r\n") == [
        "452 4.3.1 No room at present, try again later"
    ]


@pytest.mark.parametrize(
    "text",
    [
        [b"DATA\r\n", TEXT],
        [b"DATA\r\n", TEXT[:-3], b"more\r\n", b".\r\n"],
        [b"BDAT 33 LAST\r\nFrom: dave@example.net\r\n\r\nhello\r\n"],
    ],
)
def test_no_more_room(text: list[bytes]) -> None:
    world = World()
    world.spool.left = 20
    client = Client(world)
    client.say(READY, MAIL)
    assert client.say(*text)[-1] == "452 4.3.1 No room at present, try again later"
    assert client.say(b"NOOP\r\n") == ["250 2.0.0 Done"]
    assert world.mailbox(ALICE) == []


def test_no_more_room_in_the_midst_of_chunks() -> None:
    world = World()
    world.spool.left = 20
    client = Client(world)
    client.say(READY, MAIL)
    chunk = b"BDAT 24\r\nFrom: dave@example.net\r\n"
    assert client.say(chunk, b"BDAT 2 LAST\r\n\r\n", b"NOOP\r\n") == [
        "452 4.3.1 No room at present, try again later",
        "503 5.5.1 Not now: bad sequence of commands",
        "250 2.0.0 Done",
    ]


def test_too_large() -> None:
    limits = evolve(DEFAULT_LIMITS, message_size=64 * 1024)
    client = Client(World(limits=limits))
    client.say(READY, MAIL, b"DATA\r\n")
    answers = client.say(*[b"x" * 998 + b"\r\n"] * 66, b".\r\n")
    assert answers == ["552 5.3.4 The message is larger than we take"]
    assert client.world.events.events[-1].detail == answers[0]


def test_quota_by_the_true_size() -> None:
    client = Client(World())
    client.say(READY, MAIL.replace(b"alice", b"bob"), b"DATA\r\n")
    answers = client.say(*[b"x" * 998 + b"\r\n"] * 11, b".\r\n")
    assert answers == ["452 4.2.2 The mailbox is full"]
    assert client.world.mailbox(BOB) == []


def test_a_bug_is_told_as_one() -> None:
    store = SlowStore()
    store.error = LocalMisuse("what nobody thought of")
    client = Client(World(store=store))
    seen: list[LogEvent] = []
    observer = cast(ILogObserver, seen.append)
    globalLogPublisher.addObserver(observer)
    try:
        client.say(READY, MAIL, b"DATA\r\n")
        answers = client.say(TEXT)
    finally:
        globalLogPublisher.removeObserver(observer)
    assert answers == ["421 4.3.0 mx.example.org internal error"]
    assert client.wire.disconnecting
    assert all(file.is_discarded for file in client.world.spool.files)
    assert any("log_failure" in event for event in seen)


def test_a_block_of_text_is_not_answered() -> None:
    client = Client(World())
    with pytest.raises(LocalMisuse):
        at_once(client.session._answer(TextBlock(b"x")))


# -- patience


def test_too_many_errors() -> None:
    client = Client(World())
    assert client.say(b"WHAT\r\n" * 50) == ["500 5.5.1 Unknown command"] * 50
    assert client.say(b"WHAT\r\n") == [
        "421 4.7.0 Too many errors, closing the connection"
    ]
    assert client.wire.disconnecting


def test_too_many_refusals() -> None:
    world = World(smtp=SMTPSettings(refusals=3))
    client = Client(world)
    client.say(READY)
    unknown = MAIL.replace(b"alice", b"nobody") + b"RSET\r\n"
    for _ in range(3):
        assert client.say(unknown)[1] == "550 5.1.1 No such address here"
    # A message that is taken begins the count anew; what is unavailable counts not.
    assert client.say(MAIL, b"DATA\r\n", TEXT)[-1].startswith("250 ")
    for _ in range(3):
        assert client.say(unknown)[1] == "550 5.1.1 No such address here"
    world.spool.left = 0
    assert client.say(b"MAIL FROM:<>\r\n")[0].startswith("452 ")
    world.spool.left = None
    assert client.say(unknown)[1].startswith("421 4.7.0 Too many errors")


def test_failed_logins_are_errors() -> None:
    world = World()
    client = Client(world, "submission")
    client.say(b"EHLO a\r\nSTARTTLS\r\n")
    client.say(b"EHLO a\r\n")
    for _ in range(50):
        assert client.say(b"AUTH KERBEROS\r\n") == ["504 5.5.4 No such mechanism"]
    assert client.say(b"AUTH KERBEROS\r\n")[0].startswith("421 ")


# -- accounts


def login(client: Client) -> None:
    client.say(b"EHLO a\r\nSTARTTLS\r\n")
    client.say(b"EHLO a\r\n")
    plain = b"AUTH PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHdvbmRlcmxhbmQ=\r\n"
    assert client.say(plain) == ["235 2.7.0 Authentication succeeded"]


def test_a_suspension_ends_the_session() -> None:
    client = Client(World(), "submission")
    login(client)
    assert client.session.account == ALICE
    assert client.world.sessions.count(ALICE) == 1
    at_once(client.world.suspend(ALICE))
    assert client.hear() == ["421 4.3.2 mx.example.org Disconnected by the server"]
    assert client.wire.disconnecting
    assert client.world.sessions.count(ALICE) == 0


def test_a_suspension_waits_for_no_transaction() -> None:
    """Whoever holds one open would stay for as long as it likes."""
    client = Client(World(), "submission")
    login(client)
    client.say(b"MAIL FROM:<alice@example.org>\r\nRCPT TO:<bob@example.org>\r\n")
    client.say(b"DATA\r\nFrom: alice@example.org\r\n")
    at_once(client.world.suspend(ALICE))
    assert client.hear() == ["421 4.3.2 mx.example.org Disconnected by the server"]
    assert client.wire.disconnecting
    assert client.world.mailbox(BOB) == []
    assert all(file.is_discarded for file in client.world.spool.files)


def test_too_many_sessions() -> None:
    world = World()
    world.sessions.most = 1
    first = Client(world, "submission")
    login(first)
    client = Client(world, "submission")
    client.say(b"EHLO a\r\nSTARTTLS\r\n")
    client.say(b"EHLO a\r\n")
    assert client.say(b"AUTH PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHdvbmRlcmxhbmQ=\r\n") == [
        "454 4.7.0 The account has too many connections"
    ]
    assert client.session.account == ""
    first.wire.leave()
    assert world.sessions.count(ALICE) == 0


def test_no_tls_without_a_certificate() -> None:
    world = World(has_certificate=False)
    client = Client(world)
    assert "250-STARTTLS" not in client.say(b"EHLO a\r\n")
    assert client.say(b"STARTTLS\r\n") == ["454 4.7.0 TLS is not available"]


def test_tls_forgets_a_login() -> None:
    """RFC 3207 §4.2; from loopback a password may come in the clear."""
    peer = IPv4Address("TCP", "127.0.0.1", 54321)
    client = Client(World(), "submission", peer)
    client.say(b"EHLO a\r\n")
    client.say(b"AUTH PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHdvbmRlcmxhbmQ=\r\n")
    assert client.world.sessions.count(ALICE) == 1
    client.say(b"STARTTLS\r\n")
    assert client.session.account == ""
    assert client.world.sessions.count(ALICE) == 0
    client.say(b"EHLO a\r\n")
    assert client.say(b"MAIL FROM:<alice@example.org>\r\n") == [
        "530 5.7.0 Log in first"
    ]


def test_a_unix_socket_is_no_tls() -> None:
    client = Client(World(), "lmtp", UNIXAddress("/run/lmtp"))
    answers = client.say(b"LHLO a\r\n" + MAIL + b"DATA\r\n", TEXT)
    assert answers[-1] == "250 2.0.0 Accepted as T1"
    [message] = client.world.mailbox(ALICE)
    assert b"Received: from a by mx.example.org with LMTP id T1 for " in message
    assert client.say(b"STARTTLS\r\n") == ["503 5.5.1 TLS is on already"]


# -- words


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (BadMessage("Too odd"), "554 5.6.0 Too odd"),
        (BadMessage(), "554 5.6.0 The message is not one that we take"),
        (TooLarge(), "552 5.3.4 The message is larger than we take"),
        (Busy(), "451 4.3.2 Too busy, try again later"),
        (Refused("secret"), "550 5.7.1 Not accepted"),
        (Unavailable("secret"), "451 4.3.0 Not now, try again later"),
        (Malformed("secret"), "501 5.5.2 That is not in the grammar"),
    ],
)
def test_words(error: MailkitError, line: str) -> None:
    assert str(reply_for(error)) == line


def test_every_reply_has_a_status_that_fits() -> None:
    """RFC 3463 §2; an error that is for later is told as 4yz, one for ever as 5yz."""
    for words in (REPLIES, AUTH_REPLIES):
        for kind, reply in words.items():
            assert reply.detail
            if issubclass(kind, Unavailable):
                assert reply.is_transient


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        (b"NOOP\r\n", "ok"),
        (b"WHAT\r\n", "malformed"),
        (b"MAIL FROM:<> SIZE=99999999999\r\n", "refused"),
    ],
)
def test_commands_are_counted(line: bytes, outcome: str) -> None:
    client = Client(World())
    client.say(READY)
    client.say(line)
    name = {"ok": "NOOP", "malformed": "other", "refused": "MAIL"}[outcome]
    registry = client.world.metrics.registry
    labels = {"protocol": "smtp", "name": name, "outcome": outcome}
    assert registry.get_sample_value("mailkit_commands_total", labels) == 1


def test_outcomes() -> None:
    assert outcome_of(reply_for(Unavailable())) == "unavailable"
