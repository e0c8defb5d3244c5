"""Sending, calling back, sending later, and stops in between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from attrs import define, evolve, field
from twisted.trial.unittest import TestCase
from zope.interface import implementer

from mailkit.errors import (
    DraftChanged,
    HasLeft,
    NoSuchDraft,
    SentTooMuch,
    StorageFull,
    Unavailable,
)
from mailkit.interfaces.delivery import IDestination, ITransaction, Origin
from mailkit.model.account import Account
from mailkit.model.address import AccountName
from mailkit.model.draft import Draft, DraftId, DraftState, Opening, Purpose, Writing
from mailkit.model.envelope import Envelope, Recipient
from mailkit.model.event import MailEvent, Step
from mailkit.model.mailbox import MailboxName
from mailkit.model.outcome import Failed, Outcome
from mailkit.model.path import Path
from mailkit.model.query import Everything
from mailkit.model.queueitem import QueueItem, Selection
from mailkit.services.composing.errors import CannotSend, Lack, RecipientsRefused
from mailkit.services.composing.fates import Fate, together
from mailkit.services.composing.handing import path_of
from mailkit.services.composing.placing import remove
from mailkit.services.composing.sending import CALLED_BACK, FORWARDED
from mailkit.services.composing.settings import ComposingSettings
from mailkit.storage.memory.drafts import MemoryDrafts
from mailkit.storage.memory.queue import MemoryQueue
from mailkit.testing.at_once import at_once
from mailkit.testing.contracts.messages import message
from tests.services.composing.world import HELLO, Desk, text_of
from tests.services.smtp.world import ALICE, BOB

EVERYTHING = Selection()


def items(desk: Desk) -> list[QueueItem]:
    return list(at_once(desk.queue.items(EVERYTHING)))


def drafts_of(desk: Desk) -> list[Draft]:
    return list(at_once(desk.drafts.drafts(ALICE)))


def test_held_then_gone() -> None:
    desk = Desk()
    sent = desk.send(desk.begin(evolve(HELLO, to="bob@example.org, c@example.net")))
    assert sent.hold_until == desk.world.clock.seconds() + 13
    assert [item.hold_until for item in items(desk)] == [sent.hold_until] * 2
    assert desk.subjects("Drafts") == []
    assert desk.subjects("Sent") == ["Hello"]
    assert desk.subjects("INBOX", BOB) == []  # people of ours wait, too
    desk.advance(12.9)
    assert drafts_of(desk) == [sent]
    desk.advance(0.1)
    assert drafts_of(desk) == []
    assert desk.subjects("Sent") == ["Hello"]
    assert len(items(desk)) == 2  # the queue goes on from there
    assert list(at_once(desk.drafts.marked())) == []


def test_sent_twice_by_a_double_click() -> None:
    desk = Desk()
    draft = desk.begin()
    first = desk.send(draft)
    assert desk.send(draft) == first
    assert len(items(desk)) == 1
    desk.advance(13)
    with pytest.raises(NoSuchDraft):
        desk.send(draft)


def test_blind_copies_are_seen_by_the_sender_alone() -> None:
    desk = Desk()
    desk.send(desk.begin(evolve(HELLO, bcc="dora@example.net")))
    [own] = desk.messages("Sent")
    assert own["Bcc"] == "dora@example.net"
    paths = {str(r.path) for item in items(desk) for r in item.recipients}
    assert paths == {"bob@example.org", "dora@example.net"}
    content = at_once(desk.queue.content(items(desk)[0].id))
    assert b"dora" not in (content.octets or b"")


def test_called_back() -> None:
    desk = Desk()
    sent = desk.send(desk.begin())
    desk.advance(9)
    draft = desk.unsend(sent)
    assert draft.state is DraftState.WRITING
    assert draft.writing == HELLO
    assert (items(desk), desk.subjects("Sent")) == ([], [])
    assert desk.subjects("Drafts") == ["Hello"]
    assert desk.unsend(draft) == draft
    desk.advance(100)
    assert drafts_of(desk) == [draft]
    desk.send(desk.save(draft, evolve(HELLO, text="better")))
    [own] = desk.messages("Sent")
    assert text_of(own).strip() == "better"


def test_too_late() -> None:
    desk = Desk()
    sent = desk.send(desk.begin())
    at_once(desk.queue.drop(Selection(ids=(sent.transaction,))))  # it went somehow
    with pytest.raises(HasLeft):
        desk.unsend(sent)
    desk.advance(13)
    with pytest.raises(HasLeft):
        desk.unsend(sent)


def test_too_late_by_a_moment() -> None:
    desk = Desk()
    sent = desk.send(desk.begin())
    desk.composing.outbox.stop()
    desk.world.clock.rightNow += 13
    with pytest.raises(HasLeft):
        desk.unsend(sent)


class _Slow(MemoryQueue):
    """A disk that takes its time."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def hold(self, selection: Selection, reason: str, most: int = 1000) -> int:
        count = await self._desk.queue.hold(selection, reason, most)
        self._desk.world.clock.rightNow += 20
        return count

    async def release(self, selection: Selection, now: float, most: int = 1000) -> int:
        return await self._desk.queue.release(selection, now, most)


