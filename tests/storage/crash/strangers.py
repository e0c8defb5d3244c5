"""What other programs do in the same folders (STORE.md §4), durably."""

from __future__ import annotations

import os

from mailkit.interfaces.storage import IMailStore
from mailkit.model.mailbox import INBOX, MailboxName
from mailkit.storage.maildir import naming
from mailkit.storage.maildir.home import folder_of
from mailkit.storage.maildir.store import MaildirStore
from mailkit.testing.contracts.messages import ALICE, message
from tests.storage.crash.world import Step, Whole


def flags(uid: int, letters: str, name: MailboxName = INBOX) -> Step:
    """Give a file other flags."""

    async def run(store: IMailStore) -> None:
        mine, folder = _mine(store, name)
        for entry in os.listdir(f"{folder}/cur"):
            if naming.parse(entry).uid == uid:
                new = naming.with_flags(entry, letters)
                mine.files.rename(f"{folder}/cur/{entry}", f"{folder}/cur/{new}")
        _seen_by_its_date(f"{folder}/cur")
        mine.files.sync_folder(f"{folder}/cur")

    return Step(f"a stranger flags {uid} {letters}", run, is_told_by_look=True)


def drop(number: int, name: MailboxName = INBOX) -> Step:
    """Put a message into ``new/``."""
    octets = message(number)

    async def run(store: IMailStore) -> None:
        mine, folder = _mine(store, name)
        new = mine.files.create(f"{folder}/tmp/stranger{number}")
        new.write(octets)
        new.finish()
        mine.files.rename(f"{folder}/tmp/stranger{number}", f"{folder}/new/{number}.x")
        mine.files.sync_folder(f"{folder}/new")

    return Step(
        f"a stranger drops {number}", run, Whole.SOME, (octets,), is_told_by_look=True
    )


def take(uid: int, octets: bytes, name: MailboxName = INBOX) -> Step:
    """Take a file away; if that is lost, it may come again as a new message."""

    async def run(store: IMailStore) -> None:
        mine, folder = _mine(store, name)
        for entry in os.listdir(f"{folder}/cur"):
            if naming.parse(entry).uid == uid:
                mine.files.unlink(f"{folder}/cur/{entry}")
        _seen_by_its_date(f"{folder}/cur")
        mine.files.sync_folder(f"{folder}/cur")

    return Step(f"a stranger takes {uid}", run, new=(octets,), is_told_by_look=True)


def _seen_by_its_date(folder: str) -> None:
    """The clock of these tests is ahead, that of the file system moves in ticks."""
    mtime = os.stat(folder).st_mtime_ns + 10_000_000
    os.utime(folder, ns=(mtime, mtime))


def _mine(store: IMailStore, name: MailboxName) -> tuple[MaildirStore, str]:
    assert isinstance(store, MaildirStore)
    return store, store.home(ALICE).folder(folder_of(name))
