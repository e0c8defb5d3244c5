"""Work of many is done together, without a reactor."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from twisted.internet.defer import Deferred, gatherResults

from mailkit.errors import LocalMisuse, StorageFull
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


def test_what_waits_for_something_else() -> None:
    lanes = GatheringLanes()

    async def wait() -> None:
        await Deferred()

    with pytest.raises(LocalMisuse):
        lanes.finish(wait())
    at_once(lanes.close())
