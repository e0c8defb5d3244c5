"""After another boot each mailbox is listed before it answers (STORE.md §3)."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from mailkit.errors import StorageBroken
from mailkit.interfaces.storage import NewMessage, Placement
from mailkit.model.flags import SEEN, FlagAction, FlagChange
from mailkit.model.mailbox import INBOX, MailboxName, Want
from mailkit.model.uidset import ALL_UIDS, UIDSet
from mailkit.storage.content import OctetsContent
from mailkit.storage.maildir import numbers
from mailkit.storage.maildir.house import boot_id
from mailkit.storage.maildir.numbers import UID_STEP
from mailkit.storage.maildir.store import MaildirStore
from mailkit.testing.at_once import at_once
from tests.storage.maildir.doubles import ALICE, LETTER, Board, Place
from tests.storage.maildir.stops import abandon, check_whole, everything

SENT = MailboxName("Sent")


@pytest.fixture
def place(folder: Path) -> Place:
    place = Place(folder)
    store = place.store()
    for _ in range(3):
        at_once(store.deliver(OctetsContent(LETTER), [Placement(ALICE, INBOX)]))
    at_once(store.close())
    return place


def in_another_boot(place: Place) -> MaildirStore:
    store = place.store()
    store.house.boot = "another"
    return store


def index_of(place: Place) -> Path:
    return place.maildir().parent / "index.sqlite"


def test_uids_go_on_above_the_mark_and_mod_seqs_above_the_floor(place: Place) -> None:
    before = at_once(place.store().status(ALICE, INBOX))
    floor = numbers.read_mod_seq_floor(str(place.maildir()))
    store = in_another_boot(place)
    box = at_once(store.open(ALICE, INBOX))
    status = at_once(box.status())
    mark = 2 + UID_STEP
    assert (status.exists, status.uid_next) == (3, mark)
    assert status.highest_mod_seq > floor > before.highest_mod_seq
    assert numbers.read_mod_seq_floor(str(place.maildir())) > status.highest_mod_seq
    assert at_once(box.append([NewMessage(OctetsContent(LETTER))])) == [mark]
    change = at_once(box.changes_since(before.highest_mod_seq))
    # A client may have seen messages there that no 250 was ever said for.
    assert change.vanished == UIDSet(((4, mark - 1),))
    assert [record.uid for record in change.arrived] == [mark]
    abandon(store)


def test_lost_rows_come_back_with_their_uids(place: Place) -> None:
    before = at_once(place.store().status(ALICE, INBOX)).highest_mod_seq
    cur = place.maildir("cur")
    [name, *_] = os.listdir(cur)
    for uid in (7, 9):
        shutil.copy(cur / name, cur / f"1.{uid}.x,S=54,W=54,U={uid}:2,S")
    lost = next(name for name in os.listdir(cur) if ",U=2:" in name)
    os.unlink(cur / lost)
    store = in_another_boot(place)
    box = at_once(store.open(ALICE, INBOX))
    assert list(at_once(box.snapshot(False)).uids) == [1, 3, 7, 9]
    vanished = at_once(box.changes_since(before)).vanished
    assert 2 in vanished and 8 in vanished and 7 not in vanished and 9 not in vanished
    abandon(store)


def test_mailboxes_are_listed_one_by_one(place: Place) -> None:
    store = in_another_boot(place)
    at_once(store.status(ALICE, SENT))
    abandon(store)
    rows = dict(
        sqlite3.connect(index_of(place)).execute("SELECT folder, boot FROM mailbox")
    )
    assert rows[".Sent"] == "another" != rows[""]
    store = in_another_boot(place)
    assert at_once(store.status(ALICE, INBOX)).exists == 3
    abandon(store)


def test_a_delivery_may_come_first(place: Place) -> None:
    store = in_another_boot(place)
    to = [Placement(ALICE, INBOX), Placement(ALICE, SENT)]
    assert at_once(store.deliver(OctetsContent(LETTER), to)) == [2 + UID_STEP, 1]
    abandon(store)


@pytest.mark.parametrize("octets", [b"", b"no database at all" * 100])
def test_a_damaged_index_is_rebuilt(place: Place, octets: bytes) -> None:
    before = everything(store := place.store())
    at_once(store.close())
    index_of(place).write_bytes(octets)
    store = place.store()
    assert everything(store) == before
    at_once(store.close())
    check_whole(place)


def test_an_index_that_breaks_while_it_is_open(place: Place) -> None:
    before = everything(store := place.store())
    at_once(store.close())
    with open(index_of(place), "r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 65536)
    store = place.store()
    with pytest.raises(StorageBroken):
        everything(store)
    assert everything(store) == before
    at_once(store.close())
    check_whole(place)


def test_a_copy_of_an_index_is_not_believed(place: Place) -> None:
    index = index_of(place)
    shutil.copy(index, index.with_name("copy"))
    os.rename(index.with_name("copy"), index)
    store = place.store()
    at_once(store.status(ALICE, INBOX))
    abandon(store)
    check_whole(place)


def test_an_index_that_is_taken_away_while_it_is_open(place: Place) -> None:
    store = place.store()
    box = at_once(store.open(ALICE, INBOX))
    before = at_once(box.snapshot(False)).status
    index_of(place).unlink()
    after = at_once(box.snapshot(False)).status
    assert after.highest_mod_seq > before.highest_mod_seq
    assert (after.exists, after.mailbox_id) == (before.exists, before.mailbox_id)
    assert at_once(box.append([NewMessage(OctetsContent(LETTER))])) == [after.uid_next]
    # Whoever knew an earlier state is told of every UID that is not there.
    vanished = at_once(box.changes_since(before.highest_mod_seq)).vanished
    assert vanished == UIDSet(((4, after.uid_next - 1),))
    abandon(store)
    check_whole(place)


def test_an_index_of_another_version_is_rebuilt(place: Place) -> None:
    with sqlite3.connect(index_of(place)) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    check_whole(place)


def test_a_newer_account_file_is_refused(place: Place) -> None:
    path = place.maildir().parent / "account.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StorageBroken, match="newer version"):
        at_once(place.store().mailboxes(ALICE))


def test_keywords_survive_the_index(place: Place) -> None:
    store = place.store()
    box = at_once(store.open(ALICE, INBOX))
    for number in range(30):
        flags = frozenset({f"k{number:02}", SEEN})
        at_once(box.store(UIDSet.of([1]), FlagChange(FlagAction.ADD, flags)))
    at_once(box.copy(UIDSet.of([1]), SENT))
    at_once(store.close())
    before = everything(store := place.store())
    at_once(store.close())
    index_of(place).unlink()
    store = place.store()
    assert everything(store) == before
    assert before[SENT][1][1].count("k") == 30
    box = at_once(store.open(ALICE, INBOX))
    none = FlagChange(FlagAction.REPLACE, frozenset())
    at_once(box.store(ALL_UIDS, none))
    at_once(store.close())
    index_of(place).unlink()
    store = place.store()
    assert {flags for _, flags in everything(store)[INBOX].values()} == {""}
    at_once(store.close())


def test_a_rebuild_renders_when_it_is_asked(place: Place) -> None:
    store = place.store()
    box = at_once(store.open(ALICE, INBOX))
    new = [NewMessage(OctetsContent(LETTER)) for _ in range(60)]
    at_once(box.append(new))
    before = at_once(box.fetch(ALL_UIDS, Want.ENVELOPE | Want.FACTS))
    at_once(store.close())
    index_of(place).unlink()
    store = place.store()
    box = at_once(store.open(ALICE, INBOX))
    for uids in (UIDSet(((1, 5),)), ALL_UIDS):
        after = at_once(box.fetch(uids, Want.ENVELOPE | Want.FACTS))
        assert [(r.envelope, r.thread_id, r.email_id, r.size) for r in after] == [
            (r.envelope, r.thread_id, r.email_id, r.size) for r in before[: len(after)]
        ]
    at_once(store.close())


def test_which_boot_it_is() -> None:
    assert boot_id() == boot_id() != ""


def test_a_clock_set_back_lowers_nothing(folder: Path) -> None:
    place = Place(folder)
    moments = [2e9, 1e9]
    highest = 0
    for moment in moments:
        store = MaildirStore(
            place.data,
            place.store().lanes,
            Board(),
            place.clock,
            now=lambda moment=moment: moment,  # type: ignore[misc]  # not inferred
        )
        box = at_once(store.open(ALICE, INBOX))
        at_once(box.append([NewMessage(OctetsContent(LETTER))]))
        at_once(store.delete(ALICE, SENT))
        at_once(store.create(ALICE, SENT))
        status = at_once(store.status(ALICE, SENT))
        assert status.uid_validity > 2e9
        assert at_once(box.status()).highest_mod_seq > highest
        highest = at_once(box.status()).highest_mod_seq
        abandon(store)
