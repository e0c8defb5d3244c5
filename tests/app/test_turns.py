"""What a turn of the reactor costs."""

from __future__ import annotations

import os

from twisted.internet.epollreactor import EPollReactor

from mailkit.app.turns import ShortPoll, measure_turns, shorten_turns


class Reactor:
    """Turns when told; each look at its calls costs so much CPU."""

    def __init__(self, costs: list[float]) -> None:
        self.costs = costs
        self.cpu = 5.0

    def runUntilCurrent(self) -> None:
        self.cpu += self.costs.pop(0)


def test_each_turn_is_told_with_all_that_was_done_in_it() -> None:
    reactor = Reactor([1.0, 2.0, 4.0])
    turns: list[float] = []
    measure_turns(reactor, turns.append, lambda: reactor.cpu)
    reactor.cpu += 0.5
    reactor.runUntilCurrent()
    reactor.cpu += 0.25  # what the poll brought
    reactor.runUntilCurrent()
    reactor.runUntilCurrent()
    assert turns == [0.5, 1.25, 2.0]


class Reader:
    """The end of a pipe that has something to read."""

    def __init__(self, heard: list[int]) -> None:
        self._heard = heard
        self.reading, self.writing = os.pipe()
        os.write(self.writing, b"x")

    def fileno(self) -> int:
        return self.reading

    def logPrefix(self) -> str:
        return "reader"

    def doRead(self) -> None:
        os.read(self.reading, 1)
        self._heard.append(self.reading)

    def connectionLost(self, reason: object) -> None:
        os.close(self.reading)
        os.close(self.writing)


def test_a_turn_hears_a_few_and_the_next_ones_the_others() -> None:
    reactor = EPollReactor()
    poller = reactor._poller
    shorten_turns(reactor, 4)
    heard: list[int] = []
    readers = [Reader(heard) for _ in range(10)]
    for reader in readers:
        reactor.addReader(reader)
    counts = []
    for _ in range(4):
        reactor.doPoll(0)
        counts.append(len(heard))
    assert counts == [4, 8, 10, 10]
    assert len(set(heard)) == 10
    for reader in readers:
        reactor.removeReader(reader)
        reader.connectionLost(None)
    reactor.doPoll(0)
    for part in reactor.removeAll():
        part.connectionLost(None)
    assert isinstance(reactor._poller, ShortPoll)
    poller.close()


def test_another_reactor_is_left_as_it_is() -> None:
    reactor = Reactor([])
    shorten_turns(reactor)
    assert vars(reactor) == {"costs": [], "cpu": 5.0}
