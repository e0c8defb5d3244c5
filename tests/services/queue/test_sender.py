"""What the sender claims, lets out, holds on to and gives back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from attrs import define, evolve, field
from twisted.internet.defer import Deferred
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from mailkit.errors import BadMessage, StorageBroken, Unavailable
from mailkit.interfaces.resolver import Answer, MXRecord
from mailkit.interfaces.storage import IContent
from mailkit.model.address import AccountName, DomainName
from mailkit.model.alarm import Alarm
from mailkit.model.envelope import Envelope
from mailkit.model.event import Step
from mailkit.model.notice import NoticeKind
from mailkit.model.path import NULL_PATH
from mailkit.model.queueitem import (
    Fate,
    NextHop,
    QueueId,
    QueueItem,
    Sealed,
    Selection,
)
from mailkit.services.queue import fairness
from mailkit.services.queue.claims import LEASE
from mailkit.services.queue.hosts import Hosts
from mailkit.services.queue.pace import Pace
from mailkit.services.queue.sender import PATIENCE, Sender
from mailkit.services.queue.settings import QueueSettings
from mailkit.storage.content import OctetsContent
from mailkit.storage.memory.queue import MemoryQueue
from mailkit.storage.state.local import LocalBoard
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import NEW_YEAR
from mailkit.testing.dns import DictResolver
from tests.services.queue.world import LATER, MESSAGE, OK, World, an_item

HERE = "192.0.2.1"


def hanging() -> World:
    """Somebody who never answers has an item."""
    world = World()
    world.relay.answers[HERE] = None
    world.put(an_item())
    return world.start()


def claimable(world: World, at: float | None = None) -> Sequence[str]:
    """What somebody else could claim now."""
    now = world.clock.seconds() if at is None else at
    hop = an_item().hop
    found = at_once(world.queue.claim(hop, "other", now, now + 1, 100))
    ids = [item.id for item in found]
    at_once(world.queue.give_back("other", ids, now))
    return ids


# -- waking


def test_it_wakes_when_something_comes() -> None:
    world = World().start()
    world.put(an_item())
    world.turn(0.1)
    assert world.item() is None


def test_a_clock_that_is_set_back_keeps_new_mail_from_nobody() -> None:
    world = World()
    world.resolver.fail("example.net")
    world.put(an_item("a"))
    world.start()
    world.turn(0.1)
    assert world.item("a.1") is not None
    world.resolver.mend("example.net")
    before = world.clock.rightNow = world.clock.seconds() - 86_400.0
    world.put(an_item("b", at=before))
    world.turn(0.2)
    assert world.item("b.1") is None


def test_it_wakes_when_it_is_time() -> None:
    world = World().start()
    world.put(an_item(hold_until=NEW_YEAR + 7.0))
    world.turn(6.9)
    assert world.item() is not None
    world.turn(0.2)
    assert world.item() is None


def test_it_looks_although_nobody_says_anything() -> None:
    class Deaf(MemoryQueue):
        def watch(self, hear: Callable[[], None]) -> Any:  # Any: IWatch
            return super().watch(lambda: None)

        async def next_time(self, now: float) -> float | None:
            return None

    world = World()
    world.queue = Deaf(world.queue._board, world.clock.seconds)
    world.house.queue = world.queue
    world.start()
    world.put(an_item())
    world.turn(31)
    assert world.item() is None


def test_many_notices_are_one_look() -> None:
    looks: list[float] = []

    class Counting(MemoryQueue):
        async def due(self, now: float, most: int) -> Any:  # Any: of DueHop
            looks.append(now)
            return await super().due(now, most)

    world = World()
    world.queue = Counting(world.queue._board, world.clock.seconds)
    world.house.queue = world.queue
    world.start()
    for number in range(100):
        world.put(an_item(f"t{number}"))
        world.clock.advance(0.001)
    world.turn(0.1)
    assert len(looks) <= 5
    assert len(world.relay.carried) == 100


def test_a_queue_that_cannot_be_read_is_looked_at_again() -> None:
    class Broken(MemoryQueue):
        error: Unavailable | None = StorageBroken("disk")

        async def due(self, now: float, most: int) -> Any:  # Any: of DueHop
            if self.error is not None:
                raise self.error
            return await super().due(now, most)

        async def claim(self, *args: Any) -> Any:  # Any: as IQueueStore has them
            if now_broken:
                raise StorageBroken("disk")
            return await super().claim(*args)

    now_broken = False
    world = World()
    world.queue = broken = Broken(world.queue._board, world.clock.seconds)
    world.house.queue = broken
    world.put(an_item())
    world.start()
    assert world.relay.carried == []
    broken.error, now_broken = None, True
    world.turn(11)
    assert world.relay.carried == []
    now_broken = False
    world.turn(31)
    assert world.item() is None


def test_held_items_stay() -> None:
    world = World()
    world.put(an_item(held="suspended"))
    world.start()
    world.turn(3600)
    assert world.relay.carried == []


def test_the_queue_is_measured() -> None:
    world = World()
    world.relay.answers[HERE] = LATER
    world.put(an_item(at=NEW_YEAR - 50))
    world.put(an_item("b"))
    world.start()
    collected = {
        family.name: family.samples[0].value
        for family in world.metrics.registry.collect()
        if family.samples and family.name.startswith("mailkit_queue_")
    }
    assert collected["mailkit_queue_items"] == 2.0
    assert collected["mailkit_queue_oldest_seconds"] == 50.0
    assert collected["mailkit_queue_running"] == 0.0
    assert collected["mailkit_queue_recipients"] == 2.0


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


def test_what_waits_and_is_lost_is_not_tried() -> None:
    world = World()
    world.relay.answers[HERE] = None
    for number in range(4):
        world.put(an_item(f"t{number}"))
    world.start()
    assert len(world.relay.carried) == 2
    now = world.clock.seconds()
    at_once(world.queue.claim(an_item().hop, "other", now + 61, now + 600, 4))
    world.turn(21)
    world.relay.answers[HERE] = OK
    world.relay.let_go()
    world.turn()
    assert len(world.relay.carried) == 2


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
    assert (Step.TRIED, "broken off: the server stops") in world.steps()
    assert world.clock.getDelayedCalls() == []


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


# -- sealing


@define(eq=False)
class Signer:
    """Signs as told, and says how often."""

    sealed: Sealed | Exception | None
    turn: Deferred[None] | None = None
    seals: int = 0

    async def __call__(self, item: QueueItem, content: IContent) -> Sealed | None:
        self.seals += 1
        if self.turn is not None:
            await self.turn
        if isinstance(self.sealed, Exception):
            raise self.sealed
        return self.sealed


def signing(signer: Signer, *items: QueueItem) -> World:
    world = World()
    world.house.seal = signer
    world.put(*items)
    return world.start()


SIGNED = Sealed(head=b"DKIM-Signature: yes\r\n")


def test_a_message_is_signed_once_before_its_first_attempt() -> None:
    signer = Signer(SIGNED, Deferred())
    two = an_item("a", "two.example", number=2)
    seen: list[bytes] = []

    def look(host: Any, item: QueueItem) -> Any:  # Any: as `Carries` has them
        content: Any = at_once(world.queue.content(item.id))
        seen.append(content.octets)
        return LATER(host, item)

    world = signing(signer, an_item(), two)
    world.relay.answers = {HERE: look, "192.0.2.11": look}
    assert world.relay.carried == []
    assert signer.turn is not None
    signer.turn.callback(None)
    world.turn()
    assert seen == [SIGNED.head + MESSAGE] * 2
    world.turn(301)
    assert len(seen) == 4
    assert signer.seals == 1
    assert [step for step, _ in world.steps()].count(Step.SIGNED) == 1


@define(eq=False)
class SlowQueue:
    """A queue whose contents are on disk: they are there a moment later."""

    behind: Any  # MemoryQueue
    turns: list[Deferred[None]] = field(factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.behind, name)

    async def content(self, id: QueueId) -> IContent:
        turn: Deferred[None] = Deferred()
        self.turns.append(turn)
        await turn
        content: IContent = await self.behind.content(id)
        return content


def test_items_that_are_read_slowly_are_signed_once() -> None:
    world = World()
    slow: Any = SlowQueue(world.queue)
    signer = Signer(SIGNED)
    world.house.queue = slow
    world.house.seal = signer
    world.put(an_item(), an_item("a", "two.example", number=2))
    world.start()
    while slow.turns:
        slow.turns.pop().callback(None)
        world.turn()
    assert signer.seals == 1
    assert world.item() is None
    assert world.item("a.2") is None


def test_what_leaves_is_looked_at_once_more() -> None:
    looked: list[bytes] = []

    async def look(item: QueueItem, content: Any) -> str:
        looked.append(content.octets)
        return "" if item.message == "a" else "the body is another one"

    world = World()
    world.house.seal, world.house.check = Signer(SIGNED), look
    world.put(an_item(), an_item("a", "two.example", number=2))
    world.put(an_item("b"))
    world.start()
    assert looked == [SIGNED.head + MESSAGE] * 2
    assert world.item() is None
    reason = "the signature does not hold: the body is another one"
    assert world.there("b.1").held == reason


def test_a_message_that_needs_no_signature() -> None:
    signer = Signer(None)
    world = signing(signer, an_item(), an_item("a", "two.example", number=2))
    assert signer.seals == 1
    assert [step for step, _ in world.steps()] == [Step.SENT, Step.SENT]


def test_a_message_that_cannot_be_signed_now_is_tried_later() -> None:
    signer = Signer(Unavailable("no key at hand"))
    world = signing(signer, an_item())
    item = world.there()
    assert item.recipients[0].words == "no key at hand"
    assert item.recipients[0].fate is Fate.WAITING
    signer.sealed = SIGNED
    world.turn(301)
    assert world.item() is None


def test_a_message_that_cannot_be_signed_is_held() -> None:
    world = signing(Signer(BadMessage("the signature does not verify")), an_item())
    item = world.there()
    assert item.held == "the signature does not verify"
    assert item.attempts == 0
    assert world.relay.carried == []
    assert (Step.HELD, "the signature does not verify") in world.steps()
    at_once(world.queue.release(Selection(), world.clock.seconds()))
    world.house.seal = None
    world.turn(1)
    assert world.item() is None


def test_administrators_hear_of_what_is_held_once_an_hour() -> None:
    heard: list[Alarm] = []

    async def tell(alarm: Alarm) -> bool:
        heard.append(alarm)
        return True

    signer = Signer(BadMessage("the signature does not verify"))
    world = signing(signer)
    world.house.alarm = tell
    world.put(an_item("a", account=AccountName("alice@example.org")))
    world.put(an_item("b"))
    world.turn(1)
    assert [(one.kind, one.subject) for one in heard] == [
        ("mail-held", "alice@example.org")
    ]
    assert "the signature does not verify (a.1)" in heard[0].words
    world.turn(3601)
    world.put(an_item("c"))
    world.turn(1)
    assert [one.subject for one in heard[1:]] == ["c.1"]


# -- pace


def test_bulk_mail_keeps_its_pace() -> None:
    world = World()
    world.house.pace = Pace({"news": 0.1}.get)
    for number in range(20):
        world.put(an_item(f"n{number}", rate="news"))
    world.put(an_item("mine"))
    world.start()
    assert len(world.relay.carried) == 2
    world.turn(100, step=1)
    assert 11 <= len(world.relay.carried) <= 13
    world.turn(100, step=1)
    assert len(world.relay.carried) == 21
    assert len(set(world.relay.carried)) == 21


# -- one host of many domains


def test_a_host_of_many_domains_is_not_asked_too_much() -> None:
    settings = QueueSettings(per_host=5)
    world = World(settings=settings)
    for number in range(40):
        world.resolver.add(f"d{number}.test. MX 10 mx.example.net.")
        world.put(an_item(f"t{number}", f"d{number}.test"))
    world.relay.takes = 1.0
    world.start()
    world.turn(60, step=0.5)
    assert len(set(world.relay.carried)) == 40
    assert world.relay.most[HERE] == 5


def test_notices_make_room_where_many_hosts_hang(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Strangers could have us write to as many such hosts as they like."""
    monkeypatch.setattr(fairness, "MOST_SLOW", 2)
    world = hanging()
    world.turn(31)
    notice = evolve(an_item("n", "two.example"), envelope=Envelope(NULL_PATH))
    world.put(notice)
    world.put(an_item("b", "two.example"))
    world.turn(1)
    assert world.item("b.1") is None
    assert world.there("n.1").attempts == 0
    world.relay.answers[HERE] = OK
    world.relay.let_go()
    world.turn(61)
    assert world.item("n.1") is None


