"""Flags in memory are those of the index, whoever changed them."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailkit.interfaces.storage import IMailbox, NewMessage
from mailkit.model.flags import DELETED, FLAGGED, SEEN, FlagAction, FlagChange
from mailkit.model.mailbox import INBOX, Want
from mailkit.model.uidset import ALL_UIDS, UIDSet
from mailkit.storage.content import OctetsContent
from mailkit.storage.maildir import flagcolumn
from mailkit.testing.at_once import at_once
from tests.storage.maildir.doubles import ALICE, LETTER, Place


@pytest.fixture
def place(folder: Path) -> Place:
    return Place(folder)


def letters(count: int) -> list[NewMessage]:
    return [
        NewMessage(OctetsContent(LETTER.replace(b"one", b"%d" % number)))
        for number in range(count)
    ]


def flags_of(box: IMailbox, uids: UIDSet = ALL_UIDS) -> list[tuple[int, set[str]]]:
    return [(r.uid, set(r.flags)) for r in at_once(box.fetch(uids, Want.FLAGS))]


def change(box: IMailbox, uid: int, *flags: str) -> None:
    added = FlagChange(FlagAction.ADD, frozenset(flags))
    at_once(box.store(UIDSet.of([uid]), added))


def test_they_follow_every_change(place: Place) -> None:
    store = place.store()
    box, other = [at_once(store.open(ALICE, INBOX)) for _ in range(2)]
    at_once(box.append(letters(3)))
    assert flags_of(box) == [(1, set()), (2, set()), (3, set())]
    change(other, 2, SEEN, "Work")
    assert flags_of(box) == [(1, set()), (2, {SEEN, "Work"}), (3, set())]
    assert flags_of(box, UIDSet(((2, 400),))) == [(2, {SEEN, "Work"}), (3, set())]
    change(other, 1, DELETED)
    at_once(other.expunge(ALL_UIDS))
    at_once(other.append(letters(1)))
    assert flags_of(box) == [(2, {SEEN, "Work"}), (3, set()), (4, set())]
    assert flags_of(box, UIDSet.of([2, 4])) == [(2, {SEEN, "Work"}), (4, set())]


def test_another_process_changes_them(place: Place) -> None:
    box = at_once(place.store().open(ALICE, INBOX))
    at_once(box.append(letters(2)))
    assert flags_of(box) == [(1, set()), (2, set())]
    change(at_once(place.store().open(ALICE, INBOX)), 1, FLAGGED)
    assert flags_of(box) == [(1, {FLAGGED}), (2, set())]


def test_few_are_not_read_for_the_sake_of_all(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = at_once(place.store().open(ALICE, INBOX))
    at_once(box.append(letters(2)))
    monkeypatch.setattr(flagcolumn.FlagColumn, "read", None)
    assert flags_of(box, UIDSet(((1, 9),))) == [(1, set()), (2, set())]


def test_too_many_kinds_are_not_kept(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = at_once(place.store().open(ALICE, INBOX))
    at_once(box.append(letters(2)))
    change(box, 1, SEEN)
    monkeypatch.setattr(flagcolumn, "MOST_KINDS", 1)
    assert flags_of(box) == [(1, {SEEN}), (2, set())]
