"""Who is signed in to the web pages."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from attrs import evolve
from twisted.trial.unittest import TestCase

from mailkit.interfaces.rates import IRates
from mailkit.interfaces.spent import ISpent
from mailkit.interfaces.websessions import IWebSessions
from mailkit.storage.memory.rates import MemoryRates
from mailkit.storage.memory.websessions import MemorySpent, MemoryWebSessions
from mailkit.storage.websessions import WebSessions
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import NEW_YEAR
from mailkit.testing.contracts.rates import RATE, RatesContract
from mailkit.testing.contracts.websessions import (
    SESSION,
    SpentContract,
    WebSessionsContract,
)
from mailkit.testing.lanes import DirectLanes


class MemoryWebSessionsTests(WebSessionsContract, TestCase):
    """In memory."""

    def make_sessions(self) -> IWebSessions:
        return MemoryWebSessions()


class WebSessionsTests(WebSessionsContract, TestCase):
    """In SQLite."""

    def make_sessions(self) -> IWebSessions:
        return WebSessions(Path(self.mktemp()), DirectLanes())


class MemorySpentTests(SpentContract, TestCase):
    """In memory."""

    def make_spent(self) -> ISpent:
        return MemorySpent()


class SpentTests(SpentContract, TestCase):
    """In SQLite."""

    def make_spent(self) -> ISpent:
        return WebSessions(Path(self.mktemp()), DirectLanes())


class MemoryRatesTests(RatesContract, TestCase):
    """In memory."""

    def make_rates(self) -> IRates:
        return MemoryRates()


class RatesTests(RatesContract, TestCase):
    """In SQLite."""

    def make_rates(self) -> IRates:
        return WebSessions(Path(self.mktemp()), DirectLanes())


def test_processes_count_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Threads stand for processes: each has a connection of its own."""
    # On a busy machine one of them may be the last again and again.
    monkeypatch.setattr("mailkit.storage.database._PATIENCE", 300.0)
    path = tmp_path / "web.sqlite"
    stores = [WebSessions(path, DirectLanes()) for _ in range(4)]
    rate = evolve(RATE, each=5, all=7)

    def run(store: WebSessions) -> tuple[int, int]:
        taken = [at_once(store.takes(rate, "a", NEW_YEAR)) for _ in range(5)]
        spent = [at_once(store.spend(f"ticket {n}", NEW_YEAR * 2)) for n in range(5)]
        return sum(taken), sum(spent)

    with ThreadPoolExecutor(4) as threads:
        done = list(threads.map(run, stores))
    assert [sum(column) for column in zip(*done, strict=True)] == [5, 5]
    for store in stores:
        at_once(store.close())
    # The server was started again.
    assert not at_once(WebSessions(path, DirectLanes()).takes(rate, "a", NEW_YEAR))


def test_it_stays_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailkit.storage.websessions.KEPT", 2)
    path = tmp_path / "web.sqlite"
    store = WebSessions(path, DirectLanes())
    for number in range(10):
        assert at_once(store.spend(f"ticket {number}", 1000.0 + number))
        at_once(store.takes(RATE, f"{number}", NEW_YEAR + number * 30))
    # One that is still good is never forgotten.
    for number in range(10):
        assert at_once(store.spend(f"good {number}", NEW_YEAR * 2))
    at_once(store.close())
    with closing(sqlite3.connect(path)) as database:
        kept = [name for (name,) in database.execute("SELECT ticket FROM spent")]
        [done] = database.execute("SELECT count(*) FROM done").fetchone()
    over = [name for name in sorted(kept) if not name.startswith("good")]
    assert over == ["ticket 8", "ticket 9"]
    assert len(kept) == 12
    assert done <= RATE.all


def test_a_file_of_the_version_before(tmp_path: Path) -> None:
    path = tmp_path / "web.sqlite"
    first = WebSessions(path, DirectLanes())
    at_once(first.spend("a", NEW_YEAR * 2))
    at_once(first.close())
    with closing(sqlite3.connect(path)) as database:
        database.execute("DROP TABLE done")
        database.execute("PRAGMA user_version = 1")
    now = WebSessions(path, DirectLanes())
    assert not at_once(now.spend("a", NEW_YEAR * 2))
    assert at_once(now.takes(RATE, "a", NEW_YEAR))
    at_once(now.close())


def test_it_is_there_for_other_processes_and_for_later(tmp_path: Path) -> None:
    path = tmp_path / "web.sqlite"
    one, other = (WebSessions(path, DirectLanes()) for _ in range(2))
    at_once(one.add(SESSION))
    assert at_once(other.find(SESSION.key)) == SESSION
    at_once(other.drop(SESSION.key))
    assert at_once(one.find(SESSION.key)) is None
    assert at_once(one.spend("a", 1.0))
    assert not at_once(other.spend("a", 1.0))
    at_once(one.close())
    assert at_once(one.find(SESSION.key)) is None
    at_once(one.close())
    at_once(other.close())
    assert path.stat().st_mode & 0o777 == 0o600
