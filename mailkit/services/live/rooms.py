"""
A room for each account that somebody looks at.

It hears of changes from the notice board, looks what they were, and tells all who
listen. Nothing of it has to be kept: whoever comes back says the MODSEQ that was known,
and `IConversations.changes` has what was missed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from mailkit.errors import MailkitError, NoSuchMailbox
from mailkit.interfaces.conversations import IConversations
from mailkit.interfaces.notices import INoticeBoard
from mailkit.interfaces.storage import IMailStore, IWatch
from mailkit.model.address import AccountName
from mailkit.model.conversation import ConversationChange, Counts, InMailbox, Summary
from mailkit.model.mailbox import INBOX, MailboxName
from mailkit.services.live.listener import Listener
from mailkit.services.live.news import (
    Arrived,
    Counted,
    LiveEvent,
    LookAnew,
    News,
    SessionsChanged,
    ThreadChanged,
    ThreadsGone,
    Uses,
    read_notice,
    topic,
)

MOST_LISTENERS = 6
"""Streams of one account in one process; the oldest gives way to one more."""

KEPT_FOR = 600.0
"""Seconds for which what is nowhere else is told again to whoever comes back."""

MOST_THREADS = 20
"""Changed conversations that are told one by one; more are looked at anew."""

GATHERED = 0.02
"""Seconds from the first notice to the look, so that one look serves several."""

APART = 0.1
"""Seconds between two looks at one account."""

COUNTED_APART = 1.0
"""Seconds between two counts."""

FRESH = 600.0
"""Seconds after which a message that comes is an old one that somebody moved."""

_KEPT = 50  # events that are told again


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
    _is_known: bool = field(default=False, init=False)
    """Whether `mod_seq` is that of somebody who listens."""
    _is_looking: bool = field(default=False, init=False)
    _is_told: bool = field(default=False, init=False)
    _looked: float = field(default=0.0, init=False)
    _counted: float = field(default=0.0, init=False)
    _uncounted: dict[MailboxName, None] = field(factory=dict, init=False)
    _uses: Uses = field(factory=dict, init=False)
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
        if not self.listeners:
            self._is_known = self._is_told = False
        self.listeners.append(listener)
        while len(self.listeners) > MOST_LISTENERS:
            first = self.listeners[0]
            first.gave_way = True
            first.close()

    def know(self, mod_seq: int) -> None:
        """The state that somebody knows who has entered: what comes later is told."""
        if self._is_known:
            return
        self._is_known = True
        self.mod_seq = max(self.mod_seq, mod_seq)
        if self._is_told:
            self.look_soon()

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
        if self._is_looking or not self.listeners or not self._is_known:
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
        news = read_notice(text)
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
        if not self._is_known:
            self._is_told = True
            return
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
        room.enter(listener)
        try:
            now = await self.conversations.mod_seq(account)
            room.know(now)
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
