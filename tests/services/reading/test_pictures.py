"""Pictures that our server keeps for its readers."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from zope.interface import implementer

from mailkit.errors import Refused, Unavailable
from mailkit.interfaces.pictures import IPictures, Picture
from mailkit.model.address import AccountName
from mailkit.services.reading.pictures import PictureSettings, ProxiedPictures
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import TestClock

ALICE = AccountName("alice@example.test")
BOB = AccountName("bob@example.test")
PICTURE = Picture("image/png", b"x" * 1000)


@implementer(IPictures)
@define(eq=False)
class Slow:
    """Answers when it is told to."""

    asked: list[str] = field(factory=list)
    waiting: list[Deferred[Picture]] = field(factory=list)
    fails: bool = False

    async def fetch(self, url: str) -> Picture:
        self.asked.append(url)
        if self.fails:
            raise Refused(url)
        answer: Deferred[Picture] = Deferred()
        self.waiting.append(answer)
        return await answer


class World:
    def __init__(self, **settings: Any) -> None:
        self.clock = TestClock()
        self.slow = Slow()
        self.pictures = ProxiedPictures(
            self.slow, lambda: [b"k"], self.clock, PictureSettings(**settings)
        )

    def open(self, url: str, account: AccountName = ALICE) -> list[Any]:
        """What comes of it: nothing yet, a picture or an error."""
        _, _, signature, text = self.pictures.path(account, url).split("/")
        found: list[Any] = []
        asked = Deferred.fromCoroutine(self.pictures.open(account, signature, text))
        asked.addCallbacks(found.append, lambda failure: found.append(failure.value))
        return found


def test_one_is_fetched_once_for_all() -> None:
    world = World()
    first, second = world.open("https://a/"), world.open("https://a/", BOB)
    assert (first, second) == ([], [])
    world.slow.waiting[0].callback(PICTURE)
    assert (first, second) == ([PICTURE], [PICTURE])
    assert world.open("https://a/") == [PICTURE]
    assert world.slow.asked == ["https://a/"]


def test_for_a_day() -> None:
    world = World()
    world.open("https://a/")
    world.slow.waiting[0].callback(PICTURE)
    world.clock.advance(86_400.0)
    assert world.open("https://a/") == []
    assert len(world.slow.asked) == 2


def test_one_that_is_not_there_is_not_asked_for_at_once() -> None:
    world = World()
    first, second = world.open("https://a/"), world.open("https://a/")
    world.slow.waiting[0].errback(Failure(Refused("no")))
    assert isinstance(first[0], Refused)
    assert isinstance(second[0], Unavailable)
    assert isinstance(world.open("https://a/")[0], Unavailable)
    world.clock.advance(61.0)
    assert world.open("https://a/") == []


def test_a_bug_is_not_kept() -> None:
    world = World()
    first, second = world.open("https://a/"), world.open("https://a/")
    world.slow.waiting[0].errback(Failure(ZeroDivisionError()))
    assert isinstance(first[0], ZeroDivisionError)
    world.slow.waiting[1].callback(PICTURE)
    assert second == [PICTURE]


def test_so_many_at_a_time() -> None:
    world = World(at_once=2)
    found = [world.open(f"https://a/{n}") for n in range(3)]
    assert len(world.slow.asked) == 2
    world.slow.waiting[0].callback(PICTURE)
    world.clock.advance(0)
    assert len(world.slow.asked) == 3
    assert found[0] == [PICTURE]


def test_nobody_keeps_all_others_waiting() -> None:
    world = World(for_one=2)
    for n in range(10):
        world.open(f"https://slow/{n}")
    assert len(world.slow.asked) == 2
    found = world.open("https://a/", BOB)
    world.slow.waiting[-1].callback(PICTURE)
    assert found == [PICTURE]


def test_a_thousand_that_fail_at_once() -> None:
    """Each makes room for the next, and none stands upon the one before."""
    world = World(for_one=1)
    found = [world.open(f"https://a/{n}") for n in range(1000)]
    world.slow.fails = True
    world.slow.waiting[0].callback(PICTURE)
    for _ in range(1000):
        world.clock.advance(0)
    assert found[0] == [PICTURE]
    assert all(isinstance(one, Refused) for (one,) in found[1:])


def test_so_much_is_kept() -> None:
    world = World(most=4000)
    for n in range(4):
        world.open(f"https://a/{n}")
        world.slow.waiting[-1].callback(PICTURE)
    assert world.open("https://a/3") == [PICTURE]
    assert world.open("https://a/0") == []


def test_nobody_else_sees_it() -> None:
    world = World()
    _, _, signature, text = world.pictures.path(ALICE, "https://a/").split("/")
    with pytest.raises(Refused):
        at_once(world.pictures.open(BOB, signature, text))
    assert world.slow.asked == []
