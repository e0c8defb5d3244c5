"""A notice that nobody takes ends there, where administrators see it."""

from __future__ import annotations

from mailkit.model.envelope import Envelope
from mailkit.model.event import Step
from mailkit.model.queueitem import Selection
from mailkit.testing.at_once import at_once
from tests.services.notices.desk import DAVE, Desk
from tests.services.queue.world import NEVER, World, an_item


def test_a_notice_that_comes_back() -> None:
    desk = Desk()
    world = World(clock=desk.world.clock, queue=desk.queue, events=desk.events)
    world.house.teller = desk.teller
    world.relay.answers["192.0.2.1"] = NEVER
    world.put(an_item("T1", "example.net", "erin", envelope=Envelope(DAVE)))
    world.start()
    world.turn(60)
    assert at_once(desk.queue.count(Selection())) == 0
    [told] = [step for step in desk.events.steps if "notice" in step.detail][:1]
    assert (told.step, told.transaction) == (Step.TOLD, "T1")
    id = told.detail.split()[2]
    steps = [(s.step, s.detail) for s in at_once(desk.events.find(id))]
    assert steps == [
        (Step.ACCEPTED, "notice (failed) about T1"),
        (Step.QUEUED, f"{id}.1 for example.net"),
        (Step.TOLD, "nobody is told: a notice came back"),
        (
            Step.BOUNCED,
            "mx.example.net 192.0.2.1:25: 5.1.1 Nobody of that name",
        ),
    ]
    assert len(world.relay.carried) == 2
