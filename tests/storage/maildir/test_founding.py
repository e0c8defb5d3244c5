"""Accounts are made beside, and nothing beside is harmed."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from mailkit.errors import MailboxGone, StorageBroken
from mailkit.interfaces.storage import NewMessage, Placement
from mailkit.model.address import AccountName
from mailkit.model.mailbox import INBOX
from mailkit.storage.content import OctetsContent
from mailkit.storage.maildir.founding import HIDDEN
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
