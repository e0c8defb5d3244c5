"""What is asked of web hosts has its time, and words for when it is over."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import DNSLookupError
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.web.client import ResponseFailed

from mailkit.errors import Unavailable
from mailkit.net.intime import in_time


def asking(clock: Clock, asked: Deferred[str]) -> list[Any]:
    """What comes of it: an answer or an exception."""

    async def ask() -> str:
        return await asked

    found: list[Any] = []
    asking = Deferred.fromCoroutine(in_time(clock, 5.0, "https://a.test/", ask()))
    asking.addCallbacks(found.append, lambda failure: found.append(failure.value))
    return found


def is_told(found: list[Any], words: str) -> bool:
    """It was refused in such words."""
    (problem,) = found
    return isinstance(problem, Unavailable) and words in str(problem)


def lost(one: Deferred[Any]) -> None:
    """As Twisted's endpoints say that they were stopped while they look up a name."""
    one.errback(DNSLookupError("Couldn't find the hostname"))


def hung_up(one: Deferred[Any]) -> None:
    one.errback(ResponseFailed([Failure(CancelledError())]))


def quick(one: Deferred[Any]) -> None:
    one.callback("just then")


def test_an_answer() -> None:
    clock, asked = Clock(), Deferred[str]()
    found = asking(clock, asked)
    asked.callback("yes")
    assert found == ["yes"]
    assert not clock.getDelayedCalls()


@pytest.mark.parametrize("end", [None, lost, hung_up])
def test_it_takes_too_long(end: Any) -> None:
    clock = Clock()
    found = asking(clock, Deferred(end))
    clock.advance(5)
    assert is_told(found, "https://a.test/ takes too long")
    assert not clock.getDelayedCalls()


def test_what_comes_at_the_very_end_counts() -> None:
    clock = Clock()
    found = asking(clock, Deferred(quick))
    clock.advance(5)
    assert found == ["just then"]


def test_a_name_that_is_not_there() -> None:
    clock, asked = Clock(), Deferred[str]()
    found = asking(clock, asked)
    lost(asked)
    assert is_told(found, "Couldn't find the hostname")
