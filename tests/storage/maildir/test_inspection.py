"""What an administrator may ask: is all well, and make the index anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mailkit.interfaces.storage import IMailbox, IUpkeep, NewMessage
from mailkit.model.flags import FLAGGED, SEEN, FlagAction, FlagChange
from mailkit.model.mailbox import INBOX, MailboxName, Want
from mailkit.model.uidset import ALL_UIDS, UIDSet
from mailkit.storage.content import OctetsContent
from mailkit.storage.maildir.naming import parse
from mailkit.storage.maildir.store import MaildirStore
from mailkit.testing.at_once import at_once
from tests.storage.maildir.doubles import ALICE, LETTER, Place

ARCHIVE = MailboxName("Archive")


@pytest.fixture
def place(folder: Path) -> Place:
    return Place(folder)


def with_letters(place: Place, count: int = 3) -> tuple[MaildirStore, IMailbox]:
    store = place.store()
    box = at_once(store.open(ALICE, INBOX))
    for _ in range(count):
        at_once(box.append([NewMessage(OctetsContent(LETTER))]))
    return store, box


def problems(store: MaildirStore) -> dict[str, tuple[str, ...]]:
    found = at_once(store.check(ALICE))
    return {one.name: one.problems for one in found if one.problems}


def files(place: Place) -> list[Path]:
    return sorted(place.maildir("cur").iterdir(), key=lambda path: parse(path.name).uid)


def change_index(place: Place, statement: str) -> None:
    home = place.store().home(ALICE)
    with home.changed() as index, index.database.transaction(is_full=True):
        index.database.execute(statement)
    home.close()


def test_the_store_offers_its_upkeep(place: Place) -> None:
    assert IUpkeep.providedBy(place.store())


def test_all_is_well(place: Place) -> None:
    store, _ = with_letters(place)
    found = at_once(store.check(ALICE))
    assert found[0].name == INBOX
    assert found[0].messages == 3
    assert problems(store) == {}


def test_flags_that_no_name_carries_yet_are_no_problem(place: Place) -> None:
    store, box = with_letters(place)
    at_once(box.store(ALL_UIDS, FlagChange(FlagAction.ADD, frozenset([SEEN]))))
    assert problems(store) == {}


def test_stars_and_keywords_are_as_counted(place: Place) -> None:
    store, box = with_letters(place)
    for uid, flags in ((1, {FLAGGED, "$L_a"}), (2, {"$l_a", SEEN}), (3, {"b", SEEN})):
        change = FlagChange(FlagAction.ADD, frozenset(flags))
        at_once(box.store(UIDSet.of([uid]), change))
    assert problems(store) == {}


def test_what_others_did_is_told(place: Place) -> None:
    store, _ = with_letters(place)
    first, second, third = files(place)
    first.unlink()
    second.rename(second.with_name(second.name + "F"))
    third.with_name("1.stranger").write_bytes(LETTER)
    (told,) = problems(store).values()
    assert told == (
        f"1 files are missing: {first.name}",
        "1 files have no row: 1.stranger",
        "1 files carry flags that were not looked at yet",
    )


def test_many_names_are_cut_short(place: Place) -> None:
    store, _ = with_letters(place, 5)
    names = sorted(path.name for path in files(place))
    for path in files(place):
        path.unlink()
    (told,) = problems(store).values()
    assert told == (f"5 files are missing: {' '.join(names[:3])} …",)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "UPDATE mailbox SET unseen = unseen + 1 WHERE folder = ''",
            "counters are (3, 4, 0, 162), a recount says (3, 3, 0, 162)",
        ),
        ("UPDATE account SET used = used + 7", "169 octets are counted, 162 there"),
        (
            "UPDATE mailbox SET uid_next = 5000 WHERE folder = ''",
            "the mark 1026 is below UIDNEXT 5000",
        ),
        (
            "INSERT INTO tally SELECT '$l_a', id, 1, 1 FROM mailbox WHERE folder = ''",
            "stars and keywords are not as a recount says",
        ),
    ],
)
def test_wrong_counters_are_told(place: Place, statement: str, said: str) -> None:
    store, _ = with_letters(place)
    size = 3 * len(LETTER)
    said = said.replace("162", str(size)).replace("169", str(size + 7))
    change_index(place, statement)
    assert problems(store) == {INBOX: (said,)}


def test_a_missing_uid_file_is_told(place: Place) -> None:
    store, _ = with_letters(place)
    os.unlink(place.maildir(".Archive") / "mailkit-uid")
    assert problems(store) == {ARCHIVE: ("mailkit-uid is missing",)}


def test_a_rebuild_mends_counters_and_keeps_uids_and_flags(place: Place) -> None:
    store, box = with_letters(place)
    at_once(box.store(UIDSet.of([2]), FlagChange(FlagAction.ADD, frozenset([FLAGGED]))))
    before = at_once(box.fetch(ALL_UIDS, Want.FLAGS | Want.FACTS))
    change_index(place, "UPDATE mailbox SET unseen = 99, messages = 77")
    change_index(place, "UPDATE account SET used = 1")
    inode = os.stat(store.home(ALICE).index_path).st_ino
    at_once(store.rebuild(ALICE))
    assert os.stat(store.home(ALICE).index_path).st_ino != inode
    assert problems(store) == {}
    again = at_once(store.open(ALICE, INBOX))
    after = at_once(again.fetch(ALL_UIDS, Want.FLAGS | Want.FACTS))
    assert [(one.uid, one.flags, one.email_id) for one in after] == [
        (one.uid, one.flags, one.email_id) for one in before
    ]
    assert files(place)[1].name.endswith(":2,F")


def test_another_process_sees_the_index_that_was_made_anew(place: Place) -> None:
    store, _ = with_letters(place)
    other = place.store()
    box = at_once(other.open(ALICE, INBOX))
    at_once(store.rebuild(ALICE))
    assert at_once(box.status()).exists == 3
    at_once(box.append([NewMessage(OctetsContent(LETTER))]))
    assert problems(store) == {}
