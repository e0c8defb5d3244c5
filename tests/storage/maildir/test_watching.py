"""Those who watch hear of what other programs do (STORE.md §4)."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from mailkit.errors import MailboxGone
from mailkit.interfaces.storage import IMailbox, NewMessage, Placement
from mailkit.model.flags import SEEN
from mailkit.model.mailbox import INBOX, MailboxName, Want
from mailkit.model.uidset import ALL_UIDS
from mailkit.storage.content import OctetsContent
from mailkit.storage.maildir.store import MaildirStore
from mailkit.testing.at_once import at_once
from tests.storage.maildir.doubles import ALICE, BOB, LETTER, Place
from tests.storage.maildir.stops import abandon, check_whole


def begin(place: Place, count: int = 3) -> tuple[MaildirStore, IMailbox]:
    store = place.store()
    begun = place.clock.seconds()
    store.house.now = lambda: time.time() + place.clock.seconds() - begun
    box = at_once(store.open(ALICE, INBOX))
    at_once(box.append([NewMessage(OctetsContent(LETTER)) for _ in range(count)]))
    return store, box


def pass_seconds(place: Place, seconds: int) -> None:
    for _ in range(seconds):
        place.clock.advance(1)


def set_flag(place: Place) -> None:
    cur = place.maildir("cur")
    name = sorted(os.listdir(cur))[0]
    os.rename(cur / name, cur / (name + "S"))


def test_flags_that_another_program_sets_are_heard_of(folder: Path) -> None:
    place = Place(folder)
    store, box = begin(place)
    at_once(box.snapshot(False))
    heard: list[str] = []
    watch = box.watch(lambda: heard.append("x"))
    pass_seconds(place, 40)
    heard.clear()
    state = at_once(box.status()).highest_mod_seq
    set_flag(place)
    pass_seconds(place, 31)
    assert heard
    [record] = at_once(box.changes_since(state)).flagged
    assert record.flags == {SEEN}
    heard.clear()
    pass_seconds(place, 100)
    assert not heard
    watch.stop()
    at_once(store.close())
    check_whole(place)


def test_an_account_that_cannot_be_read_keeps_no_other_waiting(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(folder)
    store, box = begin(place)
    at_once(store.deliver(OctetsContent(LETTER), [Placement(BOB, INBOX)]))
    heard: list[str] = []
    of_bob = at_once(store.open(BOB, INBOX)).watch(lambda: None)
    of_alice = box.watch(lambda: heard.append("x"))
    pass_seconds(place, 2)
    heard.clear()
    listdir = os.listdir

    def cannot(path: str) -> list[str]:
        if "/bob/" in path:
            raise PermissionError(path)
        return listdir(path)

    monkeypatch.setattr(os, "listdir", cannot)
    (place.maildir("new") / "1.x").write_bytes(LETTER)
    pass_seconds(place, 1)
    assert heard
    of_bob.stop()
    of_alice.stop()
    abandon(store)


def test_a_session_of_a_removed_account_begins_nothing_again(folder: Path) -> None:
    place = Place(folder)
    store, box = begin(place)
    other = place.store()
    theirs = at_once(other.open(ALICE, INBOX))
    watch = theirs.watch(lambda: None)
    pass_seconds(place, 2)
    at_once(store.remove_account(ALICE, False))
    pass_seconds(place, 3)
    for one in (box, theirs):
        assert at_once(one.changes_since(0)).is_gone
        for ask in (
            lambda one=one: one.fetch(ALL_UIDS, Want.FLAGS),
            lambda one=one: one.expunge(ALL_UIDS),
            lambda one=one: one.append([NewMessage(OctetsContent(LETTER))]),
            lambda one=one: one.append([]),
            lambda one=one: one.copy(ALL_UIDS, MailboxName("Sent")),
        ):
            with pytest.raises(MailboxGone):
                at_once(ask())
    assert not place.maildir().parent.exists()
    watch.stop()
    for each in (store, other):
        at_once(each.close())
    assert not place.maildir().parent.exists()


def test_what_happens_beside_our_own_changes_is_seen_later(folder: Path) -> None:
    place = Place(folder)
    store, box = begin(place)
    at_once(box.snapshot(False))
    at_once(box.append([NewMessage(OctetsContent(LETTER))]))
    # As if it had been between two of our renames: the folder looks as we left it.
    left = os.stat(place.maildir("cur")).st_mtime_ns
    set_flag(place)
    os.utime(place.maildir("cur"), ns=(left, left))
    store.house.now = lambda: time.time() + 31
    at_once(box.snapshot(False))
    flags = [r.flags for r in at_once(box.fetch(ALL_UIDS, Want.FLAGS))]
    assert flags.count(frozenset({SEEN})) == 1
    at_once(store.close())
    check_whole(place)


def test_a_file_that_may_not_be_read_hides_no_other(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(folder)
    store, box = begin(place)
    (place.maildir("new") / "1.theirs").write_bytes(LETTER)
    (place.maildir("new") / "2.ours").write_bytes(LETTER)
    monkeypatch.setattr("builtins.open", refusing("1.theirs"))
    assert at_once(box.status()).exists == 4
    monkeypatch.undo()
    assert at_once(box.status()).exists == 5
    at_once(store.close())
    check_whole(place)


def refusing(name: str) -> object:
    true_open = open

    def refuse(path: object, *arguments: object, **named: object) -> object:
        if name in str(path):
            raise PermissionError(path)
        return true_open(path, *arguments, **named)  # type: ignore[call-overload]  # as it was called

    return refuse


def test_folders_whose_names_we_would_not_give_are_left_alone(folder: Path) -> None:
    place = Place(folder)
    store, _ = begin(place)
    strange = [".100%", ".a..b", ".INBOX", ".inbox", ".cafe\u0301", ".a\x07b", "..x"]
    for name in (*strange, ".Good%25"):
        shutil.copytree(place.maildir(".Sent"), place.maildir(name))
    os.utime(place.maildir(), (1000, 1000))
    entries = [e.name for e in at_once(store.mailboxes(ALICE)) if e.is_selectable]
    assert "Good%" in entries
    for name in entries:
        at_once(store.status(ALICE, name))
    assert len(entries) == len(set(entries)) == 7
    at_once(store.close())
    assert all(place.maildir(name).is_dir() for name in strange)