def test_domains_that_waited_for_a_host_go_on_when_it_dies() -> None:
    world = World()
    world.relay.answers[HERE] = None
    for number in range(10):
        world.resolver.add(f"d{number}.test. MX 10 mx.example.net.")
        world.put(an_item(f"t{number}", f"d{number}.test"))
    world.start()
    assert len(world.relay.carried) == 2
    world.relay.answers[HERE] = Unavailable("cut")
    world.relay.answers[HERE] = LATER
    world.relay.let_go()
    world.turn(1)
    assert all(world.there(f"t{number}.1").attempts == 1 for number in range(10))


def test_whoever_waited_for_a_host_and_has_left_keeps_nobody_waiting() -> None:
    world = World()
    world.relay.answers[HERE] = None
    for number in range(10):
        world.resolver.add(f"d{number}.test. MX 10 mx.example.net.")
        world.put(an_item(f"t{number}", f"d{number}.test"))
    world.start()
    now = world.clock.seconds()
    for number in range(2, 8):  # lost to another process, which drops them
        hop = NextHop(DomainName(f"d{number}.test"))
        at_once(world.queue.claim(hop, "other", now + 61, now + 62, 1))
    world.turn(25)
    world.relay.answers[HERE] = OK
    world.relay.let_go()
    world.turn(1)
    left = {f"t{number}.1" for number in range(10) if world.item(f"t{number}.1")}
    assert left == {f"t{number}.1" for number in range(2, 8)}


