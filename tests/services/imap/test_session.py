"""What the session does when something fails, and beside the dialogue."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred
from twisted.logger import LogEvent, globalLogPublisher

from mailkit.errors import (
    Busy,
    LocalMisuse,
    MailboxGone,
    MailkitError,
    Malformed,
    NoSuchAddress,
    NoSuchMailbox,
    OverQuota,
    StorageBroken,
    StorageFull,
    TooMany,
)
from mailkit.model.mailbox import INBOX, MailboxChange, MailboxName
from mailkit.model.uidset import UIDSet
from mailkit.protocols.imap.events import AppendBegins
from mailkit.services.imap.answers import answer_for
from mailkit.services.imap.dialogue import Dialogue
from mailkit.services.imap.incoming import Incoming
from mailkit.services.imap.settings import IMAPSettings
from mailkit.storage.memory.folder import Folder, Kept
from mailkit.storage.memory.mailbox import MemoryMailbox
from mailkit.storage.memory.spool import MemorySpool
from mailkit.storage.memory.store import MemoryStore
from mailkit.testing.at_once import at_once
from tests.services.imap.client import Client
from tests.services.imap.world import ALICE, World

LETTER = b"Subject: x\r\n\r\nx\r\n"


@pytest.fixture
def client(world: World) -> Client:
    for _ in range(3):
        world.deliver(LETTER)
    client = Client(world)
    client.login()
    client.say("s SELECT INBOX")
    return client


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OverQuota("alice"), b"NO [OVERQUOTA] The account is full"),
        (StorageFull(), b"NO [UNAVAILABLE] There is no room left"),
        (Busy(), b"NO [UNAVAILABLE] Too many failures, try again later"),
        (TooMany(), b"NO [LIMIT] One more than there may be"),
        (NoSuchAddress("secret"), b"NO [CANNOT] Not possible"),
        (Malformed("What is this?"), b"BAD What is this?"),
        (Malformed(), b"BAD Not understood"),
    ],
)
def test_kinds_of_errors_in_words(error: MailkitError, said: bytes) -> None:
    assert bytes(answer_for(error)) == said


def test_only_what_happens_on_purpose_has_words() -> None:
    with pytest.raises(StopIteration):
        answer_for(LocalMisuse())


def breaks(*args: object, **kwargs: object) -> object:
    raise StorageBroken("the disk is on fire")


BROKEN = b"NO [UNAVAILABLE] The store is out of order\r\n"


@pytest.mark.parametrize(
    ("method", "command"),
    [
        ("fetch", "FETCH 1 (FLAGS)"),
        ("contents", "FETCH 1 (BODY[])"),
        ("store", "STORE 1 +FLAGS (\\Seen)"),
        ("store", "FETCH 1 (BODY[])"),
        ("search", "SEARCH ALL"),
        ("search", "SEARCH RETURN (SAVE) ALL"),
        ("copy", "COPY 1 Sent"),
        ("move", "MOVE 1 Sent"),
        ("expunge", "EXPUNGE"),
        ("expunge", "CLOSE"),
        ("changes_since", "NOOP"),
        ("changes_since", "CHECK"),
        ("changes_since", "FETCH 1 (UID)"),
    ],
)
def test_a_broken_store_is_said(
    client: Client, monkeypatch: pytest.MonkeyPatch, method: str, command: str
) -> None:
    monkeypatch.setattr(MemoryMailbox, method, breaks)
    assert client.say(f"a {command}").endswith(b"a " + BROKEN)
    monkeypatch.undo()
    assert client.say("b NOOP") == b"b OK Done\r\n"
    assert client.say("c FETCH 1 (UID)").endswith(b"c OK Fetched\r\n")


def test_what_is_done_stays_done_though_the_news_fail(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MemoryMailbox, "changes_since", breaks)
    assert client.say("a SUBSCRIBE x") == b"a OK Subscribed\r\n"
    assert client.say("a UID COPY 1 Sent").startswith(b"a OK [COPYUID")


def test_a_failed_search_saves_nothing(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.say("a SEARCH RETURN (SAVE) ALL")
    monkeypatch.setattr(MemoryMailbox, "search", breaks)
    client.say("b SEARCH RETURN (SAVE) ALL")
    assert client.say("c FETCH $ (UID)") == b"c OK Fetched\r\n"


def test_a_failed_search_that_saves_nothing_leaves_what_was_saved(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.say("a SEARCH RETURN (SAVE) 2")
    monkeypatch.setattr(MemoryMailbox, "search", breaks)
    client.say("b SEARCH ALL")
    assert client.say("c FETCH $ (UID)").startswith(b"* 2 FETCH (UID 2)")


def test_a_vanished_file_is_left_out(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = MemoryMailbox.contents

    async def contents(self: MemoryMailbox, uids: UIDSet) -> list[tuple[int, object]]:
        found = await whole(self, uids)
        return [pair for pair in found if pair[0] != 2]

    monkeypatch.setattr(MemoryMailbox, "contents", contents)
    for prefix in ("", "UID "):
        answer = client.say(f"a {prefix}FETCH 1:3 (BODY.PEEK[TEXT])")
        assert answer.count(b" FETCH ") == 2
        assert answer.endswith(b"a NO [EXPUNGEISSUED] Some of them are no more\r\n")


def test_idle_ends_when_the_store_breaks(
    client: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.say("i IDLE")
    monkeypatch.setattr(MemoryMailbox, "changes_since", breaks)
    world.deliver(LETTER)
    assert client.heard() == b"* BYE [UNAVAILABLE] The store is out of order\r\n"
    assert client.wire.is_lost


def test_a_bug_while_idle_ends_the_connection(
    client: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bug(*args: object) -> object:
        raise ZeroDivisionError

    events: list[LogEvent] = []

    def observe(event: LogEvent) -> None:
        events.append(event)

    globalLogPublisher.addObserver(observe)  # type: ignore[arg-type]  # a function is an observer
    client.say("i IDLE")
    monkeypatch.setattr(MemoryMailbox, "changes_since", bug)
    world.deliver(LETTER)
    globalLogPublisher.removeObserver(observe)  # type: ignore[arg-type]  # as above
    assert client.heard() == b"* BYE [SERVERBUG] internal error\r\n"
    assert "ZeroDivisionError" in str(events)


def slowly(
    monkeypatch: pytest.MonkeyPatch,
) -> list[Deferred[None]]:
    """Looks for changes wait until their Deferred is called."""
    looks: list[Deferred[None]] = []
    at_once = MemoryMailbox.changes_since

    async def changes_since(self: MemoryMailbox, mod_seq: int) -> MailboxChange:
        look: Deferred[None] = Deferred()
        looks.append(look)
        await look
        return await at_once(self, mod_seq)

    monkeypatch.setattr(MemoryMailbox, "changes_since", changes_since)
    return looks


def test_done_waits_for_what_is_being_told(
    client: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = slowly(monkeypatch)
    assert client.say("i IDLE") == b"+ idling\r\n"
    world.deliver(LETTER)
    world.deliver(LETTER)
    world.clock.advance(121)
    assert client.heard() == b""  # no sign of life in the midst of news
    assert client.say("DONE") == b""
    assert len(looks) == 1
    looks.pop().callback(None)
    assert client.heard() == b"* 5 EXISTS\r\n* 5 RECENT\r\n"
    looks.pop().callback(None)  # the last look, of the command itself
    assert client.heard() == b"i OK Idled\r\n"


def test_hints_while_looking_lead_to_one_more_look(
    client: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = slowly(monkeypatch)
    client.say("i IDLE")
    world.deliver(LETTER)
    world.deliver(LETTER)
    looks[0].callback(None)
    assert client.heard() == b"* 5 EXISTS\r\n* 5 RECENT\r\n"
    looks[1].callback(None)
    assert len(looks) == 2
    assert client.heard() == b""


def test_whoever_leaves_while_idle_is_told_nothing(
    client: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = slowly(monkeypatch)
    client.say("i IDLE")
    world.deliver(LETTER)
    client.leave()
    looks[0].callback(None)
    world.deliver(LETTER)
    assert len(looks) == 1
    assert not world.clock.getDelayedCalls()
    assert world.sessions.count("alice@example.org") == 0  # type: ignore[arg-type]  # plain texts are names here


def test_long_work_gives_way(world: World) -> None:
    world.settings = IMAPSettings(batch=1, turn=-1.0)
    for _ in range(6):
        world.deliver(LETTER)
    client = Client(world)
    client.login()
    client.say("s SELECT INBOX")
    assert client.say("a FETCH 1:6 (UID)") == b"".join(
        [b"* %d FETCH (UID %d)\r\n" % (number, number) for number in range(1, 5)]
    )
    while world.clock.getDelayedCalls() and client.pump.session is not None:
        world.clock.advance(0)
        if b"a OK" in client.heard():
            break
    else:
        pytest.fail("never came back")


def test_many_news_come_in_pieces(world: World) -> None:
    world.settings = IMAPSettings(batch=2)
    for _ in range(5):
        world.deliver(LETTER)
    client = Client(world)
    client.login()
    client.say("s SELECT INBOX")
    assert client.say("a STORE 1:5 +FLAGS (\\Seen)").count(b"FETCH") == 5
    assert client.say("a STORE 1:5 +FLAGS (\\Seen)").count(b"FETCH") == 5


def test_a_view_that_differs_much_shares_again(world: World) -> None:
    for _ in range(3):
        world.deliver(LETTER)
    client = Client(world)
    client.login()
    client.say("s SELECT INBOX")
    for _ in range(1_100):
        world.deliver(LETTER)
    assert b"* 1103 EXISTS" in client.say("a NOOP")
    talk: Dialogue = client.pump.session._talk  # type: ignore[union-attr]  # there is a session
    assert talk.here.view.difference == 0
    assert talk.here.view.exists == 1_103


def test_nobody_is_logged_in() -> None:
    world = World()
    client = Client(world)
    talk: Dialogue = client.pump.session._talk  # type: ignore[union-attr]  # as above
    with pytest.raises(LocalMisuse):
        talk.account  # noqa: B018 - asking is what fails
    with pytest.raises(LocalMisuse):
        talk.here  # noqa: B018 - as above
    world.close()


def test_commands_are_counted(client: Client, world: World) -> None:
    client.say("a SELECT nowhere")
    client.say("b APPEND INBOX {99999999}")
    client.say("c IDLE")
    client.say("DONE")
    client.say("d WHAT")
    client.say("e CHECK")
    client.leave()
    counted = {
        (sample.labels["name"], sample.labels["outcome"])
        for metric in world.metrics.registry.collect()
        for sample in metric.samples
        if sample.name == "mailkit_commands_total"
    }
    assert counted == {
        ("login", "ok"),
        ("select", "ok"),
        ("select", "refused"),
        ("append", "refused"),
        ("idle", "ok"),
        ("other", "malformed"),
    }


def test_a_mailbox_that_goes_while_listed_has_no_status(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def status(*args: object) -> object:
        raise NoSuchMailbox

    monkeypatch.setattr(MemoryStore, "status", status)
    answer = client.say('a LIST "" INBOX RETURN (STATUS (MESSAGES))')
    assert answer == b'* LIST (\\HasNoChildren) "/" "INBOX"\r\na OK Listed\r\n'


def test_a_mailbox_that_goes_while_selected(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client(world)
    client.login()
    client.say("e ENABLE IMAP4rev2")

    async def mailboxes(*args: object) -> list[object]:
        return []

    monkeypatch.setattr(MemoryStore, "mailboxes", mailboxes)
    answer = client.say("a SELECT INBOX")
    assert answer == b"a NO [NONEXISTENT] No such mailbox\r\n"


def test_a_mailbox_that_goes_between_opening_and_looking(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was not selected, so the session goes on."""

    async def snapshot(*args: object) -> None:
        raise MailboxGone("INBOX")

    monkeypatch.setattr(MemoryMailbox, "snapshot", snapshot)
    assert client.say("a SELECT INBOX").endswith(
        b"\r\na NO [NONEXISTENT] The mailbox is no more\r\n"
    )
    assert client.say("b NOOP") == b"b OK Done\r\n"


@pytest.mark.parametrize("command", ["COPY 1 Sent", "MOVE 1 Sent"])
def test_a_target_that_goes_meanwhile(
    client: Client, world: World, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """What is gone is not the selected mailbox, so the session goes on."""
    among = Folder.among

    def deleted(folder: Folder, uids: UIDSet) -> list[Kept]:
        monkeypatch.undo()
        at_once(world.store.delete(ALICE, MailboxName("Sent")))
        return among(folder, uids)

    monkeypatch.setattr(Folder, "among", deleted)
    answer = b"a NO [TRYCREATE] No such mailbox; it may be created\r\n"
    assert client.say(f"a UID {command}") == answer
    assert client.say("b NOOP") == b"b OK Done\r\n"


@pytest.mark.parametrize("pieces", [["a\r", "\nb\nc"], ["a", "\r", "\n", "b\n", "c"]])
def test_line_ends_in_pieces(pieces: list[str]) -> None:
    spool = MemorySpool()
    incoming = Incoming(AppendBegins(INBOX, 6), spool.begin())

    async def write() -> bytes | None:
        for piece in pieces:
            await incoming.write(piece.encode())
        return (await incoming.spooled.finish()).octets

    assert at_once(write()) == b"a\r\nb\r\nc"
