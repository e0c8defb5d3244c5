"""What comes before the clerk's items, with threads that run when the test says so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from unittest.mock import patch

from attrs import define, field
from twisted.internet.defer import Deferred

from mailkit.errors import StorageFull
from mailkit.net.beginnings import MANY_FOR, MOST_AT_ONCE, SLOW, Beginnings, Item
from mailkit.net.threads import Job, Threads


@define(eq=False)
class Waiting(Threads):
    """Keeps what it is to do until `run`."""

    name: str = "sync"
    most: int = 4
    jobs: list[Job] = field(factory=list)

    def do(self, job: Job) -> None:
        self.jobs.append(job)

    def run(self) -> None:
        while self.jobs:
            self.jobs.pop(0)()


def _no_work(items: Sequence[object]) -> Sequence[BaseException | None]:
    raise AssertionError("the clerk is not here")


@define(eq=False)
class World:
    """Beginnings over a clock that goes on with each of them."""

    seconds: float = 0.0
    """What each one takes."""
    threads: Waiting = field(factory=Waiting)
    log: list[str] = field(factory=list)
    beginnings: Beginnings = field(init=False)
    now: float = 0.0
    alone: list[bool] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        self.beginnings = Beginnings(self.threads, self.take, self.tell)

    def take(self, items: list[Item], is_alone: bool) -> None:
        self.alone.append(is_alone)
        self.log.append(" ".join(str(item.item) for item in items))

    def tell(self, jobs: list[Job]) -> None:
        for job in jobs:
            job()

    def add(
        self, name: str, before: Callable[[], None] | None = None
    ) -> Deferred[None]:
        def begin() -> Callable[[], object]:
            self.log.append(f"begin {name}")
            self.now += self.seconds
            if before is not None:
                before()
            return partial(self.log.append, f"wait {name}")

        deferred: Deferred[None] = Deferred()
        item = Item(frozenset(), name, _no_work, deferred)
        if self.beginnings.add(item, begin):
            self.log.append("called")
        return deferred

    def turn(self) -> None:
        """The reactor's turn ends."""
        with patch("mailkit.net.beginnings.monotonic", lambda: self.now):
            self.beginnings.begin()
            self.threads.run()

    def slow_down(self) -> None:
        """Let it be seen that one thread is slow."""
        self.seconds = 2 * SLOW
        self.add("x")
        self.turn()
        self.log.clear()
        self.alone.clear()

    def begin(self) -> int:
        """The reactor's turn ends; how many threads there are."""
        with patch("mailkit.net.beginnings.monotonic", lambda: self.now):
            self.beginnings.begin()
        return len(self.threads.jobs)


def test_what_comes_in_one_turn_is_begun_before_anything_is_waited_for() -> None:
    world = World()
    world.add("a")
    world.add("b")
    assert world.log == ["called"]
    world.turn()
    assert world.log[1:] == ["begin a", "begin b", "wait a", "wait b", "a b"]
    world.log.clear()
    world.add("c")
    assert world.log == ["called"]


def test_one_thread_is_enough_for_a_quick_disk() -> None:
    world = World()
    world.add("a")
    world.beginnings.begin()
    world.add("b")
    world.beginnings.begin()
    assert len(world.threads.jobs) == 1
    world.turn()
    assert world.alone == [True]


def test_where_one_is_slow_each_has_a_thread() -> None:
    world = World()
    world.slow_down()
    for name in "abcdef":
        world.add(name)
    assert world.begin() == 4
    world.turn()
    assert world.log[1:4] == ["begin a", "wait a", "a"]
    assert not world.threads.jobs
    assert world.alone == [False] * 6


def test_one_is_tried_again_with_a_few() -> None:
    world = World()
    world.slow_down()
    world.now += MANY_FOR
    world.seconds = 0
    for name in "abcdefgh":
        world.add(name)
    assert world.begin() == 1
    world.turn()
    assert "a b c d" in world.log
    assert world.log[-1] == "e f g h"
    for n in range(10):
        world.add(str(n))
    world.turn()
    assert world.log[-1] == "0 1 2 3 4 5 6 7 8 9"
    assert all(world.alone)


def test_one_that_is_tried_in_vain_is_not_tried_for_a_while() -> None:
    world = World()
    world.slow_down()
    world.now += MANY_FOR
    world.add("a")
    world.turn()
    world.add("b")
    world.add("c")
    assert world.begin() == 2
    assert world.alone == [True]


def test_the_last_of_many_goes_on_alone() -> None:
    world = World()
    world.slow_down()
    for name in "abc":
        world.add(name)
    assert world.begin() == 3
    world.now += MANY_FOR
    world.turn()
    assert world.log[-1] == "a b c"
    assert world.alone == [True]


def test_a_single_slow_one_is_no_reason() -> None:
    world = World()
    for seconds in (0.0, 2 * SLOW, 0.0):
        world.seconds = seconds
        world.add("x")
        world.turn()
    assert world.alone == [True] * 3


def test_one_thread_does_not_take_everything_at_once() -> None:
    world = World()
    world.add("x")
    world.turn()
    for n in range(MOST_AT_ONCE + 1):
        world.add(str(n))
    world.turn()
    assert world.log[-3:] == [f"begin {n}", f"wait {n}", str(n)]


def test_who_fails_does_not_fail_the_others() -> None:
    world = World()

    def fail() -> None:
        raise StorageFull

    failed = world.add("a", fail)
    world.add("b")
    world.turn()
    assert world.log[1:] == ["begin a", "begin b", "wait b", "b"]
    assert failed.called
    failed.addErrback(lambda failure: failure.trap(StorageFull))


def test_nobody_is_left_where_all_fail() -> None:
    world = World()

    def fail() -> None:
        raise StorageFull

    failed = world.add("a", fail)
    world.turn()
    assert world.log == ["called", "begin a"]
    failed.addErrback(lambda failure: failure.trap(StorageFull))
