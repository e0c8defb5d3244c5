"""Undo of sending where no mail leaves the house: drafts wait, and are sent once."""

from __future__ import annotations

import pytest
from attrs import define, evolve, field
from zope.interface import implementer

from mailkit.errors import (
    DraftChanged,
    HasLeft,
    NoSuchDraft,
    Unavailable,
)
from mailkit.interfaces.delivery import IDestination, ITransaction, Origin
from mailkit.model.address import AccountName
from mailkit.model.draft import Draft, DraftId, DraftState, Opening, Purpose
from mailkit.model.envelope import Envelope
from mailkit.model.queueitem import Selection
from mailkit.services.composing.errors import RecipientsRefused
from mailkit.services.composing.settings import ComposingSettings
from mailkit.storage.memory.drafts import MemoryDrafts
from mailkit.testing.at_once import at_once
from mailkit.testing.contracts.messages import message
from tests.services.composing.world import HELLO, Desk, text_of
from tests.services.smtp.world import ALICE, BOB


@pytest.fixture
def desk() -> Desk:
    return Desk(is_alone=True)


def drafts_of(desk: Desk) -> list[Draft]:
    return list(at_once(desk.drafts.drafts(ALICE)))


def at_bob(desk: Desk) -> list[str]:
    return desk.subjects("INBOX", BOB)


def test_nobody_has_it_before_the_undo_is_over(desk: Desk) -> None:
    sent = desk.send(desk.begin())
    assert sent.state is DraftState.HELD
    assert sent.hold_until == desk.world.clock.seconds() + 13
    assert desk.send(sent) == sent  # a double click
    assert (desk.subjects("Drafts"), desk.subjects("Sent")) == ([], ["Hello"])
    desk.advance(12.9)
    assert at_bob(desk) == []
    desk.advance(0.1)
    assert at_bob(desk) == ["Hello"]
    assert drafts_of(desk) == []
    assert list(at_once(desk.drafts.marked())) == []
    assert list(at_once(desk.queue.items(Selection()))) == []
    desk.advance(100)
    assert (at_bob(desk), desk.subjects("Sent")) == (["Hello"], ["Hello"])


def test_called_back_and_sent_again(desk: Desk) -> None:
    sent = desk.send(desk.begin())
    desk.advance(9)
    draft = desk.unsend(sent)
    assert draft.state is DraftState.WRITING
    assert (draft.is_kept_back, draft.transaction, draft.peer) == (False, "", "")
    assert (desk.subjects("Drafts"), desk.subjects("Sent")) == (["Hello"], [])
    desk.advance(100)
    assert at_bob(desk) == []
    desk.send(desk.save(draft, evolve(HELLO, text="better")))
    desk.advance(13)
    [got] = desk.messages("INBOX", BOB)
    assert text_of(got).strip() == "better"


def test_too_late(desk: Desk) -> None:
    sent = desk.send(desk.begin())
    desk.composing.outbox.stop()
    desk.advance(13)
    with pytest.raises(HasLeft):
        desk.unsend(sent)
    assert at_bob(desk) == []
    other = desk.make().outbox
    other.start()  # looks at once for what another has left
    other.stop()
    assert at_bob(desk) == ["Hello"]
    with pytest.raises(HasLeft):
        desk.unsend(sent)


