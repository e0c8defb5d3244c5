"""
What pages are told while they are open: new mail, changes, drafts, what was sent.

A room for each account that somebody looks at. It hears of changes from the notice
board, looks what they were, and tells all who listen. Nothing of it has to be kept:
whoever comes back says the MODSEQ that was known, and `IConversations.changes` has
what was missed.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from mailkit.errors import MailkitError, NoSuchMailbox
from mailkit.interfaces.conversations import IConversations
from mailkit.interfaces.notices import INoticeBoard
from mailkit.interfaces.storage import IMailStore, IWatch
from mailkit.model.address import AccountName
from mailkit.model.conversation import (
    ConversationChange,
    Counts,
    InMailbox,
    Summary,
)
from mailkit.model.flags import Flags
from mailkit.model.mailbox import INBOX, MailboxName, SpecialUse

MOST_LISTENERS = 6
"""Streams of one account in one process; the oldest gives way to one more."""

KEPT_FOR = 600.0
"""Seconds for which what is nowhere else is told again to whoever comes back."""

MOST_THREADS = 20
"""Changed conversations that are told one by one; more are looked at anew."""

MOST_WAITING = 1000
"""Events that wait for a reader; with more, everything is to be looked at anew."""

GATHERED = 0.02
"""Seconds from the first notice to the look, so that one look serves several."""

APART = 0.1
"""Seconds between two looks at one account."""

COUNTED_APART = 1.0
"""Seconds between two counts."""

FRESH = 600.0
"""Seconds after which a message that comes is an old one that somebody moved."""

_KEPT = 50  # events that are told again
_USES = Mapping[MailboxName, SpecialUse | None]
_DRAFT = re.compile(r"<([0-9a-f]{32})@")


@frozen
class Arrived:
    """A message is new where it lies."""

    summary: Summary
    notify: bool
    """Whether a person wants to hear of it: it came to the inbox just now."""
    uses: _USES = field(repr=False)


@frozen
class ThreadChanged:
    """A conversation has other messages, flags or places."""

    thread_id: str
    flags: Flags
    """Of all of its messages."""
    mailboxes: tuple[MailboxName, ...]
    total: int
    uses: _USES = field(repr=False)


@frozen
class ThreadsGone:
    """Conversations that have no message any more."""

    thread_ids: tuple[str, ...]


@frozen
class Counted:
    """The numbers of mailboxes that changed."""

    counts: Mapping[MailboxName, Counts]
    uses: _USES = field(repr=False)


@frozen
class DraftSaved:
    """A draft was saved, by whichever page."""

    draft: str
    revision: int


@frozen
class SentState:
    """What became of something that was sent."""

    draft: str
    """Under which it was written."""
    state: str
    """``queued``, ``sent``, ``deferred``, ``failed``."""
    reason: str


@frozen
class SessionsChanged:
    """Somebody was signed out: whoever listens looks whether it was this browser."""


@frozen
class LookAnew:
    """More happened than is told."""


News = (
    Arrived
    | ThreadChanged
    | ThreadsGone
    | Counted
    | DraftSaved
    | SentState
    | SessionsChanged
    | LookAnew
)


@frozen
class LiveEvent:
    """One thing to be told, and the state that is known with it."""

    mod_seq: int
    news: News


# -- what others of this server put on the board


def topic(account: AccountName) -> str:
    """Under which pages of an account are told what is no change of mail."""
    return f"web:{account}"


def tell_draft(
    board: INoticeBoard, account: AccountName, draft: str, revision: int
) -> None:
    """A draft was saved."""
    board.publish(topic(account), f"draft {draft} {revision}")


def tell_sent(
    board: INoticeBoard, account: AccountName, draft: str, state: str, reason: str
) -> None:
    """Something more is known of what an account sent."""
    board.publish(topic(account), f"sent {draft} {state} {reason[:1000]}")


def tell_sessions(board: INoticeBoard, account: AccountName) -> None:
    """A browser was signed out, or all of them."""
    board.publish(topic(account), "sessions")


def draft_of(message_id: str) -> str:
    """The draft that a message was; empty: none of this server's pages."""
    found = _DRAFT.match(message_id)
    return found[1] if found else ""


def _read(text: str) -> News | None:
    """What a notice says; ``None``: nothing that is known here."""
    kind, _, rest = text.partition(" ")
    draft, _, rest = rest.partition(" ")
    match kind:
        case "draft" if rest.isascii() and rest.isdigit():
            return DraftSaved(draft, int(rest))
        case "sent":
            state, _, reason = rest.partition(" ")
            return SentState(draft, state, reason)
        case "sessions":
            return SessionsChanged()
        case _:
            return None


# -- those who listen


