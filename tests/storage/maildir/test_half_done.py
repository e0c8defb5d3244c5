"""Killed before any operation of any change: all is finished, nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mailkit.interfaces.storage import IMailStore, NewMessage, Placement
from mailkit.model.flags import DELETED, FLAGGED, SEEN, FlagAction, FlagChange
from mailkit.model.mailbox import INBOX, MailboxName
from mailkit.model.uidset import ALL_UIDS, UIDSet
from mailkit.storage.content import OctetsContent
from mailkit.testing.at_once import at_once
from tests.storage.maildir.doubles import ALICE, BOB, Place
from tests.storage.maildir.stops import (
    Change,
    check_whole,
    everything,
    fresh,
    killed_at,
)

WORK = MailboxName("Work")
BELOW = MailboxName("Work/2026")
MOVED = MailboxName("Done")


def letter(number: int) -> OctetsContent:
    return OctetsContent(b"Subject: %d\r\n\r\nText %d\r\n" % (number, number))


async def begin(store: IMailStore) -> None:
    """Four messages in INBOX, two of them deleted, and two mailboxes more."""
    await store.create(ALICE, BELOW)
    for number in range(4):
        await store.deliver(letter(number), [Placement(ALICE, INBOX)])
    inbox = await store.open(ALICE, INBOX)
    change = FlagChange(FlagAction.ADD, frozenset({DELETED, "$Old"}))
    await inbox.store(UIDSet.of([2, 3]), change)
    below = await store.open(ALICE, BELOW)
    await below.append([NewMessage(letter(9), frozenset({FLAGGED}))])
    await store.subscribe(ALICE, BELOW, True)


async def deliver(store: IMailStore) -> None:
    await store.deliver(
        letter(4),
        [Placement(ALICE, INBOX), Placement(ALICE, WORK), Placement(BOB, INBOX)],
    )


async def append(store: IMailStore) -> None:
    inbox = await store.open(ALICE, INBOX)
    await inbox.append([NewMessage(letter(5), frozenset({SEEN, "$New"}), 1e9)])


async def copy(store: IMailStore) -> None:
    inbox = await store.open(ALICE, INBOX)
    await inbox.copy(ALL_UIDS, BELOW)


async def move(store: IMailStore) -> None:
    inbox = await store.open(ALICE, INBOX)
    await inbox.move(UIDSet.of([1, 3, 4]), BELOW)


async def expunge(store: IMailStore) -> None:
    inbox = await store.open(ALICE, INBOX)
    await inbox.expunge(ALL_UIDS)


async def flags(store: IMailStore) -> None:
    inbox = await store.open(ALICE, INBOX)
    change = FlagChange(FlagAction.ADD, frozenset({SEEN, "$Word"}))
    await inbox.store(ALL_UIDS, change)
    await store.close()


async def make(store: IMailStore) -> None:
    await store.create(ALICE, MailboxName("New/Inner"))


async def remove(store: IMailStore) -> None:
    await store.delete(ALICE, BELOW)


async def rename(store: IMailStore) -> None:
    await store.rename(ALICE, WORK, MOVED)


async def rename_inbox(store: IMailStore) -> None:
    await store.rename(ALICE, INBOX, MOVED)


CHANGES = [
    deliver,
    append,
    copy,
    move,
    expunge,
    flags,
    make,
    remove,
    rename,
    rename_inbox,
]


def one_by_one(
    folder: Path, change: Change, check: Callable[[Place, bool], None]
) -> None:
    """Kill a store before each operation of a change, the first first."""
    operation = 0
    is_killed = True
    while is_killed:
        place = fresh(folder / str(operation))
        store = place.store()
        at_once(begin(store))
        at_once(store.close())
        is_killed = killed_at(place, change, operation)
        check(place, is_killed)
        operation += 1
    assert operation > 4


@pytest.mark.parametrize("change", CHANGES)
def test_the_next_process_finishes_it(folder: Path, change: Change) -> None:
    def check(place: Place, is_killed: bool) -> None:
        check_whole(place)
        store = place.store()
        found = everything(store)
        texts = {octets for box in found.values() for octets, _ in box.values()}
        expected = {letter(number).octets for number in (0, 1, 2, 3, 9)}
        if change is deliver and not is_killed:
            expected.add(letter(4).octets)
        if change is append and not is_killed:
            expected.add(letter(5).octets)
        missing = expected - texts
        if change is expunge:
            assert missing <= {letter(1).octets, letter(2).octets}
        elif change is remove:
            assert missing <= {letter(9).octets}
        else:
            assert not missing
        if change is move:
            every = [octets for box in found.values() for octets, _ in box.values()]
            assert len(every) == len(set(every))
        at_once(store.close())

    one_by_one(folder, change, check)


@pytest.mark.parametrize("change", [copy, move, expunge, flags])
def test_all_or_none_of_it_is_done(folder: Path, change: Change) -> None:
    seen = []

    def check(place: Place, is_killed: bool) -> None:
        store = place.store()
        found = everything(store)
        seen.append(
            {name: {t for t, _ in box.values()} for name, box in found.items()}
            if change is not flags
            else {name: {f for _, f in box.values()} for name, box in found.items()}
        )
        at_once(store.close())

    one_by_one(folder, change, check)
    states = []
    for state in seen:
        if state not in states:
            states.append(state)
    assert len(states) == 2


@pytest.mark.parametrize("change", CHANGES)
def test_a_recovery_may_be_killed_too(folder: Path, change: Change) -> None:
    """Some operations of the change, and some of the first recovery."""
    found = -1
    for operation in range(1, 200, 3):
        for again in range(0, 60, 2):
            found += 1
            place = fresh(folder / str(found))
            store = place.store()
            at_once(begin(store))
            at_once(store.close())
            if not killed_at(place, change, operation):
                return

            async def look(store: IMailStore) -> None:
                entries = await store.mailboxes(ALICE)
                for entry in (one for one in entries if one.is_selectable):
                    box = await store.open(ALICE, entry.name)
                    await box.snapshot(False)

            if not killed_at(place, look, again):
                break
            check_whole(place)
    raise AssertionError("the change has more operations than that")


@pytest.mark.parametrize("change", [append, copy, move, flags])
def test_a_lost_index_is_made_again(folder: Path, change: Change) -> None:
    place = fresh(folder / "data")
    store = place.store()
    at_once(begin(store))
    at_once(change(store))
    at_once(store.close())
    before = everything(store := place.store())
    at_once(store.close())
    (place.maildir().parent / "index.sqlite").unlink()
    store = place.store()
    assert everything(store) == before
    at_once(store.close())
    check_whole(place)
