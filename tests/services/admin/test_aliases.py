"""Aliases, mailboxes and the audit."""

from __future__ import annotations

import pytest

from mailkit.errors import (
    AlreadyExists,
    NoSuchAccount,
    NoSuchAddress,
    NoSuchDomain,
    NotAllowed,
    Refused,
)
from mailkit.model.account import Alias
from mailkit.testing.at_once import at_once
from tests.services.admin.world import DORA, ROOT, World

ALICE = "alice@example.test"
BOB = "bob@example.test"


@pytest.fixture
def world() -> World:
    world = World()
    at_once(world.admin.accounts.add(ROOT, BOB, "builder"))
    return world


def targets(alias: Alias | None) -> list[str]:
    return [str(target) for target in alias.targets] if alias else []


def test_an_alias_grows_and_shrinks(world: World) -> None:
    aliases = world.admin.aliases
    made = at_once(aliases.add(ROOT, "Sales@example.test", [ALICE]))
    assert targets(made) == [ALICE]
    made = at_once(aliases.add(ROOT, "sales@example.test", [BOB, ALICE]))
    assert targets(made) == [ALICE, BOB]
    at_once(aliases.add(ROOT, "sales@example.test", [BOB]))
    left = at_once(aliases.remove(ROOT, "sales@example.test", ["Alice@example.test"]))
    assert targets(left) == [BOB]
    with pytest.raises(NoSuchAddress, match="does not lead"):
        at_once(aliases.remove(ROOT, "sales@example.test", [ALICE]))
    assert at_once(aliases.remove(ROOT, "sales@example.test")) is None
    with pytest.raises(NoSuchAddress):
        at_once(aliases.remove(ROOT, "sales@example.test"))
    assert [line[1:] for line in world.lines("sales@example.test")] == [
        ("alias add", "sales@example.test", "", ALICE),
        ("alias add", "sales@example.test", ALICE, f"{ALICE} {BOB}"),
        ("alias remove", "sales@example.test", f"{ALICE} {BOB}", BOB),
        ("alias remove", "sales@example.test", BOB, ""),
    ]


def test_chains_sub_addresses_and_catch_alls(world: World) -> None:
    aliases = world.admin.aliases
    at_once(aliases.add(ROOT, "sales@example.test", [ALICE]))
    at_once(aliases.add(ROOT, "all@other.test", ["sales@example.test", BOB]))
    at_once(aliases.add(ROOT, "bills@example.test", ["alice+bills@example.test"]))
    made = at_once(aliases.add(ROOT, "@other.test", ["all@other.test"]))
    assert made.is_catch_all


def test_targets_that_are_refused(world: World) -> None:
    aliases = world.admin.aliases
    for error, target in (
        (Refused, "carol@example.org"),
        (NoSuchAddress, "nobody@example.test"),
        (Refused, "sales@example.test"),
    ):
        with pytest.raises(error):
            at_once(aliases.add(ROOT, "sales@example.test", [BOB, target]))
    with pytest.raises(Refused, match="needs a target"):
        at_once(aliases.add(ROOT, "sales@example.test", []))
    assert at_once(world.directory.aliases()) == []


def test_addresses_that_are_refused(world: World) -> None:
    with pytest.raises(AlreadyExists):
        at_once(world.admin.aliases.add(ROOT, BOB, [ALICE]))
    with pytest.raises(NoSuchDomain):
        at_once(world.admin.aliases.add(ROOT, "x@example.org", [ALICE]))


def test_postmaster_may_be_an_alias(world: World) -> None:
    """The account that came with the domain stands behind it."""
    at_once(world.admin.aliases.add(ROOT, "postmaster@example.test", [BOB]))
    assert world.account("postmaster@example.test")


def test_who_sees_which_aliases(world: World) -> None:
    aliases = world.admin.aliases
    at_once(aliases.add(ROOT, "a@example.test", [ALICE]))
    at_once(aliases.add(ROOT, "b@other.test", [ALICE]))
    assert len(at_once(aliases.list(ROOT))) == 2
    assert len(at_once(aliases.list(ROOT, "other.test"))) == 1
    [own] = at_once(aliases.list(DORA))
    assert str(own.address) == "a@example.test"
    with pytest.raises(NotAllowed):
        at_once(aliases.list(DORA, "other.test"))
    with pytest.raises(NoSuchDomain):
        at_once(aliases.list(ROOT, "none.test"))


def test_mailboxes(world: World) -> None:
    listed = at_once(world.admin.mailboxes.list(ROOT, ALICE))
    assert listed[0].entry.name == "INBOX"
    assert all(one.status is not None for one in listed)
    at_once(world.store.subscribe(ALICE, "Gone", True))  # type: ignore[arg-type]  # plain texts are names here
    gone = [
        one
        for one in at_once(world.admin.mailboxes.list(ROOT, ALICE))
        if not one.entry.is_selectable
    ]
    assert [one.status for one in gone] == [None]
    with pytest.raises(NoSuchAccount):
        at_once(world.admin.mailboxes.list(ROOT, "none@example.test"))


def test_the_audit(world: World) -> None:
    admin = world.admin
    assert len(at_once(admin.audit(ROOT))) == len(world.lines())
    assert len(at_once(admin.audit(ROOT, limit=1))) == 1
    assert [
        line.subject for line in at_once(admin.audit(DORA, " Bob@Example.test"))
    ] == [BOB]
    in_domain = at_once(admin.audit(DORA, "Example.test"))
    assert {line.subject for line in in_domain} == {
        "example.test",
        "postmaster@example.test",
        ALICE,
        BOB,
    }
    assert at_once(admin.audit(DORA, "@example.test")) == in_domain
    with pytest.raises(NotAllowed):
        at_once(admin.audit(DORA))
    with pytest.raises(NotAllowed):
        at_once(admin.audit(DORA, "other.test"))
