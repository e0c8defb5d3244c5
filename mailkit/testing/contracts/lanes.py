"""What every `ILanes` has to do."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred, DeferredList
from zope.interface.verify import verifyObject

from mailkit.errors import LocalMisuse, StorageFull
from mailkit.interfaces.lanes import ILanes
from mailkit.testing.contracts.messages import coroutine, raises


class LanesContract:
    """Results, errors and order, whatever the threads."""

    lanes: ILanes

    def make_lanes(self) -> ILanes:
        """New lanes that nobody uses."""
        raise NotImplementedError

    def setUp(self) -> None:
        self.lanes = self.make_lanes()

    def tearDown(self) -> Any:  # Any: trial takes a Deferred, its annotation None
        return Deferred.fromCoroutine(self.lanes.close())

    @coroutine
    async def test_it_provides_the_interface(self) -> None:
        verifyObject(ILanes, self.lanes)

    @coroutine
    async def test_what_work_returns_comes_back(self) -> None:
        assert await self.lanes.run("alice", lambda: 1) == 1
        assert await self.lanes.sync(lambda: 2) == 2
        assert await self.lanes.hash(lambda: 3) == 3

    @coroutine
    async def test_what_work_raises_comes_back(self) -> None:
        def fail() -> None:
            raise StorageFull

        await raises(StorageFull, self.lanes.run("alice", fail))
        await raises(StorageFull, self.lanes.sync(fail))
        await raises(StorageFull, self.lanes.hash(fail))
        assert await self.lanes.run("alice", lambda: 1) == 1

    @coroutine
    async def test_a_lane_keeps_its_order(self) -> None:
        done: list[int] = []
        started = [
            Deferred.fromCoroutine(self.lanes.run("alice", partial(done.append, n)))
            for n in range(100)
        ]
        await DeferredList(started, fireOnOneErrback=True)
        assert done == list(range(100))

    @coroutine
    async def test_the_clerk_does_every_item_once_and_in_order(self) -> None:
        done: list[int] = []

        def work(items: list[int]) -> Sequence[BaseException | None]:
            done.extend(items)
            return [None] * len(items)

        started = [
            Deferred.fromCoroutine(self.lanes.clerk([n % 3, n % 5], n, work))
            for n in range(600)
        ]
        await DeferredList(started, fireOnOneErrback=True)
        for lane in range(3):
            mine = [n for n in done if n % 3 == lane]
            assert mine == sorted(mine)
        assert sorted(done) == list(range(600))

    @coroutine
    async def test_one_bad_item_does_not_fail_the_others(self) -> None:
        def work(items: list[int]) -> Sequence[BaseException | None]:
            return [StorageFull() if item == 3 else None for item in items]

        started = [
            Deferred.fromCoroutine(self.lanes.clerk(["alice"], n, work))
            for n in range(6)
        ]
        outcomes = await DeferredList(started, consumeErrors=True)
        assert [is_done for is_done, _ in outcomes] == [n != 3 for n in range(6)]

    @coroutine
    async def test_a_batch_that_raises_fails_its_items_only(self) -> None:
        def fail(items: list[int]) -> Sequence[BaseException | None]:
            raise StorageFull

        def work(items: list[int]) -> Sequence[BaseException | None]:
            return [None] * len(items)

        await raises(StorageFull, self.lanes.clerk(["alice"], 1, fail))
        await self.lanes.clerk(["alice"], 2, work)
        assert await self.lanes.run("alice", lambda: 3) == 3

    @coroutine
    async def test_what_comes_before_an_item_is_done_before(self) -> None:
        done: list[object] = []

        def work(items: list[int]) -> Sequence[BaseException | None]:
            done.extend(items)
            return [None] * len(items)

        def clerk(n: int) -> Coroutine[Any, Any, None]:
            def before() -> Callable[[], object] | None:
                done.append(f"before {n}")
                return partial(done.append, f"rest {n}") if n % 2 else None

            return self.lanes.clerk([n % 3], n, work, before)

        started = [Deferred.fromCoroutine(clerk(n)) for n in range(200)]
        await DeferredList(started, fireOnOneErrback=True)
        assert len(done) == 500
        for n in range(200):
            assert done.index(f"before {n}") < done.index(n)
        for n in range(1, 200, 2):
            assert done.index(f"before {n}") < done.index(f"rest {n}") < done.index(n)

    @coroutine
    async def test_an_item_whose_beginning_fails_is_not_done(self) -> None:
        done: list[int] = []

        def fail() -> None:
            raise StorageFull

        def work(items: list[int]) -> Sequence[BaseException | None]:
            done.extend(items)
            return [None] * len(items)

        await raises(StorageFull, self.lanes.clerk(["alice"], 1, work, fail))
        await raises(StorageFull, self.lanes.clerk(["alice"], 3, work, lambda: fail))
        await self.lanes.clerk(["alice"], 2, work, lambda: None)
        assert done == [2]
        assert await self.lanes.run("alice", lambda: 3) == 3

    @coroutine
    async def test_nothing_is_taken_after_closing(self) -> None:
        await self.lanes.close()
        await raises(LocalMisuse, self.lanes.run("alice", lambda: 1))
        await raises(LocalMisuse, self.lanes.sync(lambda: 1))
        await self.lanes.close()
