"""What a connection leaves behind when it is over: nothing for the collector."""

from __future__ import annotations

import gc
import weakref

import pytest

from mailkit.services.imap.session import IMAPSession
from tests.services.imap.client import Client
from tests.services.imap.world import World


def session_of(world: World) -> IMAPSession:
    session = world.pumps.pop().session
    assert isinstance(session, IMAPSession)
    return session


@pytest.mark.parametrize("logs_out", [True, False])
def test_all_of_it_goes_by_itself(logs_out: bool) -> None:
    world = World()
    gc.collect()
    gc.disable()
    try:
        client = Client(world)
        session = weakref.ref(session_of(world))
        assert session() is not None
        client.login()
        client.say("s SELECT INBOX")
        client.say("i IDLE")
        client.say("DONE")
        if logs_out:
            client.say("z LOGOUT")
        client.leave()
        del client
        assert session() is None
    finally:
        gc.enable()
    world.close()
