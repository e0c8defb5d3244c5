"""Mail of suspended accounts stays in the queue until they are resumed."""

from __future__ import annotations

from attrs import define
from twisted.internet.interfaces import IReactorTime

from mailkit.interfaces.events import IEvents
from mailkit.interfaces.queue import IQueueStore
from mailkit.model.address import AccountName
from mailkit.model.queueitem import Selection
from mailkit.services.queue.control import QueueControl

REASON = "account suspended"
"""Why it is held; holds of other reasons are not ended by a resumption."""


@define(eq=False)
class SuspendedMail:
    """Holds and releases what accounts have submitted."""

    _queue: IQueueStore
    _events: IEvents
    _clock: IReactorTime

    async def hold(self, who: str, account: AccountName) -> int:
        """Try the account's mail no more; how many items were not held before."""
        return await self._control(who).hold(Selection(account=account), REASON)

    async def release(self, who: str, account: AccountName) -> int:
        """Try again what was held by `hold`; how many items that were."""
        selection = Selection(account=account)
        return await self._control(who).release_held_for(selection, REASON)

    def _control(self, who: str) -> QueueControl:
        return QueueControl(self._queue, self._events, self._clock, who)