def test_later_is_scheduled_and_comes(desk: Desk) -> None:
    now = desk.world.clock.seconds()
    sent = desk.send(desk.begin(), at=now + 3600)
    [waiting] = at_once(desk.composing.waiting(ALICE))
    assert (waiting.draft, waiting.leaves) == (sent.id, now + 3600)
    assert (waiting.subject, waiting.recipients) == ("Hello", ("bob@example.org",))
    assert desk.subjects("Sent") == []
    outbox = desk.composing.outbox
    outbox.start()
    for _ in range(3600 // 30):
        desk.advance(30)
    outbox.stop()
    assert (at_bob(desk), desk.subjects("Sent")) == (["Hello"], ["Hello"])
    assert at_once(desk.composing.waiting(ALICE)) == []


def test_who_is_not_there_is_told_of_at_once(desk: Desk) -> None:
    draft = desk.begin(evolve(HELLO, to="bob@example.org, nobody@example.org"))
    with pytest.raises(RecipientsRefused):
        desk.send(draft)
    with pytest.raises(RecipientsRefused):
        desk.send(desk.save(draft, evolve(HELLO, to="c@elsewhere.example")))
    desk.advance(100)
    [found] = drafts_of(desk)
    assert found.state is DraftState.WRITING
    assert (at_bob(desk), desk.subjects("Sent")) == ([], [])


def test_what_leaves_notes_what_it_answers(desk: Desk) -> None:
    original = desk.receive(message(1))
    draft = desk.begin(HELLO, Opening(Purpose.REPLY, original))
    desk.send(draft)
    assert desk.flags("INBOX") == [frozenset()]
    desk.advance(13)
    assert desk.flags("INBOX") == [frozenset({"\\Answered"})]


# -- stops


class _Killed(MemoryDrafts):
    """The process is no more before a draft is removed."""

    is_killed: bool = True

    async def remove(self, account: AccountName, id: DraftId) -> None:
        if self.is_killed:
            raise Unavailable("killed")
        await super().remove(account, id)


@pytest.mark.parametrize("is_recorded", [True, False])
def test_killed_after_it_was_delivered(is_recorded: bool) -> None:
    """Whether or not anybody remembers that it was."""
    store = _Killed()
    desk = Desk(is_alone=True, drafts=store)
    desk.send(desk.begin(evolve(HELLO, to="bob@example.org, alice@example.org")))
    desk.advance(13)
    assert at_bob(desk) == ["Hello"]
    assert len(drafts_of(desk)) == 1
    desk.composing.outbox.stop()
    if not is_recorded:
        desk.world.events.events.clear()
    other = desk.make()
    at_once(other.outbox.recover())  # perhaps the first is at it still
    store.is_killed = False
    desk.advance(60)
    at_once(other.outbox.recover())
    assert (at_bob(desk), desk.subjects("INBOX")) == (["Hello"], ["Hello"])
    assert desk.subjects("Sent") == ["Hello"]
    assert drafts_of(desk) == []
    assert list(at_once(store.marked())) == []


def test_killed_before_it_was_filed(desk: Desk) -> None:
    sent = desk.send(desk.begin())
    desk.composing.outbox.stop()
    at_once(desk.composing.placing.unfile_sent(ALICE, sent))
    at_once(desk.composing.placing.place(ALICE, sent))
    at_once(desk.drafts.mark(ALICE, sent.id))
    at_once(desk.make().outbox.recover())
    assert (desk.subjects("Drafts"), desk.subjects("Sent")) == ([], ["Hello"])
    desk.advance(13)
    assert at_bob(desk) == ["Hello"]


def test_killed_while_it_was_called_back(desk: Desk) -> None:
    sent = desk.send(desk.begin())
    desk.composing.outbox.stop()
    back = evolve(sent, state=DraftState.WRITING, version=sent.version + 1)
    at_once(desk.drafts.put(ALICE, back))
    desk.advance(100)
    at_once(desk.make().outbox.recover())
    assert (desk.subjects("Drafts"), desk.subjects("Sent")) == (["Hello"], [])
    assert at_bob(desk) == []


def test_killed_when_it_had_begun(desk: Desk) -> None:
    sent = desk.send(desk.begin())
    desk.composing.outbox.stop()
    begun = evolve(sent, state=DraftState.SENDING, version=sent.version + 1)
    at_once(desk.drafts.put(ALICE, begun))
    other = desk.make()
    for seconds in (13, 59):  # somebody may be at it
        desk.advance(seconds)
        at_once(other.outbox.recover())
        assert at_bob(desk) == []
    desk.advance(1)
    at_once(other.outbox.recover())
    assert at_bob(desk) == ["Hello"]


def test_another_process_has_begun(desk: Desk) -> None:
    """By its clock, which is a little ahead."""
    sent = desk.send(desk.begin())
    desk.composing.outbox.stop()
    begun = evolve(sent, state=DraftState.SENDING, version=sent.version + 1)
    at_once(desk.drafts.put(ALICE, begun))
    with pytest.raises(HasLeft):
        desk.unsend(sent)
    assert drafts_of(desk) == [begun]


class _Raced(MemoryDrafts):
    """Somebody else is quicker."""

    is_raced: bool = False

    async def put(self, account: AccountName, draft: Draft) -> None:
        if self.is_raced:
            raise DraftChanged(draft.id)
        await super().put(account, draft)


def test_of_two_processes_one_delivers() -> None:
    store = _Raced()
    desk = Desk(is_alone=True, drafts=store)
    desk.send(desk.begin())
    store.is_raced = True
    desk.advance(13)
    assert at_bob(desk) == []
    store.is_raced = False
    at_once(desk.composing.outbox.recover())
    assert at_bob(desk) == ["Hello"]


# -- what cannot be delivered


@implementer(IDestination)
@define(eq=False)
class _Shut:
    """Mailboxes, while nothing can be written."""

    _real: IDestination
    is_open: bool = field(default=False)

    async def begin(self, envelope: Envelope, origin: Origin) -> ITransaction:
        if not self.is_open:
            raise Unavailable("shut")
        return await self._real.begin(envelope, origin)


def shut(desk: Desk) -> _Shut:
    house = desk.composing.house
    house.destination = door = _Shut(house.destination)
    return door


def test_what_fails_for_now_is_tried_again(desk: Desk) -> None:
    desk.send(desk.begin())
    door = shut(desk)
    desk.advance(13)
    outbox = desk.composing.outbox
    outbox.start()
    for _ in range(4):
        desk.advance(30)
    assert (at_bob(desk), desk.back, len(drafts_of(desk))) == ([], [], 1)
    door.is_open = True
    desk.advance(30)
    outbox.stop()
    assert (at_bob(desk), desk.back, drafts_of(desk)) == (["Hello"], [], [])


def test_what_never_works_is_a_draft_again() -> None:
    desk = Desk(is_alone=True, settings=ComposingSettings(kept_trying=100.0))
    sent = desk.send(desk.begin())
    shut(desk)
    desk.advance(13)
    outbox = desk.composing.outbox
    outbox.start()
    for _ in range(5):
        desk.advance(30)
    outbox.stop()
    assert [id for id, _ in desk.back] == [sent.id]
    [found] = drafts_of(desk)
    assert found.state is DraftState.WRITING
    assert (desk.subjects("Drafts"), desk.subjects("Sent")) == (["Hello"], [])


def test_who_is_gone_meanwhile_is_told_of(desk: Desk) -> None:
    sent = desk.send(desk.begin())
    at_once(desk.world.directory.remove_account(BOB))
    desk.advance(13)
    [(id, reason)] = desk.back
    assert id == sent.id
    assert reason.startswith("bob@example.org: ")
    assert (desk.subjects("Drafts"), desk.subjects("Sent")) == (["Hello"], [])


def test_whoever_is_gone_sends_nothing(desk: Desk) -> None:
    desk.send(desk.begin())
    at_once(desk.world.directory.remove_account(ALICE))
    desk.advance(13)
    assert at_bob(desk) == []
    [(_, reason)] = desk.back
    assert reason


def test_a_draft_that_nobody_knows(desk: Desk) -> None:
    with pytest.raises(HasLeft):
        at_once(desk.composing.outbox.unsend(ALICE, DraftId("a" * 32)))
    with pytest.raises(NoSuchDraft):
        at_once(desk.composing.outbox.send(desk.alice, DraftId("a" * 32), 10.0))
