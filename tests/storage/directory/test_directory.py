"""What the directory in SQLite does beyond its contract: several processes."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Hashable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from attrs import define, evolve
from twisted.internet.defer import Deferred

from mailkit.errors import LocalMisuse, StorageBroken
from mailkit.model.account import Account, Alias, Role, ScramKeys
from mailkit.model.address import AccountName, Address, DomainName
from mailkit.model.audit import AuditLine
from mailkit.storage.directory.directory import SQLiteDirectory
from mailkit.storage.state.local import LocalBoard
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import NEW_YEAR, TestClock
from mailkit.testing.lanes import DirectLanes

DOMAIN = DomainName("example.test")
ALICE = AccountName("alice@example.test")
BOB = AccountName("bob@example.test")
SALES = Address("sales", DOMAIN)
KEYS = ScramKeys(b"salt", 4096, b"stored", b"server")
T = TypeVar("T")


@define(eq=False)
class Processes:
    """Two of them, each with its own directory over the same file."""

    path: Path
    clock: TestClock
    one: SQLiteDirectory
    two: SQLiteDirectory
    board_of_two: LocalBoard

    def another(self) -> SQLiteDirectory:
        return open_directory(self.path, self.clock)


def open_directory(
    path: Path, clock: TestClock, board: LocalBoard | None = None
) -> SQLiteDirectory:
    directory = SQLiteDirectory(path, DirectLanes(), board or LocalBoard(clock), clock)
    at_once(directory.open())
    return directory


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    path = tmp_path / "below" / "directory.sqlite"
    clock = TestClock()
    board = LocalBoard(clock)
    one = open_directory(path, clock)
    two = open_directory(path, clock, board)
    at_once(one.add_domain(DOMAIN))
    at_once(one.add_account(ALICE, Role.USER, None))
    yield Processes(path, clock, one, two, board)
    at_once(one.close())
    at_once(two.close())


def test_another_process_sees_a_change_within_a_second(processes: Processes) -> None:
    heard: list[int] = []
    processes.two.watch(lambda: heard.append(processes.two.generation(ALICE)))
    assert at_once(processes.two.account(ALICE)) is None
    processes.clock.advance(1)
    account = at_once(processes.two.account(ALICE))
    assert account == at_once(processes.one.account(ALICE))
    assert heard == [processes.one.generation(ALICE)]
    processes.clock.advance(1)
    assert len(heard) == 1


def test_a_notice_makes_it_look_at_once(processes: Processes) -> None:
    processes.board_of_two.publish("directory", "somebody else")
    assert at_once(processes.two.account(ALICE)) is not None


def test_every_kind_of_change_is_seen(processes: Processes) -> None:
    one, two = processes.one, processes.two
    processes.clock.advance(1)
    at_once(one.set_password(ALICE, "{PLAIN}one", None, True))
    at_once(one.grant(ALICE, SALES, True))
    at_once(one.set_alias(Alias(SALES, (Address("alice", DOMAIN),))))
    processes.clock.advance(1)
    assert not two.all_have_scram_keys()
    assert at_once(two.grants(ALICE)) == [SALES]
    assert at_once(two.may_send_as(ALICE, SALES))
    assert at_once(two.aliases()) == at_once(one.aliases())
    [credential] = at_once(two.credentials(ALICE))
    assert at_once(two.renew_credential(credential, "$argon2id$x", KEYS))
    at_once(two.remove_alias(SALES))
    at_once(two.grant(ALICE, SALES, False))
    processes.clock.advance(1)
    assert one.all_have_scram_keys()
    assert at_once(one.credentials(ALICE)) == at_once(two.credentials(ALICE))
    assert at_once(one.aliases()) == []
    assert at_once(one.grants(ALICE)) == []
    at_once(one.remove_account(ALICE))
    at_once(one.remove_domain(DOMAIN))
    processes.clock.advance(1)
    assert two.generation(ALICE) == -1
    assert at_once(two.credentials(ALICE)) == []
    assert at_once(two.domains()) == []


def test_a_process_that_starts_sees_all(processes: Processes) -> None:
    one = processes.one
    at_once(one.set_password(ALICE, "{PLAIN}one", KEYS, True))
    at_once(one.grant(ALICE, SALES, True))
    at_once(one.set_alias(Alias(SALES, (Address("alice", DOMAIN),))))
    at_once(one.add_account(BOB, Role.DOMAIN_ADMIN, 5))
    three = processes.another()
    for look in (
        lambda d: d.domains(),
        lambda d: d.accounts(),
        lambda d: d.aliases(),
        lambda d: d.credentials(ALICE),
        lambda d: d.grants(ALICE),
        lambda d: d.server_secret(),
    ):
        assert at_once(look(three)) == at_once(look(one))
    at_once(three.close())


def test_two_processes_change_the_same_account(processes: Processes) -> None:
    processes.clock.advance(1)
    for number in range(1, 6):
        for directory in (processes.one, processes.two):
            before = directory.generation(ALICE)
            at_once(directory.change_account(Account(ALICE, Role.USER, number)))
            assert directory.generation(ALICE) > before
    processes.clock.advance(1)
    assert processes.one.generation(ALICE) == processes.two.generation(ALICE)


def test_generations_never_come_twice(processes: Processes) -> None:
    seen = {processes.one.generation(ALICE)}
    for _ in range(3):
        at_once(processes.one.remove_account(ALICE))
        made = at_once(processes.one.add_account(ALICE, Role.USER, None))
        assert made.generation > max(seen)
        seen.add(made.generation)


def test_a_process_that_missed_too_much_reads_all(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailkit.storage.directory.writing._KEPT", 5)
    monkeypatch.setattr("mailkit.storage.directory.writing._TRIM_EVERY", 10)
    processes.clock.advance(1)
    account = at_once(processes.one.account(ALICE))
    assert account is not None
    at_once(processes.one.set_alias(Alias(SALES, (Address("alice", DOMAIN),))))
    processes.clock.advance(1)
    at_once(processes.one.remove_alias(SALES))
    at_once(processes.one.add_account(BOB, Role.USER, None))
    for number in range(30):
        at_once(processes.one.change_account(evolve(account, quota=number)))
    processes.clock.advance(1)
    two = processes.two
    assert at_once(two.accounts()) == at_once(processes.one.accounts())
    assert at_once(two.alias(SALES)) is None


def test_logins_are_noted_later_and_together(processes: Processes) -> None:
    one, clock = processes.one, processes.clock
    at_once(one.set_password(ALICE, "{PLAIN}one", KEYS, False))
    [credential] = at_once(one.credentials(ALICE))
    generation = one.generation(ALICE)
    for _ in range(3):
        at_once(one.used_credential(credential.id, clock.seconds(), "192.0.2.1"))
        clock.advance(1)
    [credential] = at_once(one.credentials(ALICE))
    assert credential.last_used is None
    clock.advance(3)
    [credential] = at_once(one.credentials(ALICE))
    assert (credential.last_used, credential.last_peer) == (NEW_YEAR, "192.0.2.1")
    assert one.generation(ALICE) == generation
    clock.advance(1)
    [credential] = at_once(processes.two.credentials(ALICE))
    assert credential.last_used == NEW_YEAR


def test_a_login_is_noted_once_a_minute_or_from_elsewhere(
    processes: Processes,
) -> None:
    one, clock = processes.one, processes.clock
    at_once(one.set_password(ALICE, "{PLAIN}one", KEYS, False))
    [credential] = at_once(one.credentials(ALICE))
    seen: list[float | None] = []
    for peer, later in (
        ("192.0.2.1", 30),
        ("192.0.2.1", 30),
        ("192.0.2.1", 30),
        ("192.0.2.2", 30),
    ):
        at_once(one.used_credential(credential.id, clock.seconds(), peer))
        clock.advance(later)
        [known] = at_once(one.credentials(ALICE))
        seen.append(known.last_used)
    assert seen == [NEW_YEAR, NEW_YEAR, NEW_YEAR + 60, NEW_YEAR + 90]


def test_closing_writes_what_waits(processes: Processes) -> None:
    three = processes.another()
    at_once(three.set_password(ALICE, "{PLAIN}one", KEYS, False))
    [credential] = at_once(three.credentials(ALICE))
    at_once(three.used_credential(credential.id, NEW_YEAR, "192.0.2.1"))
    at_once(three.close())
    at_once(three.close())
    processes.clock.advance(1)
    [credential] = at_once(processes.one.credentials(ALICE))
    assert credential.last_used == NEW_YEAR
    with pytest.raises(LocalMisuse):
        at_once(three.add_domain(DomainName("late.test")))


def test_a_line_is_kept_with_its_change_or_not_at_all(processes: Processes) -> None:
    line = AuditLine(1.0, "root", "grant", ALICE)
    connection = sqlite3.connect(processes.path)
    connection.execute(
        "CREATE TRIGGER broken BEFORE INSERT ON audit"
        " BEGIN SELECT raise(ABORT, 'no room'); END"
    )
    connection.close()
    with pytest.raises(StorageBroken):
        at_once(processes.one.grant(ALICE, SALES, True, line))
    assert at_once(processes.one.grants(ALICE)) == []
    at_once(processes.one.grant(ALICE, SALES, True))
    assert at_once(processes.one.grants(ALICE)) == [SALES]


def test_a_login_is_not_lost_to_a_broken_disk(processes: Processes) -> None:
    """What cannot be noted is logged, and everything goes on."""
    one = processes.one
    at_once(one.set_password(ALICE, "{PLAIN}one", KEYS, False))
    [credential] = at_once(one.credentials(ALICE))
    connection = sqlite3.connect(processes.path)
    connection.execute(
        "CREATE TRIGGER broken BEFORE UPDATE ON credential"
        " BEGIN SELECT raise(ABORT, 'broken'); END"
    )
    connection.close()
    at_once(one.used_credential(credential.id, NEW_YEAR, "192.0.2.1"))
    processes.clock.advance(5)
    [credential] = at_once(one.credentials(ALICE))
    assert credential.last_used is None
    assert at_once(one.grants(ALICE)) == []


def test_a_file_that_is_damaged_while_open_is_told(processes: Processes) -> None:
    connection = sqlite3.connect(processes.path)
    connection.execute("ALTER TABLE change RENAME TO gone")
    connection.close()
    processes.clock.advance(1)  # logged, not raised
    with pytest.raises(StorageBroken):
        at_once(processes.one.add_account(BOB, Role.USER, None))
    assert at_once(processes.one.account(ALICE)) is not None


@define(eq=False)
class SlowLanes(DirectLanes):
    """Work is done at once, and its answer comes when the test says."""

    waiting: list[Deferred[None]] | None = None

    async def run(self, lane: Hashable, work: Callable[[], T]) -> T:
        answer = work()
        if self.waiting is not None:
            deferred: Deferred[None] = Deferred()
            self.waiting.append(deferred)
            await deferred
        return answer


def test_answers_that_come_late_do_not_undo_newer_ones(tmp_path: Path) -> None:
    lanes = SlowLanes()
    clock = TestClock()
    path = tmp_path / "directory.sqlite"
    directory = SQLiteDirectory(path, lanes, LocalBoard(clock), clock)
    at_once(directory.open())
    at_once(directory.add_domain(DOMAIN))
    account = at_once(directory.add_account(ALICE, Role.USER, None))
    waiting: list[Deferred[None]] = []
    lanes.waiting = waiting
    for quota in (1, 2):
        Deferred.fromCoroutine(directory.change_account(evolve(account, quota=quota)))
    for deferred in reversed(waiting):
        deferred.callback(None)
    found = at_once(directory.account(ALICE))
    assert found is not None
    assert found.quota == 2
    lanes.waiting = None
    at_once(directory.close())


def test_a_look_that_comes_after_closing_is_nothing(tmp_path: Path) -> None:
    path = tmp_path / "directory.sqlite"
    clock = TestClock()
    board = LocalBoard(clock)
    directory = SQLiteDirectory(path, DirectLanes(), board, clock)
    at_once(directory.open())
    at_once(directory.close())
    board.publish("directory", "somebody else")
    assert (
        at_once(directory._lanes.run("directory", directory._read_if_changed)) is None
    )
    assert not clock.getDelayedCalls()
