"""Accounts are made beside, and nothing beside is harmed."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from pathlib import Path

import pytest

from mailkit.errors import MailboxGone, StorageBroken
from mailkit.interfaces.storage import NewMessage, Placement
from mailkit.model.address import AccountName
from mailkit.model.mailbox import INBOX, SpecialUse
from mailkit.storage.content import OctetsContent
from mailkit.storage.maildir.founding import HIDDEN
from mailkit.storage.maildir.store import MaildirStore
from mailkit.testing.at_once import at_once
from tests.storage.maildir.doubles import ALICE, LETTER, Place
from tests.storage.maildir.stops import abandon, check_whole


def test_a_data_folder_with_a_long_name_keeps_what_is_in_it(folder: Path) -> None:
    # As long as the path that was cut once, whatever lay there.
    data = folder / ("d" * 100)
    data = data / ("e" * (240 - len(str(data)) - 1))
    assert len(str(data)) == 240
    data.mkdir(parents=True)
    (data / "directory.sqlite").write_bytes(b"x")
    store = Place(data).store()
    at_once(store.status(ALICE, INBOX))
    assert (data / "directory.sqlite").exists()
    abandon(store)


def uses_of(store: MaildirStore) -> dict[str, SpecialUse | None]:
    entries = at_once(store.mailboxes(ALICE))
    return {str(entry.name): entry.special_use for entry in entries}


def later() -> float:
    """Mailboxes that are made in another second have other MAILBOXIDs."""
    return time.time() + 1


def test_a_mail_folder_that_is_made_anew_has_its_special_mailboxes(
    folder: Path,
) -> None:
    place = Place(folder)
    store = place.store()
    before = uses_of(store)
    assert before["Sent"] is SpecialUse.SENT
    at_once(store.close())
    shutil.rmtree(place.maildir())
    (place.maildir().parent / "index.sqlite").unlink()
    store = place.store()
    store.house.now = later
    assert uses_of(store) == before
    abandon(store)


def test_two_make_an_account_in_a_folder_that_is_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(folder)
    (place.maildir().parent / "drafts").mkdir(parents=True)
    store, other = place.store(), place.store()
    other.house.now = later
    uses = {}

    def overtaken(folder: int, how: int) -> None:
        monkeypatch.undo()
        with monkeypatch.context() as patch:
            patch.setattr(os, "getpid", lambda: 1)
            uses.update(uses_of(other))
        fcntl.flock(folder, how)

    monkeypatch.setattr(fcntl, "flock", overtaken)
    assert uses_of(store) == uses == uses_of(other)
    assert uses["Sent"] is SpecialUse.SENT
    assert os.listdir(folder / "mail/example.org") == ["alice"]
    abandon(store)
    abandon(other)
    check_whole(place)


def test_an_account_with_a_long_name(folder: Path) -> None:
    place = Place(folder)
    store = place.store()
    long = AccountName("x" * 250 + "@example.org")
    at_once(store.create_account(long))
    assert (folder / "mail/example.org" / ("x" * 250) / "Maildir/cur").is_dir()
    abandon(store)


def test_accounts_that_were_never_finished_go(folder: Path) -> None:
    place = Place(folder)
    store = place.store()
    at_once(store.status(ALICE, INBOX))
    left = folder / "mail/example.org" / f".{HIDDEN}123-bob"
    (left / "Maildir").mkdir(parents=True)
    for _ in range(3):
        place.clock.advance(2)
    assert left.exists()
    tomorrow = time.time() + 2 * 86400
    store.house.now = lambda: tomorrow
    place.clock.advance(2 * 86400)
    at_once(store.status(ALICE, INBOX))
    assert not left.exists()
    assert os.path.isdir(place.maildir("cur"))
    abandon(store)


def test_mail_for_an_account_that_another_process_removed_founds_it_anew(
    folder: Path,
) -> None:
    place = Place(folder)
    one, two = place.store(), place.store()
    letter = OctetsContent(LETTER)
    to = [Placement(ALICE, INBOX)]
    assert at_once(one.deliver(letter, to)) == [1]
    box = at_once(one.open(ALICE, INBOX))
    at_once(two.remove_account(ALICE, False))
    with pytest.raises(StorageBroken):
        at_once(box.append([NewMessage(letter)]))
    with pytest.raises(MailboxGone):
        at_once(box.append([NewMessage(letter)]))
    assert at_once(one.deliver(letter, to)) == [1]
    at_once(two.remove_account(ALICE, False))
    with pytest.raises(StorageBroken):
        at_once(one.deliver(letter, to))
    assert at_once(one.deliver(letter, to)) == [1]
    abandon(one)
    abandon(two)
    check_whole(place)
