"""Messages on their way in."""

from __future__ import annotations

import os
import threading
from io import FileIO
from typing import IO, cast

from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.trial.unittest import TestCase

from mailkit.errors import LocalMisuse, StorageBroken, StorageFull
from mailkit.interfaces.storage import ISpool
from mailkit.net.lanes import Lanes
from mailkit.storage.memory.spool import MemorySpool
from mailkit.storage.spool import IN_MEMORY, Spool, free_share
from mailkit.testing.clock import TestClock
from mailkit.testing.contracts.messages import coroutine, raises
from mailkit.testing.contracts.spool import SpoolContract
from mailkit.testing.lanes import DirectLanes


class MemorySpoolTests(SpoolContract, TestCase):
    """Without a disk."""

    def make_spool(self) -> ISpool:
        return MemorySpool()

    def test_a_full_spool_takes_nothing(self) -> None:
        spool = MemorySpool(is_full=True)
        self.assertRaises(StorageFull, spool.begin)


class SpoolTests(SpoolContract, TestCase):
    """With one, and with threads."""

    def make_spool(self) -> ISpool:
        self.lanes = Lanes(IReactorFromThreads(the_reactor))
        self.folder = self.mktemp()
        return Spool(self.folder, self.lanes, lambda folder: 1.0)

    async def close_spool(self) -> None:
        await self.lanes.close()
        assert os.listdir(self.folder) == []


class DiskTests(TestCase):
    """What a disk can do to a spool."""

    def setUp(self) -> None:
        self.clock = TestClock()
        self.free = 1.0
        self.asked = 0
        self.lanes = Lanes(IReactorFromThreads(the_reactor))
        self.spool = Spool(self.mktemp(), self.lanes, self.measure, self.clock.seconds)
        self.addCleanup(lambda: Deferred.fromCoroutine(self.lanes.close()))

    def measure(self, folder: str) -> float:
        self.asked += 1
        return self.free

    def test_the_disk_is_asked_once_a_second(self) -> None:
        spool = Spool(self.mktemp(), DirectLanes(), self.measure, self.clock.seconds)
        for _ in range(5):
            spool.begin()
        assert self.asked == 1
        self.free = 0.049
        spool.begin()
        self.clock.advance(1)
        self.assertRaises(StorageFull, spool.begin)
        self.assertRaises(StorageFull, spool.begin)
        self.free = 0.05
        self.clock.advance(1)
        spool.begin()
        assert self.asked == 3

    @coroutine
    async def test_nobody_waits_for_a_slow_disk(self) -> None:
        """It is asked in a thread, and the last answer holds meanwhile."""
        go = threading.Event()
        asking: list[threading.Thread] = []

        def slow(folder: str) -> float:
            asking.append(threading.current_thread())
            go.wait(60)
            return 0.0

        spool = Spool(self.mktemp(), self.lanes, slow, self.clock.seconds)
        spool.begin()
        spool.begin()
        go.set()
        await self.lanes.close()
        assert threading.main_thread() not in asking
        assert len(asking) == 1
        self.assertRaises(StorageFull, spool.begin)

    def test_a_full_disk_is_asked_before_anybody_is_refused(self) -> None:
        """There may be room by now."""
        self.free = 0.0
        spool = Spool(self.mktemp(), DirectLanes(), self.measure, self.clock.seconds)
        self.assertRaises(StorageFull, spool.begin)
        self.free = 1.0
        self.clock.advance(3600)
        spool.begin()

    @coroutine
    async def test_large_files_are_closed_in_a_thread(self) -> None:
        """What they took on the disk is given back then."""
        closing: list[threading.Thread] = []

        class Noting(FileIO):
            def close(self) -> None:
                closing.append(threading.current_thread())
                super().close()

        class Kept(Spool):
            def make_file(self) -> IO[bytes]:
                return cast(IO[bytes], Noting(os.memfd_create("large"), "r+b"))

        file = Kept(self.mktemp(), self.lanes, self.measure).begin()
        await file.write(b"x" * (IN_MEMORY + 1))
        await file.finish()
        file.discard()
        file.discard()
        await self.lanes.close()
        assert len(closing) == 1
        assert threading.main_thread() not in closing

    @coroutine
    async def test_what_is_left_when_all_is_over_is_closed_all_the_same(self) -> None:
        made: list[IO[bytes]] = []

        class Kept(Spool):
            def make_file(self) -> IO[bytes]:
                made.append(super().make_file())
                return made[0]

        file = Kept(self.mktemp(), self.lanes, self.measure).begin()
        await file.write(b"x" * (IN_MEMORY + 1))
        await self.lanes.close()
        file.discard()
        assert made[0].closed
        assert len(self.flushLoggedErrors(LocalMisuse)) == 0

    @coroutine
    async def test_a_large_message_asks_again(self) -> None:
        file = self.spool.begin()
        self.free = 0.0
        self.clock.advance(2)
        await file.write(b"x" * IN_MEMORY)
        await raises(StorageFull, file.write(b"x"))
        file.discard()

    def test_a_real_disk_has_a_share_that_is_free(self) -> None:
        assert 0 <= free_share(".") <= 1

    @coroutine
    async def test_errors_of_the_disk_are_told_as_ours(self) -> None:
        folder = self.mktemp()
        spool = Spool(folder, DirectLanes(), lambda folder: 1.0)
        os.rmdir(folder)
        await raises(StorageBroken, spool.begin().write(b"x" * (IN_MEMORY + 1)))
        spool = Spool(folder, DirectLanes())
        os.rmdir(folder)
        self.assertRaises(StorageBroken, spool.begin)
        self.assertRaises(StorageBroken, spool.begin)

    @coroutine
    async def test_discarded_while_a_thread_writes(self) -> None:
        """The peer left; the file is closed when the thread is through."""
        begun, go = threading.Event(), threading.Event()
        made: list[IO[bytes]] = []

        class Slow(Spool):
            def make_file(self) -> IO[bytes]:
                begun.set()
                go.wait(60)
                made.append(super().make_file())
                return made[0]

        slow = Slow(self.mktemp(), self.lanes, self.measure)
        file = slow.begin()
        writing = Deferred.fromCoroutine(file.write(b"x" * (IN_MEMORY + 1)))
        await self.lanes.sync(begun.wait)
        file.discard()
        go.set()
        failure = await self.failureResultLater(writing)
        assert failure is LocalMisuse
        await self.lanes.close()
        assert made[0].closed

    async def failureResultLater(
        self, deferred: Deferred[None]
    ) -> type[BaseException] | None:
        try:
            await deferred
        except LocalMisuse as error:
            return type(error)
        return None

    @coroutine
    async def test_discarded_while_a_thread_reads(self) -> None:
        file = self.spool.begin()
        await file.write(b"x" * (IN_MEMORY + 1))
        content = await file.finish()
        reading = Deferred.fromCoroutine(content.read(0, content.size))
        file.discard()
        assert await reading == b"x" * (IN_MEMORY + 1)
        await raises(LocalMisuse, content.read(0, 1))
