"""A full or broken disk: an error by kind, nothing lost, nothing doubled."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import define, field

from mailkit.errors import (
    CannotName,
    MailkitError,
    NoSuchMailbox,
    OverQuota,
    StorageBroken,
    StorageFull,
    TooMany,
)
from mailkit.interfaces.storage import IMailbox, NewMessage, Placement
from mailkit.model.flags import DELETED, FLAGGED, SEEN, FlagAction, FlagChange
from mailkit.model.mailbox import INBOX, MailboxName
from mailkit.model.uidset import ALL_UIDS, UIDSet
from mailkit.storage.content import OctetsContent
from mailkit.storage.maildir.house import MaildirSettings
from mailkit.storage.maildir.store import MaildirStore
from mailkit.storage.safefile import Files, Operation, Verb
from mailkit.testing.at_once import at_once
from tests.storage.maildir.doubles import ALICE, BOB, LETTER, Place
from tests.storage.maildir.stops import abandon, check_whole, everything

SENT = MailboxName("Sent")


@define(eq=False)
class Failing:
    """Fails the operations that are asked for, as often as is told."""

    fails: Callable[[Operation], bool] = field(default=lambda operation: False)
    code: int = errno.ENOSPC
    times: int = 1000

    def before(self, operation: Operation) -> None:
        if self.times and self.fails(operation):
            self.times -= 1
            raise OSError(self.code, os.strerror(self.code))

    def after(self, operation: Operation) -> None:
        """It is made."""


@define(eq=False)
class Scene:
    """A store with three messages, whose disk can be made to fail."""

    place: Place
    disk: Failing
    store: MaildirStore
    inbox: IMailbox


@pytest.fixture
def scene(folder: Path) -> Scene:
    disk = Failing()
    place = Place(folder, files=Files(disk))
    store = place.store()
    inbox = at_once(store.open(ALICE, INBOX))
    for number in range(3):
        text = LETTER.replace(b"one", b"%d" % number)
        at_once(inbox.append([NewMessage(OctetsContent(text))]))
    return Scene(place, disk, store, inbox)


def names_with(text: str) -> Callable[[Operation], bool]:
    return lambda operation: text in operation.to


def of(verb: Verb, path: str = "") -> Callable[[Operation], bool]:
    return lambda operation: operation.verb is verb and path in operation.path


def stop_time(scene: Scene) -> None:
    """However slow the machine is: the list of folders changed this very moment."""
    folder = scene.place.maildir()
    scene.store.house.now = lambda: os.stat(folder).st_mtime


def files_in(place: Place, folder: str) -> list[str]:
    return sorted(os.listdir(place.maildir(folder)))


@pytest.mark.parametrize("verb", [Verb.CREATE, Verb.WRITE, Verb.SYNC])
def test_a_message_that_cannot_be_written(scene: Scene, verb: Verb) -> None:
    scene.disk.fails = of(verb, "/tmp/")
    with pytest.raises(StorageFull):
        at_once(scene.inbox.append([NewMessage(OctetsContent(LETTER))]))
    scene.disk.times = 0
    assert files_in(scene.place, "tmp") == []
    check_whole(scene.place)


def test_a_message_that_cannot_be_named(scene: Scene) -> None:
    scene.disk.fails = names_with(",U=5:")
    new = [NewMessage(OctetsContent(LETTER)) for _ in range(3)]
    with pytest.raises(StorageFull):
        at_once(scene.inbox.append(new))
    assert files_in(scene.place, "tmp") == []
    assert len(files_in(scene.place, "cur")) == 3
    [uid] = at_once(scene.inbox.append(new[:1]))
    assert uid == 7
    check_whole(scene.place)


def test_a_folder_that_cannot_be_synced(scene: Scene) -> None:
    scene.disk.fails = of(Verb.SYNC_FOLDER, "/cur")
    scene.disk.code, scene.disk.times = errno.EIO, 1
    with pytest.raises(StorageBroken):
        at_once(scene.inbox.append([NewMessage(OctetsContent(LETTER))]))
    [uid] = at_once(scene.inbox.append([NewMessage(OctetsContent(LETTER))]))
    assert uid == 5
    check_whole(scene.place)


def test_a_commit_that_fails(scene: Scene) -> None:
    scene.disk.fails = of(Verb.COMMIT)
    for change in (
        lambda: scene.inbox.append([NewMessage(OctetsContent(LETTER))]),
        lambda: scene.inbox.copy(ALL_UIDS, SENT),
        lambda: scene.inbox.store(
            ALL_UIDS, FlagChange(FlagAction.ADD, frozenset({SEEN}))
        ),
    ):
        with pytest.raises(StorageFull):
            at_once(change())
    scene.disk.times = 0
    found = everything(scene.store)
    assert len(found[INBOX]) == 3 and not found[SENT]
    check_whole(scene.place)


@pytest.mark.parametrize("is_move", [False, True])
def test_a_full_disk_in_the_midst_of_a_copy(scene: Scene, is_move: bool) -> None:
    before = everything(scene.store)
    scene.disk.fails = names_with(",U=2:")
    asked = scene.inbox.move if is_move else scene.inbox.copy
    with pytest.raises(StorageFull):
        at_once(asked(ALL_UIDS, SENT))
    assert files_in(scene.place, ".Sent/cur") == []
    scene.disk.times = 0
    assert everything(scene.store) == before
    copied = at_once(asked(ALL_UIDS, SENT))
    assert [uid for _, uid in copied.uids] == [4, 5, 6]
    check_whole(scene.place)


def test_taking_back_may_fail_too(scene: Scene) -> None:
    before = everything(scene.store)
    scene.disk.fails = lambda operation: (
        ",U=2:" in operation.to or of(Verb.UNLINK, "/.Sent/cur/")(operation)
    )
    with pytest.raises(StorageFull):
        at_once(scene.inbox.copy(ALL_UIDS, SENT))
    scene.disk.times = 0
    # What could not be taken back is finished by who comes next.
    after = everything(scene.store)
    assert after[INBOX] == before[INBOX]
    at_once(scene.inbox.append([NewMessage(OctetsContent(LETTER))]))
    assert len(everything(scene.store)[SENT]) == 3
    check_whole(scene.place)


def test_an_expunge_that_cannot_unlink_is_done_later(scene: Scene) -> None:
    deleted = FlagChange(FlagAction.ADD, frozenset({DELETED}))
    at_once(scene.inbox.store(UIDSet.of([2]), deleted))
    scene.disk.fails, scene.disk.code = of(Verb.UNLINK, "/cur/"), errno.EIO
    with pytest.raises(StorageBroken):
        at_once(scene.inbox.expunge(ALL_UIDS))
    assert len(files_in(scene.place, "cur")) == 3
    scene.disk.times = 0
    at_once(scene.inbox.append([NewMessage(OctetsContent(LETTER))]))
    assert len(files_in(scene.place, "cur")) == 3
    check_whole(scene.place)


def test_flags_that_cannot_be_written_behind_wait(scene: Scene) -> None:
    flagged = FlagChange(FlagAction.ADD, frozenset({FLAGGED}))
    at_once(scene.inbox.store(ALL_UIDS, flagged))
    scene.disk.fails = names_with(":2,F")
    scene.place.clock.advance(6)
    scene.disk.times = 0
    at_once(scene.store.close())
    assert all(name.endswith(":2,F") for name in files_in(scene.place, "cur"))
    check_whole(scene.place)


def test_one_bad_message_does_not_fail_the_others(scene: Scene) -> None:
    scene.disk.fails = lambda operation: "bob" in operation.path
    with pytest.raises(StorageFull):
        at_once(scene.store.deliver(OctetsContent(LETTER), [Placement(BOB, INBOX)]))
    to = [Placement(ALICE, INBOX)]
    assert at_once(scene.store.deliver(OctetsContent(LETTER), to)) == [4]


@pytest.mark.parametrize(
    ("name", "kind"), [("a\0b", CannotName), ("x" * 251, CannotName)]
)
def test_a_message_for_a_name_that_cannot_be(
    scene: Scene, name: str, kind: type[MailkitError]
) -> None:
    to = [Placement(ALICE, INBOX), Placement(ALICE, MailboxName(name))]
    with pytest.raises(kind):
        at_once(scene.store.deliver(OctetsContent(LETTER), to))
    assert files_in(scene.place, "tmp") == []
    check_whole(scene.place)


def test_a_spooled_message_leaves_nothing(scene: Scene) -> None:
    to = [Placement(ALICE, INBOX), Placement(BOB, INBOX), Placement(BOB, SENT)]
    at_once(scene.store.deliver(OctetsContent(LETTER), to))
    assert os.listdir(scene.place.data / "spool") == []
    [path] = (scene.place.maildir("cur")).glob("*U=4:*")
    assert path.stat().st_nlink == 3


def test_limits_are_told_by_name(folder: Path) -> None:
    place = Place(folder, quota=200, settings=MaildirSettings(mailboxes=7))
    store = place.store()
    box = at_once(store.open(ALICE, INBOX))
    at_once(box.append([NewMessage(OctetsContent(LETTER))]))
    at_once(store.create(ALICE, MailboxName("Seventh")))
    with pytest.raises(TooMany):
        at_once(store.create(ALICE, MailboxName("Eighth")))
    new = NewMessage(OctetsContent(LETTER))
    with pytest.raises(OverQuota):
        at_once(box.append([new, new, new]))
    assert files_in(place, "tmp") == []
    with pytest.raises(OverQuota):
        for _ in range(4):
            at_once(box.copy(ALL_UIDS, SENT))
    with pytest.raises(NoSuchMailbox):
        at_once(box.copy(ALL_UIDS, MailboxName("Nowhere")))
    with pytest.raises(NoSuchMailbox):
        at_once(store.open(ALICE, MailboxName("a//b")))
    abandon(store)


def test_a_database_that_is_locked_is_unavailable(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = scene.store.home(ALICE)
    with home.used() as index:
        index.database.execute("PRAGMA busy_timeout = 1")
    other = sqlite3.connect(home.index_path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageBroken, match="locked"):
        at_once(scene.inbox.append([NewMessage(OctetsContent(LETTER))]))
    other.execute("ROLLBACK")
    other.close()
    at_once(scene.inbox.append([NewMessage(OctetsContent(LETTER))]))
    check_whole(scene.place)


def test_a_mailbox_that_is_made_but_not_written_down_is_found(scene: Scene) -> None:
    stop_time(scene)
    at_once(scene.store.mailboxes(ALICE))
    at_once(scene.store.create(ALICE, MailboxName("First")))
    scene.disk.fails = of(Verb.COMMIT, "index.sqlite")
    with pytest.raises(StorageFull):
        at_once(scene.store.create(ALICE, MailboxName("Work/Notes")))
    with pytest.raises(StorageFull):
        at_once(scene.store.mailboxes(ALICE))
    scene.disk.times = 0
    at_once(scene.store.create(ALICE, MailboxName("Work/Plans")))
    names = [e.name for e in at_once(scene.store.mailboxes(ALICE)) if e.is_selectable]
    assert {"Work", "Work/Notes", "Work/Plans"} <= set(names)
    check_whole(scene.place)


def test_a_mailbox_that_is_gone_but_not_written_down_is_gone(scene: Scene) -> None:
    stop_time(scene)
    at_once(scene.store.mailboxes(ALICE))
    at_once(scene.store.create(ALICE, MailboxName("First")))
    scene.disk.fails = of(Verb.COMMIT, "index.sqlite")
    with pytest.raises(StorageFull):
        at_once(scene.store.delete(ALICE, MailboxName("First")))
    scene.disk.times = 0
    names = [e.name for e in at_once(scene.store.mailboxes(ALICE)) if e.is_selectable]
    assert "First" not in names
    with pytest.raises(NoSuchMailbox):
        at_once(scene.store.open(ALICE, MailboxName("First")))
    check_whole(scene.place)


@pytest.mark.parametrize("verb", [Verb.MAKE_FOLDER, Verb.WRITE, Verb.RENAME])
def test_a_mailbox_that_cannot_be_made_leaves_nothing(scene: Scene, verb: Verb) -> None:
    before = sorted(os.listdir(scene.place.maildir()))
    scene.disk.fails = of(verb, "mailkit-new-")
    with pytest.raises(StorageFull):
        at_once(scene.store.create(ALICE, MailboxName("Work")))
    assert sorted(os.listdir(scene.place.maildir())) == before
    check_whole(scene.place)


@pytest.mark.parametrize("is_move", [False, True])
def test_a_copy_that_cannot_be_written_down_is_taken_back(
    scene: Scene, is_move: bool
) -> None:
    before = everything(scene.store)
    scene.disk.fails = lambda operation: (
        operation.verb is Verb.COMMIT and not operation.is_full
    )
    scene.disk.times = 1
    asked = scene.inbox.move if is_move else scene.inbox.copy
    with pytest.raises(StorageFull):
        at_once(asked(ALL_UIDS, SENT))
    assert everything(scene.store) == before
    check_whole(scene.place)
