"""What a worker and its parent say to each other."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from twisted.internet.testing import StringTransport

from mailkit.app.tie import Tie, Word, adopt, hear, say


def test_words_arrive_as_they_were_said() -> None:
    one, two = socket.socketpair()
    with one, two:
        long = {"text": "ä" * 30_000}
        say(one, {"number": 1})
        say(one, long)
        assert hear(two) == {"number": 1}
        assert hear(two) == long


@pytest.mark.parametrize("begun", [b"", b"\0\0", b"\0\0\0\5{"])
def test_nothing_more_is_heard_of_who_is_gone(begun: bytes) -> None:
    one, two = socket.socketpair()
    with two:
        one.sendall(begun)
        one.close()
        assert hear(two) is None


def test_nothing_more_is_heard_of_who_was_killed() -> None:
    one, two = socket.socketpair()
    with two:
        two.sendall(b"never read")  # so that the end is a reset
        one.close()
        assert hear(two) is None


def test_silence_is_waited_for_only_so_long() -> None:
    one, two = socket.socketpair()
    with one, two:
        two.settimeout(0.001)
        with pytest.raises(TimeoutError):
            hear(two)


def test_once_the_reactor_runs() -> None:
    heard: list[Word] = []
    ended: list[str] = []
    tie = Tie(heard.append, lambda: ended.append("end"))
    tie.say({"too": "early"})
    transport = StringTransport()

    class Reactor:
        def adoptStreamConnection(self, fd: int, family: int, factory: Any) -> None:
            assert (fd, family) == (there, socket.AF_UNIX)
            factory.buildProtocol(None).makeConnection(transport)

    one, two = socket.socketpair()
    there = two.fileno()
    adopt(tie, two, Reactor())
    assert two.fileno() == -1
    tie.say({"a": 1})
    tie.dataReceived(transport.value() * 2)
    assert heard == [{"a": 1}, {"a": 1}]
    transport.clear()
    tie.connectionLost()
    assert ended == ["end"]
    tie.say({"too": "late"})
    assert transport.value() == b""
    one.close()
