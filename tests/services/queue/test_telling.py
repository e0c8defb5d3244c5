"""What senders are told is kept with the attempt that caused it, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from attrs import define, field
from twisted.internet.defer import Deferred

from mailkit.errors import Busy, StorageFull
from mailkit.interfaces.queue import Carried, NextHost
from mailkit.interfaces.storage import IContent
from mailkit.interfaces.tellers import WrittenNotice
from mailkit.model.event import Step
from mailkit.model.notice import NoticeKind
from mailkit.model.queueitem import Fate, QueuedRecipient, QueueItem, Report
from mailkit.services.queue.claims import LEASE
from mailkit.services.queue.settings import RetrySettings
from mailkit.services.queue.trying import AGAIN, LATE, UNRECORDED
from mailkit.storage.memory.queue import MemoryQueue
from mailkit.storage.state.local import LocalBoard
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import TestClock
from tests.services.queue.world import NEVER, OK, Answer, World, an_item
from tests.services.tellers import Teller

HERE = "192.0.2.1"


class FullQueue(MemoryQueue):
    """On a disk that has no room for attempts."""

    is_full: bool = True

    async def record(self, *args: Any) -> bool:
        if self.is_full:
            raise StorageFull
        return await super().record(*args)


def full() -> tuple[FullQueue, World]:
    clock = TestClock()
    queue = FullQueue(LocalBoard(clock), clock.seconds)
    world = World(clock=clock, queue=queue)
    world.put(an_item())
    return queue, world


def steps(world: World) -> list[Step]:
    return [step for step, _ in world.steps()]


@pytest.mark.parametrize(
    ("answer", "kind"), [(NEVER, NoticeKind.FAILED), (None, NoticeKind.DELAYED)]
)
def test_a_notice_is_in_the_queue_once_its_cause_is_recorded(
    answer: Answer, kind: NoticeKind
) -> None:
    world = World(retry=RetrySettings(delay_notice=1.0))
    world.relay.answers[HERE] = answer or (lambda host, item: Carried(reports=()))
    world.put(an_item(at=world.clock.seconds() - 10))
    world.start()
    assert [told[2] for told in world.notices()] == [kind]
    assert world.teller.told == world.notices()


def test_what_cannot_be_recorded_is_not_told() -> None:
    queue, world = full()
    world.relay.answers[HERE] = NEVER
    world.start()
    world.turn(3 * AGAIN, step=1.0)
    assert world.teller.told == world.notices() == []
    assert steps(world) == []
    queue.is_full = False
    world.turn(AGAIN)
    assert len(world.relay.carried) == 1
    assert world.teller.told == world.notices() != []
    assert steps(world) == [Step.BOUNCED]


@pytest.mark.parametrize("answer", [NEVER, OK])
def test_what_a_stop_leaves_unrecorded_is_not_told(answer: Answer) -> None:
    _, world = full()
    world.relay.answers[HERE] = answer
    world.start()
    stopping = Deferred.fromCoroutine(world.sender.stop())
    world.turn(AGAIN)
    assert stopping.called
    assert world.teller.told == world.notices() == []
    expected = [Step.TRIED, Step.SENT] if answer is OK else []
    assert steps(world) == expected
    assert (UNRECORDED in [text for _, text in world.steps()]) is (answer is OK)


@pytest.mark.parametrize(
    ("answer", "said"), [(NEVER, []), (OK, [Step.TRIED, Step.SENT])]
)
def test_whoever_lost_the_claim_tells_nobody(answer: Answer, said: list[Step]) -> None:
    world = World()
    world.relay.answers[HERE] = None
    world.put(an_item())
    world.start()
    later = world.clock.seconds() + LEASE + 1
    [item] = at_once(world.queue.claim(an_item().hop, "two", later, later + 60, 1))
    world.relay.answers[HERE] = answer
    world.relay.let_go()
    world.turn(1)
    assert world.teller.told == world.notices() == []
    assert steps(world) == said
    assert (LATE in [text for _, text in world.steps()]) is (answer is OK)
    assert world.there().recipients[0].fate is Fate.WAITING
    assert len(world.attempts()) == 1
    assert item.is_taken_over


@define(eq=False)
class Choosy(Teller):
    """Has no time for failures."""

    refused: list[NoticeKind] = field(factory=list)

    async def write(
        self,
        item: QueueItem,
        content: IContent,
        recipients: Sequence[QueuedRecipient],
        kind: NoticeKind,
        until: float | None = None,
    ) -> WrittenNotice | None:
        if kind is NoticeKind.FAILED:
            self.refused.append(kind)
            raise Busy("later")
        return await super().write(item, content, recipients, kind, until)


def test_a_notice_says_what_is_recorded_at_last() -> None:
    """Who is not returned for now is late like the others, and told of with them."""

    def mixed(host: NextHost, item: QueueItem) -> Carried:
        fates = {"ben": Fate.WAITING, "carl": Fate.FAILED}
        reports = [
            Report(one.path, fates[one.path.local_part], "4.0.0", "words")
            for one in item.waiting
        ]
        return Carried(reports=tuple(reports))

    world = World(retry=RetrySettings(delay_notice=1.0), teller=Choosy())
    world.relay.answers[HERE] = mixed
    names = "ben", "carl"
    world.put(an_item("a", "example.net", *names, at=world.clock.seconds() - 10))
    world.start()
    told = [(path, kind) for _, path, kind, _ in world.notices()]
    assert told == [(f"{name}@example.net", NoticeKind.DELAYED) for name in names]
    recipients = world.there().recipients
    assert all(one.is_delay_told for one in recipients)
    assert all(one.fate is Fate.WAITING for one in recipients)
