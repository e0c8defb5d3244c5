"""Where servers are named, and what is remembered of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mailkit.net.resolver.servers import (
    MOST_SERVERS,
    PLAIN,
    REST,
    Habits,
    Server,
    SystemServers,
    parse_server,
    read_resolv_conf,
)
from mailkit.net.resolver.settings import DNSSettings
from mailkit.testing.clock import TestClock

HERE, THERE = Server("127.0.0.1"), Server("192.0.2.1")


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("192.0.2.1", Server("192.0.2.1", 53)),
        ("127.0.0.1:5353", Server("127.0.0.1", 5353)),
        ("2001:DB8::1", Server("2001:db8::1", 53)),
        ("[::1]", Server("::1", 53)),
        ("[::1]:5353", Server("::1", 5353)),
        ("fe80::1%eth0", Server("fe80::1%eth0", 53)),
    ],
)
def test_servers_as_written(text: str, server: Server) -> None:
    assert parse_server(text) == server
    assert parse_server(str(server)) == server


@pytest.mark.parametrize(
    "text",
    ["", "dns.example", "192.0.2.1:", ":53", "[::1]53", "192.0.2.1:0", "1.2.3.4:65536"],
)
def test_what_is_no_server(text: str) -> None:
    if text == "192.0.2.1:":
        assert parse_server(text).port == 53
        return
    with pytest.raises(ValueError, match="expects a server"):
        DNSSettings(servers=(text,))


def test_local_ones() -> None:
    assert HERE.is_local
    assert Server("127.8.8.8", 5353).is_local
    assert Server("::1").is_local
    assert not THERE.is_local
    assert not Server("fe80::1%lo").is_local


def test_resolv_conf_is_read_again_when_it_changed(tmp_path: Path) -> None:
    path = tmp_path / "resolv.conf"
    servers = SystemServers(str(path))
    assert servers() == (Server("127.0.0.1"),)
    path.write_text("# x\nsearch a.test\nnameserver 192.0.2.1\nnameserver\n")
    assert servers() == (THERE,)
    path.write_text("nameserver oh.no\nnameserver ::1\n")
    os.utime(path, (1, 1))
    assert servers() == (Server("::1"),)
    path.unlink()
    assert servers() == (Server("127.0.0.1"),)


def test_no_more_than_some() -> None:
    text = "".join(f"nameserver 192.0.2.{n}\n" for n in range(50))
    assert len(read_resolv_conf(text)) == MOST_SERVERS


def test_silent_ones_come_last_for_a_while() -> None:
    clock = TestClock()
    habits = Habits(clock.seconds)
    habits.was_silent(HERE)
    assert habits.ordered((HERE, THERE)) == [THERE, HERE]
    habits.answered(HERE)
    assert habits.ordered((HERE, THERE)) == [HERE, THERE]
    habits.was_silent(HERE)
    clock.advance(REST)
    assert habits.ordered((HERE, THERE)) == [HERE, THERE]


def test_what_servers_cannot_do_is_remembered_for_a_while() -> None:
    clock = TestClock()
    habits = Habits(clock.seconds)
    habits.has_no_edns(HERE)
    habits.keeps_no_case(THERE)
    assert (habits.knows_edns(HERE), habits.keeps_case(HERE)) == (False, True)
    assert (habits.knows_edns(THERE), habits.keeps_case(THERE)) == (True, False)
    clock.advance(PLAIN)
    assert habits.knows_edns(HERE)
    assert habits.keeps_case(THERE)


def test_memory_of_servers_is_bounded() -> None:
    habits = Habits(TestClock().seconds)
    for number in range(1, 1000):
        habits.has_no_edns(Server("127.0.0.1", number))
    assert len(habits._plain) <= 4 * MOST_SERVERS
