"""Domains, and who answers for them."""

from __future__ import annotations

import pytest

from mailkit.errors import (
    AlreadyExists,
    CannotName,
    NoSuchDomain,
    NotAllowed,
    Refused,
)
from mailkit.model.address import AccountName
from mailkit.model.mailbox import INBOX
from mailkit.testing.at_once import at_once
from tests.services.admin.world import DORA, ROOT, USER, World


@pytest.fixture
def world() -> World:
    return World()


def test_a_domain_comes_with_its_postmaster(world: World) -> None:
    made = at_once(world.admin.domains.add(ROOT, "Bücher.test"))
    assert made.name == "bücher.test"
    name = AccountName("postmaster@bücher.test")
    assert world.account(name)
    assert at_once(world.directory.credentials(name)) == []
    assert at_once(world.store.status(name, INBOX)).exists == 0
    assert world.lines("bücher.test") == [
        ("root (mailkit)", "domain add", "bücher.test", "", "bücher.test"),
        ("root (mailkit)", "domain add", name, "", "role=user quota=default active"),
    ]


def test_what_cannot_be_a_domain(world: World) -> None:
    with pytest.raises(AlreadyExists):
        at_once(world.admin.domains.add(ROOT, "EXAMPLE.test"))
    with pytest.raises(CannotName):
        at_once(world.admin.domains.add(ROOT, "not a domain"))


def test_who_sees_which_domains(world: World) -> None:
    def seen(actor: object) -> list[str]:
        domains = world.admin.domains
        return [one.name for one in at_once(domains.list(actor))]  # type: ignore[arg-type]  # any actor of the table

    assert seen(ROOT) == ["example.test", "other.test"]
    assert seen(DORA) == ["example.test"]
    assert seen(USER) == []


def test_only_server_administrators_change_domains(world: World) -> None:
    for actor in (DORA, USER):
        with pytest.raises(NotAllowed):
            at_once(world.admin.domains.add(actor, "new.test"))
        with pytest.raises(NotAllowed):
            at_once(world.admin.domains.remove(actor, "example.test"))


def test_a_domain_with_accounts_stays(world: World) -> None:
    for name in ("bob", "carol", "dora"):
        at_once(world.admin.accounts.add(ROOT, f"{name}@example.test", "x"))
    with pytest.raises(Refused, match=r"alice@.*bob@.*carol@.* and 1 more"):
        at_once(world.admin.domains.remove(ROOT, "example.test"))
    for name in ("bob", "carol", "dora"):
        at_once(world.admin.accounts.remove(ROOT, f"{name}@example.test", True))
    with pytest.raises(Refused, match=r"accounts: alice@example\.test$"):
        at_once(world.admin.domains.remove(ROOT, "example.test"))


def test_an_empty_domain_goes_with_its_postmaster_and_aliases(world: World) -> None:
    at_once(world.admin.aliases.add(ROOT, "x@other.test", ["alice@example.test"]))
    at_once(world.admin.domains.remove(ROOT, "other.test"))
    assert world.account("postmaster@other.test") is None
    assert at_once(world.directory.aliases()) == []
    assert world.lines("other.test")[-1][1:] == (
        "domain remove",
        "other.test",
        "other.test",
        "",
    )
    with pytest.raises(NoSuchDomain):
        at_once(world.admin.domains.remove(ROOT, "other.test"))


def test_a_postmaster_with_a_password_is_an_account(world: World) -> None:
    at_once(world.admin.accounts.add(ROOT, "postmaster@other.test", "secret"))
    with pytest.raises(Refused, match="postmaster@"):
        at_once(world.admin.domains.remove(ROOT, "other.test"))