def test_the_hold_ends_while_it_is_called_back() -> None:
    desk = Desk()
    sent = desk.send(desk.begin())
    desk.composing.outbox.stop()
    desk.composing.house.queue = _Slow(desk)
    with pytest.raises(HasLeft):
        desk.unsend(sent)
    [item] = items(desk)
    assert not item.held


def test_later() -> None:
    desk = Desk()
    at = desk.world.clock.seconds() + 3600
    sent = desk.send(desk.begin(), at=at)
    assert (sent.hold_until, sent.is_later) == (at, True)
    assert (desk.subjects("Drafts"), desk.subjects("Sent")) == ([], [])
    [waiting] = at_once(desk.composing.waiting(ALICE))
    assert (waiting.leaves, waiting.subject) == (at, "Hello")
    assert (waiting.recipients, waiting.draft) == (("bob@example.org",), sent.id)
    assert list(at_once(desk.composing.waiting(BOB))) == []
    desk.advance(3599)
    at_once(desk.composing.outbox.recover())
    assert desk.subjects("Sent") == []
    desk.advance(1)
    assert desk.subjects("Sent") == ["Hello"]
    assert list(at_once(desk.composing.waiting(ALICE))) == []
    content = at_once(desk.queue.content(items(desk)[0].id))
    assert b"Date: Thu, 01 Jan 2026 01:00:00 +0000" in (content.octets or b"").replace(
        b"Thu, 1 Jan", b"Thu, 01 Jan"
    )


def test_later_is_found_by_looking() -> None:
    desk = Desk()
    at = desk.world.clock.seconds() + 3600
    desk.send(desk.begin(evolve(HELLO, to="b@example.net, c@example.com")), at=at)
    desk.composing.outbox.stop()
    other = desk.make()
    other.outbox.start()
    [waiting] = at_once(other.waiting(ALICE))
    assert waiting.recipients == ("b@example.net", "c@example.com")
    for _ in range(130):
        desk.advance(30)
    assert desk.subjects("Sent") == ["Hello"]
    other.outbox.stop()
    other.outbox.stop()


def test_later_may_be_changed_until_it_goes() -> None:
    desk = Desk()
    at = desk.world.clock.seconds() + 3600
    sent = desk.send(desk.begin(), at=at)
    desk.advance(1800)
    draft = desk.unsend(sent)
    assert (draft.is_later, draft.hold_until) == (False, 0.0)
    assert desk.subjects("Drafts") == ["Hello"]


@pytest.mark.parametrize("seconds", [-1.0, 0.0, 366 * 86400.0])
def test_times_that_cannot_be(seconds: float) -> None:
    desk = Desk()
    draft = desk.begin()
    with pytest.raises(CannotSend) as caught:
        desk.send(draft, at=desk.world.clock.seconds() + seconds)
    assert caught.value.lack is Lack.TIME


