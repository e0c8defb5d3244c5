"""
What happens to an account, told to pages that are open: ``GET /events``.

A stream of ``text/event-stream``. An event has the id ``<epoch>.<modseq>``; whoever
comes back says the last one (``Last-Event-ID``), and hears what was missed, or
``reset`` where that is too much. Fields have the names of JMAP; mailboxes are named as
in our addresses (``inbox``, ``folder/Club``). Nothing is told of what messages say, but
who wrote a new one and what it is about, where that is to be shown::

    hello    {v, unread, serverTime}; another v: scripts are old
    mail     {threadId, mailboxIds, notify}, and where notify is true from,
                 subject, receivedAt
    thread   {threadId, keywords, mailboxIds, total}
    gone     {threadIds}
    counts   {inbox: {unread, total}, …} of the mailboxes that changed
    draft    {draftId, rev}
    sent     {draftId, state, reason}; state queued, sent, deferred, failed
    session  {state, extends}; expiring, going on, ended; extends: whether any request
                 has it last longer
    reset    {}; everything may have changed
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import assert_never

from twisted.internet.defer import Deferred

from mailkit.errors import MailkitError
from mailkit.model.conversation import InMailbox, Person, Place
from mailkit.model.mailbox import INBOX, MailboxName, SpecialUse
from mailkit.services.live.listener import Listener
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
)
from mailkit.web.answers import Answer, Outlet
from mailkit.web.asking import Asked
from mailkit.web.webmail.boxes import slug_of
from mailkit.web.webmail.rooms import Room

room = Room()

EPOCH = "1"
"""Of the ids of events; another one where what they mean changes."""

PING = 25.0
"""Seconds of silence after which something is said, for proxies."""

EXPIRING = 300.0
"""Seconds before its end at which a session is said to end soon."""

RETRY = b"retry: 3000\n\n"
RETRY_LATER = b"retry: 60000\n\n"
"""For the stream that gave way to another."""

_LONGEST = 200  # characters of a subject


@room.get("/events", dests="empty", links=False)
async def events(asked: Asked) -> Answer:
    """All that happens, as it does."""
    since = _since(asked.headers.get("last-event-id", ""))
    listener, missed, mod_seq = await asked.house.live.listen(asked.name, since)
    if since is None and "last-event-id" in asked.headers:
        missed = [LiveEvent(mod_seq, LookAnew())]
    hello = await _hello(asked)
    stream = _Stream(asked, listener)

    async def tell(outlet: Outlet) -> None:
        try:
            await stream.tell(outlet, [_frame("hello", hello, mod_seq)], missed)
        except MailkitError:
            listener.close()
            raise
        listener.close()

    return asked.events(tell)


class _Stream:
    """One stream; it holds no more than it needs, for there are many."""

    __slots__ = ("_is_warned", "_listener", "_live", "_name", "_session", "_sign_in")

    def __init__(self, asked: Asked, listener: Listener) -> None:
        assert asked.session is not None  # the route needs somebody
        self._live = asked.house.live
        self._sign_in = asked.house.sign_in
        self._session = asked.session
        self._name = asked.name
        self._listener = listener
        self._is_warned = False

    async def tell(
        self, outlet: Outlet, first: Sequence[bytes], missed: Sequence[LiveEvent]
    ) -> None:
        """Until either side leaves."""
        listener = self._listener
        leaving = Deferred.fromCoroutine(outlet.gone())
        leaving.addCallback(lambda _: listener.close())
        await outlet.write(RETRY + b"".join(first))
        for event in missed:
            await outlet.write(frame_of(event))
        while True:
            found = await listener.next(PING)
            if found is None and listener.is_closed:
                break
            if found is not None and not isinstance(found.news, SessionsChanged):
                await outlet.write(frame_of(found))
                continue
            if found is None:
                self._live.look(self._name)
            left = await self._sign_in.left(self._session)
            await outlet.write(self._of_session(left))
            if left <= 0:
                break
        if listener.gave_way:
            await outlet.write(RETRY_LATER)

    def _of_session(self, left: float) -> bytes:
        """What there is to say of a session that lasts so many seconds."""
        if left <= 0:
            return _frame("session", {"state": "ended"})
        if (left <= EXPIRING) is self._is_warned:
            return b": ping\n\n"
        self._is_warned = not self._is_warned
        if not self._is_warned:
            return _frame("session", {"state": "going on"})
        extends = self._sign_in.longest_left(self._session) > EXPIRING
        return _frame("session", {"state": "expiring", "extends": extends})


async def _hello(asked: Asked) -> Mapping[str, object]:
    house = asked.house
    counts = await house.conversations.count(asked.name, InMailbox(INBOX))
    return {
        "v": house.version,
        "unread": counts.unread,
        "serverTime": int(house.now()),
    }


def _since(text: str) -> int | None:
    """The state that an id tells; ``None``: none that is known here."""
    epoch, _, number = text.partition(".")
    is_ours = epoch == EPOCH and number.isascii() and number.isdigit()
    return int(number) if is_ours and len(number) < 20 else None


def frame_of(event: LiveEvent) -> bytes:
    """An event as it is sent."""
    name, facts = _facts(event.news)
    return _frame(name, facts, event.mod_seq)


def _frame(name: str, facts: Mapping[str, object], mod_seq: int | None = None) -> bytes:
    id = "" if mod_seq is None else f"id: {EPOCH}.{mod_seq}\n"
    data = json.dumps(facts, ensure_ascii=False, separators=(",", ":"))
    return f"event: {name}\n{id}data: {data}\n\n".encode("utf-8", "replace")


def _facts(news: News) -> tuple[str, Mapping[str, object]]:
    match news:
        case Arrived():
            return "mail", _of_mail(news)
        case ThreadChanged():
            keywords = sorted(flag.replace("\\", "$").lower() for flag in news.flags)
            return "thread", {
                "threadId": news.thread_id,
                "keywords": keywords,
                "mailboxIds": _slugs(news.mailboxes, news.uses),
                "total": news.total,
            }
        case ThreadsGone():
            return "gone", {"threadIds": news.thread_ids}
        case Counted():
            return "counts", {
                slug_of(name, news.uses.get(name)): {
                    "unread": counts.unread,
                    "total": counts.total,
                }
                for name, counts in news.counts.items()
            }
        case DraftSaved():
            return "draft", {"draftId": news.draft, "rev": news.revision}
        case SentState():
            return "sent", {
                "draftId": news.draft,
                "state": news.state,
                "reason": news.reason,
            }
        case LookAnew():
            return "reset", {}
        case SessionsChanged():
            return "session", {"state": "changed"}
        case _:
            assert_never(news)


def _of_mail(news: Arrived) -> Mapping[str, object]:
    summary = news.summary
    facts: dict[str, object] = {
        "threadId": summary.thread_id,
        "mailboxIds": _slugs(_mailboxes(summary.places), news.uses),
        "notify": news.notify,
    }
    if news.notify:
        writer = summary.from_[0] if summary.from_ else Person("", "")
        facts["from"] = (writer.name or writer.address)[:_LONGEST]
        facts["subject"] = summary.subject[:_LONGEST]
        facts["receivedAt"] = int(summary.internal_date)
    return facts


def _mailboxes(places: Sequence[Place]) -> tuple[MailboxName, ...]:
    return tuple(dict.fromkeys(place.mailbox for place in places))


def _slugs(
    mailboxes: Sequence[MailboxName], uses: Mapping[MailboxName, SpecialUse | None]
) -> list[str]:
    return [slug_of(mailbox, uses.get(mailbox)) for mailbox in mailboxes]
