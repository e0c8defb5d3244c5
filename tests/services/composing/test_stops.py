"""Stops in between, and who goes on from there."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from attrs import evolve
from twisted.trial.unittest import TestCase

from mailkit.errors import (
    DraftChanged,
    StorageFull,
    Unavailable,
)
from mailkit.model.address import AccountName
from mailkit.model.draft import Draft, DraftId, DraftState
from mailkit.model.mailbox import MailboxName
from mailkit.model.query import Everything
from mailkit.services.composing.placing import remove
from mailkit.services.composing.sending import CALLED_BACK
from mailkit.storage.memory.drafts import MemoryDrafts
from mailkit.testing.at_once import at_once
from tests.services.composing.world import (
    EVERYTHING,
    Desk,
    drafts_of,
    items,
)
from tests.services.smtp.world import ALICE


def sending(desk: Desk, draft: Draft) -> Draft:
    """The draft as it is while the queue is asked."""
    now = desk.world.clock.seconds()
    made = evolve(
        draft,
        version=draft.version + 1,
        state=DraftState.SENDING,
        changed=now,
        hold_until=now + 13,
    )
    at_once(desk.drafts.put(ALICE, made))
    at_once(desk.drafts.mark(ALICE, draft.id))
    return made


def test_stopped_before_the_queue_had_it() -> None:
    desk = Desk()
    draft = sending(desk, desk.begin())
    other = desk.make()
    at_once(other.outbox.recover())
    with pytest.raises(Unavailable):
        desk.unsend(draft)
    assert at_once(desk.drafts.draft(ALICE, draft.id)) == draft  # perhaps it goes on
    desk.advance(61)
    at_once(other.outbox.recover())
    [found] = drafts_of(desk)
    assert found.state is DraftState.WRITING
    assert desk.subjects("Drafts") == ["Hello"]
    assert list(at_once(desk.drafts.marked())) == []


def test_pressed_again_after_a_stop() -> None:
    desk = Desk()
    draft = sending(desk, desk.begin())
    assert desk.send(draft) == draft
    desk.advance(61)
    assert desk.send(draft).state is DraftState.HELD


def as_before_the_last_word(desk: Desk, sent: Draft) -> None:
    """The queue has it, and the draft does not know."""
    at_once(desk.drafts.remove(ALICE, sent.id))
    at_once(
        desk.drafts.put(
            ALICE,
            evolve(sent, version=1, state=DraftState.SENDING, transaction=""),
        )
    )
    at_once(desk.drafts.mark(ALICE, sent.id))
    opened = at_once(desk.store.open(ALICE, MailboxName("Sent")))
    at_once(remove(opened, at_once(opened.search(Everything()))))


@pytest.mark.parametrize("has_left", [False, True])
def test_stopped_after_the_queue_had_it(has_left: bool) -> None:
    desk = Desk()
    sent = desk.send(desk.begin())
    desk.composing.outbox.stop()
    as_before_the_last_word(desk, sent)
    if has_left:
        at_once(desk.queue.drop(EVERYTHING))
    other = desk.make()
    desk.advance(61)
    at_once(other.outbox.recover())
    assert desk.subjects("Sent") == ["Hello"]
    desk.advance(1)
    assert drafts_of(desk) == []
    assert desk.subjects("Sent") == ["Hello"]
    assert desk.subjects("Drafts") == []


def test_stopped_before_it_was_filed() -> None:
    desk = Desk()
    sent = desk.send(desk.begin())
    desk.composing.outbox.stop()
    at_once(desk.composing.placing.unfile_sent(ALICE, sent))
    at_once(desk.composing.placing.place(ALICE, sent))
    at_once(desk.drafts.mark(ALICE, sent.id))
    other = desk.make()
    at_once(other.outbox.recover())
    assert (desk.subjects("Drafts"), desk.subjects("Sent")) == ([], ["Hello"])
    desk.advance(13)
    assert drafts_of(desk) == []


def test_stopped_while_it_was_called_back() -> None:
    desk = Desk()
    sent = desk.send(desk.begin())
    desk.composing.outbox.stop()
    at_once(desk.queue.hold(EVERYTHING, CALLED_BACK))
    other = desk.make()
    desk.advance(100)
    at_once(other.outbox.recover())
    [draft] = drafts_of(desk)
    assert draft.state is DraftState.WRITING
    assert (items(desk), desk.subjects("Sent")) == ([], [])
    assert draft.writing == sent.writing


def test_stopped_before_the_queue_let_go_of_it() -> None:
    desk = Desk()
    sent = desk.send(desk.begin())
    desk.composing.outbox.stop()
    at_once(desk.queue.hold(EVERYTHING, CALLED_BACK))
    written = evolve(sent, version=sent.version + 1, state=DraftState.WRITING)
    at_once(desk.drafts.put(ALICE, written))
    at_once(desk.make().outbox.recover())
    assert (items(desk), desk.subjects("Sent")) == ([], [])
    assert desk.subjects("Drafts") == ["Hello"]
    [draft] = drafts_of(desk)
    assert not draft.transaction


class _Raced(MemoryDrafts):
    """Another process finishes first."""

    is_raced = False

    async def put(self, account: object, draft: Draft) -> None:
        if self.is_raced:
            raise DraftChanged(draft.id)
        await super().put(ALICE, draft)


def test_of_two_processes_one_finishes() -> None:
    store = _Raced()
    desk = Desk(drafts=store)
    desk.send(desk.begin())
    store.is_raced = True
    desk.advance(13)
    assert len(drafts_of(desk)) == 1
    store.is_raced = False
    at_once(desk.composing.outbox.recover())
    assert drafts_of(desk) == []
    assert desk.subjects("Sent") == ["Hello"]


def test_no_room_for_the_own_copy() -> None:
    """It is sent all the same, and filed once there is room."""
    desk = Desk()
    draft = desk.begin()

    async def little(account: object) -> int:
        return 1

    async def much(account: object) -> int:
        return 0

    desk.store.quota_of = little
    desk.send(draft)
    assert len(items(desk)) == 1
    desk.advance(13)
    at_once(desk.composing.outbox.recover())
    assert len(drafts_of(desk)) == 1
    desk.store.quota_of = much
    at_once(desk.composing.outbox.recover())
    assert drafts_of(desk) == []
    assert (desk.subjects("Drafts"), desk.subjects("Sent")) == ([], ["Hello"])


def test_sent_without_a_mailbox_for_it() -> None:
    desk = Desk()
    draft = desk.begin()
    at_once(desk.store.delete(ALICE, MailboxName("Sent")))
    desk.send(draft)
    assert desk.subjects("Sent") == ["Hello"]


class _Broken(MemoryDrafts):
    """A disk that fails."""

    error: Exception | None = None

    async def marked(self) -> Sequence[tuple[AccountName, DraftId]]:
        if self.error is not None:
            raise self.error
        return await super().marked()


def test_a_look_that_fails_is_not_the_last() -> None:
    store = _Broken()
    desk = Desk(drafts=store)
    outbox = desk.composing.outbox
    outbox.start()
    at_once(store.mark(ALICE, DraftId("a" * 32)))
    for error in (StorageFull(), None):
        store.error = error
        desk.advance(30)
    assert list(at_once(store.marked())) == []
    outbox.stop()


class LookTests(TestCase):
    """What is logged as a bug is counted by trial."""

    def test_a_bug_is_not_the_last_look(self) -> None:
        store = _Broken()
        desk = Desk(drafts=store)
        at_once(store.mark(ALICE, DraftId("a" * 32)))
        store.error = ZeroDivisionError()
        desk.composing.outbox.start()
        self.addCleanup(desk.composing.outbox.stop)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        store.error = None
        desk.advance(30)
        self.assertEqual(list(at_once(store.marked())), [])


def test_a_process_that_ends_begins_nothing() -> None:
    desk = Desk()
    at_once(desk.drafts.mark(ALICE, DraftId("a" * 32)))
    desk.send(desk.begin())
    desk.composing.outbox.stop()
    at_once(desk.composing.outbox.recover())
    assert len(at_once(desk.drafts.marked())) == 2
    assert desk.world.clock.getDelayedCalls() == []
