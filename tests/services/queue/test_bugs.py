"""What a bug costs the sender."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mailkit.interfaces.resolver import Answer, MXRecord
from mailkit.model.notice import NoticeKind
from mailkit.model.queueitem import QueueItem
from mailkit.services.queue.hosts import Hosts
from mailkit.services.queue.pace import Pace
from mailkit.storage.memory.queue import MemoryQueue
from mailkit.storage.state.local import LocalBoard
from mailkit.testing.dns import DictResolver
from tests.services.queue.world import (
    HERE,
    OK,
    World,
    an_item,
    claimable,
)


def bug(host: Any, item: QueueItem) -> Any:  # Any: as `Carries` has them
    """What a host never does."""
    raise ZeroDivisionError


class Bugs(SynchronousTestCase):
    """A bug in an attempt costs that attempt, and is logged whole."""

    def test_a_bug_in_an_attempt(self) -> None:
        world = World()
        world.relay.answers[HERE] = bug
        world.put(an_item())
        world.start()
        assert len(self.flushLoggedErrors(ZeroDivisionError)) == 1
        assert world.there().attempts == 1
        world.turn(290)
        assert len(world.relay.carried) == 1
        world.relay.answers[HERE] = OK
        world.turn(20)
        assert world.item() is None

    def test_a_bug_in_the_search_for_hosts(self) -> None:
        class Buggy(DictResolver):
            async def mx(self, domain: str) -> Answer[MXRecord]:
                raise ZeroDivisionError

        world = World()
        hosts, world.house.hosts = world.house.hosts, Hosts(Buggy(), "us", list.sort)
        world.put(an_item())
        world.start()
        assert len(self.flushLoggedErrors(ZeroDivisionError)) == 1
        world.house.hosts = hosts
        world.turn(290)
        assert world.relay.carried == []
        world.turn(20)
        assert world.item() is None

    def test_a_bug_that_stays_is_told_to_the_sender_some_day(self) -> None:
        world = World()
        world.relay.answers[HERE] = bug
        world.put(an_item())
        world.start()
        world.turn(6 * 86400.0, step=600.0)
        assert len(self.flushLoggedErrors(ZeroDivisionError)) > 10
        assert [kind for *_, kind, _ in world.teller.told] == [
            NoticeKind.DELAYED,
            NoticeKind.FAILED,
        ]
        assert world.item() is None

    def test_a_bug_behind_a_delivery_does_not_deliver_again(self) -> None:
        class Buggy(MemoryQueue):
            async def record(self, *args: Any) -> bool:
                raise ZeroDivisionError

        world = World()
        world.house.queue = Buggy(LocalBoard(world.clock), world.clock.seconds)
        world.queue = world.house.queue
        world.put(an_item())
        world.start()
        assert len(self.flushLoggedErrors(ZeroDivisionError)) == 1
        assert "an error after it was handed over" in world.there().held
        world.turn(86400.0)
        assert len(world.relay.carried) == 1
        assert claimable(world) == []

    def test_a_bug_when_a_bug_is_recorded(self) -> None:
        class Buggy(MemoryQueue):
            async def record(self, *args: Any) -> bool:
                raise ZeroDivisionError

        world = World()
        world.relay.answers[HERE] = bug
        world.house.queue = Buggy(LocalBoard(world.clock), world.clock.seconds)
        world.queue = world.house.queue
        world.put(an_item())
        world.start()
        assert len(self.flushLoggedErrors(ZeroDivisionError)) == 2
        world.turn(290)
        assert len(world.relay.carried) == 1
        world.turn(20)
        assert len(world.relay.carried) == 2
        assert len(self.flushLoggedErrors(ZeroDivisionError)) == 2

    def test_a_bug_in_a_pace_keeps_no_claim(self) -> None:
        def rate_of(name: str) -> float:
            raise ZeroDivisionError

        world = World()
        world.house.pace = Pace(rate_of)
        world.put(an_item(rate="news"))
        world.start()
        assert len(self.flushLoggedErrors(ZeroDivisionError)) == 1
        assert world.there().attempts == 1
        world.turn(240)
        assert claimable(world, world.clock.seconds() + 120) == ["a.1"]

    def test_a_bug_while_the_queue_is_looked_at_is_no_end(self) -> None:
        class Buggy(MemoryQueue):
            has_bug = True

            async def due(self, now: float, most: int) -> Any:  # Any: of DueHop
                if self.has_bug:
                    raise ZeroDivisionError
                return await super().due(now, most)

        world = World()
        queue = Buggy(LocalBoard(world.clock), world.clock.seconds)
        world.queue = world.house.queue = queue
        world.put(an_item())
        world.start()
        assert len(self.flushLoggedErrors(ZeroDivisionError)) == 1
        queue.has_bug = False
        world.turn(20)
        assert world.item() is None
