"""How often a FETCH asks the store, and what becomes of questions that fail."""

from __future__ import annotations

import pytest

from mailkit.errors import StorageBroken
from mailkit.interfaces.storage import IContent
from mailkit.model.mailbox import MailboxChange, Records, Want
from mailkit.model.uidset import UIDSet
from mailkit.services.imap.dialogue import Dialogue
from mailkit.services.imap.settings import IMAPSettings
from mailkit.storage.memory.mailbox import MemoryMailbox
from tests.services.imap.client import Client
from tests.services.imap.world import World

LETTER = b"Subject: x\r\n\r\nx\r\n"
BROKEN = b"a NO [UNAVAILABLE] The store is out of order\r\n"


@pytest.fixture
def client(world: World) -> Client:
    world.settings = IMAPSettings(batch=1)
    for _ in range(12):
        world.deliver(LETTER)
    client = Client(world)
    client.login()
    client.say("s SELECT INBOX")
    return client


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the store is asked for, in order."""
    asked: list[str] = []
    fetch, contents = MemoryMailbox.fetch, MemoryMailbox.contents
    changes_since = MemoryMailbox.changes_since

    async def fetch_(
        self: MemoryMailbox, uids: UIDSet, want: Want, most: int = 0
    ) -> Records:
        asked.append(f"fetch {uids}")
        return await fetch(self, uids, want, most)

    async def contents_(
        self: MemoryMailbox, uids: UIDSet
    ) -> list[tuple[int, IContent]]:
        asked.append(f"contents {uids}")
        return await contents(self, uids)

    async def changes_since_(self: MemoryMailbox, mod_seq: int) -> MailboxChange:
        asked.append("changes")
        return await changes_since(self, mod_seq)

    monkeypatch.setattr(MemoryMailbox, "fetch", fetch_)
    monkeypatch.setattr(MemoryMailbox, "contents", contents_)
    monkeypatch.setattr(MemoryMailbox, "changes_since", changes_since_)
    return asked


def test_one_look_a_second_while_nothing_happens(
    client: Client, world: World, asked: list[str]
) -> None:
    client.say("a FETCH 1 (FLAGS)")
    client.say("b FETCH 2 (FLAGS)")
    assert asked == ["fetch 1", "changes", "fetch 2"]
    world.clock.advance(1)
    client.say("c FETCH 3 (FLAGS)")
    assert asked[3:] == ["fetch 3", "changes"]
    world.deliver(LETTER)
    assert client.say("d FETCH 1 (UID)").startswith(
        b"* 1 FETCH (UID 1)\r\n* 13 EXISTS\r\n"
    )


def test_what_is_pending_is_told_when_it_may_be(client: Client, world: World) -> None:
    other = Client(world)
    other.login()
    other.say("s SELECT INBOX")
    other.say("t STORE 2 +FLAGS.SILENT (\\Deleted)")
    other.say("u EXPUNGE")
    assert b"EXPUNGE\r\n" not in client.say("a FETCH 1 (UID)")
    assert client.say("b UID FETCH 1 (UID)") == (
        b"* 1 FETCH (UID 1)\r\n* 2 EXPUNGE\r\nb OK Fetched\r\n"
    )


def test_a_message_is_asked_for_at_once(client: Client, asked: list[str]) -> None:
    client.say("n NOOP")
    assert client.say("a FETCH 2 (BODY.PEEK[])") == (
        b"* 2 FETCH (BODY[] {17}\r\n" + LETTER + b")\r\na OK Fetched\r\n"
    )
    client.say("b FETCH 2 (FLAGS BODY.PEEK[])")
    assert asked == ["changes", "contents 2", "contents 2", "fetch 2"]


def test_the_next_batch_is_asked_for_before_this_one_is_sent(
    client: Client, asked: list[str]
) -> None:
    client.say("n NOOP")
    client.say("a FETCH 1:3 (ENVELOPE)")
    assert asked == ["changes", "fetch 1", "fetch 2", "fetch 3"]


def test_the_next_messages_are_read_before_these_are_sent(
    client: Client, world: World, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.settings = IMAPSettings(contents_octets=len(LETTER))
    client = Client(world)
    client.login()
    client.say("s SELECT INBOX")
    say = Dialogue.say

    def say_(self: Dialogue, *responses: bytes) -> None:
        asked.append("said")
        say(self, *responses)

    monkeypatch.setattr(Dialogue, "say", say_)
    asked.clear()
    said = client.say("a FETCH 1:3 (UID BODY.PEEK[] RFC822.SIZE)")
    assert asked[:2] == ["fetch 1:3", "contents 1"]
    sent = [at for at, one in enumerate(asked) if one == "said"]
    read = [at for at, one in enumerate(asked) if one.startswith("contents")]
    assert (len(sent), len(read)) == (3, 3)
    assert read[1] < sent[0] < read[2] < sent[1] < sent[2]
    assert (
        said
        == b"".join(
            b"* %d FETCH (UID %d BODY[] {17}\r\n%b RFC822.SIZE 17)\r\n" % (n, n, LETTER)
            for n in (1, 2, 3)
        )
        + b"a OK Fetched\r\n"
    )


def test_messages_that_were_read_in_vain_are_not_logged_as_a_bug(
    client: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.settings = IMAPSettings(contents_octets=1)
    client = Client(world)
    client.login()
    client.say("s SELECT INBOX")

    async def breaks(self: MemoryMailbox, uids: UIDSet) -> object:
        raise StorageBroken("the disk is on fire")

    monkeypatch.setattr(MemoryMailbox, "contents", breaks)
    assert client.say("a FETCH 1:3 (BODY.PEEK[])").endswith(BROKEN)
    monkeypatch.undo()
    assert client.say("b NOOP") == b"b OK Done\r\n"


@pytest.mark.parametrize("items", ["(ENVELOPE)", "(FLAGS BODY.PEEK[])"])
def test_what_was_asked_for_in_vain_is_not_logged_as_a_bug(
    client: Client, monkeypatch: pytest.MonkeyPatch, items: str
) -> None:
    async def breaks(self: MemoryMailbox, *args: object) -> object:
        raise StorageBroken("the disk is on fire")

    monkeypatch.setattr(MemoryMailbox, "fetch", breaks)
    monkeypatch.setattr(MemoryMailbox, "contents", breaks)
    numbers = "1" if "BODY" in items else "1:3"
    assert client.say(f"a FETCH {numbers} {items}").endswith(BROKEN)
    monkeypatch.undo()
    assert client.say("b NOOP") == b"b OK Done\r\n"


def test_a_message_that_is_no_more(client: Client, world: World) -> None:
    other = Client(world)
    other.login()
    other.say("s SELECT INBOX")
    other.say("t STORE 2 +FLAGS.SILENT (\\Deleted)")
    other.say("u EXPUNGE")
    for items in ("BODY.PEEK[]", "(FLAGS BODY.PEEK[])"):
        assert b"NO [EXPUNGEISSUED]" in client.say(f"a FETCH 2 {items}")
