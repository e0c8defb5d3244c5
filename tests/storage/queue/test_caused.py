"""Files of messages that an attempt causes: there if it is recorded, or gone."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from attrs import define, field

from mailkit.errors import LocalMisuse, StorageFull
from mailkit.interfaces.queue import NewMessage
from mailkit.interfaces.storage import IContent
from mailkit.model.queueitem import Fate
from mailkit.storage.content import OctetsContent
from mailkit.storage.queue.store import QueueStore
from mailkit.storage.safefile import Files, Observer
from mailkit.storage.state.local import LocalBoard
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import TestClock
from mailkit.testing.contracts.messages import message
from mailkit.testing.contracts.queuecase import (
    EVERYTHING,
    NET,
    NOW,
    ORG,
    OTHERS,
    US,
    attempt,
    queue_item,
    with_fate,
)
from mailkit.testing.lanes import DirectLanes
from tests.storage.crash.alive import Hand, no_room
from tests.storage.queue.runs import LargeContent


@define(eq=False)
class Case:
    """A queue with one item, that is ours."""

    data: Path
    store: QueueStore = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.store = self.open()
        content = OctetsContent(message())
        at_once(self.store.put(content, [queue_item("t1")]))
        at_once(self.store.claim(NET, US, NOW, NOW + 60, 10))

    def open(self, observer: Observer | None = None) -> QueueStore:
        clock = TestClock()
        board, files = LocalBoard(clock), Files(observer)
        return QueueStore(self.data, DirectLanes(), board, clock, files)

    def files(self) -> int:
        return len(os.listdir(self.data / "queue/content"))

    def record(
        self,
        caused: Sequence[NewMessage],
        store: QueueStore | None = None,
        owner: str = US,
        fate: Fate = Fate.FAILED,
    ) -> bool:
        item = queue_item("t1")
        tried, after = attempt(item, fate), with_fate(item, fate)
        store = store or self.store
        return at_once(store.record(owner, item.id, tried, after, None, caused))


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def notices() -> Sequence[NewMessage]:
    contents: Sequence[IContent] = (
        OctetsContent(message(1)),
        LargeContent(),
        OctetsContent(message(2)),
        LargeContent(),
    )
    return [
        NewMessage(content=content, items=(queue_item(f"n{number}", 1, ORG),))
        for number, content in enumerate(contents)
    ]


def test_a_file_for_each_and_none_for_what_is_gone(case: Case) -> None:
    assert case.record(notices())
    assert case.files() == at_once(case.store.count(EVERYTHING)) == 4


def test_what_is_not_kept_leaves_no_file(case: Case) -> None:
    assert not case.record(notices(), owner=OTHERS)
    assert case.files() == 1
    first = notices()[0]
    at_once(case.store.put(first.content, first.items))
    assert case.record([first])
    assert case.files() == 1
    with pytest.raises(LocalMisuse):
        case.record(notices(), fate=Fate.WAITING)
    assert case.files() == 1


def test_a_full_disk_leaves_no_file_and_no_record(case: Case) -> None:
    stop, is_kept = 0, False
    while not is_kept:
        store = case.open(Hand(no_room, stop))
        try:
            is_kept = case.record(notices(), store)
        except StorageFull:
            assert case.files() == 1, stop
            [item] = at_once(case.store.items(EVERYTHING))
            assert at_once(case.store.attempts(item.id)) == []
        at_once(store.close())
        stop += 1
    assert stop > 10
    assert case.files() == 4
