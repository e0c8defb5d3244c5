"""The doubles that every other test stands on."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from twisted.internet.defer import Deferred

from mailkit.errors import LocalMisuse
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import NEW_YEAR, TestClock
from mailkit.testing.lanes import DirectLanes


def test_work_is_done_before_the_call_returns() -> None:
    lanes = DirectLanes()
    assert at_once(lanes.run("alice", lambda: 1)) == 1
    assert at_once(lanes.sync(lambda: 2)) == 2
    assert at_once(lanes.hash(lambda: 3)) == 3


def test_the_clerk_gets_one_item_and_its_error_is_raised() -> None:
    seen: list[list[str]] = []

    def work(items: list[str]) -> Sequence[BaseException | None]:
        seen.append(items)
        return [ValueError(item) if item == "bad" else None for item in items]

    lanes = DirectLanes()
    at_once(lanes.clerk(["alice"], "good", work))
    with pytest.raises(ValueError, match="bad"):
        at_once(lanes.clerk(["alice", "bob"], "bad", work))
    assert seen == [["good"], ["bad"]]


def test_nothing_is_taken_after_closing() -> None:
    lanes = DirectLanes()
    at_once(lanes.close())
    with pytest.raises(LocalMisuse):
        at_once(lanes.run("alice", lambda: 1))


def test_a_coroutine_that_waits_is_a_misuse() -> None:
    async def wait() -> None:
        await Deferred()

    with pytest.raises(LocalMisuse):
        at_once(wait())


def test_the_clock_begins_at_a_date_and_is_moved_by_hand() -> None:
    clock = TestClock()
    seen: list[float] = []
    clock.callLater(5, lambda: seen.append(clock.seconds()))
    clock.callFromThread(seen.append, -1.0)
    clock.advance(5)
    assert seen == [-1.0, NEW_YEAR + 5]
