"""How many may be on their way at a time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.interfaces.queue import NextHost
from mailkit.model.address import DomainName
from mailkit.model.queueitem import NextHop
from mailkit.model.tlspolicy import OPPORTUNISTIC
from mailkit.services.queue.fairness import (
    MOST_SLOW,
    SLOW_AFTER,
    Carry,
    Concurrency,
    Window,
)
from mailkit.services.queue.remembered import Remembered
from mailkit.services.queue.settings import QueueSettings
from mailkit.testing.clock import TestClock

NET = NextHop(DomainName("example.net"))
HOST = NextHost(name="mx", address="192.0.2.1", port=25, policy=OPPORTUNISTIC)


def hop(number: int) -> NextHop:
    return NextHop(DomainName(f"d{number}.test"))


def fill(concurrency: Concurrency, where: NextHop) -> list[Carry]:
    """Begin as many as may be."""
    begun = []
    while concurrency.may_begin(where):
        begun.append(concurrency.begin(where))
    return begun


def test_a_window_doubles_each_round_up_to_its_most() -> None:
    window = Window(20)
    sizes = []
    for _ in range(5):
        sizes.append(int(window.size))
        for _ in range(int(window.size)):
            window.grow()
    assert sizes == [2, 4, 8, 16, 20]


def test_a_window_is_halved_once_a_round_and_grows_slowly_from_there() -> None:
    window = Window(20, 16.0)
    for _ in range(5):
        window.shrink(began=1.0, now=2.0)
    assert window.size == 8.0
    window.shrink(began=3.0, now=4.0)
    assert window.size == 4.0
    for _ in range(4):
        window.grow()
    assert 4.5 < window.size < 5.5


@given(st.lists(st.booleans(), max_size=200), st.integers(1, 50))
def test_a_window_stays_between_one_and_its_most(ups: list[bool], most: int) -> None:
    window = Window(most)
    for time, is_up in enumerate(ups):
        if is_up:
            window.grow()
        else:
            window.shrink(time, time + 0.5)
        assert 1 <= window.size <= most
        assert window.has_room


def test_a_domain_begins_with_two() -> None:
    assert len(fill(Concurrency(TestClock()), NET)) == 2


def test_what_is_answered_makes_room() -> None:
    concurrency = Concurrency(TestClock())
    for _ in range(10):
        for carry in fill(concurrency, NET):
            concurrency.answered(carry)
            concurrency.end(carry)
    assert len(fill(concurrency, NET)) == 20
    assert concurrency.running == 20


def test_nobody_takes_the_places_of_others() -> None:
    settings = QueueSettings(connections=10, per_domain=100)
    concurrency = Concurrency(TestClock(), settings)
    for number in range(3):
        concurrency.window(hop(number)).size = 100.0
    taken = [len(fill(concurrency, hop(number))) for number in range(3)]
    assert taken == [5, 3, 1]
    # One is left for whoever has none.
    assert not concurrency.may_begin(hop(0))
    assert len(fill(concurrency, hop(9))) == 1
    assert concurrency.is_full
    assert not concurrency.may_begin(hop(8))


def test_those_that_hang_make_room_and_are_limited_themselves() -> None:
    clock = TestClock()
    concurrency = Concurrency(clock, QueueSettings(connections=10))
    hanging = [concurrency.begin(hop(number)) for number in range(10)]
    assert concurrency.is_full
    assert concurrency.slow_at == clock.seconds() + SLOW_AFTER
    clock.advance(SLOW_AFTER)
    assert not concurrency.is_full
    assert concurrency.slow_at is None
    # A domain that hangs gets no more for it than before.
    assert len(fill(concurrency, hop(0))) == 1
    assert len(hanging) + 1 == concurrency.running
    for carry in hanging:
        concurrency.end(carry)
    assert concurrency.running == 1


def test_most_slow() -> None:
    clock = TestClock()
    concurrency = Concurrency(clock, QueueSettings(connections=MOST_SLOW + 1))
    hanging = [concurrency.begin(hop(number)) for number in range(MOST_SLOW)]
    clock.advance(SLOW_AFTER)
    assert not concurrency.may_begin(NET)
    concurrency.end(hanging[0])
    assert concurrency.may_begin(NET)


def test_a_dead_host_is_left_alone_longer_each_time() -> None:
    clock = TestClock()
    concurrency = Concurrency(clock)
    waits = []
    for _ in range(6):
        carry = concurrency.begin(NET)
        host = concurrency.host(HOST)
        concurrency.move(carry, host)
        concurrency.missed(carry, "no route to host")
        concurrency.end(carry)
        waits.append(host.alone_until - clock.seconds())
        clock.advance(waits[-1])
    assert waits == [60.0, 120.0, 240.0, 480.0, 600.0, 600.0]
    assert host.words == "no route to host"
    carry = concurrency.begin(NET)
    concurrency.move(carry, host)
    concurrency.answered(carry)
    assert host.misses == 0
    assert host.alone_until < clock.seconds()


def test_those_that_miss_together_miss_once() -> None:
    clock = TestClock()
    concurrency = Concurrency(clock)
    host = concurrency.host(HOST)
    carries = fill(concurrency, NET)
    clock.advance(30)
    for carry in carries:
        concurrency.move(carry, host)
        concurrency.missed(carry, "silent")
    assert host.misses == 1
    assert host.window.size == 1.0


def test_a_host_that_cannot_even_take_one_is_left_alone() -> None:
    clock = TestClock()
    concurrency = Concurrency(clock)
    host = concurrency.host(HOST)
    alone = []
    for _ in range(3):
        clock.advance(1)
        carry = concurrency.begin(NET)
        concurrency.move(carry, host)
        clock.advance(1)
        concurrency.busy(carry, "421 too many")
        concurrency.end(carry)
        alone.append(host.alone_until > clock.seconds())
    assert alone == [False, True, True]
    assert host.words == "421 too many"


def test_a_clock_that_is_set_back_leaves_no_host_alone() -> None:
    clock = TestClock()
    concurrency = Concurrency(clock)
    host = concurrency.host(HOST)
    carry = concurrency.begin(NET)
    concurrency.move(carry, host)
    clock.advance(1)
    concurrency.missed(carry, "silent")
    assert concurrency.alone(HOST) is host
    clock.rightNow -= 3600.0
    assert concurrency.alone(HOST) is None


def test_whoever_waits_for_a_host_is_called_when_there_is_room() -> None:
    clock = TestClock()
    concurrency = Concurrency(clock)
    host = concurrency.host(HOST)
    carries = fill(concurrency, NET)
    for carry in carries:
        concurrency.move(carry, host)
    host.waiting |= {hop(1): None, hop(2): None, hop(3): None}
    assert concurrency.next_waiting() is None
    concurrency.end(carries[0])
    assert concurrency.next_waiting() == hop(1)
    # Whoever does not take the room leaves it to the next.
    assert concurrency.next_waiting() == hop(2)
    taking = concurrency.begin(hop(2))
    concurrency.move(taking, host)
    assert concurrency.next_waiting() is None
    # A host that is left alone keeps nobody waiting.
    host.waiting[hop(4)] = None
    concurrency.missed(carries[1], "gone")
    concurrency.end(carries[1])
    assert [concurrency.next_waiting() for _ in range(3)] == [hop(3), hop(4), None]


@given(st.data())
def test_all_places_are_given_back(data: st.DataObject) -> None:
    clock = TestClock()
    concurrency = Concurrency(clock, QueueSettings(connections=7, per_domain=5))
    running: list[Carry] = []
    for _ in range(data.draw(st.integers(0, 60))):
        clock.advance(data.draw(st.sampled_from([0.0, 1.0, 20.0])))
        is_end: bool = data.draw(st.booleans())
        if running and is_end:
            carry = running.pop(data.draw(st.integers(0, len(running) - 1)))
            verdict = data.draw(st.integers(0, 2))
            if verdict == 0:
                concurrency.answered(carry)
            elif verdict == 1:
                concurrency.busy(carry, "busy")
            else:
                concurrency.failed(carry)
            concurrency.end(carry)
        else:
            where = hop(data.draw(st.integers(0, 4)))
            if concurrency.may_begin(where):
                running.append(concurrency.begin(where))
        assert concurrency.running == len(running)
    for carry in running:
        concurrency.end(carry)
    assert concurrency.running == 0
    assert all(concurrency.window(hop(n)).running == 0 for n in range(5))
    assert concurrency.slow_at is None


def test_what_was_not_asked_for_longest_is_forgotten() -> None:
    remembered: Remembered[int, str] = Remembered(2)
    remembered.put(1, "a")
    remembered.put(2, "b")
    assert remembered.get(1) == "a"
    remembered.put(3, "c")
    assert [remembered.get(n) for n in (1, 2, 3)] == ["a", None, "c"]
    assert remembered.pop(3) == "c"
    assert remembered.pop(3) is None


@pytest.mark.parametrize("most", [1, 2])
def test_small_settings(most: int) -> None:
    settings = QueueSettings(connections=most, per_domain=most, per_host=most)
    assert len(fill(Concurrency(TestClock(), settings), NET)) == 1
