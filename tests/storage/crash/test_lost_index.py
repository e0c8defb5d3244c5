"""Without its index a store finds the same UIDs, flags and keywords (STORE.md §3)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from mailkit.errors import StorageBroken
from mailkit.model.mailbox import INBOX
from mailkit.testing.at_once import at_once
from tests.storage.crash.promises import Expected, check, check_files, same_messages
from tests.storage.crash.replay import Run, record, scratch
from tests.storage.crash.scenarios import (
    ARCHIVE,
    KEYWORDS,
    add,
    append,
    copy,
    deliver,
    expunge,
    later,
    move,
    prepare,
    rename,
    subscribe,
)
from tests.storage.crash.scenarios import SCENARIOS as ALL
from tests.storage.crash.world import Clock, look, new_boot, opened

STEPS = [
    deliver(1),
    add([1, 2], "\\Seen", "Work"),
    add([3], *KEYWORDS),
    copy([1, 3], ARCHIVE),
    move([2], ARCHIVE),
    append(ARCHIVE, 2, 3, flags=("\\Deleted", "Other")),
    expunge([4, 5], ARCHIVE),
    rename("Junk", "Spam/Old"),
    subscribe("Nowhere", True),
    later(6),
]

Hurt = Callable[[Path], None]


def missing(index: Path) -> None:
    index.unlink()


def empty(index: Path) -> None:
    index.write_bytes(b"")


def garbage(index: Path) -> None:
    index.write_bytes(b"no database at all, and long enough to be looked at" * 100)


def cut(index: Path) -> None:
    index.write_bytes(index.read_bytes()[: index.stat().st_size // 2])


def overwritten(index: Path) -> None:
    octets = bytearray(index.read_bytes())
    octets[4096 : len(octets) : 7] = b"\xff" * len(octets[4096 : len(octets) : 7])
    index.write_bytes(octets)


def a_copy(index: Path) -> None:
    octets = index.read_bytes()
    index.unlink()
    index.with_name("another").write_bytes(b"")  # takes the inode
    index.write_bytes(octets)


def newer(index: Path) -> None:
    with sqlite3.connect(index) as database:
        database.execute("PRAGMA user_version = 1000")
    database.close()


@pytest.fixture(scope="module")
def run() -> Run:
    return record(STEPS, prepare(ALL[0]))


@pytest.mark.parametrize(
    "hurt", [missing, empty, garbage, cut, overwritten, a_copy, newer]
)
def test_an_index_that_cannot_be_used(run: Run, hurt: Hurt) -> None:
    state = run.moments[-1].state
    with scratch() as folder:
        data = folder / "data"
        run.at(len(run.changes)).put(data)
        index = data / "mail/example.test/alice/index.sqlite"
        hurt(index)
        clock = Clock(run.clock.seconds - 7200)  # set back meanwhile
        with opened(data, clock, run.boot) as store:
            with suppress(StorageBroken):
                # Found to be damaged in the midst: the next one who asks is answered.
                at_once(look(store))
            found = at_once(look(store))
            same_messages(state, found)
            assert found.subscribed == state.subscribed
            expected = Expected(found, found, None, run.clients(len(run.changes)))
            expected.is_told_again = True
            at_once(check(store, expected))
            after = at_once(look(store))
            at_once(store.close())
        check_files(data, after)


def test_lost_with_the_power_and_before_the_names_followed(run: Run) -> None:
    """UIDs, octets and what the names carry are there; MODSEQ never falls."""
    position = run.moments[6].position
    state = run.moments[6].state
    with scratch() as folder:
        data = folder / "data"
        run.at(position).put(data)
        (data / "mail/example.test/alice/index.sqlite").unlink()
        with opened(data, Clock(run.clock.seconds), new_boot()) as store:
            found = at_once(look(store))
    for name, box in state.boxes.items():
        now = found.boxes[name]
        assert {u: m.octets for u, m in box.messages.items()} == {
            u: m.octets for u, m in now.messages.items()
        }
        assert now.uid_next >= box.uid_next
        assert now.mod_seq >= box.mod_seq
        assert now.mailbox_id == box.mailbox_id


def test_a_message_restored_by_hand_is_another_one(run: Run) -> None:
    """A UID that was expunged never comes back, whatever a file's name says."""
    first = run.moments[0].state
    uids = sorted(first.boxes[INBOX].messages)
    steps = [add(uids, "\\Deleted"), later(6), expunge(uids)]
    with scratch() as folder:
        data = folder / "data"
        run.disk.put(data)
        cur = data / "mail/example.test/alice/Maildir/cur"
        with opened(data, Clock(run.clock.seconds), run.boot) as store:
            for step in steps[:2]:
                at_once(step.run(store))
            backup = {path.name: path.read_bytes() for path in cur.iterdir()}
            at_once(steps[2].run(store))
            state = at_once(look(store))
            for name, octets in backup.items():
                (cur / name).write_bytes(octets)
            found = at_once(look(store))
    box = found.boxes[INBOX]
    assert len(box.messages) == len(backup)
    assert min(box.messages) >= state.boxes[INBOX].uid_next
    assert {m.octets for m in box.messages.values()} == set(backup.values())
