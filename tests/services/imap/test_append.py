"""How often an APPEND asks the store before it lets the message come."""

from __future__ import annotations

import pytest

from mailkit.model.address import AccountName
from mailkit.storage.memory.store import MemoryStore
from tests.services.imap.client import Client
from tests.services.imap.world import World

LETTER = b"Subject: x\r\n\r\nx\r\n"
FULL = b"NO [OVERQUOTA] The account is full\r\n"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[AccountName]:
    """Whose room the store was asked for."""
    asked: list[AccountName] = []
    used = MemoryStore.used

    async def used_(self: MemoryStore, account: AccountName) -> int:
        asked.append(account)
        return await used(self, account)

    monkeypatch.setattr(MemoryStore, "used", used_)
    return asked


@pytest.fixture
def client(world: World) -> Client:
    """Bob, who has room for 10,000 octets."""
    client = Client(world)
    client.login("bob", "builder")
    return client


def append(client: Client, size: int) -> bytes:
    octets = LETTER.ljust(size - 2, b"x") + b"\r\n"
    answer = client.say(f"a APPEND INBOX {{{size}}}")
    if not answer.startswith(b"+"):
        return answer
    client.wire.arrive(octets)
    return client.say("")


def test_room_is_asked_for_once_while_there_is_enough(
    client: Client, asked: list[AccountName]
) -> None:
    for _ in range(4):
        assert b"a OK [APPENDUID" in append(client, 2000)
    assert len(asked) == 1


def test_what_seems_too_large_is_asked_about(
    client: Client, asked: list[AccountName]
) -> None:
    append(client, 6000)
    assert append(client, 6000) == b"a " + FULL
    assert len(asked) == 2
    client.say("s SELECT INBOX")
    client.say("f STORE 1 +FLAGS (\\Deleted)")
    client.say("e EXPUNGE")
    assert b"a OK [APPENDUID" in append(client, 6000)


def test_room_that_others_took_is_noticed_by_the_store(
    client: Client, world: World, asked: list[AccountName]
) -> None:
    append(client, 2000)
    other = Client(world)
    other.login("bob", "builder")
    append(other, 7000)
    assert append(client, 2000) == b"a " + FULL
    assert len(asked) == 2
    assert append(client, 2000) == b"a " + FULL
    assert len(asked) == 3