def test_what_other_programs_send_later() -> None:
    desk = Desk()
    at = desk.world.clock.seconds() + 3600
    sent = desk.send(desk.begin(), at=at)
    at_once(desk.drafts.remove(ALICE, sent.id))
    [waiting] = at_once(desk.composing.waiting(ALICE))
    assert waiting.draft is None
    with pytest.raises(HasLeft):
        at_once(desk.composing.cancel(BOB, waiting.transaction))
    at_once(desk.composing.cancel(ALICE, waiting.transaction))
    assert items(desk) == []
    with pytest.raises(HasLeft):
        at_once(desk.composing.cancel(ALICE, waiting.transaction))


WRONG = [
    (Writing(subject="x"), Lack.NOBODY, ()),
    (Writing(to="bob, c@example.net"), Lack.NO_ADDRESS, ("bob",)),
    (Writing(to="b@example.net", sender="bob@example.org"), Lack.SENDER, None),
    (Writing(to="a@b.example, b@b.example, c@b.example"), Lack.TOO_MANY, ()),
    (Writing(to="b@example.net", text="\ud800"), Lack.CANNOT, None),
    (Writing(to="b@example.net", text="x " * 1000), Lack.TOO_LARGE, ()),
]


@pytest.mark.parametrize(("writing", "lack", "what"), WRONG)
def test_what_cannot_be_sent(
    writing: Writing, lack: Lack, what: tuple[str, ...] | None
) -> None:
    desk = Desk(settings=ComposingSettings(recipients=2, message_size=2000))
    drafts = desk.composing.drafts
    draft = at_once(drafts.save(desk.alice, drafts.next_id(), writing, 0)).draft
    with pytest.raises(CannotSend) as caught:
        desk.send(draft)
    assert caught.value.lack is lack
    assert what is None or caught.value.what == what
    assert at_once(drafts.open(ALICE, draft.id)).state is DraftState.WRITING
    assert items(desk) == []


def test_somebody_who_is_not_there() -> None:
    desk = Desk()
    draft = desk.begin(evolve(HELLO, to="bob@example.org, nobody@example.org"))
    with pytest.raises(RecipientsRefused) as caught:
        desk.send(draft)
    assert [turned.address for turned in caught.value.turned] == ["nobody@example.org"]
    assert items(desk) == []
    again = at_once(desk.composing.drafts.open(ALICE, draft.id))
    assert again.state is DraftState.WRITING
    assert desk.subjects("Drafts") == ["Hello"]
    desk.send(desk.save(again, HELLO))


def test_the_message_as_a_whole_is_not_taken() -> None:
    desk = Desk()
    draft = desk.begin()
    desk.world.spool.left = 0
    with pytest.raises(StorageFull):
        desk.send(draft)
    desk.world.spool.left = None
    assert desk.send(draft).state is DraftState.HELD


@implementer(IDestination)
class _FullDisk:
    """What takes every recipient, and has room for nobody in the end."""

    async def begin(self, envelope: Envelope, origin: Origin) -> ITransaction:
        return _FullTransaction()


@implementer(ITransaction)
@define
class _FullTransaction:
    paths: list[Path] = field(factory=list)

    async def add_recipient(self, recipient: Recipient) -> None:
        self.paths.append(recipient.path)

    async def write(self, octets: bytes) -> None:
        """It is not looked at."""

    async def prepare(self) -> Mapping[Path, Outcome]:
        return {path: Failed(StorageFull()) for path in self.paths}

    async def commit(self) -> str:
        raise NotImplementedError  # nobody is left

    async def abort(self) -> None:
        """Nothing was kept."""


def test_a_recipient_fails_at_the_end() -> None:
    desk = Desk()
    desk.composing.house.destination = _FullDisk()
    with pytest.raises(RecipientsRefused):
        desk.send(desk.begin())
    [draft] = drafts_of(desk)
    assert draft.state is DraftState.WRITING


