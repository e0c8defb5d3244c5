"""What it costs to remove a message does not grow with the mailbox."""

from __future__ import annotations

from pathlib import Path

from mailkit.model.mailbox import INBOX, MailboxName
from mailkit.model.uidset import UIDSet
from mailkit.testing.at_once import at_once
from mailkit.testing.contracts.messages import message, new
from tests.storage.maildir.doubles import ALICE, Place


def _steps(folder: Path, messages: int) -> int:
    """Steps of SQLite's machine, in tens, that moving one message takes."""
    store = Place(folder).store()
    inbox = at_once(store.open(ALICE, INBOX))
    at_once(inbox.append([new(message(number)) for number in range(messages)]))
    archive = MailboxName("Archive")
    at_once(inbox.move(UIDSet.of([1]), archive))
    home = store.home(ALICE)
    count = 0

    def step() -> None:
        nonlocal count
        count += 1

    with home.used() as index:
        index.database.connection.set_progress_handler(step, 10)
    at_once(inbox.move(UIDSet.of([messages // 2]), archive))
    with home.used() as index:
        index.database.connection.set_progress_handler(None, 0)
    at_once(store.close())
    return count


def test_a_message_leaves_a_large_mailbox_as_quickly(folder: Path) -> None:
    few = _steps(folder / "few", 20)
    many = _steps(folder / "many", 2000)
    assert many < few + 200
