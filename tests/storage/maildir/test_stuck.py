"""A file that is immutable keeps its name, and keeps nobody from anything else."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import define, field
from twisted.logger import LogLevel, capturedLogs

from mailkit.errors import Unavailable
from mailkit.interfaces.storage import IMailbox, NewMessage, Placement
from mailkit.model.flags import DELETED, FLAGGED, FlagAction, FlagChange
from mailkit.model.mailbox import INBOX, MailboxName
from mailkit.model.uidset import ALL_UIDS, UIDSet
from mailkit.storage.content import OctetsContent
from mailkit.storage.maildir.store import MaildirStore
from mailkit.storage.safefile import Files, Operation, Verb
from mailkit.testing.at_once import at_once
from tests.storage.maildir.doubles import ALICE, LETTER, Place
from tests.storage.maildir.stops import Stop, abandon, check_whole

SENT = MailboxName("Sent")
DELETE = FlagChange(FlagAction.ADD, frozenset({DELETED}))
FLAG = FlagChange(FlagAction.ADD, frozenset({FLAGGED}))


@define(eq=False)
class Immutable:
    """As ``chattr +i`` does it: the message with UID 2 of INBOX stays as it is."""

    is_on: bool = True
    code: int = errno.EPERM
    tried: list[Verb] = field(factory=list)
    beside: Callable[[Operation], None] = field(default=lambda operation: None)

    def before(self, operation: Operation) -> None:
        self.beside(operation)
        is_meant = "Maildir/cur/" in operation.path and ",U=2:" in operation.path
        is_meant = is_meant and os.path.exists(operation.path)
        if self.is_on and is_meant and operation.verb in (Verb.UNLINK, Verb.RENAME):
            self.tried.append(operation.verb)
            raise OSError(self.code, os.strerror(self.code), operation.path)

    def after(self, operation: Operation) -> None:
        """It is made."""


@define(eq=False)
class Scene:
    """A store with three messages, the second of which is immutable."""

    place: Place
    disk: Immutable
    store: MaildirStore
    inbox: IMailbox

    def append(self) -> None:
        at_once(self.inbox.append([NewMessage(OctetsContent(LETTER))]))

    def uids(self) -> list[int]:
        return list(at_once(self.inbox.snapshot(False)).uids)

    def files(self) -> list[int]:
        """The UIDs that the names in ``cur/`` have."""
        names = os.listdir(self.place.maildir("cur"))
        return sorted(int(name.partition(",U=")[2].partition(":")[0]) for name in names)


@pytest.fixture
def scene(folder: Path) -> Scene:
    disk = Immutable()
    place = Place(folder, files=Files(disk))
    store = place.store()
    scene = Scene(place, disk, store, at_once(store.open(ALICE, INBOX)))
    for _ in range(3):
        scene.append()
    return scene


def test_what_cannot_be_unlinked_keeps_nobody_from_anything(scene: Scene) -> None:
    at_once(scene.inbox.store(ALL_UIDS, DELETE))
    with capturedLogs() as logs:
        assert at_once(scene.inbox.expunge(ALL_UIDS)) == UIDSet.of([1, 2, 3])
        scene.append()
        at_once(scene.inbox.store(ALL_UIDS, FLAG))
        at_once(scene.inbox.copy(ALL_UIDS, SENT))
        to = [Placement(ALICE, INBOX)]
        assert at_once(scene.store.deliver(OctetsContent(LETTER), to)) == [5]
    assert scene.uids() == [4, 5]
    assert scene.files() == [2, 4, 5]
    [said] = [log for log in logs if log["log_level"] is LogLevel.error]
    assert said["account"] == ALICE
    assert ",U=2:" in said["error"]


def test_it_does_not_come_back(scene: Scene) -> None:
    """Neither when others look for what changed, nor in the next process."""
    at_once(scene.inbox.store(UIDSet.of([2]), DELETE))
    at_once(scene.inbox.expunge(ALL_UIDS))
    (scene.place.maildir("cur") / "1.strange:2,").write_bytes(LETTER)
    scene.place.clock.advance(100)
    assert scene.uids() == [1, 3, 4]
    abandon(scene.store)
    scene.inbox = at_once(scene.place.store().open(ALICE, INBOX))
    os.utime(scene.place.maildir("cur"))
    assert scene.uids() == [1, 3, 4]
    assert scene.files() == [1, 2, 3, 4]


def test_it_is_unlinked_as_soon_as_it_may_be(scene: Scene) -> None:
    at_once(scene.inbox.store(UIDSet.of([2]), DELETE))
    at_once(scene.inbox.expunge(ALL_UIDS))
    scene.append()
    scene.disk.is_on = False
    scene.append()
    assert scene.files() == [1, 3, 4, 5]
    check_whole(scene.place)


def test_it_is_found_under_other_flags_too(scene: Scene) -> None:
    at_once(scene.inbox.store(UIDSet.of([2]), DELETE))

    def renamed(operation: Operation) -> None:
        scene.disk.beside = lambda operation: None
        [path] = scene.place.maildir("cur").glob("*,U=2:*")
        path.rename(str(path) + "R")

    scene.disk.beside = renamed
    at_once(scene.inbox.expunge(ALL_UIDS))
    assert scene.uids() == [1, 3]
    assert scene.files() == [1, 2, 3]


def test_its_flags_are_in_the_index_alone(scene: Scene) -> None:
    at_once(scene.inbox.store(ALL_UIDS, FLAG))
    with capturedLogs() as logs:
        at_once(scene.store.close())
    assert [log["log_level"] for log in logs] == [LogLevel.error]
    scene.store = scene.place.store()
    scene.inbox = at_once(scene.store.open(ALICE, INBOX))
    scene.append()
    names = os.listdir(scene.place.maildir("cur"))
    flags = {
        name.partition(",U=")[2].partition(":")[0]: name.partition(":2,")[2]
        for name in names
    }
    assert flags == {"1": "F", "2": "", "3": "F", "4": ""}
    assert at_once(scene.inbox.status()).exists == 4
    tried = len(scene.disk.tried)
    at_once(scene.store.close())
    assert len(scene.disk.tried) == tried


def test_a_move_that_was_killed_is_finished_without_it(scene: Scene) -> None:
    def stop(operation: Operation) -> None:
        if operation.verb is Verb.RENAME and "Maildir/cur/" in operation.path:
            raise Stop

    scene.disk.beside = stop
    with pytest.raises(Stop):
        at_once(scene.inbox.move(ALL_UIDS, SENT))
    abandon(scene.store)
    scene.disk.beside = lambda operation: None
    store = scene.place.store()
    scene.inbox = at_once(store.open(ALICE, INBOX))
    scene.append()
    assert scene.uids() == [2, 4]
    sent = at_once(store.open(ALICE, SENT))
    assert len(at_once(sent.snapshot(False)).uids) == 2
    scene.disk.is_on = False
    check_whole(scene.place)


@pytest.mark.parametrize("code", [errno.EIO, errno.EACCES])
def test_a_folder_or_a_disk_that_fails_is_told(scene: Scene, code: int) -> None:
    """That is no matter of one file."""
    scene.disk.code = code
    at_once(scene.inbox.store(UIDSet.of([2]), DELETE))
    with pytest.raises(Unavailable):
        at_once(scene.inbox.expunge(ALL_UIDS))
