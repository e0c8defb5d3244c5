"""Networks, neighbourhoods and counting."""

from __future__ import annotations

import ipaddress
import os

import pytest

from mailkit.errors import Busy
from mailkit.net.door import LOOPBACK, Door, DoorSettings, is_within, neighbourhood
from mailkit.storage.state.counts import SharedCounts, make_memory


@pytest.mark.parametrize(
    ("host", "inside"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("fe80::1%eth0", False),
        ("192.0.2.1", False),
        ("unix", False),
        ("", False),
    ],
)
def test_loopback(host: str, inside: bool) -> None:
    assert is_within(host, LOOPBACK) is inside


@pytest.mark.parametrize(
    ("host", "peer"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("not:an:address", "not:an:address"),
    ],
)
def test_neighbourhood(host: str, peer: str) -> None:
    assert neighbourhood(host) == peer


def test_one_network_is_one_peer() -> None:
    """A /64 is one household, so its addresses share the limit."""
    door = Door(DoorSettings(connections_per_peer=1))
    door.enter("2001:db8::1")
    with pytest.raises(Busy):
        door.enter("2001:db8::2")
    door.enter("2001:db8:0:1::1")
    door.leave("2001:db8::1")
    door.enter("2001:db8::2")


def test_proxies() -> None:
    door = Door(DoorSettings(trusted_proxies=(ipaddress.ip_network("10.0.0.0/8"),)))
    assert door.trusts("10.1.2.3")
    assert not door.trusts("192.0.2.1")


def test_what_other_processes_let_in_is_counted() -> None:
    descriptor = make_memory(2)
    settings = DoorSettings(connections=5, connections_per_peer=2)
    one, two = (
        Door(settings, SharedCounts(descriptor, 2, number)) for number in (1, 2)
    )
    os.close(descriptor)
    one.enter("192.0.2.1")
    two.enter("192.0.2.1")
    for door in (one, two):
        with pytest.raises(Busy, match="from your address"):
            door.enter("192.0.2.1")
    one.leave("192.0.2.1")
    two.enter("192.0.2.1")
    for peer in ("192.0.2.2", "192.0.2.3", "192.0.2.4"):
        one.enter(peer)
    with pytest.raises(Busy, match=r"too many connections$"):
        two.enter("192.0.2.5")
