"""Who is signed in to the web pages."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import TestCase

from mailkit.interfaces.spent import ISpent
from mailkit.interfaces.websessions import IWebSessions
from mailkit.storage.memory.websessions import MemorySpent, MemoryWebSessions
from mailkit.storage.websessions import WebSessions
from mailkit.testing.at_once import at_once
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
