"""Many deliveries in one batch: together where they can, each with its own fate."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Coroutine, Hashable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest
from attrs import define, field
from twisted.internet.defer import Deferred
from zope.interface import implementer

from mailkit.errors import OverQuota, StorageBroken
from mailkit.interfaces.lanes import Before, ILanes
from mailkit.interfaces.storage import NewMessage, Placement
from mailkit.model.address import AccountName
from mailkit.model.flags import DELETED, FlagAction, FlagChange
from mailkit.model.mailbox import INBOX, MailboxName
from mailkit.model.uidset import ALL_UIDS, UIDSet
from mailkit.storage.content import OctetsContent
from mailkit.storage.maildir.arrivals import Batch
from mailkit.storage.maildir.founding import found_account
from mailkit.storage.maildir.home import Home, NotNowError
from mailkit.storage.maildir.store import MaildirStore
from mailkit.storage.safefile import Files, Operation, Verb
from mailkit.testing.at_once import at_once
from mailkit.testing.lanes import DirectLanes
from tests.storage.maildir.doubles import ALICE, BOB, LETTER, Place
from tests.storage.maildir.stops import check_whole, everything

T = TypeVar("T")
Item = TypeVar("Item")
SENT = MailboxName("Sent")


@implementer(ILanes)
@define(eq=False)
class HeldLanes:
    """Does all at once but syncs of folders and the clerk's work, which wait."""

    direct: DirectLanes = field(factory=DirectLanes)
    _items: list[tuple[Any, Any, Deferred[None]]] = field(factory=list)
    _syncs: list[tuple[Callable[[], Any], Deferred[Any]]] = field(factory=list)
    holds_syncs: bool = False

    async def run(self, lane: Hashable, work: Callable[[], T]) -> T:
        return await self.direct.run(lane, work)

    async def sync(self, work: Callable[[], T]) -> T:
        if not self.holds_syncs:
            return await self.direct.sync(work)
        waiting: Deferred[T] = Deferred()
        self._syncs.append((work, waiting))
        return await waiting

    async def clerk(
        self,
        lanes: Sequence[Hashable],
        item: Item,
        work: Callable[[list[Item]], Sequence[BaseException | None]],
        before: Before | None = None,
    ) -> None:
        if before is not None:
            rest = await self.direct.sync(before)
            if rest is not None:
                await self.direct.sync(rest)
        waiting: Deferred[None] = Deferred()
        self._items.append((item, work, waiting))
        await waiting

    async def hash(self, work: Callable[[], T]) -> T:
        return await self.direct.hash(work)

    async def close(self) -> None:
        await self.direct.close()

    def do_batch(self) -> None:
        """All that waits for the clerk, together."""
        items, self._items = self._items, []
        results = items[0][1]([item for item, _, _ in items])
        assert list(results) == [None] * len(items)
        for _, _, waiting in items:
            waiting.callback(None)

    def do_syncs(self) -> int:
        """All folder syncs that wait; how many."""
        syncs, self._syncs = self._syncs, []
        for work, waiting in syncs:
            waiting.callback(work())
        return len(syncs)


@define(eq=False)
class Disk:
    """Counts folder syncs, and fails them on request."""

    synced: list[str] = field(factory=list)
    fails: Callable[[Operation], bool] = field(default=lambda operation: False)

    def before(self, operation: Operation) -> None:
        if self.fails(operation):
            raise OSError(5, "broken")
        if operation.verb is Verb.SYNC_FOLDER and operation.path.endswith("/cur"):
            self.synced.append(operation.path)

    def after(self, operation: Operation) -> None:
        """It is made."""


@define(eq=False)
class Scene:
    place: Place
    lanes: HeldLanes
    disk: Disk
    store: MaildirStore

    def deliver(self, *to: tuple[AccountName, MailboxName]) -> Deferred[list[int]]:
        placements = [Placement(account, mailbox) for account, mailbox in to]
        return begun(self.store.deliver(OctetsContent(LETTER), placements))


def begun(work: Coroutine[Any, Any, T]) -> Deferred[T]:
    return Deferred.fromCoroutine(work)


def result(deferred: Deferred[T]) -> T:
    """What it came to; raises what it failed with."""
    found: list[Any] = []
    deferred.addBoth(found.append)
    if hasattr(found[0], "raiseException"):
        found[0].raiseException()
    value: T = found[0]
    return value


