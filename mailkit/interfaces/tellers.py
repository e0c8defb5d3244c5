"""Who tells senders what became of their mail."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen
from zope.interface import Interface

from mailkit.errors import MailkitError
from mailkit.interfaces.storage import IContent
from mailkit.model.address import AccountName
from mailkit.model.envelope import Envelope, Recipient
from mailkit.model.notice import NoticeKind
from mailkit.model.queueitem import QueuedRecipient, QueueItem


@frozen(kw_only=True)
class Accepted:
    """A message for which 250 was said, though not all its recipients got it."""

    transaction: str
    """The id that the 250 told."""
    envelope: Envelope
    arrived: float
    """Seconds since 1970."""
    message_id: str = ""
    """The Message-ID field with its angle brackets; empty where there is none."""
    subject: str = ""
    account: AccountName | None = None
    """Who submitted it; ``None`` for mail of others."""


class ITeller(Interface):
    """
    Writes delivery status notifications and hands them in (RFC 3461 §5.2).

    Returns when the notice is kept durably, or when none is due: the sender is the null
    path, NOTIFY does not ask for it, or too many were written to that sender. Asked
    again for the same message, recipients and kind, it writes no second one.
    """

    async def tell(
        item: QueueItem,
        content: IContent,
        recipients: Sequence[QueuedRecipient],
        kind: NoticeKind,
        until: float | None = None,
    ) -> None:
        """
        Tell the sender of an item what became of some of its recipients.

        :param content: the message as it leaves, or would have left.
        :param recipients: those to be told of, each with its last status, words and
            host; one notice for all of them.
        :param until: how long we go on trying, seconds since 1970; for DELAYED, and for
            FAILED when that time is over.
        :raises Unavailable: if the notice could not be kept; ask again later.
        """

    async def tell_refused(
        accepted: Accepted,
        content: IContent,
        refused: Sequence[tuple[Recipient, MailkitError]],
    ) -> None:
        """
        Tell the sender of a message who did not get it, and by which error.

        :raises Unavailable: if the notice could not be kept; ask again later.
        """
