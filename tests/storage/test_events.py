"""The record of what happened to messages."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from attrs import evolve
from twisted.trial.unittest import TestCase

from mailkit.interfaces.events import IEvents
from mailkit.model.event import MailEvent
from mailkit.storage import events
from mailkit.storage.database import NewerDatabase
from mailkit.storage.events import Events
from mailkit.storage.memory.events import MemoryEvents
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import TestClock
from mailkit.testing.contracts.events import ACCEPTED, OTHER, TO_ALICE, EventsContract
from mailkit.testing.lanes import DirectLanes


class MemoryEventsTests(EventsContract, TestCase):
    """In memory."""

    def make_events(self) -> IEvents:
        return MemoryEvents()


class EventsTests(EventsContract, TestCase):
    """In SQLite."""

    def make_events(self) -> IEvents:
        return Events(Path(self.mktemp()), DirectLanes(), TestClock())


class FileTests(TestCase):
    """When it is written, for how long, and by whom."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp())
        self.clock = TestClock()
        self.events = self.open()

    def open(self) -> Events:
        return Events(self.path, DirectLanes(), self.clock)

    def written(self) -> int:
        if not self.path.exists():
            return 0
        with sqlite3.connect(self.path) as database:
            [count] = database.execute("SELECT count(*) FROM event").fetchone()
        database.close()
        return int(count)

    def found(self, what: str) -> list[MailEvent]:
        return list(at_once(self.events.find(what)))

    def test_steps_wait_for_others_a_moment(self) -> None:
        self.events.record(ACCEPTED)
        self.clock.advance(0.11)
        self.events.record(OTHER)
        assert self.written() == 0
        self.clock.advance(0.11)
        assert self.written() == 2
        self.clock.advance(10)
        assert self.clock.getDelayedCalls() == []

    def test_many_steps_do_not_wait(self) -> None:
        for _ in range(events.MOST_IN_A_BATCH):
            self.events.record(ACCEPTED)
        self.clock.advance(0)
        assert self.written() == events.MOST_IN_A_BATCH

    def test_closing_writes_what_waits_and_can_be_done_twice(self) -> None:
        self.events.record(ACCEPTED)
        at_once(self.events.close())
        at_once(self.events.close())
        assert self.written() == 1
        assert self.clock.getDelayedCalls() == []

    def test_another_process_finds_them(self) -> None:
        self.events.record(ACCEPTED)
        self.clock.advance(1)
        other = self.open()
        assert list(at_once(other.find("t1"))) == [ACCEPTED]
        other.record(OTHER)
        at_once(other.close())
        self.events.record(TO_ALICE)
        assert self.found("t1") == [ACCEPTED, TO_ALICE]
        assert self.found("t2") == [OTHER]

    def test_steps_are_found_in_every_block(self) -> None:
        for n in range(1000):
            self.events.record(evolve(OTHER, transaction=f"x{n}"))
            if n % 300 == 0:
                self.events.record(evolve(ACCEPTED, size=n))
        assert [event.size for event in self.found("t1")] == [0, 300, 600, 900]
        assert len(self.found("dave@example.net")) == 1000
        assert len(self.found("x999")) == 1

    def test_the_newest_are_shown_of_very_many(self) -> None:
        self.patch(events, "MOST_FOUND", 256)
        for n in range(600):
            self.events.record(evolve(OTHER, message_id=f"<{n}@x>"))
        found = self.found("dave@example.net")
        assert len(found) >= 256
        assert found[-1].message_id == "<599@x>"

    def test_a_month_is_kept(self) -> None:
        for n in range(5000):
            self.events.record(evolve(ACCEPTED, transaction=f"old{n}"))
        at_once(self.events.find(""))
        self.clock.advance(events.KEPT_FOR - 10)
        late = evolve(OTHER, when=self.clock.seconds())
        self.events.record(late)
        self.clock.advance(1)
        assert self.written() == 5001
        self.clock.advance(20)
        for _ in range(4):
            self.events.record(late)
            self.clock.advance(1)
        assert self.written() == 5
        assert self.found("t2") == [late] * 5
        assert self.found("old4999") == []
        with sqlite3.connect(self.path) as database:
            [blocks] = database.execute(
                "SELECT count(DISTINCT block) FROM word"
            ).fetchone()
        database.close()
        assert blocks == 1

    def test_what_cannot_be_written_waits(self) -> None:
        self.path.mkdir()
        self.events.record(ACCEPTED)
        self.clock.advance(1)
        self.path.rmdir()
        self.events.record(OTHER)
        self.clock.advance(1)
        assert self.written() == 2

    def test_what_could_not_be_written_is_written_by_itself(self) -> None:
        self.path.mkdir()
        self.events.record(ACCEPTED)
        self.clock.advance(1)
        self.path.rmdir()
        self.clock.advance(events.AGAIN)
        assert self.written() == 1
        assert self.clock.getDelayedCalls() == []

    def test_memory_does_not_fill_up_meanwhile(self) -> None:
        self.patch(events, "MOST_WAITING", 10)
        self.path.mkdir()
        for n in range(30):
            self.events.record(evolve(OTHER, size=n))
            self.clock.advance(1)
        self.path.rmdir()
        self.events.record(evolve(OTHER, size=30))
        assert [event.size for event in self.found("t2")] == list(range(20, 31))

    def test_a_newer_file_is_refused_in_one_sentence(self) -> None:
        with sqlite3.connect(self.path) as database:
            database.execute("PRAGMA user_version = 1000")
        database.close()
        error = self.assertRaises(NewerDatabase, at_once, self.events.find("x"))
        assert "newer" in str(error)

    def test_a_bug_is_logged_and_recording_goes_on(self) -> None:
        self.events.record(evolve(ACCEPTED, size=1 << 70))
        self.clock.advance(1)
        assert len(self.flushLoggedErrors(OverflowError)) == 1
        self.events.record(OTHER)
        self.clock.advance(1)
        assert self.found("t2") == [OTHER]
