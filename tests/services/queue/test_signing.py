"""Messages are signed before they leave, once."""

from __future__ import annotations

from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred

from mailkit.errors import BadMessage, Unavailable
from mailkit.interfaces.storage import IContent
from mailkit.model.address import AccountName
from mailkit.model.alarm import Alarm
from mailkit.model.event import Step
from mailkit.model.queueitem import (
    Fate,
    QueueId,
    QueueItem,
    Selection,
)
from mailkit.testing.at_once import at_once
from tests.services.queue.world import (
    HERE,
    LATER,
    MESSAGE,
    SIGNED,
    Signer,
    World,
    an_item,
)


def signing(signer: Signer, *items: QueueItem) -> World:
    world = World()
    world.house.seal = signer
    world.put(*items)
    return world.start()


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
