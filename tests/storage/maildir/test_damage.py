"""What is damaged costs no more than itself."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from mailkit.errors import StorageBroken, TooMany
from mailkit.interfaces.storage import NewMessage
from mailkit.model.flags import DELETED, FlagAction, FlagChange
from mailkit.model.mailbox import INBOX, MailboxName, Want
from mailkit.model.query import BodyContains, Everything
from mailkit.model.uidset import ALL_UIDS, UIDSet
from mailkit.storage.content import OctetsContent
from mailkit.storage.index import database
from mailkit.storage.index.index import Index
from mailkit.storage.index.rows import MailboxRow
from mailkit.storage.maildir import listing, reads, searching
from mailkit.storage.maildir.home import Home
from mailkit.storage.maildir.house import MaildirSettings
from mailkit.storage.safefile import Files, Operation, Verb
from mailkit.testing.at_once import at_once
from tests.storage.maildir.doubles import ALICE, LETTER, Place
from tests.storage.maildir.stops import Stop, abandon, check_whole


def account_of(place: Place) -> Path:
    return place.maildir().parent


def break_pages(path: Path) -> None:
    with open(path, "r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 65536)


def test_a_damaged_account_file_does_not_cost_the_index(place: Place) -> None:
    store = place.store()
    box = at_once(store.open(ALICE, INBOX))
    at_once(box.append([NewMessage(OctetsContent(LETTER))]))
    at_once(box.store(ALL_UIDS, FlagChange(FlagAction.ADD, frozenset({"\\Seen"}))))
    abandon(store)
    path = account_of(place) / "account.sqlite"
    before = path.read_bytes()
    break_pages(path)
    store = place.store()
    for _ in range(2):
        with pytest.raises(StorageBroken):
            at_once(store.mailboxes(ALICE))
    abandon(store)
    path.write_bytes(before)
    store = place.store()
    assert at_once(store.status(ALICE, INBOX)).unseen == 0
    abandon(store)


def test_who_finds_damage_late_leaves_what_others_made_anew(place: Place) -> None:
    one, two = place.store(), place.store()
    box = at_once(two.open(ALICE, INBOX))
    at_once(box.append([NewMessage(OctetsContent(LETTER))]))
    path = account_of(place) / "index.sqlite"
    home = one.home(ALICE)
    with pytest.raises(StorageBroken), home.used() as index:
        # Another process saw the same, and was faster.
        for ending in ("", "-wal", "-shm"):
            os.unlink(f"{path}{ending}")
        at_once(two.rebuild(ALICE))
        made = os.stat(path).st_ino
        damaged(index)
    assert os.stat(path).st_ino == made
    assert at_once(one.status(ALICE, INBOX)).exists == 1
    abandon(one)
    abandon(two)
    check_whole(place)


def test_who_reads_reads_on_in_an_index_that_is_taken_away(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = place.store()
    box = at_once(store.open(ALICE, INBOX))
    at_once(box.append([NewMessage(OctetsContent(LETTER))] * 3))
    monkeypatch.setattr(searching, "PIECE", 1)
    index = account_of(place) / "index.sqlite"
    read = reads._octets
    robbed: list[str] = []

    def rob(path: str, size: int) -> bytes:
        if len(robbed) == 1:
            return read(path, size)
        robbed.append(path)
        index.unlink()
        raise FileNotFoundError(path)  # so that the index is opened once more

    monkeypatch.setattr(reads, "_octets", rob)
    assert at_once(box.search(BodyContains("Hello"))) == UIDSet(((1, 3),))
    assert robbed and index.exists()
    abandon(store)
    check_whole(place)


def test_who_lists_a_mailbox_has_the_index_that_is_there(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = place.store(), place.store()
    box = at_once(two.open(ALICE, INBOX))
    at_once(box.append([NewMessage(OctetsContent(LETTER))]))
    index = account_of(place) / "index.sqlite"
    index.unlink()
    home = one.home(ALICE)
    with home.used() as made:
        [row] = [row for row in made.mailboxes() if not row.folder]
    assert not row.boot  # to be listed
    take = Home._take_lock
    given = [1]

    def rob(home: Home, *, waits: bool) -> None:
        monkeypatch.setattr(Home, "_take_lock", take)
        for _ in "ab":
            index.unlink()
            given.extend(at_once(box.append([NewMessage(OctetsContent(LETTER))])))
        take(home, waits=waits)

    monkeypatch.setattr(Home, "_take_lock", rob)
    theirs = at_once(one.open(ALICE, INBOX))
    assert len(given) == 3
    for each in (theirs, box):
        assert list(at_once(each.snapshot(False)).uids) == given
    abandon(one)
    abandon(two)
    check_whole(place)


def test_an_index_that_cannot_be_looked_at_is_left_where_it_is(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = place.store()
    box = at_once(store.open(ALICE, INBOX))
    at_once(box.append([NewMessage(OctetsContent(LETTER))]))
    path = account_of(place) / "index.sqlite"
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.0)
    beside = sqlite3.connect(f"{path}.new", isolation_level=None)
    with (
        closing(beside) as other,
        pytest.raises(StorageBroken, match="broken"),
        store.home(ALICE).used() as index,
    ):
        # Somebody puts another in its place, and has it for himself.
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("CREATE TABLE theirs (x)")
        for ending in ("-wal", "-shm"):
            os.unlink(f"{path}{ending}")
        os.replace(f"{path}.new", path)
        damaged(index)
    assert path.exists()
    path.unlink()
    assert at_once(box.status()).exists == 1
    abandon(store)
    check_whole(place)


def damaged(index: Index) -> None:
    """Have its connection raise what a broken page makes it raise."""
    database = index.database
    database.execute("CREATE TEMP TABLE broken (x)")
    database.execute("PRAGMA writable_schema = ON")
    database.execute("UPDATE temp.sqlite_master SET sql = 'CREATE TABLE'")
    database.execute("PRAGMA writable_schema = RESET")
    database.execute("SELECT * FROM broken")


def test_what_another_left_is_finished_before_a_distrusted_mailbox_is_listed(
    folder: Path,
) -> None:
    place = Place(folder)
    store = place.store()
    box = at_once(store.open(ALICE, INBOX))
    at_once(box.append([NewMessage(OctetsContent(LETTER)) for _ in range(3)]))
    at_once(box.store(UIDSet.of([2]), FlagChange(FlagAction.ADD, frozenset({DELETED}))))

    class BeforeUnlink:
        def before(self, operation: Operation) -> None:
            if operation.verb is Verb.UNLINK and "/cur/" in operation.path:
                raise Stop(operation)

        def after(self, operation: Operation) -> None:
            pass

    other = Place(folder, place.clock, place.board, files=Files(BeforeUnlink())).store()
    theirs = at_once(other.open(ALICE, INBOX))
    with pytest.raises(Stop):
        at_once(theirs.expunge(ALL_UIDS))
    abandon(other)
    home = store.home(ALICE)
    with home.used() as index:
        [row] = [row for row in index.mailboxes() if row.folder == ""]
    home.distrusted.add(row.id)
    assert at_once(box.search(Everything())) == UIDSet.of([1, 3])
    assert list(at_once(box.snapshot(False)).uids) == [1, 3]
    abandon(store)
    check_whole(place)


def test_keywords_without_letters_survive_loss_of_power(folder: Path) -> None:
    place = Place(folder)
    store = place.store()
    box = at_once(store.open(ALICE, INBOX))
    at_once(box.append([NewMessage(OctetsContent(LETTER))]))
    words = [f"k{number:02}" for number in range(30)]
    at_once(box.store(ALL_UIDS, FlagChange(FlagAction.ADD, frozenset(words))))
    at_once(store.close())
    index = sqlite3.connect(account_of(place) / "index.sqlite")
    before = index.serialize()
    index.close()
    store = place.store()
    box = at_once(store.open(ALICE, INBOX))
    flags = frozenset({words[0], words[29]})
    [uid] = at_once(box.append([NewMessage(OctetsContent(LETTER), flags)]))
    abandon(store)
    # The commit of a delivery is not synced; its file is.
    for ending in ("-wal", "-shm"):
        Path(f"{account_of(place)}/index.sqlite{ending}").unlink(missing_ok=True)
    with open(account_of(place) / "index.sqlite", "r+b") as file:
        file.truncate(0)
        file.write(before)
    store = place.store()
    store.house.boot = "another"
    box = at_once(store.open(ALICE, INBOX))
    found = {r.uid: r.flags for r in at_once(box.fetch(ALL_UIDS, Want.FLAGS))}
    assert found[uid] == flags
    abandon(store)


def test_keywords_of_messages_that_are_copied_count_together(folder: Path) -> None:
    place = Place(folder, settings=MaildirSettings(keywords=26))
    store = place.store()
    box = at_once(store.open(ALICE, INBOX))
    sent = at_once(store.open(ALICE, MailboxName("Sent")))
    some = frozenset(f"k{number:02}" for number in range(25))
    at_once(sent.append([NewMessage(OctetsContent(LETTER), some)]))
    for word in ("$One", "$Two"):
        at_once(box.append([NewMessage(OctetsContent(LETTER), frozenset({word}))]))
    with pytest.raises(TooMany):
        at_once(box.copy(ALL_UIDS, MailboxName("Sent")))
    assert at_once(sent.status()).exists == 1
    abandon(store)


@pytest.fixture
def place(folder: Path) -> Place:
    return Place(folder)


def test_a_lost_account_file_brings_no_uid_validity_again(place: Place) -> None:
    store = place.store()
    given = {
        at_once(store.status(ALICE, name)).uid_validity
        for name in (INBOX, MailboxName("Sent"), MailboxName("Trash"))
    }
    abandon(store)
    (account_of(place) / "account.sqlite").unlink()
    shutil.copytree(place.maildir(".Sent"), place.maildir(".Copy"))
    store = place.store()
    store.house.now = lambda: float(min(given))
    copy = at_once(store.status(ALICE, MailboxName("Copy"))).uid_validity
    assert copy > max(given)
    abandon(store)


def test_an_index_that_is_taken_away_between_a_look_and_an_answer(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = place.store()
    box = at_once(store.open(ALICE, INBOX))
    at_once(box.append([NewMessage(OctetsContent(LETTER))]))
    path = account_of(place) / "index.sqlite"
    look = listing.look
    looked: list[object] = []

    def rob(*arguments: object, **named: bool) -> bool:
        looked.append(arguments)
        return look(*arguments, **named)  # type: ignore[arg-type]  # as it came

    quiet = reads._is_quiet

    def rob_first(home: Home, row: MailboxRow) -> bool:
        path.unlink()
        monkeypatch.setattr(reads, "_is_quiet", quiet)
        return False

    monkeypatch.setattr(listing, "look", rob)
    for ask in (
        lambda: box.snapshot(True),
        lambda: box.status(),
        lambda: box.changes_since(0),
        lambda: store.status(ALICE, INBOX),
    ):
        monkeypatch.setattr(reads, "_is_quiet", rob_first)
        at_once(ask())
    assert len(looked) >= 4
    assert at_once(box.status()).exists == 1
    abandon(store)
    check_whole(place)


def test_what_lies_beside_a_lost_index_is_not_used_with_the_next(place: Place) -> None:
    one, two = place.store(), place.store()
    first, second = (at_once(s.open(ALICE, INBOX)) for s in (one, two))
    at_once(first.append([NewMessage(OctetsContent(LETTER))]))
    at_once(second.status())
    path = account_of(place) / "index.sqlite"
    inodes = {os.stat(f"{path}{ending}").st_ino for ending in ("-wal", "-shm")}
    path.unlink()
    with one.home(ALICE).used() as index:
        # Kept open by the second, under the same names until now.
        assert inodes.isdisjoint(
            os.stat(f"{path}{ending}").st_ino for ending in ("-wal", "-shm")
        )
        assert len(index.mailboxes()) == 6
    assert at_once(second.append([NewMessage(OctetsContent(LETTER))])) == [1026]
    abandon(one)
    abandon(two)
    check_whole(place)


@pytest.mark.parametrize(
    ("within", "step"),
    [
        (Index, "open"),  # what lies beside it is another process's
        (database, "use_wal"),  # SQLite asks the file who may read its log
        (Index, "begin_account"),
    ],
)
def test_an_index_that_is_taken_away_while_it_is_made(
    place: Place, monkeypatch: pytest.MonkeyPatch, within: object, step: str
) -> None:
    other = place.store()
    box = at_once(other.open(ALICE, INBOX))
    at_once(box.append([NewMessage(OctetsContent(LETTER))]))
    index = account_of(place) / "index.sqlite"
    if step == "begin_account":
        index.unlink()
    do = getattr(within, step)

    def rob(*args: object, **named: object) -> object:
        monkeypatch.setattr(within, step, do)
        index.unlink()
        return do(*args, **named)

    store = place.store()
    monkeypatch.setattr(within, step, rob)
    assert at_once(store.status(ALICE, INBOX)).exists == 1
    assert getattr(within, step) is not rob
    at_once(box.append([NewMessage(OctetsContent(LETTER))]))
    assert at_once(store.status(ALICE, INBOX)).exists == 2
    assert index.stat().st_mode & 0o077 == 0
    abandon(store)
    abandon(other)
    check_whole(place)
