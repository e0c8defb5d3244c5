"""Every sort of route has an end."""

from __future__ import annotations

from pathlib import Path

import pytest
from zope.interface.verify import verifyObject

from mailkit.app.routes import EndMaker
from mailkit.app.settings import Settings
from mailkit.errors import Unavailable, Unreachable
from mailkit.interfaces.queue import IRouteEnd
from mailkit.model.target import Target, ToMailbox, ToMX
from mailkit.services.queue.hosts import opportunistic
from mailkit.services.routes.route import kind_of
from mailkit.storage.content import OctetsContent
from mailkit.storage.memory.directory import MemoryDirectory
from mailkit.storage.memory.store import MemoryStore
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import TestClock
from mailkit.testing.dns import DictResolver
from mailkit.testing.lanes import DirectLanes
from tests.net.relay.world import item
from tests.services.routes.test_byrelay import Relay
from tests.services.routes.test_settings import GOOD

RESOLVER = DictResolver("""
    sink.test. MX 10 mx.sink.test.
    mx.sink.test. A 10.0.0.1
""")
FINAL = {"lmtp", "mailbox", "maildir", "redis", "http", "pipe", "error"}


def maker(relay: Relay) -> EndMaker:
    store = MemoryStore()
    return EndMaker(
        Settings(hostname="mail.example.org"),
        TestClock(),
        DirectLanes(),
        MemoryDirectory(lambda: 0.0),
        relay,
        RESOLVER,
        opportunistic,
        lambda: store,
    )


@pytest.mark.parametrize("target", [target for _, target in GOOD])
def test_ends(target: Target) -> None:
    end = maker(Relay([])).make(target)
    verifyObject(IRouteEnd, end)
    assert end.is_final is (kind_of(target) in FINAL)


def test_quotas_are_known_to_all_of_a_server() -> None:
    made = maker(Relay([]))
    [target] = [one for _, one in GOOD if isinstance(one, ToMailbox)][:1]
    made.make(target)
    known = made._quotas
    made.make(target)
    assert known is not None
    assert made._quotas is known


def test_hosts_that_stand_inside() -> None:
    relay = Relay([])
    end = maker(relay).make(ToMX(is_inward=True))
    with pytest.raises(Unreachable, match=r"10\.0\.0\.1 is away"):
        at_once(end.carry(item(), OctetsContent(b"")))
    assert [(one.name, one.port) for one in relay.asked] == [("mx.sink.test", 25)]


def test_the_first_line_of_a_file(tmp_path: Path) -> None:
    made = maker(Relay([]))
    (tmp_path / "secret").write_bytes(b"one\r\ntwo\n")
    assert at_once(made.first_line(str(tmp_path / "secret"))) == "one"
    with pytest.raises(Unavailable, match="cannot be read"):
        at_once(made.first_line(str(tmp_path / "nothing")))
    (tmp_path / "odd").write_bytes(b"\xff")
    with pytest.raises(Unavailable, match="cannot be read"):
        at_once(made.first_line(str(tmp_path / "odd")))
