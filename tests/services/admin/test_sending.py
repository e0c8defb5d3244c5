"""What an account may send: held while it is suspended, thawed when it was too much."""

from __future__ import annotations

import pytest
from attrs import evolve

from mailkit.errors import NoSuchAccount, NotAllowed, Refused
from mailkit.model.account import Role
from mailkit.model.address import AccountName, Address
from mailkit.model.queueitem import QueueItem, Selection
from mailkit.model.sendinglimit import Freeze, Most, Sent
from mailkit.services.queue.suspended import REASON
from mailkit.storage.content import OctetsContent
from mailkit.testing.at_once import at_once
from tests.services.admin.world import DORA, ROOT, USER, World
from tests.services.queue.world import an_item

ALICE = AccountName("alice@example.test")
BOB = AccountName("bob@example.test")


@pytest.fixture
def world() -> World:
    """Bob is there beside alice."""
    world = World()
    at_once(world.admin.accounts.add(ROOT, BOB, "builder-9"))
    return world


def put(world: World, item: QueueItem) -> None:
    at_once(world.queue.put(OctetsContent(b"Subject: x\r\n\r\n"), [item]))


def held(world: World) -> dict[str, str]:
    items = at_once(world.queue.items(Selection()))
    return {item.message: item.held for item in items}


def test_suspending_holds_what_waits(world: World) -> None:
    put(world, evolve(an_item("one"), account=ALICE))
    put(world, evolve(an_item("two"), account=ALICE))
    put(world, evolve(an_item("other"), account=BOB))
    put(world, an_item("nobody"))
    at_once(world.queue.hold(Selection(ids=("two",)), "look at it"))
    at_once(world.admin.accounts.suspend(DORA, ALICE))
    assert held(world) == {
        "one": REASON,
        "two": "look at it",
        "other": "",
        "nobody": "",
    }
    at_once(world.admin.accounts.resume(DORA, ALICE))
    assert held(world) == {"one": "", "two": "look at it", "other": "", "nobody": ""}
    steps = [event.detail for event in at_once(world.events.find("one"))]
    assert steps == [f"by dora@example.test: {REASON}", "by dora@example.test"]


def test_suspending_twice_holds_what_came_between(world: World) -> None:
    at_once(world.admin.accounts.suspend(ROOT, ALICE))
    put(world, evolve(an_item("late"), account=ALICE))
    at_once(world.admin.accounts.suspend(ROOT, ALICE))
    assert held(world) == {"late": REASON}


def test_thaw(world: World) -> None:
    freeze = Freeze(ALICE, world.clock.seconds(), "it wrote to 200 recipients")
    to = Address.of("n", "example.net")
    at_once(world.counts.take(ALICE, to, Most(), world.clock.seconds()))
    at_once(world.counts.freeze(freeze))
    sheet = at_once(world.admin.accounts.show(ROOT, ALICE))
    assert sheet.freeze == freeze
    assert sheet.sent == Sent(hour=1, day=1, new=1)
    assert at_once(world.admin.accounts.thaw(DORA, "Alice@example.test")) == freeze
    assert world.lines(ALICE)[-1] == (
        "dora@example.test",
        "account thaw",
        ALICE,
        "frozen: it wrote to 200 recipients",
        "may send",
    )
    sheet = at_once(world.admin.accounts.show(ROOT, ALICE))
    assert (sheet.freeze, sheet.sent) == (None, Sent())
    with pytest.raises(Refused, match="may send anyway"):
        at_once(world.admin.accounts.thaw(ROOT, ALICE))


def test_who_may_thaw(world: World) -> None:
    at_once(world.counts.freeze(Freeze(ALICE, 0.0, "too much")))
    with pytest.raises(NotAllowed):
        at_once(world.admin.accounts.thaw(USER, ALICE))
    at_once(world.admin.accounts.change(ROOT, ALICE, Role.DOMAIN_ADMIN, None))
    account = world.account(ALICE)
    assert account is not None
    with pytest.raises(NotAllowed, match="nobody thaws itself"):
        at_once(world.admin.accounts.thaw(evolve(DORA, account=ALICE), ALICE))
    with pytest.raises(NoSuchAccount):
        at_once(world.admin.accounts.thaw(ROOT, "nobody@example.test"))
