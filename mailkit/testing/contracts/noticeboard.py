"""What every `INoticeBoard` has to do."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from zope.interface.verify import verifyObject

from mailkit.interfaces.notices import INoticeBoard
from mailkit.interfaces.storage import IWatch
from mailkit.testing.contracts.messages import coroutine


class NoticeBoardContract:
    """Whoever hears a topic hears what is published on it."""

    board: INoticeBoard
    other: INoticeBoard

    def make_boards(self) -> tuple[INoticeBoard, INoticeBoard]:
        """Two boards that hear each other; for one process alone, the same twice."""
        raise NotImplementedError

    async def settle(self) -> None:
        """Wait until what was published has been heard."""

    async def close_boards(self) -> None:
        """Let go of what `make_boards` took."""

    def setUp(self) -> None:
        self.board, self.other = self.make_boards()
        self.heard: list[str] = []

    def tearDown(self) -> Any:  # Any: trial takes a Deferred, its annotation None
        return Deferred.fromCoroutine(self.close_boards())

    @coroutine
    async def test_it_provides_the_interface(self) -> None:
        verifyObject(INoticeBoard, self.board)

    @coroutine
    async def test_notices_are_heard_by_topic(self) -> None:
        self.board.hear("mail:alice", self.heard.append)
        self.board.publish("mail:alice", "INBOX")
        self.board.publish("mail:bob", "Sent")
        await self.settle()
        assert self.heard == ["INBOX"]

    @coroutine
    async def test_everybody_hears(self) -> None:
        self.board.hear("directory", self.heard.append)
        self.board.hear("directory", self.heard.append)
        self.other.hear("directory", self.heard.append)
        self.board.publish("directory")
        await self.settle()
        assert self.heard == ["", "", ""]

    @coroutine
    async def test_the_other_board_is_heard_too(self) -> None:
        self.board.hear("mail:alice", self.heard.append)
        self.other.publish("mail:alice", "日本語")
        await self.settle()
        assert self.heard == ["日本語"]

    @coroutine
    async def test_whoever_stopped_hears_no_more(self) -> None:
        watch = self.board.hear("directory", self.heard.append)
        self.board.hear("directory", lambda text: self.heard.append("second"))
        watch.stop()
        watch.stop()
        self.board.publish("directory", "first")
        await self.settle()
        assert self.heard == ["second"]

    @coroutine
    async def test_stopping_while_hearing(self) -> None:
        watches = [
            self.board.hear("directory", lambda text: self.hear_and_stop(watches))
            for _ in range(2)
        ]
        self.board.publish("directory")
        await self.settle()
        assert len(self.heard) == 1

    def hear_and_stop(self, watches: list[IWatch]) -> None:
        self.heard.append("")
        for watch in watches:
            watch.stop()

    @coroutine
    async def test_publishing_while_hearing(self) -> None:
        self.board.hear("first", lambda text: self.board.publish("second", text))
        self.board.hear("second", self.heard.append)
        self.board.publish("first", "x")
        await self.settle()
        await self.settle()
        assert self.heard == ["x"]

    @coroutine
    async def test_nobody_hears_and_nothing_is_raised(self) -> None:
        self.board.publish("directory", "x" * 1_000_000)
        self.other.publish("", "")
        await self.settle()
