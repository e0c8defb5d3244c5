"""Who tells senders what became of their mail."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen
from zope.interface import Interface

from mailkit.errors import MailkitError
from mailkit.interfaces.queue import NewMessage
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


@frozen(kw_only=True)
class WrittenNotice:
    """A notice that nobody keeps yet."""

    message: NewMessage
    """With one item, to the sender."""
    kind: NoticeKind
    about: Accepted
    item: str
    """Which item it is about; empty: none in particular."""
    told: tuple[QueuedRecipient, ...]
    """Those it tells of."""


class ITeller(Interface):
    """
    Writes delivery status notifications and hands them in (RFC 3461 §5.2).

    None is due where the sender is the null path, NOTIFY does not ask for it, or too
    many were written to that sender. A notice's id follows from the message, the item,
    the recipients and the kind, so that whoever keeps it knows whether it did before.
    """

    async def write(
        item: QueueItem,
        content: IContent,
        recipients: Sequence[QueuedRecipient],
        kind: NoticeKind,
        until: float | None = None,
    ) -> WrittenNotice | None:
        """
        The notice about some of an item's recipients, for `IQueueStore.record`.

        Parameters are those of `tell`. ``None``: none is due.

        :raises Unavailable: if it cannot be written now; ask again later.
        """

    def kept(notice: WrittenNotice) -> None:
        """Count a notice, and record it for ``mailkit trace``, once it is kept."""

    async def tell(
        item: QueueItem,
        content: IContent,
        recipients: Sequence[QueuedRecipient],
        kind: NoticeKind,
        until: float | None = None,
    ) -> None:
        """
        Tell the sender of an item what became of some of its recipients.

        Returns when the notice is kept durably, or when none is due. Asked again for
        the same message, recipients and kind, it writes no second one.

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
