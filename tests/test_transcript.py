"""The replay of written dialogues itself: what it accepts, and that it can fail."""

from __future__ import annotations

import pytest
from twisted.internet.protocol import Protocol

from tests.transcript import by_octet, read, replay, whole


class Echo(Protocol):
    """Says each line again, numbered; ``bye`` ends it, a bare LF is shown."""

    def __init__(self) -> None:
        self.came = b""
        self.count = 0

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.write(b"hello\r\n")

    def dataReceived(self, data: bytes) -> None:
        assert self.transport is not None
        self.came += data
        while b"\r\n" in self.came:
            line, _, self.came = self.came.partition(b"\r\n")
            self.count += 1
            self.transport.write(b"%d %s\r\n" % (self.count, line))
            if line == b"bye":
                self.transport.loseConnection()


@pytest.mark.parametrize("feed", [whole, by_octet])
@pytest.mark.parametrize(
    "script",
    [
        "S: hello\nC: a\nC: b\nS: 1 a\nS: 2 b",
        "# said\n\nS: hello\nC= a\\nb\\x00\\\\\\r\\n\nS= 1 a\\nb\\0\\\\\\r\\n",
        "S: hel{*}\nC: a\nS: {*n} a\nC: {=n}!\nS: 2 {=n}!",
        "S: hello\nC: bye\nS: 1 bye\n-- closed",
        "S: hello\nC2: x\nS2: hello\nS2: 1 x\nC: y\nS: 1 y\n-- leave 2",
        "S: hello\nC: \nS= 1 \\r\\n",
        "S: hello\n-- only whole\nC: a\nS: 1 a",
    ],
)
def test_goes_as_written(script: str, feed: object) -> None:
    replay(script, Echo, whole if feed is whole else by_octet)


@pytest.mark.parametrize(
    "script",
    [
        "S: hallo\nC: a\nS: 1 a",
        "S: hello\nC: a\nS: 1 a\nS: 2 b",
        "S: hello\nC: a\nC: b\nS: 1 a",
        "S: hello\nC: a",
        "S: hello\nC: bye\nS: 1 bye",
        "S: hello\nC: a\nS: 1 a\n-- closed",
        "S: {*n}o\nC: a\nS: 1 {=n}",
    ],
)
def test_goes_otherwise(script: str) -> None:
    with pytest.raises(AssertionError, match="goes otherwise"):
        replay(script, Echo)


def test_actions_are_the_tests() -> None:
    seen: list[str] = []
    replay("S: hello\n-- wait 5 s", Echo, actions={"wait": seen.append})
    assert seen == ["5 s"]


@pytest.mark.parametrize("line", ["X: a", "C a", "C:a", "--", "S"])
def test_an_unknown_line_is_an_error(line: str) -> None:
    with pytest.raises(ValueError, match="not a line"):
        read(line)
