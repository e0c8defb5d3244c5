"""What comes where there is room sets out at once, claimed and signed as it is put."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from mailkit.errors import BadMessage, MailkitError, StorageFull, Unavailable
from mailkit.interfaces.resolver import Answer, MXRecord
from mailkit.interfaces.storage import IContent
from mailkit.model.envelope import Envelope
from mailkit.model.event import Step
from mailkit.model.notice import NoticeKind
from mailkit.model.path import NULL_PATH
from mailkit.model.queueitem import QueueItem, Sealed, Selection
from mailkit.services.queue import fairness
from mailkit.services.queue.hosts import Hosts
from mailkit.services.queue.lane import HOSTS_GOOD_FOR
from mailkit.services.queue.settings import QueueSettings
from mailkit.storage.content import OctetsContent
from mailkit.storage.memory.queue import MemoryQueue
from mailkit.storage.state.local import LocalBoard
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import NEW_YEAR
from mailkit.testing.dns import DictResolver
from tests.services.queue.world import HERE, MESSAGE, SIGNED, Signer, World, an_item

EVERYTHING = Selection()
HEAD = b"Received: from here\r\n"


@implementer(IContent)
class Large:
    """A message that is not in memory."""

    size = len(MESSAGE)
    octets = None

    async def read(self, start: int, count: int) -> bytes:
        return MESSAGE[start : start + count]


class Watched(MemoryQueue):
    """A queue that says what it is asked."""

    asked: list[str]
    sizes: list[int]
    error: MailkitError | None = None
    turn: Deferred[None] | None = None

    async def put(
        self,
        content: IContent,
        items: Sequence[QueueItem],
        head: bytes = b"",
        owner: str = "",
        until: float = 0.0,
    ) -> None:
        self.asked.append(f"put for {owner}" if owner else "put")
        self.sizes += [item.size for item in items]
        if self.turn is not None:
            await self.turn
        if self.error is not None:
            raise self.error
        await super().put(content, items, head, owner, until)

    async def claim(self, *args: Any) -> Sequence[QueueItem]:  # Any: as the queue's
        self.asked.append("claim")
        return await super().claim(*args)

    async def seal(self, message: str, sealed: Sealed) -> None:
        self.asked.append("seal")
        await super().seal(message, sealed)


def started(**more: Any) -> tuple[World, Watched]:
    """A sender that has looked at an empty queue."""
    # Any: fields of World, whichever the test is about
    world = World(**more)
    queue = Watched(LocalBoard(world.clock), world.clock.seconds)
    queue.asked, queue.sizes = [], []
    world.queue = world.house.queue = queue
    world.start()
    return world, queue


def put(world: World, *items: QueueItem) -> None:
    at_once(world.sender.put(OctetsContent(MESSAGE), items, HEAD))


def test_it_sets_out_at_once_and_is_claimed_as_it_is_put() -> None:
    world, queue = started()
    put(world, an_item(), an_item("a", "two.example", number=2))
    assert world.relay.carried == []  # that it was accepted is told first
    world.clock.advance(0)
    assert world.relay.carried == [(HERE, "a.1"), ("192.0.2.11", "a.2")]
    assert queue.asked == ["put for one"]
    assert at_once(queue.items(EVERYTHING)) == []


def test_it_is_signed_before() -> None:
    world, queue = started()
    looked: list[bytes] = []

    async def look(item: QueueItem, content: Any) -> str:
        looked.append(content.octets)
        return ""

    signer = Signer(SIGNED)
    world.house.seal, world.house.check = signer, look
    put(world, an_item(), an_item("a", "two.example", number=2))
    assert world.steps() == []
    world.turn()
    assert looked == [SIGNED.head + HEAD + MESSAGE]
    assert queue.asked == ["put for one"]
    assert queue.sizes == [len(looked[0])] * 2
    assert signer.seals == 1
    assert [step for step, _ in world.steps()] == [Step.SIGNED, Step.SENT, Step.SENT]


def test_it_is_written_anew_before() -> None:
    world, queue = started()
    world.house.seal = Signer(evolve(SIGNED, octets=b"Other: words\r\n\r\n"))
    world.relay.answers[HERE] = None
    put(world, an_item())
    world.turn()
    content: Any = at_once(queue.content(an_item().id))
    assert content.octets == SIGNED.head + b"Other: words\r\n\r\n"
    assert world.there().is_sealed
    world.relay.answers.clear()
    world.relay.let_go()


def test_what_needs_no_signature_is_not_asked_about_again() -> None:
    world, queue = started()
    signer = world.house.seal = Signer(None)
    put(world, an_item())
    put(world, an_item("b", is_sealed=True))
    world.turn()
    assert signer.seals == 1
    assert queue.asked == ["put for one"] * 2
    assert [step for step, _ in world.steps()] == [Step.SENT, Step.SENT]


@pytest.mark.parametrize("error", [BadMessage("odd"), Unavailable("no key")])
def test_what_cannot_be_signed_is_accepted_and_its_attempt_tells(
    error: MailkitError,
) -> None:
    world, _ = started()
    world.house.seal = Signer(error)
    put(world, an_item())
    world.turn()
    item = world.there()
    assert str(error) in (item.held, item.recipients[0].words)
    assert world.relay.carried == []


def test_large_messages_are_signed_by_their_attempt() -> None:
    world, queue = started()
    world.house.seal = Signer(SIGNED)
    at_once(world.sender.put(Large(), [an_item()]))
    assert [step for step, _ in world.steps()] == []
    world.turn()
    assert queue.asked == ["put for one", "seal"]
    assert [step for step, _ in world.steps()] == [Step.SIGNED, Step.SENT]


@pytest.mark.parametrize(
    "more",
    [
        {"held": "odd"},
        {"hold_until": NEW_YEAR + 5},
        {"next_try": NEW_YEAR + 5},
        {"rate": "news"},
    ],
)
def test_what_may_not_leave_yet_waits_for_a_look(more: dict[str, Any]) -> None:
    world, queue = started()
    signer = world.house.seal = Signer(SIGNED)
    put(world, an_item(**more))
    assert queue.asked == ["put"]
    assert signer.seals == 0


def test_nobody_overtakes_what_waits() -> None:
    world, queue = started(settings=QueueSettings(per_domain=1))
    world.relay.answers[HERE] = None
    for name in "abcdefgh":
        put(world, an_item(name))
    assert queue.asked == ["put for one"] + ["put"] * 7
    world.turn(1)
    put(world, an_item("i"))
    assert queue.asked[-1] == "put"
    world.relay.answers.clear()
    world.relay.let_go()
    world.turn(10)
    assert [id[0] for _, id in world.relay.carried] == list("abcdefghi")
    put(world, an_item("j"))
    assert queue.asked[-1] == "put for one"


def test_where_many_hang_all_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fairness, "MOST_SLOW", 2)
    world, queue = started()
    world.relay.answers[HERE] = None
    put(world, an_item())
    world.turn()
    world.turn(fairness.SLOW_AFTER + 1)
    put(world, an_item("b", "two.example", envelope=Envelope(NULL_PATH)))
    assert queue.asked == ["put for one", "put"]


def test_who_does_not_send_puts_and_no_more() -> None:
    world = World()
    queue = Watched(LocalBoard(world.clock), world.clock.seconds)
    queue.asked, queue.sizes = [], []
    world.queue = world.house.queue = queue
    put(world, an_item())
    world.start()
    at_once(world.sender.stop())
    put(world, an_item("b"))
    assert queue.asked == ["put", "claim", "put"]


def test_what_could_not_be_kept_leaves_room() -> None:
    world, queue = started(settings=QueueSettings(per_domain=1))
    queue.error = StorageFull("no room")
    for name in "ab":
        with pytest.raises(StorageFull):
            put(world, an_item(name))
    world.turn()
    queue.error = None
    put(world, an_item("c"))
    world.turn()
    assert queue.asked == ["put for one"] * 3
    assert [id for _, id in world.relay.carried] == ["c.1"]


def test_a_stop_gives_back_what_did_not_set_out() -> None:
    world, queue = started()
    put(world, an_item())
    at_once(world.sender.stop())
    queue.turn = Deferred()
    other, slow = started()
    slow.turn = Deferred()
    late = Deferred.fromCoroutine(
        other.sender.put(OctetsContent(MESSAGE), [an_item()], HEAD)
    )
    at_once(other.sender.stop())
    slow.turn.callback(None)
    assert late.called
    for one in (world, other):
        one.turn(1)
        assert one.relay.carried == []
        [due] = at_once(one.queue.due(one.clock.seconds(), 9))
        assert due.count == 1


def test_where_there_is_no_such_host_the_sender_hears_of_it() -> None:
    world, _ = started()
    put(world, an_item("a", "nowhere.example"))
    world.turn()
    assert world.item() is None
    assert [kind for *_, kind, _ in world.teller.told] == [NoticeKind.FAILED]


class Bugs(SynchronousTestCase):
    """A bug of ours costs one attempt."""

    def test_a_bug_in_the_search_for_hosts(self) -> None:
        class Buggy(DictResolver):
            async def mx(self, domain: str) -> Answer[MXRecord]:
                raise ZeroDivisionError

        world, _ = started()
        hosts, world.house.hosts = world.house.hosts, Hosts(Buggy(), "us", list.sort)
        put(world, an_item())
        world.turn()
        assert len(self.flushLoggedErrors(ZeroDivisionError)) == 1
        assert world.there().attempts == 1
        world.house.hosts = hosts
        world.turn(310)
        assert world.item() is None


def test_hosts_are_not_looked_for_again_when_nothing_was_there_for_a_moment() -> None:
    world, _ = started()
    asked = world.resolver.asked
    for name in "abc":
        put(world, an_item(name))
        world.turn(HOSTS_GOOD_FOR / 4)
    assert asked.count(("example.net", "MX")) == 1
    world.turn(HOSTS_GOOD_FOR)
    put(world, an_item("d"))
    world.turn()
    assert asked.count(("example.net", "MX")) == 2
    assert len(world.relay.carried) == 4