@pytest.fixture
def scene(folder: Path) -> Scene:
    disk, lanes = Disk(), HeldLanes()
    place = Place(folder, files=Files(disk))
    store = place.store()
    store = MaildirStore(place.data, lanes, place.board, place.clock, files=place.files)
    at_once(store.create_account(ALICE))
    at_once(store.create_account(BOB))
    for account in (ALICE, BOB):
        for name in (INBOX, SENT):
            at_once(store.status(account, name))
    disk.synced.clear()
    place.board.told.clear()
    return Scene(place, lanes, disk, store)


def test_one_sync_and_one_notice_for_a_batch(scene: Scene) -> None:
    waiting = [scene.deliver((ALICE, INBOX)) for _ in range(5)]
    scene.lanes.do_batch()
    assert [result(one) for one in waiting] == [[1], [2], [3], [4], [5]]
    assert len(scene.disk.synced) == 1
    assert len(scene.place.board.told) == 1
    check_whole(scene.place)


def test_the_same_twice_in_a_batch_is_kept_once(scene: Scene) -> None:
    content = OctetsContent(LETTER)
    to = [Placement(ALICE, INBOX, once="1")]
    twice = [begun(scene.store.deliver(content, to)) for _ in range(2)]
    scene.lanes.do_batch()
    assert [result(one) for one in twice] == [[1], [1]]
    assert [*scene.place.maildir("").glob("tmp/*")] == []
    check_whole(scene.place)


def test_slow_syncs_are_done_by_others_once_for_all(scene: Scene) -> None:
    scene.store.house.sync_seconds = 1.0
    waiting = [scene.deliver((a, INBOX)) for a in (ALICE, BOB, ALICE)]
    waiting.append(scene.deliver((ALICE, SENT), (BOB, SENT)))
    scene.lanes.holds_syncs = True
    scene.lanes.do_batch()
    assert not any(one.called for one in waiting)
    scene.lanes.do_syncs()
    scene.lanes.do_syncs()
    scene.lanes.holds_syncs = False
    assert sorted(scene.disk.synced) == sorted(
        str(scene.place.data / f"mail/example.org/{name}/Maildir/{box}cur")
        for name in ("alice", "bob")
        for box in ("", ".Sent/")
    )
    scene.lanes.do_syncs()
    assert [result(one) for one in waiting[:3]] == [[1], [1], [2]]
    check_whole(scene.place)


def test_what_follows_a_delivery_is_durable_after_it(scene: Scene) -> None:
    scene.store.house.sync_seconds = 1.0
    box = at_once(scene.store.open(ALICE, INBOX))
    waiting = [scene.deliver((ALICE, INBOX)), scene.deliver((BOB, INBOX))]
    scene.lanes.holds_syncs = True
    scene.lanes.do_batch()
    assert scene.disk.synced == []
    at_once(box.store(ALL_UIDS, FlagChange(FlagAction.ADD, frozenset({DELETED}))))
    [synced] = scene.disk.synced
    assert synced == str(scene.place.maildir("cur"))
    scene.lanes.do_syncs()
    assert [result(one) for one in waiting] == [[1], [1]]
    at_once(box.store(ALL_UIDS, FlagChange(FlagAction.REMOVE, frozenset({DELETED}))))
    assert len(scene.disk.synced) == 3


def test_a_sync_that_fails_fails_its_batch_alone(scene: Scene) -> None:
    scene.disk.fails = lambda operation: (
        operation.verb is Verb.SYNC_FOLDER and "/alice/Maildir/cur" in operation.path
    )
    waiting = [scene.deliver((a, INBOX)) for a in (ALICE, BOB, ALICE)]
    scene.lanes.do_batch()
    assert result(waiting[1]) == [1]
    for one in (waiting[0], waiting[2]):
        with pytest.raises(StorageBroken):
            result(one)
    scene.disk.fails = lambda operation: False
    again = scene.deliver((ALICE, INBOX))
    scene.lanes.do_batch()
    assert result(again) == [3]
    check_whole(scene.place)


def test_each_call_has_its_own_quota(scene: Scene) -> None:
    async def quota_of(account: AccountName) -> int:
        return 3 * len(LETTER)

    scene.store.quota_of = quota_of
    box = at_once(scene.store.open(ALICE, INBOX))
    sizes = (1, 3, 2)
    waiting = [
        begun(box.append([NewMessage(OctetsContent(LETTER)) for _ in range(size)]))
        for size in sizes
    ]
    scene.lanes.do_batch()
    assert (result(waiting[0]), result(waiting[2])) == ([1], [2, 3])
    with pytest.raises(OverQuota):
        result(waiting[1])
    assert at_once(scene.store.used(ALICE)) == 3 * len(LETTER)
    assert os.listdir(scene.place.maildir("tmp")) == []
    check_whole(scene.place)


