"""Other programs may read, drop files into new/ and rename (STORE.md §4)."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from mailkit.errors import MailboxGone
from mailkit.interfaces.storage import IMailbox, NewMessage, Placement
from mailkit.model.flags import FLAGGED, SEEN, FlagAction, FlagChange
from mailkit.model.mailbox import INBOX, MailboxName, Want
from mailkit.model.uidset import ALL_UIDS, UIDSet
from mailkit.storage.content import OctetsContent
from mailkit.storage.index import reading
from mailkit.storage.index.index import Index
from mailkit.storage.index.rows import MailboxRow
from mailkit.storage.maildir import reads
from mailkit.storage.maildir.home import Home
from mailkit.storage.maildir.naming import parse
from mailkit.storage.maildir.store import MaildirStore
from mailkit.testing.at_once import at_once
from tests.storage.maildir.doubles import ALICE, LETTER, Place
from tests.storage.maildir.stops import check_whole, everything


@pytest.fixture
def place(folder: Path) -> Place:
    return Place(folder)


def with_letters(place: Place, count: int = 3) -> tuple[MaildirStore, IMailbox]:
    store = place.store()
    box = at_once(store.open(ALICE, INBOX))
    for number in range(count):
        text = LETTER.replace(b"one", b"%d" % number)
        at_once(box.append([NewMessage(OctetsContent(text))]))
    return store, box


def files(place: Place) -> list[str]:
    return sorted(os.listdir(place.maildir("cur")), key=lambda name: parse(name).uid)


def old(place: Place, folder: str = "cur") -> None:
    """Let a folder look as if it was changed long ago, and differently."""
    os.utime(place.maildir(folder), (1000, 1000))


def flags_of(box: IMailbox) -> dict[int, frozenset[str]]:
    return {r.uid: r.flags for r in at_once(box.fetch(ALL_UIDS, Want.FLAGS))}


def test_a_file_in_new_is_a_message(place: Place) -> None:
    _store, box = with_letters(place)
    before = at_once(box.status())
    (place.maildir("new") / "123.abc.host").write_bytes(b"Subject: x\n\nLF\n")
    change = at_once(box.changes_since(before.highest_mod_seq))
    assert [record.uid for record in change.arrived] == [4]
    [(_uid, content)] = at_once(box.contents(UIDSet.of([4])))
    assert content.octets == b"Subject: x\r\n\r\nLF\r\n"
    [record] = at_once(box.fetch(UIDSet.of([4]), Want.FACTS | Want.ENVELOPE))
    assert record.size == len(content.octets) and b'"x"' in record.envelope
    assert os.listdir(place.maildir("new")) == []
    assert files(place)[-1] == "123.abc.host,S=15,W=18,U=4:2,"
    check_whole(place)


def test_a_file_that_says_too_much_gets_another_uid(place: Place) -> None:
    _store, box = with_letters(place)
    cur = place.maildir("cur")
    names = files(place)
    shutil.copy(cur / names[0], cur / "1.a,S=54,W=54,U=2:2,S")  # given already
    shutil.copy(cur / names[0], cur / "1.b,S=54,W=54,U=90:2,F")  # twice
    shutil.copy(cur / names[0], cur / "1.c,S=54,W=54,U=90:2,F")
    shutil.copy(cur / names[0], cur / "1.d,S=54,W=54,U=9999:2,")  # above the mark
    shutil.copy(cur / names[0], cur / "1.e,S=54,W=54,U=50:2,R")  # believed
    shutil.copy(cur / names[0], cur / names[0].replace(":2,", ":2,T"))  # a copy
    old(place)
    snapshot = at_once(box.snapshot(False))
    assert list(snapshot.uids) == [1, 2, 3, 50, 51, 52, 53, 54, 55]
    check_whole(place)


def test_other_flags_are_taken_over_and_only_the_difference(place: Place) -> None:
    store, box = with_letters(place)
    change = FlagChange(FlagAction.ADD, frozenset({FLAGGED}))
    at_once(box.store(UIDSet.of([1]), change))
    name = files(place)[0]
    os.rename(place.maildir("cur") / name, place.maildir("cur") / (name + "S"))
    old(place)
    before = at_once(box.status()).highest_mod_seq
    at_once(box.snapshot(False))
    assert flags_of(box)[1] == {FLAGGED, SEEN}
    [flagged] = at_once(box.changes_since(before)).flagged
    assert flagged.uid == 1
    at_once(store.close())
    assert files(place)[0].endswith(":2,FS")
    check_whole(place)


def test_letters_of_other_programs_mean_our_keywords(place: Place) -> None:
    store, box = with_letters(place, 2)
    words = FlagChange(FlagAction.REPLACE, frozenset({"$One", "$Two"}))
    at_once(box.store(UIDSet.of([1]), words))
    at_once(store.close())
    first, second = files(place)
    assert first.endswith(":2,ab")
    cur = place.maildir("cur")
    os.rename(cur / first, cur / first.replace(":2,ab", ":2,b"))
    os.rename(cur / second, cur / (second + "az"))
    old(place)
    store = place.store()
    box = at_once(store.open(ALICE, INBOX))
    at_once(box.snapshot(False))
    letters = (place.maildir() / "mailkit-keywords").read_text()
    spelt = dict(line.split(" ") for line in letters.splitlines())
    assert flags_of(box) == {1: {spelt["b"]}, 2: {spelt["a"]}}
    at_once(store.close())
    check_whole(place)


def test_a_file_that_vanished_is_expunged(place: Place) -> None:
    _store, box = with_letters(place)
    before = at_once(box.status()).highest_mod_seq
    os.unlink(place.maildir("cur") / files(place)[1])
    assert [uid for uid, _ in at_once(box.contents(ALL_UIDS))] == [1, 3]
    assert at_once(box.changes_since(before)).vanished == UIDSet.of([2])
    check_whole(place)


def test_a_file_that_was_renamed_is_found(place: Place) -> None:
    store, box = with_letters(place)
    name = files(place)[1]
    os.rename(place.maildir("cur") / name, place.maildir("cur") / (name + "R"))
    assert [uid for uid, _ in at_once(box.contents(ALL_UIDS))] == [1, 2, 3]
    name = files(place)[2]
    os.rename(place.maildir("cur") / name, place.maildir("cur") / (name + "R"))
    copied = at_once(box.copy(UIDSet.of([2, 3]), MailboxName("Sent")))
    assert len(copied.uids) == 2
    at_once(store.close())
    check_whole(place)


def test_what_is_expunged_under_other_flags_is_unlinked(place: Place) -> None:
    _store, box = with_letters(place)
    deleted = FlagChange(FlagAction.ADD, frozenset({"\\Deleted"}))
    at_once(box.store(UIDSet.of([1, 2]), deleted))
    first, second, _ = files(place)
    os.rename(place.maildir("cur") / first, place.maildir("cur") / (first + "S"))
    os.unlink(place.maildir("cur") / second)
    assert at_once(box.expunge(ALL_UIDS)) == UIDSet.of([1, 2])
    assert len(files(place)) == 1
    check_whole(place)


def test_flags_are_written_behind_around_other_programs(place: Place) -> None:
    store, box = with_letters(place)
    flagged = FlagChange(FlagAction.ADD, frozenset({FLAGGED}))
    at_once(box.store(ALL_UIDS, flagged))
    first, second, _ = files(place)
    os.rename(place.maildir("cur") / first, place.maildir("cur") / (first + "S"))
    os.unlink(place.maildir("cur") / second)
    place.clock.advance(6)
    assert flags_of(box) == {1: {FLAGGED, SEEN}, 3: {FLAGGED}}
    place.clock.advance(60)
    at_once(store.close())
    assert [name.partition(":2,")[2] for name in files(place)] == ["FS", "F"]
    check_whole(place)


def test_a_message_restored_by_hand_is_a_new_one(place: Place) -> None:
    _store, box = with_letters(place)
    name = files(place)[2]
    octets = (place.maildir("cur") / name).read_bytes()
    at_once(
        box.store(UIDSet.of([3]), FlagChange(FlagAction.ADD, frozenset({"\\Deleted"})))
    )
    at_once(box.expunge(ALL_UIDS))
    (place.maildir("cur") / name).write_bytes(octets)
    old(place)
    assert list(at_once(box.snapshot(False)).uids) == [1, 2, 4]
    check_whole(place)


def test_names_that_no_text_can_hold(place: Place) -> None:
    _store, box = with_letters(place, 1)
    new = os.fsencode(place.maildir("new"))
    for name in (b"\xff\xfe", b"a" * 240, b",x", b".hidden"):
        with open(new + b"/" + name, "wb") as file:
            file.write(LETTER)
    os.mkdir(new + b"/folder")
    assert len(at_once(box.snapshot(False)).uids) == 4
    assert sorted(os.listdir(new)) == [b".hidden", b"folder"]
    shutil.rmtree(new)
    os.mkdir(new)
    check_whole(place)


def test_folders_of_other_programs_are_mailboxes(place: Place) -> None:
    store, _ = with_letters(place)
    for folder in ("cur", "new", "tmp"):
        os.makedirs(place.maildir(".Theirs.Inner") / folder)
    (place.maildir(".Theirs.Inner") / "cur" / "1.x.y:2,S").write_bytes(LETTER)
    os.makedirs(place.maildir(".NoMailbox"))
    os.utime(place.maildir(), (1000, 1000))
    names = [entry.name for entry in at_once(store.mailboxes(ALICE))]
    assert "Theirs/Inner" in names and "NoMailbox" not in names
    found = everything(store)[MailboxName("Theirs/Inner")]
    assert found == {1: (LETTER, SEEN)}
    shutil.copytree(place.maildir(".Theirs.Inner"), place.maildir(".Copy"))
    os.utime(place.maildir(), (1001, 1001))
    ids = {
        at_once(store.status(ALICE, MailboxName(name))).mailbox_id
        for name in ("Copy", "Theirs/Inner")
    }
    assert len(ids) == 2
    shutil.rmtree(place.maildir(".Theirs.Inner"))
    os.utime(place.maildir(), (1002, 1002))
    names = [e.name for e in at_once(store.mailboxes(ALICE)) if e.is_selectable]
    assert "Theirs/Inner" not in names and "Copy" in names
    at_once(store.close())
    check_whole(place)


def test_the_list_is_trusted_while_the_folder_is_untouched(place: Place) -> None:
    _store, box = with_letters(place)
    old(place)
    at_once(box.snapshot(False))
    # An mtime that did not move hides what came: this is what trust means.
    (place.maildir("cur") / "1.x,S=54,W=54,U=70:2,").write_bytes(LETTER)
    old(place)
    assert len(at_once(box.snapshot(False)).uids) == 3
    now = time.time()
    os.utime(place.maildir("cur"), (now - 5, now - 5))
    assert len(at_once(box.snapshot(False)).uids) == 4


def test_two_processes_see_each_other(place: Place) -> None:
    one, two = place.store(), place.store()
    first, second = at_once(one.open(ALICE, INBOX)), at_once(two.open(ALICE, INBOX))
    state = at_once(second.snapshot(False)).status.highest_mod_seq
    for turn in range(5):
        at_once(one.deliver(OctetsContent(LETTER), [Placement(ALICE, INBOX)]))
        [uid] = at_once(second.append([NewMessage(OctetsContent(LETTER))]))
        assert uid == 2 * turn + 2
    assert len(at_once(second.changes_since(state)).arrived) == 10
    at_once(first.store(ALL_UIDS, FlagChange(FlagAction.ADD, frozenset({"$A"}))))
    at_once(second.store(ALL_UIDS, FlagChange(FlagAction.ADD, frozenset({"$B"}))))
    at_once(second.move(UIDSet.of([1, 2]), MailboxName("Trash")))
    assert at_once(first.status()).exists == 8
    assert set(flags_of(first).values()) == {frozenset({"$A", "$B"})}
    at_once(one.close())
    at_once(two.close())
    check_whole(place)


def test_keywords_of_what_is_gone_are_forgotten(place: Place) -> None:
    store, box = with_letters(place, 2)
    words = frozenset(f"k{number}" for number in range(30))
    at_once(box.store(ALL_UIDS, FlagChange(FlagAction.ADD, words)))
    place.clock.advance(6)
    home = store.home(ALICE)
    assert set(home.aside.keywords(box.mailbox_id)) == {1, 2}
    deleted = FlagChange(FlagAction.ADD, frozenset({"\\Deleted"}))
    at_once(box.store(UIDSet.of([1]), deleted))
    at_once(box.expunge(ALL_UIDS))
    for _ in range(20):
        place.clock.advance(2)
    assert set(home.aside.keywords(box.mailbox_id)) == {2}
    at_once(store.close())
    check_whole(place)


def test_a_folder_taken_away_while_it_is_open_is_gone(place: Place) -> None:
    store, _ = with_letters(place, 1)
    sent = at_once(store.open(ALICE, MailboxName("Sent")))
    shutil.rmtree(place.maildir(".Sent"))
    os.utime(place.maildir(), (1000, 1000))
    with pytest.raises(MailboxGone):
        at_once(sent.snapshot(False))
    assert at_once(sent.changes_since(0)).is_gone
    with pytest.raises(MailboxGone):
        at_once(sent.append([NewMessage(OctetsContent(LETTER))]))
    with pytest.raises(MailboxGone):
        at_once(sent.append([]))
    at_once(store.close())
    check_whole(place)


def test_an_intent_for_a_folder_that_is_gone_is_forgotten(place: Place) -> None:
    store, box = with_letters(place, 1)
    home = store.home(ALICE)
    with home.changed() as index, index.database.transaction(is_full=True):
        index.database.execute("INSERT INTO intent VALUES (1, 0, 1, 999)")
    at_once(box.append([NewMessage(OctetsContent(LETTER))]))
    with home.used() as index:
        assert index.half_done(home.token) is None
    at_once(store.close())
    check_whole(place)


@pytest.mark.parametrize(
    "name", [".inbox", ".INBOX", ".Inbox.Below", "..a", ".a%b", ".e\u0301", ".a."]
)
def test_a_folder_that_no_name_leads_to_is_left_alone(place: Place, name: str) -> None:
    for part in ("cur", "new", "tmp"):
        place.maildir(f"{name}/{part}").mkdir(parents=True)
    store = place.store()
    at_once(store.create(ALICE, MailboxName("INBOX/Below")))
    entries = at_once(store.mailboxes(ALICE))
    assert [e.name for e in entries if e.special_use is None] == [INBOX, "INBOX/Below"]
    for entry in entries:
        at_once(store.status(ALICE, entry.name))


@pytest.mark.parametrize("is_snapshot", [False, True])
def test_what_comes_and_goes_while_somebody_looks(
    place: Place, monkeypatch: pytest.MonkeyPatch, is_snapshot: bool
) -> None:
    one, box = with_letters(place)
    two = place.store()
    other = at_once(two.open(ALICE, INBOX))
    begun = at_once(box.snapshot(False))
    look = reads.look_around
    vanished, first_unseen = reading._vanished, reading.first_unseen

    def comes_first(home: Home, index: Index, row: MailboxRow) -> object:
        found = look(home, index, row)
        monkeypatch.setattr(reads, "look_around", look)
        at_once(other.append([NewMessage(OctetsContent(LETTER))]))
        return found

    def goes() -> None:
        deleted = FlagChange(FlagAction.ADD, frozenset({"\\Deleted"}))
        at_once(other.store(UIDSet.of([5]), deleted))
        at_once(other.expunge(ALL_UIDS))

    def goes_then(index: Index, row: MailboxRow, mod_seq: int) -> UIDSet:
        monkeypatch.setattr(reading, "_vanished", vanished)
        goes()
        return vanished(index, row, mod_seq)

    def goes_after(index: Index, row: MailboxRow) -> int:
        monkeypatch.setattr(reading, "first_unseen", first_unseen)
        goes()
        return first_unseen(index, row)

    monkeypatch.setattr(reads, "look_around", comes_first)
    monkeypatch.setattr(reading, "_vanished", goes_then)
    monkeypatch.setattr(reading, "first_unseen", goes_after)
    at_once(other.append([NewMessage(OctetsContent(LETTER))]))
    here = set(begun.uids)
    state = begun.status.highest_mod_seq
    if is_snapshot:
        seen = at_once(box.snapshot(False))
        here, state = set(seen.uids), seen.status.highest_mod_seq
        monkeypatch.setattr(reading, "_vanished", vanished)
    for _ in range(3):
        change = at_once(box.changes_since(state))
        here = (here - set(change.vanished)) | {r.uid for r in change.arrived}
        state = change.mod_seq
    assert here == {1, 2, 3, 4}
    at_once(one.close())
    at_once(two.close())
    check_whole(place)
