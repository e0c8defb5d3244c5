"""Real threads: who waits for whom, and that nothing is lost on the way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from time import monotonic
from typing import TypeVar

from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase
from zope.interface import implementer

from mailkit.errors import LocalMisuse
from mailkit.interfaces.lanes import ILanes
from mailkit.metrics import Metrics
from mailkit.net.lanes import MOST_IN_A_BATCH, Lanes
from mailkit.testing.contracts.lanes import LanesContract
from mailkit.testing.contracts.messages import coroutine, raises
from mailkit.testing.lanes import DirectLanes

T = TypeVar("T")

start = Deferred.fromCoroutine
reactor = IReactorFromThreads(the_reactor)


def nothing() -> None:
    """Work that is done when it begins."""


class DirectLanesTests(LanesContract, TestCase):
    """The double is held to the same contract."""

    def make_lanes(self) -> ILanes:
        return DirectLanes()


class LanesTests(LanesContract, TestCase):
    """Threads under the contract."""

    def make_lanes(self) -> ILanes:
        return Lanes(reactor)


class OrderTests(TestCase):
    """An account is with the clerk or in its lane."""

    def setUp(self) -> None:
        self.lanes = Lanes(reactor)
        self.log: list[object] = []
        self.addCleanup(lambda: start(self.lanes.close()))

    def note(self, items: list[T]) -> Sequence[BaseException | None]:
        self.log.append(items)
        return [None] * len(items)

    def refuse(self) -> None:
        raise LocalMisuse("as the test wants it")

    def held(self, *lanes: str) -> threading.Event:
        """Lanes whose own work goes on until the event is set."""
        event = threading.Event()
        for lane in lanes:
            self.waiting = start(self.lanes.run(lane, event.wait))
        return event

    @coroutine
    async def test_lanes_run_beside_each_other(self) -> None:
        event = threading.Event()
        waits = start(self.lanes.run("alice", event.wait))
        await self.lanes.run("bob", event.set)
        assert await waits

    @coroutine
    async def test_the_clerk_waits_for_the_lane(self) -> None:
        event = self.held("alice")
        for_alice = start(self.lanes.clerk(["alice"], "for alice", self.note))
        await self.lanes.clerk(["bob"], "for bob", self.note)
        assert self.log == [["for bob"]]
        event.set()
        await for_alice
        assert self.log == [["for bob"], ["for alice"]]

    @coroutine
    async def test_the_lane_waits_for_the_clerk(self) -> None:
        begun, event = threading.Event(), threading.Event()

        def work(items: list[str]) -> Sequence[BaseException | None]:
            begun.set()
            event.wait()
            return self.note(list(items))

        item = start(self.lanes.clerk(["alice"], "item", work))
        await self.lanes.sync(begun.wait)
        run = start(self.lanes.run("alice", lambda: self.log.append("run")))
        await self.lanes.run("bob", lambda: self.log.append("bob"))
        event.set()
        await item
        await run
        assert self.log == ["bob", ["item"], "run"]

    @coroutine
    async def test_what_waits_for_one_work_goes_together(self) -> None:
        event = self.held("alice")
        waiting = [start(self.lanes.clerk(["alice"], n, self.note)) for n in range(3)]
        waiting.append(start(self.lanes.clerk(["alice"], "all", self.count)))
        event.set()
        await DeferredList(waiting, fireOnOneErrback=True)
        assert self.log == [[0, 1, 2], 1]

    def count(self, items: list[T]) -> Sequence[BaseException | None]:
        self.log.append(len(items))
        return [None] * len(items)

    @coroutine
    async def test_lane_and_clerk_take_turns(self) -> None:
        event = self.held("alice")
        runs = [
            start(self.lanes.run("alice", partial(self.log.append, n)))
            for n in range(2)
        ]
        item = start(self.lanes.clerk(["alice"], "item", self.note))
        event.set()
        await DeferredList([item, *runs], fireOnOneErrback=True)
        assert self.log == [["item"], 0, 1]

    @coroutine
    async def test_what_waits_for_a_lane_is_done_in_a_row_and_told_together(
        self,
    ) -> None:
        begun, event = threading.Event(), threading.Event()
        threads: list[str] = []

        def wait() -> None:
            begun.set()
            event.wait()

        def name() -> None:
            threads.append(threading.current_thread().name)

        runs = [start(self.lanes.run("alice", wait))]
        runs += [start(self.lanes.run("alice", name)) for _ in range(3)]
        broken = start(self.lanes.run("alice", self.refuse))
        runs.append(start(self.lanes.run("alice", name)))
        await self.lanes.sync(begun.wait)
        assert not threads
        event.set()
        await raises(LocalMisuse, broken)
        await DeferredList(runs, fireOnOneErrback=True)
        assert len(threads) == 4
        assert len(set(threads)) == 1

    @coroutine
    async def test_a_lane_leaves_its_thread_to_those_who_wait_for_one(self) -> None:
        self.lanes = Lanes(reactor, lane_threads=1)
        event = self.held("alice")
        runs = [
            start(self.lanes.run(lane, partial(self.log.append, (lane, n))))
            for lane in ("alice", "bob")
            for n in range(2)
        ]
        event.set()
        await DeferredList(runs, fireOnOneErrback=True)
        assert self.log == [("bob", 0), ("alice", 0), ("bob", 1), ("alice", 1)]

    @coroutine
    async def test_an_item_of_two_lanes_waits_for_both_and_is_not_overtaken(
        self,
    ) -> None:
        alice, bob = self.held("alice"), self.held("bob")
        both = start(self.lanes.clerk(["alice", "bob"], "both", self.note))
        later = start(self.lanes.clerk(["alice"], "later", self.note))
        run = start(self.lanes.run("alice", lambda: self.log.append("run")))
        alice.set()
        await self.lanes.clerk(["carol"], "other", self.note)
        assert self.log == [["other"]]
        bob.set()
        await DeferredList([both, later, run], fireOnOneErrback=True)
        assert self.log == [["other"], ["both", "later"], "run"]

    @coroutine
    async def test_what_waits_for_a_lane_holds_nobody_up_who_was_begun(self) -> None:
        event = self.held("alice")
        for_alice = start(self.lanes.clerk(["alice"], "alice", self.note, nothing))
        for name in ("bob", "carol"):
            await self.lanes.clerk([name], name, self.note, nothing)
        assert self.log == [["bob"], ["carol"]]
        event.set()
        await for_alice
        assert self.log == [["bob"], ["carol"], ["alice"]]

    @coroutine
    async def test_batches_have_an_end(self) -> None:
        event = self.held("alice")
        items = range(MOST_IN_A_BATCH + 1)
        waiting = [start(self.lanes.clerk(["alice"], n, self.count)) for n in items]
        event.set()
        await DeferredList(waiting, fireOnOneErrback=True)
        assert self.log == [MOST_IN_A_BATCH, 1]

    @coroutine
    async def test_a_wrong_number_of_results_is_a_misuse(self) -> None:
        await raises(LocalMisuse, self.lanes.clerk(["alice"], 1, lambda items: []))

    @coroutine
    async def test_closing_finishes_what_has_begun(self) -> None:
        before = set(threading.enumerate())
        event = self.held("alice")
        waits = start(self.lanes.run("alice", lambda: self.log.append("waited")))
        item = start(self.lanes.clerk(["alice"], "item", self.note))
        closed = start(self.lanes.close())
        await raises(LocalMisuse, self.lanes.run("bob", nothing))
        assert not closed.called
        event.set()
        await closed
        await DeferredList([waits, item], fireOnOneErrback=True)
        assert self.log == [["item"], "waited"]
        mine = ("lane ", "sync ", "hash ", "clerk")
        left = set(threading.enumerate()) - before
        assert not [t for t in left if t.name.startswith(mine)]

    @coroutine
    async def test_whoever_stops_waiting_stops_no_work(self) -> None:
        event = self.held("alice")
        waits = start(self.lanes.run("alice", lambda: self.log.append("done")))
        waits.addErrback(lambda failure: None)
        waits.cancel()
        event.set()
        await self.lanes.run("alice", nothing)
        assert self.log == ["done"]

    @coroutine
    async def test_no_more_threads_than_allowed(self) -> None:
        lanes = Lanes(reactor, hash_threads=2)
        names: set[str] = set()
        barrier = threading.Barrier(2)

        def work() -> None:
            names.add(threading.current_thread().name)
            barrier.wait()

        waiting = [start(lanes.hash(work)) for _ in range(20)]
        await DeferredList(waiting, fireOnOneErrback=True)
        assert names == {"hash 1", "hash 2"}
        await lanes.close()

    @coroutine
    async def test_long_drains_leave_the_reactor_its_turns(self) -> None:
        calls: list[object] = []

        @implementer(IReactorFromThreads)
        class Counting(Clock):
            def callFromThread(
                self, callable: Callable[..., object], *args: object, **kwargs: object
            ) -> None:
                calls.append(callable)
                reactor.callFromThread(callable, *args, **kwargs)

        lanes = Lanes(Counting())
        event = threading.Event()

        async def slow() -> None:
            await lanes.run("alice", event.wait)
            end = monotonic() + 0.006
            while monotonic() < end:
                pass

        waiting = [start(slow()) for _ in range(4)]
        event.set()
        await DeferredList(waiting, fireOnOneErrback=True)
        assert len(calls) >= 4
        await lanes.close()

    @coroutine
    async def test_metrics_count_what_was_done(self) -> None:
        metrics = Metrics()
        lanes = Lanes(reactor, metrics)
        await lanes.run("alice", nothing)
        await lanes.clerk(["alice"], 1, self.note)
        await lanes.close()
        value = metrics.registry.get_sample_value
        assert value("mailkit_lane_seconds_count", {"kind": "lane"}) == 1
        assert value("mailkit_lane_waiting", {"kind": "clerk"}) == 0
        assert value("mailkit_clerk_batch_count") == 1
