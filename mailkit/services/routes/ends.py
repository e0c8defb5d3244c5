"""Ends of routes within this server: mailboxes, and nobody."""

from __future__ import annotations

from attrs import define
from zope.interface import implementer

from mailkit.errors import TurnedAway, TurnedAwayForNow, Unavailable
from mailkit.formats import received
from mailkit.interfaces.directory import IDirectory
from mailkit.interfaces.queue import Carried, IRouteEnd
from mailkit.interfaces.storage import IContent, IMailStore, Placement
from mailkit.model.account import Account
from mailkit.model.queueitem import Fate, QueueItem, Report
from mailkit.model.target import ToError, ToMailbox
from mailkit.model.verdict import Verdict
from mailkit.services.delivery.quota import Quotas


def taken(item: QueueItem, words: str) -> tuple[Report, ...]:
    """All who wait were taken by somebody who tells nobody of it (RFC 3461 §5.2.3)."""
    return tuple(
        Report(each.path, Fate.RELAYED, "2.1.5", words) for each in item.waiting
    )


@implementer(IRouteEnd)
@define(eq=False)
class IntoMailbox:
    """A mailbox of ours, whatever the account's own filing would say."""

    _target: ToMailbox
    _store: IMailStore
    _directory: IDirectory
    _quotas: Quotas
    is_final: bool = True

    async def carry(self, item: QueueItem, content: IContent) -> Carried:
        target = self._target
        account: Account | None = await self._directory.account(target.account)
        if account is None or account.is_suspended:
            # Somebody made a mistake that can be mended; until then mail waits.
            state = "suspended" if account else "not there"
            raise Unavailable(f"the account of the route is {state}")
        head = received.write_return_path(str(item.envelope.reverse_path))
        for each in item.waiting:
            head += received.write_delivered_to(str(each.path))
        await self._quotas.check(account, content.size)
        verdict = Verdict.from_text(item.verdict)
        placement = Placement(
            account.name, target.mailbox, frozenset(), head, verdict, item.id
        )
        await self._store.deliver(content, [placement])
        self._quotas.delivered(account.name, content.size)
        return Carried(reports=taken(item, "delivered"))

    async def close(self) -> None:
        """Nothing is held on to."""


@implementer(IRouteEnd)
@define(eq=False)
class IntoNothing:
    """An error, for mail that was taken in before its route said so."""

    _target: ToError
    is_final: bool = True

    async def carry(self, item: QueueItem, content: IContent) -> Carried:
        target = self._target
        kind = TurnedAway if target.code >= 500 else TurnedAwayForNow
        raise kind(target.text, target.code, target.status)

    async def close(self) -> None:
        """Nothing is held on to."""
