"""The queue on disk and the one in memory keep one contract."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.trial.unittest import TestCase

from mailkit.interfaces.queue import IQueueStore
from mailkit.net.lanes import Lanes
from mailkit.storage.memory.queue import MemoryQueue
from mailkit.storage.queue.store import QueueStore
from mailkit.storage.state.local import LocalBoard
from mailkit.testing.clock import TestClock
from mailkit.testing.contracts.queue import QueueContract
from mailkit.testing.lanes import DirectLanes

reactor = IReactorFromThreads(the_reactor)


class MemoryQueueTests(QueueContract, TestCase):
    """In memory."""

    def make_store(self) -> IQueueStore:
        clock = TestClock()
        return MemoryQueue(LocalBoard(clock), clock.seconds)


class QueueStoreTests(QueueContract, TestCase):
    """On disk, all in one thread."""

    def make_store(self) -> IQueueStore:
        clock = TestClock()
        data = Path(self.mktemp())
        return QueueStore(data, DirectLanes(), LocalBoard(clock), clock)


class ThreadedQueueTests(QueueContract, TestCase):
    """On disk, with the threads of a server."""

    def make_store(self) -> IQueueStore:
        self.clock = TestClock()
        self.lanes = Lanes(reactor)
        board = LocalBoard(reactor)
        return QueueStore(Path(self.mktemp()), self.lanes, board, self.clock)

    def tearDown(self) -> Any:  # Any: trial takes a Deferred, its annotation None
        async def end() -> None:
            await self.store.close()
            await self.lanes.close()

        return Deferred.fromCoroutine(end())

    async def settle(self) -> None:
        # What the board asked of the reactor comes before what we ask of it now.
        for _ in range(2):
            done: Deferred[None] = Deferred()
            reactor.callFromThread(done.callback, None)
            await done
