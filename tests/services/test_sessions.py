"""A change of the account ends its sessions."""

from __future__ import annotations

import os

import pytest
from attrs import evolve

from mailkit.errors import TooMany
from mailkit.model.account import Account, Role
from mailkit.model.address import AccountName, DomainName
from mailkit.services.sessions import Sessions
from mailkit.storage.memory.directory import MemoryDirectory
from mailkit.storage.state.counts import SharedCounts, make_memory
from mailkit.testing.at_once import at_once

ALICE = AccountName("alice@example.test")
BOB = AccountName("bob@example.test")


@pytest.fixture
def directory() -> MemoryDirectory:
    directory = MemoryDirectory()
    at_once(directory.add_domain(DomainName("example.test")))
    for name in (ALICE, BOB):
        at_once(directory.add_account(name, Role.USER, None))
    return directory


def account(directory: MemoryDirectory, name: AccountName) -> Account:
    found = at_once(directory.account(name))
    assert found is not None
    return found


def test_suspend_passwd_and_remove_end_sessions(directory: MemoryDirectory) -> None:
    sessions = Sessions(directory)
    ended: list[str] = []

    def log_in(name: AccountName) -> None:
        generation = account(directory, name).generation
        sessions.register(name, generation, lambda: ended.append(name))

    log_in(BOB)
    for change in (
        lambda: directory.set_password(ALICE, "{PLAIN}x", None, True),
        lambda: directory.change_account(
            evolve(account(directory, ALICE), is_suspended=True)
        ),
        lambda: directory.remove_account(ALICE),
    ):
        ended.clear()
        log_in(ALICE)
        log_in(ALICE)
        assert sessions.count(ALICE) == 2
        at_once(change())
        assert ended == [ALICE, ALICE]
        assert sessions.count(ALICE) == 0
    assert sessions.count(BOB) == 1


def test_a_renewed_hash_ends_nothing(directory: MemoryDirectory) -> None:
    sessions = Sessions(directory)
    ended: list[str] = []
    generation = account(directory, ALICE).generation
    sessions.register(ALICE, generation, lambda: ended.append(ALICE))
    at_once(directory.set_password(ALICE, "{PLAIN}x", None, False))
    assert ended == []


def test_a_change_before_registering_ends_it_at_once(
    directory: MemoryDirectory,
) -> None:
    sessions = Sessions(directory)
    before = account(directory, ALICE).generation
    at_once(directory.set_password(ALICE, "{PLAIN}x", None, True))
    ended: list[str] = []
    watch = sessions.register(ALICE, before, lambda: ended.append(ALICE))
    assert ended == [ALICE]
    assert sessions.count(ALICE) == 0
    watch.stop()


def test_whoever_stopped_is_left_alone(directory: MemoryDirectory) -> None:
    sessions = Sessions(directory)
    ended: list[str] = []
    generation = account(directory, ALICE).generation
    one = sessions.register(ALICE, generation, lambda: ended.append("one"))
    two = sessions.register(ALICE, generation, lambda: ended.append("two"))
    one.stop()
    one.stop()
    assert sessions.count(ALICE) == 1
    at_once(directory.remove_account(ALICE))
    assert ended == ["two"]
    two.stop()


def test_a_session_that_ends_another_one(directory: MemoryDirectory) -> None:
    """What `end` does may stop others: nobody is told twice."""
    sessions = Sessions(directory)
    ended: list[str] = []
    generation = account(directory, ALICE).generation
    sessions.register(ALICE, generation, lambda: ended.append("one"))
    sessions.register(ALICE, generation, lambda: ended.append("two"))
    at_once(directory.remove_account(ALICE))
    at_once(directory.remove_account(BOB))
    assert sorted(ended) == ["one", "two"]


def test_an_account_has_so_many_sessions(directory: MemoryDirectory) -> None:
    sessions = Sessions(directory, most=2)
    generation = account(directory, ALICE).generation
    watches = [sessions.register(ALICE, generation, lambda: None) for _ in range(2)]
    with pytest.raises(TooMany):
        sessions.register(ALICE, generation, lambda: None)
    sessions.register(BOB, account(directory, BOB).generation, lambda: None)
    watches[0].stop()
    sessions.register(ALICE, generation, lambda: None)


def test_closing_ends_the_watch(directory: MemoryDirectory) -> None:
    sessions = Sessions(directory)
    ended: list[str] = []
    generation = account(directory, ALICE).generation
    sessions.register(ALICE, generation, lambda: ended.append("one"))
    sessions.close()
    at_once(directory.remove_account(ALICE))
    assert ended == []


def test_sessions_in_other_processes_are_counted(directory: MemoryDirectory) -> None:
    descriptor = make_memory(2)
    one, two = (
        Sessions(directory, 2, SharedCounts(descriptor, 2, number)) for number in (1, 2)
    )
    os.close(descriptor)
    generation = account(directory, ALICE).generation
    first = one.register(ALICE, generation, lambda: None)
    two.register(ALICE, generation, lambda: None)
    for sessions in (one, two):
        with pytest.raises(TooMany):
            sessions.register(ALICE, generation, lambda: None)
    first.stop()
    first.stop()
    two.register(ALICE, generation, lambda: None)
    with pytest.raises(TooMany):
        one.register(ALICE, generation, lambda: None)
    one.register(BOB, account(directory, BOB).generation, lambda: None)
