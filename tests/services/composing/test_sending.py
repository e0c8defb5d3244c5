"""Sending, calling back, and what cannot be sent."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from attrs import define, evolve, field
from zope.interface import implementer

from mailkit.errors import (
    HasLeft,
    NoSuchDraft,
    SentTooMuch,
    StorageFull,
)
from mailkit.interfaces.delivery import IDestination, ITransaction, Origin
from mailkit.model.account import Account
from mailkit.model.draft import DraftState, Opening, Purpose, Writing
from mailkit.model.envelope import Envelope, Recipient
from mailkit.model.event import MailEvent, Step
from mailkit.model.mailbox import MailboxName
from mailkit.model.outcome import Failed, Outcome
from mailkit.model.path import Path
from mailkit.model.queueitem import Selection
from mailkit.services.composing.errors import CannotSend, Lack, RecipientsRefused
from mailkit.services.composing.fates import Fate, together
from mailkit.services.composing.handing import path_of
from mailkit.services.composing.sending import FORWARDED
from mailkit.services.composing.settings import ComposingSettings
from mailkit.storage.memory.queue import MemoryQueue
from mailkit.testing.at_once import at_once
from mailkit.testing.contracts.messages import message
from tests.services.composing.world import (
    HELLO,
    Desk,
    drafts_of,
    items,
    text_of,
)
from tests.services.smtp.world import ALICE, BOB


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
