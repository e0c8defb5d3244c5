"""Who sends too much hears it in words, in the middle of a message or before one."""

from __future__ import annotations

from base64 import b64encode

import pytest

from mailkit.model.alarm import Alarm
from mailkit.model.queueitem import Selection
from mailkit.services.sendinglimits import SendingLimits
from mailkit.services.sendingsettings import SendingSettings
from mailkit.storage.memory.sendingcounts import MemorySendingCounts
from mailkit.testing.at_once import at_once
from tests.services.smtp.test_session import Client
from tests.services.smtp.world import ALICE, World

LOGIN = b"AUTH PLAIN " + b64encode(b"\0alice@example.org\0wonderland") + b"\r\n"
MAIL = b"MAIL FROM:<alice@example.org>\r\n"
TEXT = b"From: alice@example.org\r\n\r\nhello\r\n.\r\n"


@pytest.fixture
def world() -> World:
    """Two new ones a day."""
    world = World()
    world.send_out()
    counts = MemorySendingCounts()

    async def tell(alarm: Alarm) -> bool:
        return True

    world.limit = SendingLimits(
        counts, world.directory, world.clock, tell, SendingSettings(new=2)
    )
    return world


def submit(world: World) -> Client:
    client = Client(world, "submission")
    client.say(b"EHLO client\r\n", b"STARTTLS\r\n", b"EHLO client\r\n")
    assert client.say(LOGIN) == ["235 2.7.0 Authentication succeeded"]
    return client


def rcpt(client: Client, name: str) -> str:
    [line] = client.say(f"RCPT TO:<{name}>\r\n".encode())
    return line


def test_one_too_many(world: World) -> None:
    client = submit(world)
    assert client.say(MAIL) == ["250 2.1.0 Sender accepted"]
    for name in ("bob@example.org", "a@example.net", "b@example.net", "a@example.net"):
        assert rcpt(client, name) == "250 2.1.5 Recipient accepted"
    assert rcpt(client, "c@example.net") == (
        "550 5.7.1 This account may send no more for now: it wrote to 2 recipients"
        " within a day to whom it had never written. Mail can still be read; please"
        " ask your administrator"
    )
    client.say(b"DATA\r\n", TEXT)
    assert world.queue is not None
    items = at_once(world.queue.items(Selection()))
    queued = [str(one.path) for item in items for one in item.recipients]
    assert queued == ["a@example.net", "b@example.net"]
    [line] = client.say(MAIL)
    assert line.startswith("550 5.7.1 This account may send no more for now")
    [line] = submit(world).say(MAIL)
    assert line.startswith("550 5.7.1 This account may send no more for now")
    assert world.sessions.count(ALICE) == 2


def test_mail_of_others_is_not_counted(world: World) -> None:
    client = Client(world)
    client.say(b"EHLO client\r\n")
    for _ in range(3):
        client.say(b"MAIL FROM:<alice@example.org>\r\n")
        assert rcpt(client, "bob@example.org") == "250 2.1.5 Recipient accepted"
        client.say(b"RSET\r\n")
