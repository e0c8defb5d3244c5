"""What open pages are told, over the memory store, with time moved by hand."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar, cast

import pytest
from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.logger import ILogObserver, LogEvent, LogLevel, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from mailkit.errors import NoSuchMailbox, StorageBroken
from mailkit.model.address import AccountName
from mailkit.model.conversation import ConversationChange, Counts
from mailkit.model.event import MailEvent, Step
from mailkit.model.flags import FlagAction, FlagChange
from mailkit.model.mailbox import INBOX, MailboxName
from mailkit.model.uidset import ALL_UIDS
from mailkit.services.live.listener import MOST_WAITING, Listener
from mailkit.services.live.news import (
    Arrived,
    Counted,
    DraftSaved,
    LiveEvent,
    LookAnew,
    News,
    SentState,
    SessionsChanged,
    ThreadChanged,
    ThreadsGone,
    draft_of,
    tell_draft,
    tell_sent,
    tell_sessions,
    topic,
)
from mailkit.services.live.rooms import (
    APART,
    GATHERED,
    KEPT_FOR,
    MOST_LISTENERS,
    MOST_THREADS,
    Live,
)
from mailkit.services.sentnews import SentNews
from mailkit.storage.memory.events import MemoryEvents
from mailkit.storage.memory.store import MemoryStore
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import NEW_YEAR, TestClock
from mailkit.testing.contracts.messages import new
from tests.storage.maildir.doubles import Board

T = TypeVar("T")

ALICE = AccountName("alice@example.test")
DRAFT = "0123456789abcdef0123456789abcdef"


def letter(subject: str) -> bytes:
    return (
        f"From: Ingrid <ingrid@far.example>\r\nSubject: {subject}\r\n"
        f"Message-ID: <{subject}@far.example>\r\n\r\nHello.\r\n"
    ).encode()


@define(eq=False)
class World:
    """One account, and a `Live` that hears of it."""

    clock: TestClock = field(factory=TestClock)
    board: Board = field(factory=Board)
    store: MemoryStore = field(init=False)
    live: Live = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.store = MemoryStore(now=self.clock.seconds)
        at_once(self.store.create_account(ALICE))
        self.live = Live(self.store.conversations, self.store, self.board, self.clock)

    def listen(self, since: int | None = None) -> tuple[Listener, list[News], int]:
        listener, missed, mod_seq = at_once(self.live.listen(ALICE, since))
        return listener, [one.news for one in missed], mod_seq

    def deliver(self, subject: str, mailbox: str = INBOX, when: float = 0) -> None:
        message = new(letter(subject), internal_date=when or self.clock.seconds())
        at_once(self.store.append(ALICE, MailboxName(mailbox), [message]))
        self.changed()

    def changed(self) -> None:
        self.board.publish(f"mail:{ALICE}", "1")

    def flag(self, flag: str) -> None:
        mailbox = at_once(self.store.open(ALICE, INBOX))
        change = FlagChange(FlagAction.ADD, frozenset({flag}))
        at_once(mailbox.store(ALL_UIDS, change))
        self.changed()

    def pass_time(self, seconds: float = GATHERED + APART) -> None:
        self.clock.pump([0.01] * round(seconds * 100))


def told(listener: Listener) -> list[News]:
    """What waits for a listener."""
    found: list[News] = []
    while True:
        waiting = begun(listener.next(1000))
        if not waiting.called:
            listener.give(LiveEvent(0, SessionsChanged()))
            assert of(waiting) is not None
            return found
        event = of(waiting)
        assert event is not None
        found.append(event.news)


def begun(coroutine: Coroutine[Any, Any, T]) -> Deferred[T]:
    return Deferred.fromCoroutine(coroutine)


def of(waiting: Deferred[T]) -> T:
    return SynchronousTestCase().successResultOf(waiting)


@pytest.fixture
def world() -> World:
    return World()


def test_new_mail_is_told_soon(world: World) -> None:
    listener, missed, _ = world.listen()
    assert missed == []
    world.deliver("one")
    assert told(listener) == []
    world.pass_time()
    arrived, counted = told(listener)
    assert isinstance(arrived, Arrived) and arrived.notify
    assert arrived.summary.subject == "one"
    assert isinstance(counted, Counted)
    assert counted.counts[INBOX] == Counts(1, 1)


def test_old_mail_that_moves_notifies_nobody(world: World) -> None:
    listener, _, _ = world.listen()
    world.deliver("old", when=NEW_YEAR - 86400)
    world.deliver("archived", "Archive")
    world.pass_time()
    notified = [one.notify for one in told(listener) if isinstance(one, Arrived)]
    assert notified == [False, False]


def test_flags_and_departures(world: World) -> None:
    world.deliver("one")
    listener, _, _ = world.listen()
    world.flag("\\Flagged")
    world.pass_time()
    changed = told(listener)[0]
    assert isinstance(changed, ThreadChanged)
    assert "\\Flagged" in changed.flags
    assert (changed.mailboxes, changed.total) == ((INBOX,), 1)
    mailbox = at_once(world.store.open(ALICE, INBOX))
    change = FlagChange(FlagAction.ADD, frozenset({"\\Deleted"}))
    at_once(mailbox.store(ALL_UIDS, change))
    at_once(mailbox.expunge(ALL_UIDS))
    world.changed()
    world.pass_time(1.2)
    gone, counted = told(listener)
    assert gone == ThreadsGone((changed.thread_id,))
    assert isinstance(counted, Counted) and counted.counts[INBOX] == Counts(0, 0)


def test_counts_come_once_a_second(world: World) -> None:
    listener, _, _ = world.listen()
    for n in range(20):
        world.deliver(f"m{n}")
        world.pass_time(0.1)
    world.pass_time(2)
    counted = [one for one in told(listener) if isinstance(one, Counted)]
    assert 3 <= len(counted) <= 4
    assert counted[-1].counts[INBOX] == Counts(20, 20)


def test_what_was_missed_is_told(world: World) -> None:
    listener, _, mod_seq = world.listen()
    listener.close()
    world.deliver("one")
    world.deliver("two")
    _, missed, _ = world.listen(mod_seq)
    subjects = [one.summary.subject for one in missed if isinstance(one, Arrived)]
    assert subjects == ["one", "two"]
    assert isinstance(missed[-1], Counted)


def test_an_account_nobody_looked_at(world: World) -> None:
    """Its room is made anew, and the store tells what was missed all the same."""
    listener, _, mod_seq = world.listen()
    listener.close()
    world.clock.advance(KEPT_FOR)
    world.deliver("one")
    _, missed, _ = world.listen(mod_seq)
    assert any(isinstance(one, Arrived) for one in missed)


def test_of_a_store_that_is_no_more(world: World) -> None:
    _, missed, _ = world.listen(10**18)
    assert missed == [LookAnew()]


def test_much_at_once_is_looked_at_anew(world: World) -> None:
    listener, _, mod_seq = world.listen()
    for n in range(MOST_THREADS + 1):
        world.deliver(f"m{n}")
    world.pass_time()
    assert isinstance(told(listener)[0], LookAnew)
    _, missed, _ = world.listen(mod_seq)
    assert missed[0] == LookAnew()


def test_a_mailbox_that_is_made(world: World) -> None:
    world.deliver("one")
    listener, _, _ = world.listen()
    at_once(world.store.create(ALICE, MailboxName("Club")))
    world.changed()
    world.pass_time()
    assert all(isinstance(one, LookAnew | Counted) for one in told(listener))


def test_drafts_and_what_was_sent(world: World) -> None:
    listener, _, mod_seq = world.listen()
    tell_draft(world.board, ALICE, DRAFT, 7)
    tell_sent(world.board, ALICE, DRAFT, "failed", "550 no such user")
    tell_sessions(world.board, ALICE)
    world.board.publish(topic(ALICE), "something of a later version")
    expected = [
        DraftSaved(DRAFT, 7),
        SentState(DRAFT, "failed", "550 no such user"),
    ]
    assert told(listener) == [*expected, SessionsChanged()]
    _, missed, _ = world.listen(mod_seq)
    assert missed == expected  # nobody signs out again
    world.clock.advance(KEPT_FOR + 1)
    _, missed, _ = world.listen(mod_seq)
    assert missed == []


def test_the_record_tells_senders() -> None:
    board, events = Board(), MemoryEvents()
    news = SentNews(events, board)

    def step(step: Step, account: str = ALICE, id: str = f"<{DRAFT}@h.test>") -> None:
        news.record(MailEvent(0.0, step, "T1", id, "a@b", "c@d", "", account, "250 ok"))

    step(Step.QUEUED)
    step(Step.SENT)
    step(Step.DELIVERED)  # of the recipient's account
    step(Step.SENT, account="")
    step(Step.SENT, id="<x@y>")
    assert board.told == [
        (topic(ALICE), f"sent {DRAFT} queued "),
        (topic(ALICE), f"sent {DRAFT} sent 250 ok"),
    ]
    assert len(at_once(news.find("T1"))) == 5
    at_once(news.close())


def test_drafts_are_known_by_their_message_id() -> None:
    assert draft_of(f"<{DRAFT}@mail.example.test>") == DRAFT
    assert draft_of(f"<{DRAFT}.19b76daa800@mail.example.test>") == DRAFT
    assert draft_of("<1@far.example>") == ""


def test_the_oldest_gives_way(world: World) -> None:
    listeners = [world.listen()[0] for _ in range(MOST_LISTENERS + 1)]
    assert [one.is_closed for one in listeners] == [True] + [False] * MOST_LISTENERS


def test_a_reader_that_is_slow(world: World) -> None:
    listener, _, _ = world.listen()
    for n in range(MOST_WAITING + 1):
        listener.give(LiveEvent(n, DraftSaved(DRAFT, n)))
    assert told(listener) == [LookAnew()]


def test_silence(world: World) -> None:
    listener, _, _ = world.listen()
    waiting = begun(listener.next(25))
    world.clock.advance(24)
    assert not waiting.called
    world.clock.advance(1)
    assert of(waiting) is None and not listener.is_closed
    waiting = begun(listener.next(25))
    listener.close()
    listener.close()
    assert of(waiting) is None and listener.is_closed
    assert of(begun(listener.next(25))) is None


def test_a_notice_that_was_lost(world: World) -> None:
    listener, _, _ = world.listen()
    at_once(world.store.append(ALICE, INBOX, [new(letter("one"))]))
    world.live.look(ALICE)
    world.live.look(AccountName("nobody@example.test"))
    world.pass_time()
    assert any(isinstance(one, Arrived) for one in told(listener))


def test_nobody_is_told_where_nobody_listens(world: World) -> None:
    listener, _, _ = world.listen()
    listener.close()
    world.deliver("one")
    assert [call.getTime() for call in world.clock.getDelayedCalls()] == [
        NEW_YEAR + KEPT_FOR
    ]
    world.clock.advance(KEPT_FOR)
    assert world.clock.getDelayedCalls() == []


def test_the_end(world: World) -> None:
    listener, _, _ = world.listen()
    world.deliver("one")
    world.live.close()
    assert listener.is_closed
    assert world.clock.getDelayedCalls() == []


@pytest.mark.parametrize(
    ("error", "level"),
    [(StorageBroken("no"), LogLevel.warn), (ZeroDivisionError(), LogLevel.critical)],
)
def test_a_look_that_fails_is_done_again(
    world: World,
    error: Exception,
    level: LogLevel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    listener, _, _ = world.listen()
    changes = world.store.conversations.changes
    failing = [error]

    async def fail_once(
        account: AccountName, mod_seq: int, most: int = 500
    ) -> ConversationChange:
        if failing:
            raise failing.pop()
        return await changes(account, mod_seq, most)

    monkeypatch.setattr(
        type(world.store.conversations), "changes", staticmethod(fail_once)
    )
    heard: list[LogEvent] = []
    observer = cast(ILogObserver, heard.append)
    globalLogPublisher.addObserver(observer)
    try:
        world.deliver("one")
        world.pass_time()
    finally:
        globalLogPublisher.removeObserver(observer)
    assert [one["log_level"] for one in heard] == [level]
    assert told(listener) == []
    world.deliver("two")
    world.pass_time()
    assert len([one for one in told(listener) if isinstance(one, Arrived)]) == 2


def test_whoever_cannot_be_served_is_not_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(account: AccountName) -> int:
        raise StorageBroken("no")

    monkeypatch.setattr(type(world.store.conversations), "mod_seq", staticmethod(fail))
    with pytest.raises(StorageBroken):
        at_once(world.live.listen(ALICE))
    assert len(world.clock.getDelayedCalls()) == 1  # the room goes in a while


@pytest.mark.parametrize("was_open", [True, False])
def test_a_notice_while_somebody_begins_to_listen(
    world: World, was_open: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was there before is no news, however long it takes to know the state."""
    if was_open:
        other, _, _ = world.listen()
        world.deliver("before")
        other.close()
    else:
        world.deliver("before")
    turn: Deferred[None] = Deferred()
    conversations = world.store.conversations
    real = conversations.mod_seq

    async def slow(account: AccountName) -> int:
        found = await real(account)
        await turn
        return found

    monkeypatch.setattr(type(conversations), "mod_seq", lambda _, name: slow(name))
    listening = begun(world.live.listen(ALICE))
    world.deliver("one")
    world.pass_time()
    turn.callback(None)
    listener, _, _ = of(listening)
    world.pass_time()
    arrived = [one for one in told(listener) if isinstance(one, Arrived)]
    assert [one.summary.subject for one in arrived] == ["one"]


