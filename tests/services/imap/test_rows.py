"""FETCH of rows: a store on disk lays them out itself, and says what memory says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import pytest

from mailkit.interfaces.storage import IMailbox
from mailkit.model.flags import FlagAction
from mailkit.model.layout import Laid, Layout, Stretch
from mailkit.model.mailbox import Records, Want
from mailkit.model.uidset import UIDSet
from mailkit.services.imap.settings import IMAPSettings
from mailkit.storage.maildir.mailbox import MaildirMailbox
from mailkit.storage.memory.mailbox import MemoryMailbox
from tests.services.imap.client import Client
from tests.services.imap.world import World

ITEMS = (
    "(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)",
    "(BODYSTRUCTURE)",
    "ALL",
    "FULL",
    "FAST",
    "(PREVIEW UID)",
    "(ENVELOPE BODY.PEEK[HEADER.FIELDS (SUBJECT)])",
    "(ENVELOPE EMAILID)",
)
SUBJECT = "x" * 20_000
LARGE = f"Subject: {SUBJECT}\r\n\r\nx\r\n".encode()


@pytest.fixture
def laid(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many octets the store laid out each time."""
    laid: list[int] = []
    lay_out = MaildirMailbox.lay_out

    async def lay_out_(
        self: MaildirMailbox, stretches: list[Stretch], layout: Layout, most: int
    ) -> Laid | None:
        found = await lay_out(self, stretches, layout, most)
        assert found is not None
        laid.append(sum(map(len, found.octets)))
        return found

    monkeypatch.setattr(MaildirMailbox, "lay_out", lay_out_)
    return laid


def fill(world: World) -> None:
    """Sixty messages, and UIDs 20, 41 and 42 are no more."""
    for number in range(63):
        world.deliver(b"Subject: %d\r\n\r\n%d\r\n" % (number, number))
    work = frozenset({"\\Seen", "work"})
    world.change(FlagAction.ADD, work, UIDSet(((5, 9),)))
    world.expunge(UIDSet.of([20, 41, 42]))


def begin(world: World) -> Client:
    client = Client(world)
    client.login()
    client.say("e ENABLE IMAP4rev2")
    client.say("s SELECT INBOX")
    return client


def test_both_stores_say_the_same(tmp_path: Path, laid: list[int]) -> None:
    worlds = World(), World(data=tmp_path)
    for world in worlds:
        world.settings = IMAPSettings(batch=25)
        fill(world)
    memory, disk = map(begin, worlds)
    for items in ITEMS:
        for numbers in ("1:*", "1:18,30:45", "1,3,5,7,9,11,13,15,17,19,21,23,25,27,29"):
            command = f"a FETCH {numbers} {items}"
            if "EMAILID" in items:
                assert disk.say(command).count(b" FETCH (") == memory.say(
                    command
                ).count(b" FETCH (")
            else:
                assert disk.say(command) == memory.say(command), command
    assert laid
    for world in worlds:
        world.close()


def test_recent_messages_are_told_as_such(tmp_path: Path, laid: list[int]) -> None:
    world = World(data=tmp_path)
    fill(world)
    client = Client(world)
    client.login()
    client.say("s SELECT INBOX")
    assert client.say("a FETCH 1:* FAST").count(b"\\Recent") == 60
    assert not laid
    client.say("s SELECT INBOX")
    assert b"\\Recent" not in client.say("a FETCH 1:* FAST")
    assert len(laid) == 1
    world.close()


def test_a_message_that_is_no_more_is_left_out(tmp_path: Path, laid: list[int]) -> None:
    world = World(data=tmp_path)
    fill(world)
    client = begin(world)
    world.expunge(UIDSet.of([1, 30, 63]))
    said = client.say("a FETCH 1:* ENVELOPE")
    assert said.count(b" FETCH (") == 57
    assert said.startswith(b'* 2 FETCH (ENVELOPE (NIL "1" ')
    assert b"* 29 FETCH" not in said
    assert said.endswith(b"a NO [EXPUNGEISSUED] Some of them are no more\r\n")
    assert laid
    world.close()


def test_no_batch_is_more_than_may_be_in_memory(
    tmp_path: Path, laid: list[int]
) -> None:
    world = World(data=tmp_path)
    world.settings = IMAPSettings(rows_octets=70_000)
    fill(world)
    for _ in range(40):
        world.deliver(LARGE)
    client = begin(world)
    said = client.say("a FETCH 1:* (ENVELOPE UID)")
    assert said.count(b" FETCH (") == 100
    numbers = [
        int(line.split()[1]) for line in said.split(b"\r\n") if b"FETCH (" in line
    ]
    assert numbers == list(range(1, 101))
    assert said.endswith(b"a OK Fetched\r\n")
    assert len(laid) > 8
    assert max(laid) < 70_000 + 60 * 200
    world.close()


@pytest.mark.parametrize("where", ["memory", "disk"])
@pytest.mark.parametrize(
    "items", ["(BODY.PEEK[HEADER.FIELDS (SUBJECT)])", "(ENVELOPE BODY.PEEK[TEXT])"]
)
def test_nor_is_it_so_by_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, items: str
) -> None:
    world = World(data=tmp_path if where == "disk" else None)
    world.settings = IMAPSettings(rows_octets=70_000)
    for _ in range(20):
        world.deliver(LARGE)
    client = begin(world)
    read: list[int] = []
    store = MaildirMailbox if where == "disk" else MemoryMailbox
    fetch: Callable[[IMailbox, UIDSet, Want, int], Awaitable[Records]] = cast(
        Any, store.fetch
    )  # of either class

    async def fetch_(
        self: IMailbox, uids: UIDSet, want: Want, most: int = 0
    ) -> Records:
        found = await fetch(self, uids, want, most)
        read.append(len(found))
        return found

    monkeypatch.setattr(store, "fetch", fetch_)
    said = client.say(f"a FETCH 1:* {items}")
    assert said.count(b" FETCH (") == 20
    assert said.endswith(b"a OK Fetched\r\n")
    assert read == [3] * 6 + [2]
    world.close()
