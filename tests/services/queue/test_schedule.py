"""When items are tried again, told of and returned."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.config.units import DAY, HOUR, MINUTE
from mailkit.services.queue.schedule import JITTER, STEPS, Schedule
from mailkit.services.queue.settings import RetrySettings
from tests.services.queue.world import an_item

ITEM = an_item(at=0.0)


def schedule(random: float = 0.5, **settings: float) -> Schedule:
    return Schedule(lambda: random, RetrySettings(**settings))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("attempts", "minutes"),
    [(1, 5), (2, 10), (3, 20), (4, 40), (5, 60), (6, 120), (7, 240), (8, 240)],
)
def test_waits_grow_up_to_four_hours(attempts: int, minutes: float) -> None:
    now = 10.0
    assert schedule().next_try(ITEM, attempts, now) == now + minutes * MINUTE


@pytest.mark.parametrize(("random", "factor"), [(0.0, 1 - JITTER), (1.0, 1 + JITTER)])
def test_nothing_comes_back_together(random: float, factor: float) -> None:
    assert schedule(random).next_try(ITEM, 1, 0.0) == 300.0 * factor


@pytest.mark.parametrize(
    ("attempts", "now", "is_told", "expected"),
    [
        # Right when it is late, so that its sender hears of it then.
        (5, 3.9 * HOUR, False, 4 * HOUR),
        (5, 3.9 * HOUR, True, 4.9 * HOUR),
        (5, 4.1 * HOUR, False, 5.1 * HOUR),
        # But not within a minute of the last.
        (5, 4 * HOUR - 10, False, 4 * HOUR + 50),
        # Once more at the very end.
        (9, 5 * DAY - HOUR, True, 5 * DAY),
        # The end is over: an item that was tried once only is tried soon.
        (1, 6 * DAY, True, 6 * DAY + MINUTE),
    ],
)
def test_moments_that_are_not_missed(
    attempts: int, now: float, is_told: bool, expected: float
) -> None:
    assert schedule().next_try(ITEM, attempts, now, is_told) == expected


@pytest.mark.parametrize(
    ("attempts", "now", "settings", "is_over"),
    [
        (1, 0.0, {}, False),
        (30, 5 * DAY - 1, {}, False),
        (2, 5 * DAY, {}, True),
        (1, 6 * DAY, {}, False),
        (2, 1.0, {"attempts": 3}, False),
        (3, 1.0, {"attempts": 3}, True),
        (2, 10.0, {"give_up_after": 10.0}, True),
        (1, 0.0, {"attempts": 1}, True),
    ],
)
def test_when_it_is_over(
    attempts: int, now: float, settings: dict[str, float], is_over: bool
) -> None:
    assert schedule(**settings).is_over(ITEM, attempts, now) is is_over


def test_short_lives() -> None:
    assert schedule(give_up_after=10.0).next_try(ITEM, 1, 1.0) == 11.0
    assert schedule(give_up_after=10.0).next_try(ITEM, 1, 0.0) == 10.0
    assert schedule(give_up_after=2.0).next_try(ITEM, 1, 30.0) == 32.0


def test_a_hold_that_was_asked_for_takes_nothing_of_its_time() -> None:
    held = an_item(at=0.0, hold_until=DAY)
    assert schedule().gives_up_at(held) == 6 * DAY
    assert not schedule().is_late(held, DAY + 3 * HOUR)
    assert schedule().is_late(held, DAY + 4 * HOUR)


@given(
    st.integers(1, 100),
    st.floats(0.0, 10 * DAY),
    st.floats(0.0, 1.0),
    st.booleans(),
    st.floats(1.0, 10 * DAY),
)
def test_it_is_always_later_and_never_very_late(
    attempts: int, now: float, random: float, is_told: bool, give_up_after: float
) -> None:
    one = schedule(random, give_up_after=give_up_after)
    at = one.next_try(ITEM, attempts, now, is_told)
    assert now + 0.9 < at <= now + STEPS[-1] * (1 + JITTER)
