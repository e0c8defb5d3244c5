"""What a login does with what is kept of its account."""

from __future__ import annotations

import pytest
from attrs import evolve

from mailkit.errors import NotAuthenticated
from mailkit.services.passwords.passwords import Passwords
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import NEW_YEAR
from tests.services.logins import (
    ALICE,
    BOB,
    KEPT,
    PASSWORD,
    SETTINGS,
    SSHA,
    Peer,
    World,
    refused_by_scram,
    scram,
)


@pytest.fixture
def world() -> World:
    return World()


def test_an_imported_hash_is_renewed_by_its_login(world: World) -> None:
    world.add(BOB, SSHA, None)
    generation = world.directory.generation(BOB)
    assert world.login(BOB, "builder").name == BOB
    renewed = world.credential(BOB)
    assert renewed.secret.startswith("$argon2id$")
    assert renewed.scram is not None
    assert world.directory.generation(BOB) == generation
    assert scram(world, BOB, "builder").name == BOB
    with pytest.raises(NotAuthenticated):
        world.login(BOB, "wrong")


def test_a_password_changed_meanwhile_is_not_overwritten(world: World) -> None:
    world.add(BOB, SSHA, None)
    other = KEPT.secret

    def change() -> None:
        at_once(world.directory.set_password(BOB, other, None, False))

    world.lanes.before = change
    world.login(BOB, "builder")
    assert world.credential(BOB).secret == other


def test_a_full_disk_locks_nobody_out(world: World) -> None:
    world.add(BOB, SSHA, None)
    world.directory.is_full = True
    assert world.login(BOB, "builder").name == BOB
    assert world.credential(BOB).secret == SSHA


def test_a_credential_is_good_for_its_services(world: World) -> None:
    world.directory._credentials = {
        name: tuple(evolve(one, scopes=frozenset({"smtp"})) for one in credentials)
        for name, credentials in world.directory._credentials.items()
    }
    with pytest.raises(NotAuthenticated):
        world.login(ALICE, PASSWORD)
    refused_by_scram(world, ALICE, PASSWORD)
    account = at_once(world.authentication.login(ALICE, PASSWORD, "smtp", world.peer()))
    assert account.name == ALICE
    with pytest.raises(NotAuthenticated):  # remembered for SMTP alone
        world.login(ALICE, PASSWORD)


def test_logins_are_remembered_for_a_minute(world: World) -> None:
    for _ in range(5):
        assert world.login(ALICE, PASSWORD) == world.account()
    assert world.lanes.hashes == 1
    assert world.count("password", "remembered") == 4
    world.clock.advance(59)
    world.login(ALICE, PASSWORD)
    assert world.lanes.hashes == 1
    world.clock.advance(1)
    world.login(ALICE, PASSWORD)
    assert world.lanes.hashes == 2


def test_nothing_is_remembered_of_a_wrong_login(world: World) -> None:
    for _ in range(2):
        with pytest.raises(NotAuthenticated):
            world.login(ALICE, "wrong")
    assert world.lanes.hashes == 2


def test_a_remembered_login_ends_with_the_password(world: World) -> None:
    world.login(ALICE, PASSWORD)
    secret = Passwords(SETTINGS).make("other").secret
    at_once(world.directory.set_password(ALICE, secret, None, True))
    with pytest.raises(NotAuthenticated):
        world.login(ALICE, PASSWORD)
    assert world.login(ALICE, "other")
    world.suspend()
    with pytest.raises(NotAuthenticated):
        world.login(ALICE, "other")
    at_once(world.directory.remove_account(ALICE))
    with pytest.raises(NotAuthenticated):
        world.login(ALICE, "other")


def test_remembering_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailkit.services.remembered._MOST", 1)
    remembered = world.authentication.password_check._remembered
    world.login(ALICE, PASSWORD)
    at_once(world.authentication.login(ALICE, PASSWORD, "pop3", world.peer()))
    assert len(remembered._logins) == 1
    world.clock.advance(61)
    world.login(ALICE, PASSWORD)
    assert len(remembered._logins) == 1
    assert PASSWORD not in repr(remembered)


def test_a_login_is_noted(world: World) -> None:
    world.login(ALICE, PASSWORD)
    used = world.credential()
    assert (used.last_used, used.last_peer) == (NEW_YEAR, "192.0.2.1")
    world.clock.advance(10)
    scram(world, ALICE, PASSWORD, Peer(host="192.0.2.9"))
    used = world.credential()
    assert (used.last_used, used.last_peer) == (NEW_YEAR + 10, "192.0.2.9")
