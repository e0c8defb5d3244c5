"""What the sender claims, holds on to, writes down and gives back."""

from __future__ import annotations

from typing import Any

from attrs import define, evolve, field
from twisted.internet.defer import CancelledError, Deferred

from mailkit.errors import StorageBroken
from mailkit.interfaces.queue import Carried, NextHost
from mailkit.interfaces.storage import IContent
from mailkit.interfaces.tellers import WrittenNotice
from mailkit.model.event import Step
from mailkit.model.queueitem import (
    Attempt,
    Fate,
    QueueId,
    QueueItem,
    Selection,
)
from mailkit.services.queue.claims import FRESH, LEASE, TAKEN_OVER
from mailkit.services.queue.sender import BROKEN_OFF, PATIENCE
from mailkit.storage.content import OctetsContent
from mailkit.storage.memory.queue import MemoryQueue
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import NEW_YEAR, TestClock
from tests.services.queue.world import (
    HERE,
    LATER,
    MESSAGE,
    NEVER,
    OK,
    Relay,
    World,
    an_item,
    claimable,
    hanging,
)
from tests.services.tellers import Teller

# -- claims


def test_a_claim_is_held_on_to_while_it_is_tried() -> None:
    world = hanging()
    for _ in range(20):
        world.turn(15)
        assert claimable(world) == []
    world.relay.answers[HERE] = OK
    world.relay.let_go()
    world.turn()
    assert world.item() is None
    assert len(world.relay.carried) == 1


def test_the_claims_of_a_dead_process_are_free_within_a_minute() -> None:
    world = hanging()
    assert claimable(world, world.clock.seconds() + LEASE) == ["a.1"]


def test_a_claim_that_was_lost_is_told() -> None:
    world = hanging()
    now = world.clock.seconds()
    at_once(world.queue.claim(an_item().hop, "other", now + 61, now + 600, 1))
    world.turn(21)
    world.relay.answers[HERE] = OK
    world.relay.let_go()
    world.turn()
    assert world.item() is not None  # the other one has it
    said = "may have been sent twice: the claim ended before the attempt did"
    assert (Step.TRIED, said) in world.steps()


def crowded() -> World:
    """Two of four items are on their way and hang, the others wait for their turn."""
    world = World()
    world.relay.answers[HERE] = None
    for number in range(4):
        world.put(an_item(f"t{number}"))
    world.start()
    assert len(world.relay.carried) == 2
    return world


def test_what_waits_and_is_lost_is_not_tried() -> None:
    world = crowded()
    now = world.clock.seconds()
    at_once(world.queue.claim(an_item().hop, "other", now + 61, now + 600, 4))
    world.turn(21)
    world.relay.answers[HERE] = OK
    world.relay.let_go()
    world.turn()
    assert len(world.relay.carried) == 2


def test_what_waits_and_is_held_is_not_tried() -> None:
    world = crowded()
    at_once(world.queue.hold(Selection(), "account suspended"))
    world.turn(FRESH + 0.1)
    world.relay.answers[HERE] = OK
    world.relay.let_go()
    world.turn(LEASE, step=5)
    assert len(world.relay.carried) == 2
    left = at_once(world.queue.items(Selection()))
    assert [(one.id, one.claimed_until) for one in left] == [
        ("t2.1", None),
        ("t3.1", None),
    ]
    at_once(world.queue.release(Selection(), world.clock.seconds()))
    world.turn(LEASE, step=5)
    assert [id for _, id in world.relay.carried][2:] == ["t2.1", "t3.1"]