@define(eq=False)
class Listener:
    """One page that is open; `Live.listen` makes it."""

    _clock: IReactorTime
    _left: Callable[[Listener], None]
    _events: deque[LiveEvent] = field(factory=deque, init=False)
    _waiter: Deferred[None] | None = field(default=None, init=False)
    is_closed: bool = field(default=False, init=False)
    gave_way: bool = field(default=False, init=False)
    """Whether it was closed for a newer one."""

    async def next(self, patience: float) -> LiveEvent | None:
        """
        What is to be told next.

        :returns: ``None`` where nothing happened in so many seconds, or where it is
            over: see `is_closed`.
        """
        if not self._events and not self.is_closed:
            self._waiter = Deferred()
            timer = self._clock.callLater(patience, self._wake)
            await self._waiter
            if timer.active():
                timer.cancel()
        return self._events.popleft() if self._events else None

    def give(self, event: LiveEvent) -> None:
        """Have it told."""
        if len(self._events) >= MOST_WAITING:
            self._events.clear()
            event = LiveEvent(event.mod_seq, LookAnew())
        self._events.append(event)
        self._wake()

    def close(self) -> None:
        """Listen no more; safe to call twice."""
        if not self.is_closed:
            self.is_closed = True
            self._left(self)
            self._wake()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            waiter.callback(None)


@define(eq=False)
class _Room:
    """One account that somebody looks at, or did a moment ago."""

    log = Logger()

    account: AccountName
    house: Live
    listeners: list[Listener] = field(factory=list, init=False)
    mod_seq: int = field(default=0, init=False)
    _recent: deque[tuple[float, LiveEvent]] = field(
        factory=lambda: deque(maxlen=_KEPT), init=False
    )
    _watches: list[IWatch] = field(factory=list, init=False)
    _is_looking: bool = field(default=False, init=False)
    _is_told: bool = field(default=False, init=False)
    _looked: float = field(default=0.0, init=False)
    _counted: float = field(default=0.0, init=False)
    _uncounted: dict[MailboxName, None] = field(factory=dict, init=False)
    _uses: _USES = field(factory=dict, init=False)
    _timer: IDelayedCall | None = field(default=None, init=False)
    _ending: IDelayedCall | None = field(default=None, init=False)

    def open(self) -> None:
        """Hear of changes from now on."""
        hear = self.house.board.hear
        self._watches = [
            hear(f"mail:{self.account}", lambda text: self.look_soon()),
            hear(topic(self.account), self._hear),
        ]

    def close(self) -> None:
        """Hear of nothing any more."""
        for watch in self._watches:
            watch.stop()
        for call in (self._timer, self._ending):
            if call is not None and call.active():
                call.cancel()

    def enter(self, listener: Listener) -> None:
        """One more; of too many the first gives way."""
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None
        self.listeners.append(listener)
        while len(self.listeners) > MOST_LISTENERS:
            first = self.listeners[0]
            first.gave_way = True
            first.close()

    def leave(self, listener: Listener) -> None:
        """One less."""
        self.listeners.remove(listener)
        if not self.listeners and self._ending is None:
            self._ending = self.house.clock.callLater(KEPT_FOR, self._end)

    def recent(self) -> list[LiveEvent]:
        """What was told lately that is nowhere else."""
        since = self.house.clock.seconds() - KEPT_FOR
        return [event for when, event in self._recent if when >= since]

    def look_soon(self) -> None:
        """Something may have changed."""
        self._is_told = True
        if self._is_looking or not self.listeners:
            return
        now = self.house.clock.seconds()
        wait = max(GATHERED, self._looked + APART - now)
        if self._timer is None:
            self._timer = self.house.clock.callLater(wait, self._begin)
        elif self._timer.getTime() > now + wait:  # it was for counting
            self._timer.reset(wait)

    async def catch_up(self, since: int) -> list[LiveEvent]:
        """What somebody missed who knew that state."""
        change = await self.house.conversations.changes(self.account, since)
        news = await self._news(change)
        if change.mailboxes and change.is_whole:
            news.append(await self._count(dict.fromkeys(change.mailboxes)))
        told = [LiveEvent(change.mod_seq, one) for one in news]
        return told + self.recent()

    def _end(self) -> None:
        self._ending = None
        self.house.forget(self)

    def _hear(self, text: str) -> None:
        news = _read(text)
        if news is None:
            return
        event = LiveEvent(self.mod_seq, news)
        if not isinstance(news, SessionsChanged):
            self._recent.append((self.house.clock.seconds(), event))
        self._tell(event)

    def _tell(self, event: LiveEvent) -> None:
        for listener in tuple(self.listeners):
            listener.give(event)

    def _begin(self) -> None:
        self._timer = None
        self._is_looking = True
        self._is_told = False
        looking = Deferred.fromCoroutine(self._look())
        looking.addErrback(self._failed)
        looking.addBoth(self._done)

    def _failed(self, failure: Failure) -> None:
        if failure.check(MailkitError) is None:
            self.log.failure("{account}: pages are not told", failure)
            return
        self.log.warn(
            "{account}: pages are told later: {reason}",
            account=self.account,
            reason=repr(failure.value),
        )

    def _done(self, _: object) -> None:
        self._is_looking = False
        self._looked = self.house.clock.seconds()
        if not self.listeners:
            return
        if self._is_told:
            self.look_soon()
        elif self._uncounted and self._timer is None:
            wait = self._counted + COUNTED_APART - self._looked
            self._timer = self.house.clock.callLater(max(wait, 0.0), self._begin)

    async def _look(self) -> None:
        change = await self.house.conversations.changes(self.account, self.mod_seq)
        news = await self._news(change)
        self.mod_seq = max(self.mod_seq, change.mod_seq)
        self._uncounted.update(dict.fromkeys(change.mailboxes))
        now = self.house.clock.seconds()
        if self._uncounted and now - self._counted >= COUNTED_APART:
            self._counted, uncounted = now, dict(self._uncounted)
            self._uncounted.clear()
            news.append(await self._count(uncounted))
        for one in news:
            self._tell(LiveEvent(self.mod_seq, one))

    async def _news(self, change: ConversationChange) -> list[News]:
        if not change:
            return []
        if not change.is_whole or len(change.threads) > MOST_THREADS:
            return [LookAnew()]
        if any(name not in self._uses for name in change.mailboxes):
            entries = await self.house.store.mailboxes(self.account)
            self._uses = {entry.name: entry.special_use for entry in entries}
        news: list[News] = [self._arrived(one) for one in change.arrived]
        told = {one.thread_id for one in change.arrived}
        for thread_id in sorted(change.threads - told):
            news.append(await self._thread(thread_id))
        if change.gone:
            news.append(ThreadsGone(tuple(sorted(change.gone))))
        if not news and change.mailboxes:  # made, renamed or removed
            news.append(LookAnew())
        return news

    def _arrived(self, summary: Summary) -> Arrived:
        is_fresh = summary.internal_date >= self.house.clock.seconds() - FRESH
        is_here = any(place.mailbox == INBOX for place in summary.places)
        notify = summary.is_unread and is_fresh and is_here
        return Arrived(summary, notify, self._uses)

    async def _thread(self, thread_id: str) -> ThreadChanged:
        conversations = self.house.conversations
        messages = await conversations.conversation(self.account, thread_id)
        flags: set[str] = set()
        places: dict[MailboxName, None] = {}
        for message in messages:
            flags.update(message.flags)
            places.update(dict.fromkeys(place.mailbox for place in message.places))
        return ThreadChanged(
            thread_id, frozenset(flags), tuple(places), len(messages), self._uses
        )

    async def _count(self, names: Mapping[MailboxName, None]) -> Counted:
        counts: dict[MailboxName, Counts] = {}
        for name in names:
            try:
                counts[name] = await self.house.conversations.count(
                    self.account, InMailbox(name)
                )
            except NoSuchMailbox:  # removed a moment ago
                continue
        return Counted(counts, self._uses)


