"""What a session that waits takes of the memory, to the octet."""

from __future__ import annotations

import gc
import tracemalloc

import pytest

from mailkit.interfaces.storage import NewMessage
from mailkit.model.mailbox import INBOX
from mailkit.services.imap.settings import IMAPSettings
from mailkit.storage.content import OctetsContent
from mailkit.testing.at_once import at_once
from tests.services.imap.client import Client
from tests.services.imap.world import ALICE, World

SESSIONS = 12
MESSAGES = 10_000
KIB = 1024


def taken(world: World, comes_between: bool) -> float:
    """Octets a session that has INBOX selected and waits; what comes, comes before."""
    clients = [waiting(world)]  # has what all of them share
    gc.collect()
    tracemalloc.start()
    for _ in range(SESSIONS):
        if comes_between:
            world.deliver(b"Subject: another\r\n\r\n")
        clients.append(waiting(world))
    gc.collect()
    octets, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return octets / SESSIONS


def waiting(world: World) -> Client:
    client = Client(world)
    client.login()
    client.say("s SELECT INBOX")
    client.say("i IDLE")
    client.heard()
    return client


def filled(count: int) -> World:
    world = World(settings=IMAPSettings())
    box = at_once(world.store.open(ALICE, INBOX))
    letter = NewMessage(OctetsContent(b"\r\n"), frozenset(), None)
    at_once(box.append([letter] * count))
    first = Client(world)  # who takes what is recent
    first.login()
    first.say("s SELECT INBOX")
    first.leave()
    return world


@pytest.mark.parametrize("comes_between", [False, True])
def test_a_further_ten_thousand_messages(comes_between: bool) -> None:
    few, many = filled(100), filled(100 + MESSAGES)
    with_few, with_many = taken(few, comes_between), taken(many, comes_between)
    assert with_few < 40 * KIB
    further = with_many - with_few
    # Those who know the same share it; who knows another state has its own UIDs.
    assert further < (45 * KIB if comes_between else 1 * KIB)
    few.close()
    many.close()
