"""A removal that ends half way gives nobody's mail to anybody."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import define, evolve

from mailkit.interfaces.storage import Placement
from mailkit.model.address import AccountName
from mailkit.model.mailbox import INBOX
from mailkit.services.admin.administration import Administration
from mailkit.services.admin.office import Office
from mailkit.services.routing import Routing
from mailkit.storage.content import OctetsContent
from mailkit.testing.at_once import at_once
from tests.services.admin.world import ROOT, World

ALICE = AccountName("alice@example.test")
BOB = AccountName("bob@example.test")


class Stop(BaseException):
    """The process is killed here."""


@define(eq=False)
class Steps:
    """So many calls that change something go through; there is none after."""

    left: int

    def around(self, whole: object) -> Any:  # Any: it stands in for what it has
        return _Counted(self, whole)


@define(eq=False)
class _Counted:
    _steps: Steps
    _whole: object

    def __getattr__(self, name: str) -> object:
        method = getattr(self._whole, name)

        async def counted(*arguments: object) -> object:
            if self._steps.left <= 0:
                raise Stop(name)
            self._steps.left -= 1
            return await method(*arguments)

        return counted


def dying(world: World, calls: int) -> Administration:
    office: Office = world.admin.accounts._office
    steps = Steps(calls)
    mortal = evolve(
        office, changes=steps.around(office.changes), store=steps.around(office.store)
    )
    routing = Routing(world.directory, "mail.example.test")
    return Administration(mortal, routing, world.suppression)


@pytest.fixture
def world() -> World:
    world = World()
    at_once(world.admin.accounts.add(ROOT, BOB, "x"))
    for alias, targets in (
        ("one@example.test", [ALICE]),
        ("two@example.test", ["alice+lists@example.test", BOB]),
    ):
        at_once(world.admin.aliases.add(ROOT, alias, targets))
    at_once(world.admin.accounts.grant(ROOT, BOB, ALICE))
    letter = OctetsContent(b"Subject: private\r\n\r\n")
    at_once(world.store.deliver(letter, [Placement(ALICE, INBOX)]))
    return world


def is_left(world: World) -> bool:
    """Whether mail, aliases or grants would come to who has that name next."""
    at_once(world.admin.accounts.add(ROOT, ALICE, "another Alice"))
    sheet = at_once(world.admin.accounts.show(ROOT, ALICE))
    granted = at_once(world.admin.accounts.show(ROOT, BOB)).grants
    return bool(sheet.used or sheet.aliases or granted)


@pytest.mark.parametrize("calls", range(12))
def test_killed_at_any_step(world: World, calls: int) -> None:
    ended = False
    try:
        at_once(dying(world, calls).accounts.remove(ROOT, ALICE, False))
        ended = True
    except Stop:
        pass
    account = world.account(ALICE)
    if account is not None:
        assert account.is_suspended or not calls
        at_once(world.admin.accounts.remove(ROOT, ALICE, False))
    assert not is_left(world)
    assert ended == (calls >= 7)


def test_an_alias_of_the_same_name_with_a_detail_stays(world: World) -> None:
    at_once(world.admin.aliases.add(ROOT, "alice+lists@example.test", [BOB]))
    at_once(world.admin.accounts.remove(ROOT, ALICE, False))
    left = {str(alias.address) for alias in at_once(world.directory.aliases())}
    assert left == {"two@example.test", "alice+lists@example.test"}
