"""Ending a store's process before any one of its operations."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from attrs import define, field

from mailkit.interfaces.storage import IMailStore
from mailkit.model.mailbox import MailboxName, Want
from mailkit.model.uidset import ALL_UIDS
from mailkit.storage.maildir.store import MaildirStore
from mailkit.storage.safefile import Files, Operation
from mailkit.testing.at_once import at_once
from tests.storage.maildir.doubles import ALICE, Place

Change = Callable[[IMailStore], Coroutine[Any, Any, object]]


class Stop(BaseException):
    """The process is killed here."""


@define(eq=False)
class Ending:
    """Lets so many operations be made, and none after."""

    left: int
    seen: list[Operation] = field(factory=list)

    def before(self, operation: Operation) -> None:
        if self.left <= 0:
            raise Stop(operation)
        self.left -= 1
        self.seen.append(operation)

    def after(self, operation: Operation) -> None:
        """Nothing to do: what is made stays."""


def abandon(store: MaildirStore) -> None:
    """What the kernel does for a process that is no more."""
    for home in store._homes.values():
        home.close()


def killed_at(place: Place, change: Change, operation: int) -> bool:
    """Have a store die before an operation of a change; whether it got that far."""
    store = Place(
        place.data, place.clock, place.board, files=Files(Ending(operation))
    ).store()
    # Opening is not what is tested: it happens under the eyes of nobody.
    try:
        at_once(change(store))
    except Stop:
        return True
    else:
        return False
    finally:
        abandon(store)


def everything(store: IMailStore) -> dict[MailboxName, dict[int, tuple[bytes, str]]]:
    """Every message of Alice: mailbox → UID → octets and flags."""

    async def look() -> dict[MailboxName, dict[int, tuple[bytes, str]]]:
        found = {}
        for entry in await store.mailboxes(ALICE):
            if entry.is_selectable:
                box = await store.open(ALICE, entry.name)
                await box.snapshot(False)
                flags = {r.uid: r.flags for r in await box.fetch(ALL_UIDS, Want.FLAGS)}
                found[entry.name] = {
                    uid: (await content.read(0, content.size), _text(flags[uid]))
                    for uid, content in await box.contents(ALL_UIDS)
                }
        return found

    return at_once(look())


def _text(flags: frozenset[str]) -> str:
    return " ".join(sorted(flags))


def check_whole(place: Place) -> None:
    """Hold that files, rows and counters say the same, by counting again."""
    store = place.store()
    seen = everything(store)
    used = 0
    for name, messages in seen.items():

        async def look(
            name: MailboxName = name, messages: dict[int, tuple[bytes, str]] = messages
        ) -> None:
            nonlocal used
            status = await store.status(ALICE, name)
            box = await store.open(ALICE, name)
            records = await box.fetch(ALL_UIDS, Want.FLAGS | Want.FACTS | Want.ENVELOPE)
            snapshot = await box.snapshot(False)
            assert list(snapshot.uids) == [r.uid for r in records] == list(messages)
            assert status.exists == len(records)
            assert status.unseen == sum("\\Seen" not in r.flags for r in records)
            assert status.deleted == sum("\\Deleted" in r.flags for r in records)
            assert status.size == sum(r.size for r in records)
            assert all(len(messages[r.uid][0]) == r.size for r in records)
            assert all(r.envelope for r in records)
            assert status.uid_next > max(messages, default=0)
            assert len({r.uid for r in records}) == len(records)
            used += status.size

        at_once(look())
        folder = place.maildir("" if name == "INBOX" else "." + name.replace("/", "."))
        files = sorted(path.name for path in (folder / "cur").iterdir())
        uids = sorted(int(file.partition(",U=")[2].partition(":")[0]) for file in files)
        assert uids == list(messages), (name, files)
    assert at_once(store.used(ALICE)) == used
    at_once(store.close())


def fresh(folder: Path) -> Place:
    """An empty data folder below one that is there."""
    folder.mkdir(parents=True)
    return Place(folder)
