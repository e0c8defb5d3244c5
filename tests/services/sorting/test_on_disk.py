"""The same over the store on disk, whose processes come and go."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import define, field
from zope.interface import implementer

from mailkit.interfaces.delivery import Arriving, Filed, IFiling
from mailkit.model.conversation import InMailbox
from mailkit.model.mailbox import INBOX, MailboxName, Want
from mailkit.model.snooze import SNOOZED
from mailkit.model.uidset import ALL_UIDS
from mailkit.services.sorting.actions import Action, Done, Op, Targets
from mailkit.services.sorting.muting import MutedFiling
from mailkit.services.sorting.room import SortingRoom
from mailkit.services.sorting.waking import Waker
from mailkit.storage.maildir.personal import MaildirPersonal
from mailkit.storage.maildir.store import MaildirStore
from mailkit.storage.memory.directory import MemoryDirectory
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import NEW_YEAR
from mailkit.testing.contracts.messages import message, new
from mailkit.testing.lanes import DirectLanes
from tests.storage.maildir.conftest import MEMORY
from tests.storage.maildir.doubles import ALICE, Place

HERE = InMailbox(INBOX)
TRASH = MailboxName("Trash")


@define(eq=False)
class Process:
    """One process of a server, from its start on."""

    place: Place
    store: MaildirStore = field(init=False)
    personal: MaildirPersonal = field(init=False)
    sorting: SortingRoom = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.store = self.place.store()
        self.personal = MaildirPersonal(self.store, DirectLanes(), self.place.data)
        self.sorting = SortingRoom.over(
            self.store,
            self.personal,
            self.store.conversations,
            self.place.board,
            self.place.clock,
        )

    def put(self, count: int, *flags: str) -> None:
        """Messages in the inbox."""
        mailbox = at_once(self.store.open(ALICE, INBOX))
        letters = [new(message(number), *flags) for number in range(count)]
        at_once(mailbox.append(letters))

    def act(self, action: Action, view: InMailbox = HERE) -> Done:
        """To all of a mailbox."""
        return at_once(self.sorting.actions.act(ALICE, action, Targets(view)))

    def flags(self, name: MailboxName = INBOX) -> list[set[str]]:
        """Of all messages in a mailbox."""
        mailbox = at_once(self.store.open(ALICE, name))
        return [set(one.flags) for one in at_once(mailbox.fetch(ALL_UIDS, Want.FLAGS))]

    def end(self) -> None:
        """The process ends well."""
        at_once(self.personal.close())
        at_once(self.store.close())


@pytest.fixture
def place() -> Iterator[Place]:
    """A data folder, in memory where there is one."""
    folder = tempfile.mkdtemp(dir=MEMORY if Path(MEMORY).is_dir() else None)
    yield Place(Path(folder))
    shutil.rmtree(folder)


def test_another_process_undoes_what_one_did(place: Place) -> None:
    one, other = Process(place), Process(place)
    one.put(700, "$l_work")
    starred = one.act(Action(Op.STAR))
    done = one.act(Action(Op.DELETE))
    assert done.messages == 700
    assert len(other.flags(TRASH)) == 700
    at_once(other.sorting.undoing.undo(ALICE, done.token))
    at_once(other.sorting.undoing.undo(ALICE, starred.token))
    assert one.flags() == [{"$l_work"}] * 700
    assert one.flags(TRASH) == []


def test_mail_comes_back_after_a_restart(place: Place) -> None:
    before = Process(place)
    before.put(3, "\\Seen")
    before.act(Action(Op.SNOOZE, until=NEW_YEAR + 3600))
    assert before.flags() == []
    before.end()
    place.clock.advance(7200)
    after = Process(place)
    waker = Waker(
        after.store, after.personal, MemoryDirectory(), place.board, place.clock
    )
    waker.start()
    assert after.flags() == [set()] * 3
    assert after.flags(SNOOZED) == []
    assert len(at_once(after.personal.woken(ALICE))) == 3
    at_once(waker.stop())
    after.end()


def test_keywords_are_labels(place: Place) -> None:
    process = Process(place)
    process.put(1, "$l_lost", "Todo", "$Forwarded")
    labels = at_once(process.sorting.labels.labels(ALICE))
    assert {one.keyword for one in labels} == {"$l_lost", "Todo"}
    label = next(one for one in labels if one.keyword == "Todo")
    done = at_once(process.sorting.labels.delete(ALICE, label.keyword))
    assert process.flags() == [{"$l_lost", "$Forwarded"}]
    labels = at_once(process.sorting.labels.labels(ALICE))
    assert [one.keyword for one in labels] == ["$l_lost"]
    at_once(process.sorting.undoing.undo(ALICE, done.token))
    assert process.flags() == [{"$l_lost", "Todo", "$Forwarded"}]


def test_a_folder_is_thrown_away_and_comes_back(place: Place) -> None:
    process = Process(place)
    folders = process.sorting.folders
    work = at_once(folders.create(ALICE, "Work"))
    at_once(folders.create(ALICE, "2026", "Work"))
    process.put(2)
    process.act(Action(Op.MOVE, to=work))
    done = at_once(folders.delete(ALICE, work))
    names = [one.name for one in at_once(folders.folders(ALICE))]
    assert names == ["Trash/Work", "Trash/Work/2026"]
    at_once(process.sorting.undoing.undo(ALICE, done.token))
    names = [one.name for one in at_once(folders.folders(ALICE))]
    assert names == ["Work", "Work/2026"]
    assert len(process.flags(work)) == 2
    done = at_once(folders.delete(ALICE, work))
    assert at_once(process.sorting.actions.count(ALICE, TRASH)) == 2
    assert at_once(process.sorting.actions.empty(ALICE, TRASH)) == 2
    assert not at_once(folders.folders(ALICE))


def test_muting_is_seen_by_other_processes(place: Place) -> None:
    one, other = Process(place), Process(place)
    one.put(1)
    filing = MutedFiling(_Nobody(), other.store, other.personal, place.board)
    assert not at_once(filing._muted(ALICE))
    one.act(Action(Op.MUTE))
    assert at_once(filing._muted(ALICE)) == {"<0@example.net>"}
    filing.close()


@implementer(IFiling)
class _Nobody:
    """A filing that is not asked."""

    async def file(self, arriving: Arriving) -> Filed:
        raise AssertionError(arriving)
