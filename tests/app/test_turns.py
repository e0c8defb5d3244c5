"""What a turn of the reactor costs."""

from __future__ import annotations

from mailkit.app.turns import measure_turns


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
