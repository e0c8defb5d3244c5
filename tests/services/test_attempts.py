"""Few logins are looked at at once."""

from __future__ import annotations

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from mailkit.services.attempts import Attempts
from mailkit.testing.clock import TestClock


def begin(attempts: Attempts, inside: list[int], number: int) -> Deferred[None]:
    """One that is within until its number is taken off the list."""
    end: Deferred[None] = Deferred()

    async def attempt() -> None:
        async with attempts.turn(("peer", "account"), 2):
            inside.append(number)
            await end

    attempt_done = Deferred.fromCoroutine(attempt())
    attempt_done.addErrback(lambda failure: failure.trap(CancelledError))
    ends.append(end)
    return attempt_done


ends: list[Deferred[None]] = []


@pytest.fixture(autouse=True)
def no_ends() -> None:
    ends.clear()


def test_one_goes_and_the_next_comes() -> None:
    clock, inside = TestClock(), list[int]()
    attempts = Attempts(clock)
    for number in range(4):
        begin(attempts, inside, number)
    assert inside == [0, 1]
    ends[1].callback(None)
    clock.advance(0)
    assert inside == [0, 1, 2]
    for number in (0, 2):
        ends[number].callback(None)
        clock.advance(0)
    assert inside == [0, 1, 2, 3]
    ends[3].callback(None)
    assert not attempts._inside


@pytest.mark.parametrize("is_late", [False, True])
def test_who_waits_no_more_is_left_out(is_late: bool) -> None:
    clock, inside = TestClock(), list[int]()
    attempts = Attempts(clock)
    done = [begin(attempts, inside, number) for number in range(4)]
    if is_late:  # when its turn has come, and it has not heard so
        ends[0].callback(None)
        done[2].cancel()
    else:
        done[2].cancel()
        ends[0].callback(None)
    clock.advance(0)
    clock.advance(0)
    assert inside == [0, 1, 3]
    for number in (1, 3):
        ends[number].callback(None)
        clock.advance(0)
    assert not attempts._inside


def test_what_goes_wrong_within_frees_its_place() -> None:
    attempts = Attempts(TestClock())
    failures: list[Failure] = []

    async def attempt() -> None:
        async with attempts.turn(("peer", "account"), 1):
            raise ZeroDivisionError

    for _ in range(2):
        Deferred.fromCoroutine(attempt()).addErrback(failures.append)
    assert [one.type for one in failures] == [ZeroDivisionError] * 2
    assert not attempts._inside