def test_a_copy_from_before_another_tried_it_is_not_recorded() -> None:
    """Who stood still lost a claim, and may get it anew while the old try goes on."""
    world = World()
    world.relay.answers[HERE] = None
    world.put(an_item("a", "example.net", "anna", "ben"))
    world.start()
    now = world.clock.seconds() + LEASE
    [item] = at_once(world.queue.claim(an_item().hop, "other", now, now + 60, 1))
    sent, left = item.recipients
    attempt = Attempt(began=now, took=1.0)
    theirs = (evolve(sent, fate=Fate.SENT), left)
    assert at_once(world.queue.record("other", item.id, attempt, theirs, now + 60))
    world.turn(LEASE * 3, step=5)
    assert len(world.relay.carried) == 1
    world.relay.answers[HERE] = LATER
    world.relay.let_go()
    world.turn(1)
    assert world.there().recipients == theirs
    world.relay.answers[HERE] = OK
    world.turn(LEASE * 2, step=5)
    assert len(world.relay.carried) == 2
    assert world.item() is None


def test_what_is_claimed_anew_while_its_hosts_are_looked_for_is_tried_once() -> None:
    """The machine slept, and its claims ended meanwhile."""
    world = World().start()
    world.resolver.hold("example.net")
    Deferred.fromCoroutine(world.sender.put(OctetsContent(MESSAGE), [an_item()]))
    world.turn()
    world.sender.wake()
    world.clock.rightNow += LEASE + 1
    world.turn(0.1)
    world.relay.answers[HERE] = None
    world.resolver.release("example.net")
    world.turn()
    assert len(world.relay.carried) == 1
    world.relay.answers[HERE] = OK
    world.relay.let_go()
    world.turn()
    assert world.item() is None


def test_claims_that_cannot_be_renewed_end() -> None:
    class Broken(MemoryQueue):
        async def renew(self, *args: Any) -> Any:  # Any: as IQueueStore has them
            raise StorageBroken("disk")

    world = World()
    world.queue = world.house.queue = Broken(world.queue._board, world.clock.seconds)
    world.relay.answers[HERE] = None
    for number in range(4):
        world.put(an_item(f"t{number}"))
    world.start()
    world.turn(70, step=10)
    world.relay.answers[HERE] = OK
    world.relay.let_go()
    world.turn()
    # Two were on their way; the two that waited were claimed anew before they left.
    ids = [id for _, id in world.relay.carried]
    assert sorted(ids) == ["t0.1", "t1.1", "t2.1", "t3.1"]


def test_an_item_that_is_dropped_this_moment() -> None:
    class Dropping(MemoryQueue):
        async def content(self, id: QueueId) -> IContent:
            await self.give_back("one", [id], NEW_YEAR)
            await self.drop(Selection(ids=(id,)))
            return await super().content(id)

    world = World()
    world.queue = world.house.queue = Dropping(world.queue._board, lambda: NEW_YEAR)
    world.put(an_item())
    world.start()
    assert world.relay.carried == []
    assert world.steps() == []


# -- recording


@define(eq=False)
class Forgetful:
    """A queue that cannot write for a while."""

    queue: Any  # IQueueStore
    left: int

    def __getattr__(self, name: str) -> Any:  # Any: whatever the queue has
        return getattr(self.queue, name)

    async def record(self, *args: Any) -> bool:
        if self.left:
            self.left -= 1
            raise StorageBroken("the disk is full")
        done: bool = await self.queue.record(*args)
        return done


def test_what_was_sent_is_recorded_as_soon_as_that_is_possible() -> None:
    world = World()
    world.put(an_item())
    forgetful: Any = Forgetful(world.queue, 3)  # not all of IQueueStore by itself
    world.house.queue = forgetful
    world.start()
    assert world.item() is not None
    world.turn(60, step=5)
    assert world.item() is None
    assert len(world.relay.carried) == 1


def test_what_was_sent_and_cannot_be_recorded_before_the_end_is_said() -> None:
    world = World()
    world.put(an_item())
    forgetful: Any = Forgetful(world.queue, 1000)  # see above
    world.house.queue = forgetful
    world.start()
    stopping = Deferred.fromCoroutine(world.sender.stop())
    world.turn(PATIENCE, step=1)
    assert stopping.called
    said = "may be sent twice: it could not be recorded"
    assert (Step.TRIED, said) in world.steps()


