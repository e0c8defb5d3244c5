"""Work of many is done together, without a reactor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import pytest
from twisted.internet.defer import Deferred, DeferredList, gatherResults
from twisted.python.failure import Failure

from mailkit.errors import LocalMisuse, StorageFull
from mailkit.net import gatheringlanes
from mailkit.net.gatheringlanes import GatheringLanes
from mailkit.testing.at_once import at_once

Batches = list[list[int]]


def test_batches() -> None:
    lanes = GatheringLanes()
    batches: Batches = []
    prepared: set[int] = set()

    def work(items: list[int]) -> Sequence[BaseException | None]:
        assert prepared.issuperset(items)
        batches.append(items)
        return [StorageFull("3") if item == 3 else None for item in items]

    async def one(number: int) -> int:
        def before() -> None:
            if number == 4:
                raise StorageFull("4")
            prepared.add(number)

        await lanes.clerk((), number, work, lambda: before)
        return await lanes.run("x", lambda: number * 2)

    async def everybody() -> list[int]:
        first = [Deferred.fromCoroutine(one(number)) for number in range(3)]
        done: list[int] = await gatherResults(first)
        await lanes.clerk((), 9, lambda items: [None] * len(items))
        return done

    assert lanes.finish(everybody()) == [0, 2, 4]
    assert batches == [[0, 1, 2]]
    for number in (3, 4):
        with pytest.raises(StorageFull, match=str(number)):
            lanes.finish(one(number))
    assert batches == [[0, 1, 2], [3]]
    assert lanes.finish(lanes.sync(lambda: 1)) == 1
    assert lanes.finish(lanes.hash(lambda: 2)) == 2
    at_once(lanes.close())


def test_what_begins_together_ends_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of three in one thread one does not begin, and one does not end."""
    monkeypatch.setattr(gatheringlanes, "THREADS", 1)
    lanes = GatheringLanes()
    said: list[str] = []
    done: list[int] = []

    def work(items: list[int]) -> Sequence[BaseException | None]:
        done.extend(items)
        return [None] * len(items)

    def before(number: int) -> Callable[[], None] | None:
        said.append(f"begin {number}")
        if number == 1:
            raise StorageFull("1")
        return None if number == 3 else lambda: rest(number)

    def rest(number: int) -> None:
        said.append(f"end {number}")
        if number == 2:
            raise StorageFull("2")

    async def everybody() -> list[str]:
        begun = [
            Deferred.fromCoroutine(
                lanes.clerk((), number, work, partial(before, number))
            )
            for number in range(4)
        ]
        ended: list[object] = [
            one for _, one in await DeferredList(begun, consumeErrors=True)
        ]
        return [str(one.value) for one in ended if isinstance(one, Failure)]

    assert lanes.finish(everybody()) == ["1", "2"]
    assert said == [*(f"begin {number}" for number in range(4)), "end 0", "end 2"]
    assert done == [0, 3]
    at_once(lanes.close())


def test_what_waits_for_something_else() -> None:
    lanes = GatheringLanes()

    async def wait() -> None:
        await Deferred()

    with pytest.raises(LocalMisuse):
        lanes.finish(wait())
    at_once(lanes.close())
