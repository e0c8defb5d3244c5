"""Who would be told what became of a message, in place of `notices.teller`."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, evolve, field
from zope.interface import implementer

from mailkit.errors import MailkitError
from mailkit.interfaces.queue import NewMessage
from mailkit.interfaces.storage import IContent
from mailkit.interfaces.tellers import Accepted, ITeller, WrittenNotice
from mailkit.model.address import DomainName
from mailkit.model.envelope import Envelope, Recipient
from mailkit.model.notice import NoticeKind
from mailkit.model.path import NULL_PATH
from mailkit.model.queueitem import NextHop, QueuedRecipient, QueueId, QueueItem
from mailkit.storage.content import OctetsContent

NOWHERE = NextHop(DomainName("told.example"))
"""Where notices are to go, which never do."""

Told = tuple[str, str, NoticeKind, float | None]
"""Item, recipient, what, and until when it goes on."""


@implementer(ITeller)
@define(eq=False)
class Teller:
    """
    Remembers who was told what; ``error`` is raised instead.

    Notices that are written are kept in the queue and held there: they are none of
    what is sent. Each has an id of its own, so that what is told twice is seen.
    """

    told: list[Told] = field(factory=list)
    """What was written and is kept, as far as it was heard."""
    words: list[str] = field(factory=list)
    error: MailkitError | None = None
    written: dict[str, list[Told]] = field(factory=dict)
    """By the id of the notice."""
    told_at_once: list[tuple[NoticeKind, str]] = field(factory=list)
    """What deliveries told: kind and recipient of each."""

    async def write(
        self,
        item: QueueItem,
        content: IContent,
        recipients: Sequence[QueuedRecipient],
        kind: NoticeKind,
        until: float | None = None,
    ) -> WrittenNotice | None:
        if self.error is not None:
            raise self.error
        id = f"notice-{len(self.written)}"
        self.written[id] = [(item.id, str(one.path), kind, until) for one in recipients]
        notice = evolve(
            item,
            id=QueueId(f"{id}.1"),
            message=id,
            hop=NOWHERE,
            envelope=Envelope(NULL_PATH),
            recipients=(QueuedRecipient(Recipient(item.envelope.reverse_path)),),
            attempts=0,
            held="told",
        )
        return WrittenNotice(
            message=NewMessage(content=OctetsContent(b"Told\r\n"), items=(notice,)),
            kind=kind,
            about=Accepted(
                transaction=item.message,
                envelope=item.envelope,
                arrived=item.arrived,
            ),
            item=item.id,
            told=tuple(recipients),
        )

    def kept(self, notice: WrittenNotice) -> None:
        self.told += self.written[notice.message.items[0].message]
        for one in notice.told:
            self.words.append(f"{one.host}: {one.status} {one.words}")

    async def tell(
        self,
        item: QueueItem,
        content: IContent,
        recipients: Sequence[QueuedRecipient],
        kind: NoticeKind,
        until: float | None = None,
    ) -> None:
        if self.error is not None:
            raise self.error
        self.told_at_once += [(kind, str(each.path)) for each in recipients]

    async def tell_refused(
        self,
        accepted: Accepted,
        content: IContent,
        refused: Sequence[tuple[Recipient, MailkitError]],
    ) -> None:
        if self.error is not None:
            raise self.error
        self.told_at_once += [
            (NoticeKind.FAILED, str(each.path)) for each, _ in refused
        ]