# -- stopping


def test_stopping_waits_for_what_is_on_its_way() -> None:
    world = hanging()
    stopping = Deferred.fromCoroutine(world.sender.stop())
    world.turn(5)
    assert not stopping.called
    world.relay.answers[HERE] = OK
    world.relay.let_go()
    assert stopping.called
    assert world.item() is None
    assert world.clock.getDelayedCalls() == []


def test_stopping_waits_no_longer_than_patience() -> None:
    world = hanging()
    stopping = Deferred.fromCoroutine(world.sender.stop())
    world.turn(PATIENCE)
    assert stopping.called
    assert claimable(world) == ["a.1"]
    assert (Step.TRIED, BROKEN_OFF) in world.steps()
    assert world.clock.getDelayedCalls() == []


@define(eq=False)
class HalfHeard(Relay):
    """Who breaks off hears what was said until then."""

    async def carry(
        self, host: NextHost, item: QueueItem, content: IContent
    ) -> Carried:
        try:
            return await super().carry(host, item, content)
        except CancelledError:
            return NEVER(host, item)


@define(eq=False)
class SlowTeller(Teller):
    """Takes a second for each notice."""

    clock: TestClock = field(kw_only=True)

    async def write(self, *args: Any) -> WrittenNotice | None:  # Any: as ITeller
        turn: Deferred[None] = Deferred()
        self.clock.callLater(1.0, turn.callback, None)
        await turn
        return await super().write(*args)


def test_what_was_heard_before_the_end_is_told_and_recorded() -> None:
    clock = TestClock()
    world = World(clock=clock, relay=HalfHeard(), teller=SlowTeller(clock=clock))
    world.relay.answers[HERE] = None
    world.put(an_item())
    world.start()
    stopping = Deferred.fromCoroutine(world.sender.stop())
    world.turn(PATIENCE, step=1)
    assert not stopping.called
    world.turn(1)
    assert stopping.called
    assert world.item() is None
    assert len(world.notices()) == 1
    assert clock.getDelayedCalls() == []


def test_stopping_gives_back_what_waits() -> None:
    world = World()
    world.relay.answers[HERE] = None
    for number in range(4):
        world.put(an_item(f"t{number}"))
    world.start()
    stopping = Deferred.fromCoroutine(world.sender.stop())
    assert claimable(world) == ["t2.1", "t3.1"]
    world.put(an_item("new"))
    world.turn(1)
    world.relay.answers[HERE] = OK
    world.relay.let_go()
    assert stopping.called
    assert len(world.relay.carried) == 2


def test_what_a_dead_process_may_have_sent_is_said_by_who_gives_it_back() -> None:
    """Whoever has it next does not know any more that it was tried."""
    world = World()
    world.put(an_item())
    now = world.clock.seconds()
    at_once(world.queue.claim(an_item().hop, "dead", now, now + LEASE, 1))
    world.clock.advance(LEASE)
    world.resolver.hold("example.net")
    world.start()
    stopping = Deferred.fromCoroutine(world.sender.stop())
    world.resolver.release("example.net")
    world.turn()
    assert stopping.called
    assert world.relay.carried == []
    assert (Step.TRIED, TAKEN_OVER) in world.steps()


def test_stopping_while_hosts_are_looked_for() -> None:
    world = World()
    world.resolver.hold("example.net")
    world.put(an_item())
    world.start()
    stopping = Deferred.fromCoroutine(world.sender.stop())
    world.resolver.release("example.net")
    world.turn()
    assert stopping.called
    assert world.relay.carried == []
    assert claimable(world) == ["a.1"]


def test_stopping_what_was_never_busy() -> None:
    world = World().start()
    assert Deferred.fromCoroutine(world.sender.stop()).called
    world.sender.wake()
    assert world.clock.getDelayedCalls() == []
