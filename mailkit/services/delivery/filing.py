"""Where a message goes within an account."""

from __future__ import annotations

from zope.interface import implementer

from mailkit.interfaces.delivery import Arriving, Filed, IFiling

_INBOX = Filed()


@implementer(IFiling)
class IntoInbox:
    """The filing of somebody who has no rules: INBOX, unread."""

    async def file(self, arriving: Arriving) -> Filed:
        return _INBOX
