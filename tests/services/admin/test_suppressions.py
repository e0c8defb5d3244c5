"""The suppression list in the hands of administrators."""

from __future__ import annotations

import pytest

from mailkit.errors import CannotName, NoSuchAddress, NotAllowed
from mailkit.model.address import Address
from mailkit.model.suppression import Cause
from mailkit.testing.at_once import at_once
from tests.services.admin.world import DORA, ROOT, USER, World

BOB = Address.of("bob", "example.net")


@pytest.fixture
def world() -> World:
    return World()


def test_addresses_come_and_go(world: World) -> None:
    suppressions = world.admin.suppressions
    added = at_once(
        suppressions.add(ROOT, ["Bob@example.NET", '"odd one"@example.com'])
    )
    assert [str(one.address) for one in added] == [
        "bob@example.net",
        '"odd one"@example.com',
    ]
    assert {(one.cause, one.reason) for one in added} == {
        (Cause.BY_HAND, "by root (mailkit)")
    }
    assert list(at_once(suppressions.list(ROOT))) == added[::-1]
    assert list(at_once(suppressions.list(ROOT, "Example.net"))) == added[:1]
    assert list(at_once(suppressions.list(ROOT, "", added[1].address, 1))) == added[:1]
    assert at_once(suppressions.drop(ROOT, ["BOB@example.net"])) == [BOB]
    with pytest.raises(NoSuchAddress, match="is not on"):
        at_once(suppressions.drop(ROOT, ['"odd one"@example.com', "bob@example.net"]))
    assert len(world.suppression.listed) == 1
    assert [line[1:] for line in world.lines("bob@example.net")] == [
        ("suppression add", "bob@example.net", "", "by root (mailkit)"),
        ("suppression drop", "bob@example.net", "by root (mailkit)", ""),
    ]


def test_a_reason_may_be_given(world: World) -> None:
    [added] = at_once(
        world.admin.suppressions.add(ROOT, ["bob@example.net"], "asked by phone")
    )
    assert added.reason == "asked by phone"


@pytest.mark.parametrize("text", ["", "bob", "@example.net", "bob@", "bob@-x-"])
def test_what_is_no_address(world: World, text: str) -> None:
    with pytest.raises(CannotName):
        at_once(world.admin.suppressions.add(ROOT, [text]))
    with pytest.raises(CannotName):
        at_once(world.admin.suppressions.drop(ROOT, [text]))


def test_it_is_the_servers_list(world: World) -> None:
    suppressions = world.admin.suppressions
    for actor in (DORA, USER):
        with pytest.raises(NotAllowed):
            at_once(suppressions.list(actor))
        with pytest.raises(NotAllowed):
            at_once(suppressions.add(actor, ["bob@example.net"]))
        with pytest.raises(NotAllowed):
            at_once(suppressions.drop(actor, ["bob@example.net"]))