# -- bugs


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


# -- what is said


def test_log_lines_are_facts() -> None:
    lines: list[LogEvent] = []

    @implementer(ILogObserver)
    def observe(event: LogEvent) -> None:
        lines.append(event)

    globalLogPublisher.addObserver(observe)
    try:
        world = World()
        world.relay.answers[HERE] = LATER
        world.put(an_item("a", "example.net", "x{y}"))
        world.start()
    finally:
        globalLogPublisher.removeObserver(observe)
    [line] = [line for line in lines if "outcome" in line]
    assert line["queue_id"] == "a.1"
    assert line["domain"] == "example.net"
    assert line["outcome"] == "deferred"
    assert line["reply"] == "4.2.0 Not now"
    assert line["peer"] == "mx.example.net 192.0.2.1:25: "
    assert "{queue_id} to {domain}" in line["log_format"]


@pytest.mark.parametrize("connections", [1, 3])
def test_never_more_than_so_many(connections: int) -> None:
    world = World(settings=QueueSettings(connections=connections))
    world.relay.takes = 1.0
    for number in range(20):
        world.resolver.add(f"d{number}.test. A 192.0.2.{100 + number}")
        world.put(an_item(f"t{number}", f"d{number}.test"))
    world.start()
    world.turn(30, step=0.5)
    assert len(world.relay.carried) == 20
    assert world.relay.most[""] == connections


def test_routes_make_hops_of_their_own() -> None:
    item = an_item()
    assert NextHop(item.hop.domain, "a") != evolve(item.hop, route="b")
    assert OctetsContent(MESSAGE).size == item.size


def test_two_senders_have_two_names() -> None:
    world = World()
    other = Sender(world.house, "two", counts_all=False)
    for number in range(50):
        world.put(an_item(f"t{number}"))
    world.relay.takes = 0.5
    other.start()
    world.start()
    world.turn(60, step=0.25)
    assert len(world.relay.carried) == 50
    assert len(set(world.relay.carried)) == 50
