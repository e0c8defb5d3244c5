"""What is done when nobody asks, and who hears of what."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

from mailkit.errors import MailboxInUse, StorageBroken
from mailkit.interfaces.storage import IMailbox, NewMessage, Placement
from mailkit.model.flags import DELETED, FLAGGED, SEEN, FlagAction, FlagChange
from mailkit.model.mailbox import INBOX, MailboxName, Want
from mailkit.model.uidset import ALL_UIDS, UIDSet
from mailkit.storage.content import OctetsContent
from mailkit.storage.index.index import Index
from mailkit.storage.maildir import chores, reads, removal
from mailkit.storage.maildir.founding import GONE, HIDDEN
from mailkit.storage.maildir.house import MaildirSettings
from mailkit.storage.maildir.letter import Shown
from mailkit.storage.maildir.store import MaildirStore
from mailkit.testing.at_once import at_once
from mailkit.testing.lanes import DirectLanes
from tests.storage.maildir.doubles import ALICE, BOB, LETTER, Place
from tests.storage.maildir.stops import abandon, check_whole

LONG_AGO = 1_000_000.0

T = TypeVar("T")


@pytest.fixture
def place(folder: Path) -> Place:
    return Place(folder)


def begin(place: Place, count: int = 3) -> tuple[MaildirStore, IMailbox]:
    store = place.store()
    box = at_once(store.open(ALICE, INBOX))
    at_once(box.append([NewMessage(OctetsContent(LETTER)) for _ in range(count)]))
    return store, box


def add(box: IMailbox, *flags: str) -> None:
    at_once(box.store(ALL_UIDS, FlagChange(FlagAction.ADD, frozenset(flags))))


def letters(place: Place) -> set[str]:
    return {name.partition(":2,")[2] for name in os.listdir(place.maildir("cur"))}


def test_names_follow_flags_after_a_while(place: Place) -> None:
    store, box = begin(place, 1001)
    add(box, SEEN)
    assert letters(place) == {""}
    place.clock.advance(4)
    add(box, FLAGGED)
    place.clock.advance(1.5)
    assert letters(place) == {"FS"}
    at_once(box.store(ALL_UIDS, FlagChange(FlagAction.REMOVE, frozenset({SEEN}))))
    add(box, SEEN)
    at_once(store.close())
    assert letters(place) == {"FS"}
    check_whole(place)


def test_what_a_dead_process_left_is_written_behind(place: Place) -> None:
    store, box = begin(place)
    add(box, SEEN)
    abandon(store)
    store = place.store()
    at_once(store.status(ALICE, INBOX))
    for _ in range(10):
        place.clock.advance(2)
    assert letters(place) == {"S"}
    abandon(store)


def test_idle_accounts_are_closed_and_open_again(place: Place) -> None:
    store, box = begin(place)
    assert store.home(ALICE).is_open
    for _ in range(20):
        place.clock.advance(2)
    assert not store.home(ALICE).is_open
    assert len(store.house.pool) == 0
    assert not list(place.data.glob("mail/*/*/*-wal"))
    assert at_once(box.status()).exists == 3
    assert store.home(ALICE).is_open
    at_once(store.close())
    assert not store.home(ALICE).is_open


def test_no_more_are_open_than_may_be(folder: Path) -> None:
    place = Place(folder, settings=MaildirSettings(open_accounts=1))
    store = place.store()
    for account in (ALICE, BOB, ALICE):
        at_once(store.deliver(OctetsContent(LETTER), [Placement(account, INBOX)]))
    assert store.home(ALICE).is_open and not store.home(BOB).is_open
    at_once(store.close())
    check_whole(place)


def test_a_long_log_is_pruned_and_known_to_be(folder: Path) -> None:
    place = Place(folder, settings=MaildirSettings(expunge_log=4))
    store, box = begin(place, 10)
    states = []
    for uid in range(1, 10):
        states.append(at_once(box.status()).highest_mod_seq)
        deleted = FlagChange(FlagAction.ADD, frozenset({DELETED}))
        at_once(box.store(UIDSet.of([uid]), deleted))
        at_once(box.expunge(ALL_UIDS))
    for _ in range(20):
        place.clock.advance(2)
    # Whoever was away too long is told of all that is not there.
    assert at_once(box.changes_since(states[1])).vanished == UIDSet(((1, 9),))
    assert at_once(box.changes_since(states[8])).vanished == UIDSet.of([9])
    at_once(store.close())
    check_whole(place)


def test_old_files_go(place: Place) -> None:
    store, _box = begin(place)
    for folder in ("tmp", ".Sent/tmp"):
        (place.maildir(folder) / "forgotten").write_bytes(b"x")
    for name in (GONE + "1", HIDDEN + "2"):
        (place.maildir() / name / "cur").mkdir(parents=True)
        (place.maildir() / name / "cur" / "x").write_bytes(b"x")
    house = store.house
    tomorrow = time.time() + 90_000
    house.now = lambda: tomorrow
    at_once(store.mailboxes(ALICE))
    for _ in range(20):
        place.clock.advance(2)
    assert os.listdir(place.maildir("tmp")) == os.listdir(place.maildir(".Sent/tmp"))
    assert os.listdir(place.maildir("tmp")) == []
    assert not [n for n in os.listdir(place.maildir()) if n.startswith("mailkit-n")]
    at_once(store.close())


def test_removed_accounts_lie_aside_for_a_while(place: Place) -> None:
    store, _box = begin(place)
    at_once(store.remove_account(ALICE, False))
    at_once(store.remove_account(ALICE, False))
    [aside] = (place.data / "removed").iterdir()
    assert len(os.listdir(aside / "Maildir" / "cur")) == 3
    begin(place)[0]
    at_once(store.remove_account(ALICE, False))
    assert len(list((place.data / "removed").iterdir())) == 2
    removal.clear_removed(store.house)
    assert len(list((place.data / "removed").iterdir())) == 2
    later = time.time() + 31 * 86400
    store.house.now = lambda: later
    removal.clear_removed(store.house)
    assert not list((place.data / "removed").iterdir())
    at_once(store.deliver(OctetsContent(LETTER), [Placement(ALICE, INBOX)]))
    at_once(store.remove_account(ALICE, True))
    assert not list((place.data / "removed").iterdir())
    assert not place.maildir().exists()


def test_a_mailbox_is_held_by_one_in_all_processes(place: Place) -> None:
    one, two = place.store(), place.store()
    held = at_once(one.exclusively(ALICE, INBOX))
    for store in (one, two):
        with pytest.raises(MailboxInUse):
            at_once(store.exclusively(ALICE, INBOX))
    held.stop()
    held.stop()
    at_once(two.exclusively(ALICE, INBOX)).stop()
    for store in (one, two):
        abandon(store)


def test_a_file_dropped_into_new_is_heard_of(place: Place) -> None:
    store, box = begin(place)
    heard: list[str] = []
    watch = box.watch(lambda: heard.append("x"))
    again = box.watch(lambda: heard.append("y"))
    place.clock.advance(1)
    heard.clear()
    (place.maildir("new") / "1.x").write_bytes(LETTER)
    place.clock.advance(1)
    assert heard == ["x", "y"]
    again.stop()
    again.stop()
    place.clock.advance(1)
    assert heard == ["x", "y"]
    at_once(box.append([NewMessage(OctetsContent(LETTER))]))
    assert heard == ["x", "y", "x"]
    watch.stop()
    (place.maildir("new") / "2.x").write_bytes(LETTER)
    place.clock.advance(5)
    assert len(heard) == 3 and at_once(box.status()).exists == 6
    at_once(store.close())
    check_whole(place)


def test_another_process_is_heard_of_without_a_notice(place: Place) -> None:
    store, box = begin(place)
    heard: list[str] = []
    watch = box.watch(lambda: heard.append("x"))
    place.clock.advance(1)
    place.clock.advance(1)
    heard.clear()
    other = Place(place.data).store()  # with a notice board of its own
    at_once(other.deliver(OctetsContent(LETTER), [Placement(ALICE, INBOX)]))
    place.clock.advance(1)
    assert heard == ["x"]
    to = [Placement(ALICE, MailboxName("Sent"))]
    at_once(other.deliver(OctetsContent(LETTER), to))
    place.clock.advance(1)
    assert heard == ["x"]
    at_once(other.delete(ALICE, MailboxName("Sent")))
    abandon(other)
    watch.stop()
    at_once(store.close())


def test_a_watched_mailbox_that_goes_is_heard_of(place: Place) -> None:
    store, _ = begin(place)
    sent = at_once(store.open(ALICE, MailboxName("Sent")))
    heard: list[str] = []
    watch = sent.watch(lambda: heard.append("x"))
    place.clock.advance(1)
    heard.clear()
    at_once(store.delete(ALICE, MailboxName("Sent")))
    assert heard == ["x"]
    place.clock.advance(1)
    assert at_once(sent.changes_since(0)).is_gone
    watch.stop()
    at_once(store.close())
    place.clock.advance(10)
    assert not place.clock.getDelayedCalls()


def test_an_account_that_cannot_be_looked_at_is_told_of(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, box = begin(place)
    heard: list[str] = []
    box.watch(lambda: heard.append("x"))
    place.clock.advance(1)
    heard.clear()

    def cannot(path: str) -> list[str]:
        raise OSError(errno.EIO, path)

    monkeypatch.setattr(os, "listdir", cannot)
    place.clock.advance(1)
    assert heard
    monkeypatch.undo()
    at_once(store.close())


def test_large_messages_are_read_in_pieces(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(folder, settings=MaildirSettings(held_in_memory=10))
    store, box = begin(place, 1)
    at_once(box.store(ALL_UIDS, FlagChange(FlagAction.ADD, frozenset({DELETED}))))
    [(_, content)] = at_once(box.contents(ALL_UIDS))
    at_once(box.expunge(ALL_UIDS))
    assert content.octets is None
    assert at_once(content.read(3, 5)) == LETTER[3:8]
    assert at_once(content.read(0, 1 << 20)) == LETTER

    def cannot(descriptor: int, count: int, start: int) -> bytes:
        raise OSError(errno.EIO, "the disk is broken")

    with monkeypatch.context() as broken, pytest.raises(StorageBroken):
        broken.setattr(os, "pread", cannot)
        at_once(content.read(0, 1))
    at_once(store.close())


def test_a_message_of_many_octets(place: Place) -> None:
    store, box = begin(place, 0)
    octets = LETTER + b"x" * 70 + b"\r\n" * 600_000
    at_once(store.deliver(OctetsContent(octets), [Placement(ALICE, INBOX)]))
    [(_, content)] = at_once(box.contents(ALL_UIDS))
    assert at_once(content.read(0, content.size)) == octets
    at_once(store.close())


def unrendered(store: MaildirStore) -> int:
    with store.home(ALICE).used() as index:
        [(count,)] = index.database.all(
            "SELECT count(*) FROM message WHERE thread_id = ''"
        )
    return int(count)


def test_what_a_rebuild_left_is_rendered_behind(place: Place) -> None:
    store, box = begin(place, 250)
    before = at_once(box.fetch(ALL_UIDS, Want.ENVELOPE | Want.IDS))
    at_once(box.copy(UIDSet.of([1]), MailboxName("Sent")))
    at_once(store.rebuild(ALICE))
    os.unlink(place.maildir("cur") / sorted(os.listdir(place.maildir("cur")))[7])
    assert unrendered(store) == 250
    place.clock.advance(2)
    assert unrendered(store) == 0
    assert len(at_once(box.fetch(ALL_UIDS, Want.ENVELOPE))) == 249
    (place.maildir("cur") / "1.x:2,").write_bytes(LETTER)
    at_once(box.snapshot(False))
    assert unrendered(store) == 0
    after = at_once(box.fetch(UIDSet.of([1]), Want.ENVELOPE | Want.IDS))
    assert after[0].thread_id == before[0].thread_id
    at_once(store.close())
    check_whole(place)


@pytest.mark.parametrize(("most", "commits"), [(1, 60), (1 << 20, 1)])
def test_what_is_rendered_for_a_fetch_is_kept_before_it_is_too_much(
    place: Place, monkeypatch: pytest.MonkeyPatch, most: int, commits: int
) -> None:
    store, box = begin(place, 60)
    at_once(store.rebuild(ALICE))
    monkeypatch.setattr(reads, "PIECE_OCTETS", most)
    kept: list[int] = []
    keep_shown = reads.keep_shown

    def counted(index: Index, shown: Sequence[tuple[int, Shown]]) -> None:
        kept.append(len(shown))
        keep_shown(index, shown)

    monkeypatch.setattr(reads, "keep_shown", counted)
    assert len(at_once(box.fetch(ALL_UIDS, Want.ENVELOPE))) == 60
    assert (len(kept), sum(kept)) == (commits, 60)
    at_once(store.close())


def test_rendering_behind_leaves_others_their_turn(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, _ = begin(place, 60)
    at_once(store.rebuild(ALICE))
    monkeypatch.setattr(reads, "A_WHILE", 0.0)
    runs: list[object] = []
    run = DirectLanes.run

    async def counted(lanes: DirectLanes, lane: Hashable, work: Callable[[], T]) -> T:
        runs.append(lane)
        return await run(lanes, lane, work)

    monkeypatch.setattr(DirectLanes, "run", counted)
    place.clock.advance(2)
    assert runs.count(ALICE) > 60
    assert unrendered(store) == 0
    at_once(store.close())


def test_what_cannot_be_rendered_is_told_once(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, _ = begin(place, 60)
    at_once(store.rebuild(ALICE))
    seen: list[str] = []

    def cannot(path: str, size: int) -> bytes:
        seen.append(path)
        raise PermissionError(path)

    monkeypatch.setattr(reads, "_octets", cannot)
    for _ in range(5):
        place.clock.advance(2)
    assert len(seen) == 1
    monkeypatch.undo()
    at_once(store.close())
    check_whole(place)


def test_an_account_that_is_never_idle_is_tidied_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chores, "DAY", 60.0)
    place = Place(folder, settings=MaildirSettings(expunge_log=4))
    store, box = begin(place, 10)
    for uid in range(1, 10):
        deleted = FlagChange(FlagAction.ADD, frozenset({DELETED}))
        at_once(box.store(UIDSet.of([uid]), deleted))
        at_once(box.expunge(ALL_UIDS))
    for _ in range(35):
        place.clock.advance(2)
        at_once(box.status())
    with store.home(ALICE).used() as index:
        [(count,)] = index.database.all("SELECT count(*) FROM expunged")
    assert count <= 4
    at_once(store.close())
    check_whole(place)
