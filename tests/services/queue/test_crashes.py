"""
The process dies at every step; another one comes after it.

Each call to the queue, to a host and to whoever tells senders is one step, and the
process may die right before it or right after it. Whatever happened, all are sent or
told of in the end, never both and never told of twice; and sent twice only who had been
sent to when the process died.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st

from mailkit.interfaces.queue import Carried, NextHost
from mailkit.interfaces.storage import IContent
from mailkit.model.event import Step
from mailkit.model.notice import NoticeKind
from mailkit.model.queueitem import Fate, QueueItem, Report, Sealed
from mailkit.services.queue.claims import TAKEN_OVER
from mailkit.services.queue.sender import Sender
from mailkit.storage.queue.store import QueueStore
from mailkit.storage.state.local import LocalBoard
from mailkit.testing.clock import TestClock
from mailkit.testing.lanes import DirectLanes
from tests.services.queue.world import BUSY, LATER, NEVER, OK, RELAYED, World, an_item


class KilledError(Exception):
    """The process is dead; nothing it does has any effect."""


@define(eq=False)
class Fatal:
    """All calls of one process, in order; dies at one of them."""

    at: int
    after: bool
    calls: int = 0
    is_dead: bool = False
    last: str = ""
    """The call at which it died."""

    def around(self, inner: Any) -> Any:
        """The same object, whose calls are counted."""
        # Any: a queue, a relay or a teller
        return _Around(self, inner)


@define(eq=False)
class _Around:
    _fatal: Fatal
    _inner: Any

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        if name in ("watch", "close", "size", "octets", "kept"):
            return method
        fatal = self._fatal

        async def call(*args: Any) -> Any:
            if fatal.is_dead:
                raise KilledError
            fatal.calls += 1
            is_fatal = fatal.calls == fatal.at
            if is_fatal:
                fatal.last = name
            if is_fatal and not fatal.after:
                fatal.is_dead = True
                raise KilledError
            done = await method(*args)
            if is_fatal:
                fatal.is_dead = True
                raise KilledError
            return done

        return call


@define(eq=False)
class Life:
    """What happens to one process after the other over one queue."""

    world: World = field(factory=World)
    sent: Counter[str] = field(factory=Counter)
    refused: set[str] = field(factory=set)
    """Who is taken at the second time, which should never come."""

    def __attrs_post_init__(self) -> None:
        relay = self.world.relay

        def mixed(host: NextHost, item: QueueItem) -> Carried:
            reports = []
            for one in item.waiting:
                name = one.path.local_part
                fate = {"anna": Fate.SENT, "ben": Fate.WAITING}.get(name, Fate.FAILED)
                if name in self.refused:
                    fate = Fate.SENT
                elif fate is Fate.FAILED:
                    self.refused.add(name)
                if fate is Fate.WAITING and item.attempts:
                    fate = Fate.RELAYED
                if fate in (Fate.SENT, Fate.RELAYED):
                    self.sent[str(one.path)] += 1
                digit = {Fate.FAILED: 5, Fate.WAITING: 4}.get(fate, 2)
                reports.append(Report(one.path, fate, f"{digit}.0.0", "words"))
            return Carried(reports=tuple(reports))

        relay.answers["192.0.2.1"] = mixed
        relay.answers["192.0.2.11"] = NEVER
        self.world.put(
            an_item("a", "example.net", "anna", "ben", "carl"),
            an_item("a", "two.example", "dora", number=2),
            an_item("a", "nowhere.example", "emil", number=3),
        )
        self.world.put(an_item("b", "example.net", "anna"))

    def live(self, number: int, fatal: Fatal, seconds: float) -> None:
        """One process works for a while, and is gone afterwards."""
        world = self.world
        house = world.house
        house.queue = fatal.around(world.queue)
        house.relay = fatal.around(world.relay)
        house.teller = fatal.around(world.teller)
        house.seal = self.seal
        sender = Sender(house, f"process {number}", counts_all=False)
        sender.start()
        world.turn(seconds, step=20.0)
        fatal.is_dead = True
        for call in world.clock.getDelayedCalls():
            call.cancel()

    def meant(self) -> list[str]:
        """Who was sent to, but for those who are refused at first."""
        return [who for who in self.sent.elements() if not who.startswith("carl@")]

    async def seal(self, item: QueueItem, content: IContent) -> Sealed | None:
        return Sealed(head=b"DKIM-Signature: yes\r\n")


CARL = "carl@example.net"
NEVER_DIES = 10**9
HALF_AN_HOUR = 1800.0


def steps_of_a_life() -> int:
    life = Life()
    fatal = Fatal(NEVER_DIES, after=False)
    life.live(0, fatal, HALF_AN_HOUR)
    assert life.sent == {"anna@example.net": 2, "ben@example.net": 1}
    return fatal.calls


STEPS = steps_of_a_life()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, STEPS + 1))
def test_nothing_is_lost(at: int, after: bool) -> None:
    life = Life()
    fatal = Fatal(at, after)
    life.live(1, fatal, HALF_AN_HOUR)
    life.live(2, Fatal(NEVER_DIES, after=False), HALF_AN_HOUR)
    check(life, deaths=1)
    doubled = len(life.meant()) > 3
    may_double = {
        ("carry", True),
        ("write", False),
        ("write", True),
        ("record", False),
    }
    assert not doubled or (fatal.last, after) in may_double
    if doubled:
        assert TAKEN_OVER in (text for _, text in life.world.steps())
        attempts = [one for id in ("a.1", "b.1") for one in life.world.attempts(id)]
        assert TAKEN_OVER in (one.words for one in attempts)


@given(st.lists(st.tuples(st.integers(1, STEPS), st.booleans()), max_size=6))
def test_dying_again_and_again(deaths: list[tuple[int, bool]]) -> None:
    life = Life()
    for number, (at, after) in enumerate(deaths):
        life.live(number, Fatal(at, after), 100.0)
    life.live(99, Fatal(NEVER_DIES, after=False), HALF_AN_HOUR)
    check(life, deaths=len(deaths))


def check(life: Life, deaths: int) -> None:
    world = life.world
    for id in ("a.1", "a.2", "a.3", "b.1"):
        assert world.item(id) is None
    told = Counter(
        recipient
        for _, recipient, kind, _ in world.notices()
        if kind is NoticeKind.FAILED
    )
    assert set(told.values()) == {1}
    assert not set(life.sent) & set(told)
    assert set(life.sent) - {CARL} == {"anna@example.net", "ben@example.net"}
    assert set(told) - {CARL} == {"dora@two.example", "emil@nowhere.example"}
    assert (CARL in told) + life.sent[CARL] >= 1
    relayed = [told for told in world.notices() if told[2] is NoticeKind.RELAYED]
    assert len(relayed) == 1
    # A death costs one double of what was on its way.
    assert len(life.meant()) <= 3 + deaths * 3
    seals = [step for step, _ in world.steps() if step is Step.SIGNED]
    assert len(seals) <= 2 + deaths * 2


def test_a_life_without_death_doubles_nothing() -> None:
    life = Life()
    life.live(1, Fatal(NEVER_DIES, after=False), HALF_AN_HOUR)
    assert sum(life.sent.values()) == 3
    assert len(life.world.teller.told) == 3 + 1  # ben's success, told of by us
    assert life.world.teller.told == life.world.notices()


def test_a_queue_on_disk(tmp_path: Path) -> None:
    clock = TestClock()
    store = QueueStore(tmp_path, DirectLanes(), LocalBoard(clock), clock)
    world = World(clock=clock, queue=store)
    other = Sender(world.house, "two", counts_all=False)
    world.relay.takes = 0.5
    for number in range(10):
        world.put(
            an_item(f"t{number}", "example.net", "anna", "ben"),
            an_item(f"t{number}", "two.example", number=2),
        )
    world.relay.answers["192.0.2.11"] = LATER
    world.relay.answers["192.0.2.1"] = RELAYED
    other.start()
    world.start()
    world.turn(60, step=0.25)
    ids = Counter(id for _, id in world.relay.carried)
    assert ids == {f"t{number}.{item}": 1 for number in range(10) for item in (1, 2)}
    world.relay.answers["192.0.2.11"] = BUSY
    world.turn(1200, step=5)
    world.relay.answers["192.0.2.11"] = OK
    world.turn(7200, step=30)
    assert all(world.item(f"t{number}.2") is None for number in range(10))
