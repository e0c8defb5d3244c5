"""The pace of bulk sendings."""

from __future__ import annotations

from attrs import evolve

from mailkit.model.queueitem import QueueItem
from mailkit.services.queue.pace import LATE, Pace
from mailkit.testing.clock import NEW_YEAR
from tests.services.queue.world import an_item

RATES = {"news": 300 / 3600, "fast": 100.0, "none": 0.0}


def bulk(number: int, rate: str = "news", attempts: int = 0) -> QueueItem:
    return an_item("b", number=number, rate=rate, attempts=attempts)


def test_each_has_its_moment_and_keeps_it() -> None:
    pace = Pace(RATES.get)
    moments = [pace.moment(bulk(number), 1000.0) for number in range(4)]
    assert moments == [1000.0, 1012.0, 1024.0, 1036.0]
    assert pace.moment(bulk(2), 1010.0) == 1024.0
    assert pace.moment(bulk(1), 1012.0) == 1012.0
    assert pace.moment(bulk(4), 1012.0) == 1048.0


def test_time_that_was_not_used_is_not_made_up_for() -> None:
    pace = Pace(RATES.get)
    assert pace.moment(bulk(1), 0.0) == 0.0
    assert [pace.moment(bulk(n), 600.0) for n in (2, 3)] == [600.0, 612.0]


def test_fast_ones_leave_a_second_ahead() -> None:
    pace = Pace(RATES.get)
    moments = [pace.moment(bulk(number, "fast"), 50.0) for number in range(102)]
    assert moments[:100] == [50.0] * 100
    assert moments[101] > 51.0


def test_who_has_no_pace() -> None:
    pace = Pace(RATES.get)
    for item in (bulk(1, ""), bulk(2, "unknown"), bulk(3, "none")):
        assert [pace.moment(item, 7.0) for _ in range(3)] == [7.0, 7.0, 7.0]


def test_what_was_tried_keeps_to_the_schedule() -> None:
    pace = Pace(RATES.get)
    assert [pace.moment(bulk(n, attempts=1), 7.0) for n in range(3)] == [7.0] * 3


def test_a_moment_that_was_chosen_before_is_kept() -> None:
    """Also where each process may send its share of the rate only."""
    pace = Pace(lambda name: 0.5)
    first, second = (
        evolve(an_item(name, rate="spring"), next_try=NEW_YEAR + 7)
        for name in ("one", "two")
    )
    assert pace.moment(first, NEW_YEAR + 7) == NEW_YEAR + 7
    assert pace.moment(second, NEW_YEAR + 8) == NEW_YEAR + 8
    # What comes without a moment of its own comes after them.
    third = an_item("three", rate="spring")
    assert pace.moment(third, NEW_YEAR + 8) == NEW_YEAR + 11


def test_what_is_late_is_spread_anew() -> None:
    pace = Pace(lambda name: 0.5)
    late = NEW_YEAR + 7 + LATE + 1
    moments = [
        pace.moment(evolve(an_item(name, rate="spring"), next_try=NEW_YEAR + 7), late)
        for name in ("one", "two", "three")
    ]
    assert moments == [late, late + 2, late + 4]