@define(eq=False)
class Live:
    """
    Tells pages what happens to their account.

    Closing it ends every stream.
    """

    conversations: IConversations
    store: IMailStore
    board: INoticeBoard
    clock: IReactorTime
    _rooms: dict[AccountName, _Room] = field(factory=dict, init=False)

    async def listen(
        self, account: AccountName, since: int | None = None
    ) -> tuple[Listener, Sequence[LiveEvent], int]:
        """
        Begin to listen.

        :param since: the MODSEQ that is known already, of somebody who comes back.
        :returns: also what was missed, and the state that is known with it.
        """
        room = self._rooms.get(account)
        if room is None:
            room = self._rooms[account] = _Room(account, self)
            room.open()
        listener = Listener(self.clock, room.leave)
        is_first = not room.listeners
        room.enter(listener)
        try:
            now = await self.conversations.mod_seq(account)
            if is_first:
                room.mod_seq = max(room.mod_seq, now)
            if since is None:
                missed: list[LiveEvent] = []
            elif since > now:  # it is of a store that is no more
                missed = [LiveEvent(now, LookAnew())]
            else:
                missed = await room.catch_up(since)
        except MailkitError:
            listener.close()
            raise
        return listener, missed, now

    def look(self, account: AccountName) -> None:
        """Look whether a notice was lost; notices are hints."""
        room = self._rooms.get(account)
        if room is not None:
            room.look_soon()

    def forget(self, room: _Room) -> None:
        """Nobody has looked at an account for a while."""
        room.close()
        self._rooms.pop(room.account, None)

    def close(self) -> None:
        """End every stream."""
        for room in tuple(self._rooms.values()):
            for listener in tuple(room.listeners):
                listener.close()
            self.forget(room)