def test_limits_of_sending() -> None:
    @define
    class Little:
        async def check_sender(self, account: Account) -> None:
            """It may."""

        async def check_recipient(self, account: Account, path: Path) -> None:
            raise SentTooMuch("enough for today")

    desk = Desk(limit=Little())
    with pytest.raises(RecipientsRefused):
        desk.send(desk.begin())


def test_international_addresses() -> None:
    assert path_of("bob@bücher.example") == Path("bob", "xn--bcher-kva.example")
    assert path_of("bøb@bücher.example") == Path("bøb", "bücher.example")
    desk = Desk()
    desk.send(desk.begin(evolve(HELLO, to="bøb@example.net")))
    [item] = items(desk)
    assert item.envelope.parameters.smtputf8


@pytest.mark.parametrize(
    ("purpose", "flag"),
    [
        (Purpose.REPLY, "\\Answered"),
        (Purpose.REPLY_ALL, "\\Answered"),
        (Purpose.FORWARD, FORWARDED),
        (Purpose.FORWARD_ATTACHED, FORWARDED),
        (Purpose.AS_NEW, ""),
    ],
)
def test_the_original_is_flagged_when_it_leaves(purpose: Purpose, flag: str) -> None:
    desk = Desk()
    original = desk.receive(message())
    desk.send(desk.begin(HELLO, Opening(purpose, original)))
    assert desk.flags("INBOX") == [frozenset()]
    desk.advance(13)
    assert desk.flags("INBOX") == [frozenset({flag} - {""})]


def test_an_original_that_is_gone() -> None:
    desk = Desk()
    desk.receive(message())
    name = MailboxName("Work")
    at_once(desk.store.create(ALICE, name))
    original = desk.receive(message(2), mailbox="Work")
    desk.send(desk.begin(HELLO, Opening(Purpose.REPLY, original)))
    at_once(desk.store.delete(ALICE, name))
    desk.advance(13)
    assert drafts_of(desk) == []


def test_people_are_remembered() -> None:
    desk = Desk()
    sent = desk.send(desk.begin(evolve(HELLO, to="Bob Builder <bob@example.org>")))
    assert list(at_once(desk.composing.suggest(ALICE, "buil"))) == []
    desk.send(desk.unsend(sent))
    desk.advance(13)
    [bob] = at_once(desk.composing.suggest(ALICE, "buil"))
    assert (bob.name, bob.address, bob.sent) == ("Bob Builder", "bob@example.org", 1)
    at_once(desk.composing.hide(ALICE, bob.address))
    assert list(at_once(desk.composing.suggest(ALICE, "buil"))) == []


def test_what_became_of_it() -> None:
    desk = Desk()
    sent = desk.send(desk.begin(evolve(HELLO, to="bob@example.org, c@example.net")))
    found = at_once(desk.composing.fates(ALICE, sent.message_id))
    assert {each.recipient: each.fate for each in found} == {
        "bob@example.org": Fate.QUEUED,
        "c@example.net": Fate.QUEUED,
    }
    assert at_once(desk.composing.fates(BOB, sent.message_id)) == ()
    assert at_once(desk.composing.fates(ALICE, "")) == ()
    for step, fate, worst in (
        (Step.DEFERRED, Fate.DEFERRED, Fate.DEFERRED),
        (Step.SENT, Fate.SENT, Fate.QUEUED),
        (Step.BOUNCED, Fate.FAILED, Fate.FAILED),
    ):
        event = MailEvent(
            1.0, step, sent.transaction, sent.message_id, "", "c@example.net", ""
        )
        desk.world.events.record(event)
        found = at_once(desk.composing.fates(ALICE, sent.message_id))
        assert {e.recipient: e.fate for e in found}["c@example.net"] is fate
        assert together(found) is worst
    assert together(()) is None


# -- stops in between


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
