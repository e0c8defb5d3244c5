"""Nobody but the server's own user may read mail, or what is known of it."""

from __future__ import annotations

import os
from pathlib import Path

from mailkit.interfaces.storage import NewMessage, Placement
from mailkit.model.flags import FlagAction, FlagChange
from mailkit.model.mailbox import INBOX, MailboxName
from mailkit.model.uidset import ALL_UIDS
from mailkit.storage.content import OctetsContent
from mailkit.testing.at_once import at_once
from tests.storage.maildir.doubles import ALICE, BOB, LETTER, Place
from tests.storage.maildir.stops import abandon


def open_to_others(top: Path) -> list[str]:
    """What group or others may read, write or enter."""
    return [
        str(path.relative_to(top))
        for path in sorted(top.rglob("*"))
        if path.lstat().st_mode & 0o077
    ]


def test_all_that_is_made_is_for_the_owner_alone(folder: Path) -> None:
    place = Place(folder)
    before = os.umask(0)
    try:
        store = place.store()
        box = at_once(store.open(ALICE, INBOX))
        at_once(box.append([NewMessage(OctetsContent(LETTER))]))
        words = frozenset({"$Word"})
        at_once(box.store(ALL_UIDS, FlagChange(FlagAction.ADD, words)))
        at_once(box.copy(ALL_UIDS, MailboxName("Sent")))
        at_once(store.create(ALICE, MailboxName("Work/Later")))
        both = [Placement(ALICE, INBOX), Placement(BOB, INBOX)]
        at_once(store.deliver(OctetsContent(LETTER), both))
        at_once(store.exclusively(ALICE, INBOX))
        at_once(store.remove_account(BOB, False))
        assert list(folder.rglob("*-wal")) and list(folder.rglob("*.sqlite"))
        assert open_to_others(folder) == []
        abandon(store)
    finally:
        os.umask(before)


def test_what_was_made_readable_is_so_no_longer(folder: Path) -> None:
    place = Place(folder)
    store = place.store()
    at_once(store.status(ALICE, INBOX))
    at_once(store.close())
    for path in folder.rglob("*.sqlite"):
        path.chmod(0o644)
    store = place.store()
    at_once(store.mailboxes(ALICE))
    assert not [p for p in open_to_others(folder) if ".sqlite" in p]
    abandon(store)
