"""Notices within a process and between processes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading

from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads, IReactorTime
from twisted.trial.unittest import TestCase

from mailkit.interfaces.notices import INoticeBoard
from mailkit.storage.state.board import SocketBoard
from mailkit.storage.state.local import LocalBoard
from mailkit.testing.contracts.messages import coroutine
from mailkit.testing.contracts.noticeboard import NoticeBoardContract

reactor = IReactorFromThreads(the_reactor)


async def turns() -> None:
    """Let the reactor look at its sockets and calls."""
    for _ in range(5):
        turn: Deferred[None] = Deferred()
        IReactorTime(the_reactor).callLater(0, turn.callback, None)
        await turn


class LocalBoardTests(NoticeBoardContract, TestCase):
    """One process."""

    def make_boards(self) -> tuple[INoticeBoard, INoticeBoard]:
        board = LocalBoard(reactor)
        return board, board

    async def settle(self) -> None:
        await turns()

    @coroutine
    async def test_the_same_notice_is_heard_once(self) -> None:
        self.board.hear("directory", self.heard.append)
        for _ in range(10):
            self.board.publish("directory", "x")
        self.board.publish("directory", "y")
        await self.settle()
        assert self.heard == ["x", "y"]

    @coroutine
    async def test_whoever_raises_is_logged_and_the_others_hear(self) -> None:
        def fail(text: str) -> None:
            raise ZeroDivisionError

        for hear in (fail, self.heard.append, fail, self.heard.append):
            self.board.hear("directory", hear)
        self.board.publish("directory", "x")
        await self.settle()
        assert self.heard == ["x", "x"]
        assert len(self.flushLoggedErrors(ZeroDivisionError)) == 2

    @coroutine
    async def test_threads_may_publish(self) -> None:
        hearers: list[threading.Thread] = []
        self.board.hear("x", lambda text: hearers.append(threading.current_thread()))
        thread = threading.Thread(target=self.board.publish, args=("x",))
        thread.start()
        thread.join()
        await self.settle()
        assert hearers == [threading.main_thread()]


class SocketBoardTests(NoticeBoardContract, TestCase):
    """Two boards as two processes have them."""

    def make_boards(self) -> tuple[INoticeBoard, INoticeBoard]:
        self.folder = self.mktemp()
        self.boards = (
            SocketBoard(self.folder, reactor),
            SocketBoard(self.folder, reactor),
        )
        return self.boards

    async def settle(self) -> None:
        await turns()

    async def close_boards(self) -> None:
        for board in self.boards:
            board.close()
            board.close()
            board.publish("directory", "after all")
        assert os.listdir(self.folder) == []

    @coroutine
    async def test_a_socket_that_nobody_reads_is_swept_away(self) -> None:
        os.chdir(self.folder)
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as dead:
                dead.bind("notices.1.dead")
        finally:
            os.chdir(self.before)
        self.board.publish("directory")
        assert os.listdir(self.folder) == []

    def setUp(self) -> None:
        self.before = os.getcwd()
        super().setUp()

    @coroutine
    async def test_a_socket_that_went_by_itself_is_forgotten(self) -> None:
        self.other.hear("directory", self.heard.append)
        self.board.publish("directory", "one")
        await self.settle()
        self.boards[1].close()
        self.board.publish("directory", "two")
        await self.settle()
        assert self.heard == ["one"]

    @coroutine
    async def test_a_receiver_that_is_too_busy_loses_notices_and_no_time(self) -> None:
        self.other.hear("directory", self.heard.append)
        for n in range(5000):
            self.board.publish("directory", str(n))
        await self.settle()
        assert 0 < len(self.heard) < 5000

    @coroutine
    async def test_a_folder_that_is_gone(self) -> None:
        self.board.hear("directory", self.heard.append)
        os.unlink(os.path.join(self.folder, os.listdir(self.folder)[0]))
        os.rmdir(self.folder)
        self.board.publish("directory", "x")
        await self.settle()
        assert self.heard == ["x"]
        os.mkdir(self.folder)

    @coroutine
    async def test_short_paths_are_used_as_they_are(self) -> None:
        folder = os.path.relpath(self.folder)
        os.chdir(os.path.dirname(self.folder))
        try:
            board = SocketBoard(os.path.basename(self.folder), reactor)
            board.hear("directory", self.heard.append)
            self.board.publish("directory", "x")
            await self.settle()
            board.close()
        finally:
            os.chdir(self.before)
        assert (self.heard, os.listdir(folder)) == (["x"], [])

    @coroutine
    async def test_another_process_is_heard(self) -> None:
        self.board.hear("directory", self.heard.append)
        program = (
            "import sys\n"
            "from twisted.internet import reactor\n"
            "from mailkit.storage.state.board import SocketBoard\n"
            "SocketBoard(sys.argv[1], reactor).publish('directory', 'from afar')\n"
        )
        subprocess.run([sys.executable, "-c", program, self.folder], check=True)
        await self.settle()
        assert self.heard == ["from afar"]
