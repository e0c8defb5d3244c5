"""Pages are told what became of what was written in them."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define
from zope.interface import implementer

from mailkit.interfaces.events import IEvents
from mailkit.interfaces.notices import INoticeBoard
from mailkit.model.address import AccountName
from mailkit.model.event import MailEvent, Step
from mailkit.services.composing.fates import FATES
from mailkit.services.live.news import draft_of, tell_sent

_OF_SENDERS = frozenset(
    {Step.QUEUED, Step.DEFERRED, Step.SENT, Step.BOUNCED, Step.DROPPED}
)
"""Steps whose account is the one that sent the message."""


@implementer(IEvents)
@define(eq=False)
class SentNews:
    """
    The record of what happened to messages, which tells some of it to open pages.

    The steps of one process reach the pages of all.
    """

    _events: IEvents
    _board: INoticeBoard

    def record(self, event: MailEvent) -> None:
        self._events.record(event)
        if event.step not in _OF_SENDERS or not event.account:
            return
        draft = draft_of(event.message_id)
        if draft:
            fate = FATES[event.step].value
            reason = "" if event.step is Step.QUEUED else event.detail
            account = AccountName(event.account)
            tell_sent(self._board, account, draft, fate, reason)

    async def find(self, what: str) -> Sequence[MailEvent]:
        return await self._events.find(what)

    async def close(self) -> None:
        await self._events.close()