@pytest.mark.parametrize("stays", [True, False])
def test_a_notice_while_it_looks(
    world: World, stays: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener, _, _ = world.listen()
    changes = world.store.conversations.changes
    waiting: list[Deferred[None]] = []

    async def wait(
        account: AccountName, mod_seq: int, most: int = 500
    ) -> ConversationChange:
        found = await changes(account, mod_seq, most)
        waiting.append(Deferred())
        await waiting[-1]
        return found

    kind = type(world.store.conversations)
    monkeypatch.setattr(kind, "changes", staticmethod(wait))
    world.deliver("one")
    world.pass_time()
    world.deliver("two")
    if not stays:
        listener.close()
    waiting[0].callback(None)
    world.pass_time()
    assert len(waiting) == (2 if stays else 1)
    if stays:
        waiting[1].callback(None)
        assert len([one for one in told(listener) if isinstance(one, Arrived)]) == 2


def test_a_mailbox_that_goes_before_it_is_counted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(account: AccountName, view: object) -> Counts:
        raise NoSuchMailbox("INBOX")

    listener, _, _ = world.listen()
    kind = type(world.store.conversations)
    monkeypatch.setattr(kind, "count", staticmethod(gone))
    world.deliver("one")
    world.pass_time()
    counted = told(listener)[-1]
    assert isinstance(counted, Counted) and not counted.counts