def test_what_takes_long_is_left_to_the_lane(scene: Scene) -> None:
    new = MailboxName("Brand/New")
    box = at_once(scene.store.open(ALICE, INBOX))
    waiting: list[Deferred[list[int]]] = [
        scene.deliver((ALICE, new)),
        begun(box.append([NewMessage(OctetsContent(LETTER), frozenset({"$New"}))])),
        scene.deliver((ALICE, INBOX)),
    ]
    scene.lanes.do_batch()
    assert [result(one) for one in waiting] == [[1], [2], [1]]
    assert set(everything(scene.place.store())[INBOX]) == {1, 2}
    check_whole(scene.place)


def test_the_clerk_waits_for_no_lock(scene: Scene) -> None:
    lock = os.open(scene.place.maildir().parent / "lock", os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    home = scene.store.home(ALICE)
    with pytest.raises(NotNowError), home.changed(waits=False):
        raise AssertionError("another process has it in hand")
    os.close(lock)
    with home.changed(waits=False) as index:
        assert index.used() == 0


def test_one_account_may_be_mailed_twice_in_a_call(scene: Scene) -> None:
    waiting = scene.deliver((ALICE, INBOX), (ALICE, INBOX), (BOB, SENT))
    scene.lanes.do_batch()
    assert result(waiting) == [1, 2, 1]
    assert at_once(scene.store.deliver(OctetsContent(LETTER), [])) == []
    check_whole(scene.place)


def test_an_account_that_two_make_at_once_is_one(scene: Scene) -> None:
    house = scene.store.house
    path = house.path_of(AccountName("carol@example.org"))
    found_account(house, AccountName("carol@example.org"), path)
    uid_file = Path(path, "Maildir/mailkit-uid").read_bytes()
    found_account(house, AccountName("carol@example.org"), path)
    assert Path(path, "Maildir/mailkit-uid").read_bytes() == uid_file
    assert os.listdir(house.data / "mail/example.org") == os.listdir(
        os.path.dirname(path)
    )
    assert not [name for name in os.listdir(os.path.dirname(path)) if name[0] == "."]


def test_a_lock_that_was_taken_away_is_taken_again(scene: Scene) -> None:
    home: Home = scene.store.home(ALICE)
    os.unlink(f"{home.path}/lock")
    assert at_once(scene.store.status(ALICE, INBOX)).exists == 0
    at_once(scene.store.create(ALICE, MailboxName("X")))
    assert os.path.exists(f"{home.path}/lock")


def test_an_expunge_of_nothing_touches_nothing(scene: Scene) -> None:
    box = at_once(scene.store.open(ALICE, INBOX))
    waiting = [scene.deliver((ALICE, INBOX)), scene.deliver((ALICE, INBOX))]
    scene.lanes.do_batch()
    assert [result(one) for one in waiting] == [[1], [2]]
    assert not at_once(box.expunge(ALL_UIDS))
    deleted = FlagChange(FlagAction.ADD, frozenset({DELETED}))
    at_once(box.store(UIDSet.of([2]), deleted))
    assert not at_once(box.expunge(UIDSet.of([1])))
    assert at_once(box.expunge(ALL_UIDS)) == UIDSet.of([2])


@pytest.mark.parametrize("is_renamed", [True, False])
def test_a_mailbox_that_goes_before_its_batch_is_synced(
    folder: Path, is_renamed: bool
) -> None:
    place = Place(folder)
    store = place.store()
    at_once(store.deliver(OctetsContent(LETTER), [Placement(ALICE, SENT)]))
    home = store.home(ALICE)
    with home.used() as index:
        row = index.mailbox(".Sent")
    assert row is not None
    if is_renamed:
        at_once(store.rename(ALICE, SENT, MailboxName("Gone")))
    else:
        at_once(store.delete(ALICE, SENT))
    home.note_batch([row.folder], 1)
    assert Batch(home, (row,)).sync() is None
    assert not home.unsynced and not home.distrusted
    at_once(store.close())
    check_whole(place)


def test_a_mailbox_that_goes_before_its_batch_is_synced_hinders_no_change(
    scene: Scene,
) -> None:
    scene.store.house.sync_seconds = 1.0
    waiting = [scene.deliver((ALICE, SENT)), scene.deliver((BOB, SENT))]
    scene.lanes.holds_syncs = True
    scene.lanes.do_batch()
    other = scene.place.store()
    at_once(other.rename(ALICE, SENT, MailboxName("Gone")))
    assert scene.disk.synced  # by whom it was renamed
    at_once(scene.store.create(ALICE, MailboxName("New")))
    scene.lanes.do_syncs()
    assert [result(one) for one in waiting] == [[1], [1]]
    at_once(other.close())
    check_whole(scene.place)
