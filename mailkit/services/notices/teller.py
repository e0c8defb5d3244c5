"""
The author of delivery status notifications (RFC 3461 §5.2, RFC 3464).

A notice is a message like any other: from the null path, through the queue, signed
there, tried there. Its id is made of what it is about, so that the same one is not
kept a second time. What the queue has to tell is kept with the attempt that caused it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

from attrs import define, field
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from mailkit.errors import Busy, MailkitError, Refused, Unavailable
from mailkit.formats import received
from mailkit.formats.limits import DEFAULT_LIMITS, Limits
from mailkit.formats.plainwords import is_for_good
from mailkit.formats.report import Notice, Told, compose
from mailkit.interfaces.directory import IDirectory
from mailkit.interfaces.events import IEvents
from mailkit.interfaces.queue import IQueueStore, NewMessage
from mailkit.interfaces.storage import IContent
from mailkit.interfaces.suppression import ISuppressionList
from mailkit.interfaces.tellers import Accepted, ITeller, WrittenNotice
from mailkit.metrics import Metrics
from mailkit.model.address import a_labels
from mailkit.model.envelope import (
    BodyType,
    Envelope,
    Notify,
    Recipient,
    RecipientParameters,
    SenderParameters,
)
from mailkit.model.event import MailEvent, Step
from mailkit.model.notice import NoticeKind
from mailkit.model.path import NULL_PATH, Path
from mailkit.model.queueitem import (
    Fate,
    NextHop,
    QueuedRecipient,
    QueueId,
    QueueItem,
    Selection,
)
from mailkit.model.suppression import Cause, Suppressed
from mailkit.services.delivery.content import Rewritten, read_header, read_whole
from mailkit.services.delivery.onward import LOCAL
from mailkit.services.notices.allowance import Allowance
from mailkit.services.notices.returnaddresses import ReturnAddresses
from mailkit.services.notices.settings import NoticeSettings
from mailkit.services.queue.outcome import say_who
from mailkit.services.routing import Routing
from mailkit.services.smtp.replies import reply_for

_LONGEST_REASON = 300
_WANTED = {
    NoticeKind.FAILED: Notify.FAILURE,
    NoticeKind.DELAYED: Notify.DELAY,
    NoticeKind.DELIVERED: Notify.SUCCESS,
    NoticeKind.RELAYED: Notify.SUCCESS,
    NoticeKind.EXPANDED: Notify.SUCCESS,
}
_UNASKED = (NoticeKind.FAILED, NoticeKind.DELAYED)
"""What is told where NOTIFY was not said (RFC 3461 §4.1)."""
_NOBODY = frozenset(("mailer-daemon", "#", ""))
"""Local parts of senders who write notices themselves."""


@implementer(ITeller)
@define(eq=False)
class Teller:
    """Writes notices and puts them into the queue, for people of ours too."""

    log = Logger()

    _hostname: str
    _queue: IQueueStore
    _directory: IDirectory
    _routing: Routing
    _addresses: ReturnAddresses
    _suppression: ISuppressionList
    _events: IEvents
    _metrics: Metrics
    _clock: IReactorTime
    _settings: NoticeSettings = field(factory=NoticeSettings)
    _limits: Limits = DEFAULT_LIMITS
    _allowance: Allowance = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._allowance = Allowance(self._clock)

    async def write(
        self,
        item: QueueItem,
        content: IContent,
        recipients: Sequence[QueuedRecipient],
        kind: NoticeKind,
        until: float | None = None,
    ) -> WrittenNotice | None:
        if kind is NoticeKind.FAILED and item.account is not None:
            await self._suppress(recipients)
        about = _accepted(item)
        return await self._write(about, item.id, content, recipients, kind, until)

    async def tell(
        self,
        item: QueueItem,
        content: IContent,
        recipients: Sequence[QueuedRecipient],
        kind: NoticeKind,
        until: float | None = None,
    ) -> None:
        await self._keep(await self.write(item, content, recipients, kind, until))

    async def tell_refused(
        self,
        accepted: Accepted,
        content: IContent,
        refused: Sequence[tuple[Recipient, MailkitError]],
    ) -> None:
        recipients: list[QueuedRecipient] = []
        for recipient, error in refused:
            reply = reply_for(error)
            recipients.append(
                QueuedRecipient(recipient, Fate.FAILED, reply.status, str(reply))
            )
        kind = NoticeKind.FAILED
        await self._keep(
            await self._write(accepted, "", content, recipients, kind, None)
        )

    def kept(self, notice: WrittenNotice) -> None:
        about, told, kind = notice.about, notice.told, notice.kind
        [item] = notice.message.items
        [sender] = (each.path for each in item.recipients)
        self._allowance.take(str(sender.address))
        self._metrics.noticed(kind.value, "written")
        self._record(about, told, f"{kind.value}: notice {item.message} to <{sender}>")
        self._record_notice(item, about, kind)
        self.log.info(
            "{queue_id}: <{sender}> is told about {recipients} ({kind}) by {notice}",
            queue_id=notice.item or about.transaction,
            sender=str(sender),
            recipients=say_who([each.path for each in told]),
            kind=kind.value,
            notice=item.message,
        )

    async def _write(
        self,
        about: Accepted,
        item: str,
        content: IContent,
        recipients: Sequence[QueuedRecipient],
        kind: NoticeKind,
        until: float | None,
    ) -> WrittenNotice | None:
        sender = about.envelope.reverse_path
        sender = self._addresses.original(sender) or sender
        if sender.local_part.lower() in _NOBODY:
            if kind is NoticeKind.FAILED:
                self._note_dead_end(about, item, recipients, sender)
            return None
        told = tuple(each for each in recipients if _is_wanted(each.recipient, kind))
        if not told:
            return None
        is_ours = await self._directory.domain(sender.address.domain) is not None
        try:
            hop = await self._hop(sender, is_ours=is_ours)
        except Refused as error:
            self._metrics.noticed(kind.value, "undeliverable")
            self._record(about, told, f"nobody can be told at <{sender}>: {error}")
            return None
        if not self._may_tell(about, told, sender, kind, is_ours=is_ours):
            return None
        id = _id(about.transaction, item, kind, told)
        octets = await self._compose(id, about, content, told, kind, until, sender)
        message = NewMessage(
            content=Rewritten(octets),
            items=(self._item(id, about, sender, hop, octets),),
            head=self._trace(id, sender),
        )
        return WrittenNotice(
            message=message, kind=kind, about=about, item=item, told=told
        )

    async def _keep(self, notice: WrittenNotice | None) -> None:
        """Put a notice into the queue, where nothing else is kept with it."""
        if notice is None:
            return
        message = notice.message
        if await self._is_kept(message.items[0]):
            return
        await self._queue.put(message.content, message.items, message.head)
        self.kept(notice)

    # -- whether, and where to

    async def _is_kept(self, item: QueueItem) -> bool:
        """Whether the notice is in the queue, or has left it already."""
        if await self._queue.items(Selection(ids=(item.id,)), most=1):
            return True
        return bool(await self._queue.attempts(item.id))

    async def _hop(self, sender: Path, *, is_ours: bool) -> NextHop:
        """:raises Refused: if nothing can be sent there."""
        if is_ours:
            return NextHop(sender.address.domain, LOCAL)
        routed = await self._routing.route(sender, may_send=True)
        return routed.foreign[0].hop

    def _may_tell(
        self,
        about: Accepted,
        told: Sequence[QueuedRecipient],
        sender: Path,
        kind: NoticeKind,
        *,
        is_ours: bool,
    ) -> bool:
        """
        Whether that sender may be told once more this hour.

        :raises Busy: if it may not, and is to be told later.
        """
        settings = self._settings
        most = settings.to_one_account if is_ours else settings.to_one_stranger
        if self._allowance.is_left(str(sender.address), most):
            return True
        self._metrics.noticed(kind.value, "limited")
        if is_ours:
            raise Busy(f"{most} notices to <{sender}> in this hour")
        self._record(about, told, f"{most} notices to <{sender}> in this hour")
        return False

    # -- what

    async def _compose(
        self,
        id: str,
        about: Accepted,
        content: IContent,
        told: Sequence[QueuedRecipient],
        kind: NoticeKind,
        until: float | None,
        sender: Path,
    ) -> bytes:
        now = _moment(self._clock.seconds())
        whole = kind is NoticeKind.FAILED and self._returns_whole(about, content)
        if whole:
            original = await read_whole(content)
        else:
            original = await read_header(content, self._limits.header_size)
        notice = Notice(
            kind=kind,
            told=tuple(map(_told, told)),
            hostname=self._hostname,
            author=f"postmaster@{await self._author_domain(sender)}",
            sender=str(sender),
            message_id=f"<{id}@{self._hostname}>",
            written=now,
            arrived=_moment(about.arrived),
            attempted=now,
            until=None if until is None else _moment(until),
            envid=about.envelope.parameters.envid or "",
        )
        return compose(notice, original, whole=whole, limits=self._limits)

    def _returns_whole(self, about: Accepted, content: IContent) -> bool:
        """By RET, else by who it is and how large (RFC 3461 §6.2)."""
        if about.envelope.parameters.require_tls:
            return False  # RFC 8689 §5: who knows how it travels back
        asked = (about.envelope.parameters.ret or "").upper()
        if asked == "FULL":
            return content.size <= self._settings.whole_if_asked
        is_own = about.account is not None
        return not asked and is_own and content.size <= self._settings.whole

    async def _author_domain(self, sender: Path) -> str:
        """The sender's own domain, if it is ours, else one of ours: it is signed."""
        name = sender.address.domain
        if await self._directory.domain(name) is None:
            name = await self._routing.own_domain()
        return a_labels(name) or self._hostname

    def _trace(self, id: str, sender: Path) -> bytes:
        return received.write_received(
            received.Arrival(
                by=self._hostname,
                protocol="local",
                at=_moment(self._clock.seconds()),
                id=id,
                recipient=str(sender),
            )
        )

    def _item(
        self, id: str, about: Accepted, sender: Path, hop: NextHop, octets: bytes
    ) -> QueueItem:
        now = self._clock.seconds()
        is_plain = octets.isascii()
        parameters = SenderParameters(
            body=BodyType.SEVEN_BIT if is_plain else BodyType.EIGHT_BIT,
            smtputf8=not sender.is_ascii,
        )
        never = RecipientParameters(notify=frozenset((Notify.NEVER,)))
        return QueueItem(
            id=_queue_id(id),
            message=id,
            hop=hop,
            # RFC 3461 §6.1
            envelope=Envelope(NULL_PATH, parameters),
            recipients=(QueuedRecipient(Recipient(sender, never)),),
            arrived=now,
            next_try=now,
            size=len(octets),
            message_id=f"<{id}@{self._hostname}>",
            subject="",
            is_ours=True,
            require_tls=about.envelope.parameters.require_tls,  # RFC 8689 §5
        )

    # -- what is remembered of it

    async def _suppress(self, recipients: Sequence[QueuedRecipient]) -> None:
        now = self._clock.seconds()
        entries = [
            Suppressed(
                each.path.address,
                Cause.FAILED,
                now,
                (f"{each.host}: " if each.host else "") + each.words[:_LONGEST_REASON],
            )
            for each in recipients
            if is_for_good(each.status, each.words)
        ]
        try:
            await self._suppression.add(entries)
        except Unavailable as error:  # the notice is what matters
            self.log.warn("the suppression list cannot grow: {error}", error=error)

    def _note_dead_end(
        self,
        about: Accepted,
        item: str,
        recipients: Sequence[QueuedRecipient],
        sender: Path,
    ) -> None:
        """
        Nobody is told, lest a loop begins (RFC 5321 §6.1): administrators find it here.
        """
        self._metrics.noticed(NoticeKind.FAILED.value, "undeliverable")
        what = "a notice" if sender.is_null else f"mail of <{sender}>"
        self._record(about, recipients, f"nobody is told: {what} came back")
        self.log.info(
            "{queue_id}: {what} failed for {recipients}, and nobody is told: {reply}",
            queue_id=item or about.transaction,
            what=what,
            recipients=say_who([each.path for each in recipients]),
            reply=recipients[0].words,
        )

    def _record(
        self, about: Accepted, told: Sequence[QueuedRecipient], detail: str
    ) -> None:
        self._events.record(
            MailEvent(
                when=self._clock.seconds(),
                step=Step.TOLD,
                transaction=about.transaction,
                message_id=about.message_id,
                sender=str(about.envelope.reverse_path),
                recipient=", ".join(str(each.path) for each in told),
                peer="",
                account=about.account or "",
                detail=detail,
            )
        )

    def _record_notice(
        self, notice: QueueItem, about: Accepted, kind: NoticeKind
    ) -> None:
        detail = f"notice ({kind.value}) about {about.transaction}"
        for step, words in (
            (Step.ACCEPTED, detail),
            (Step.QUEUED, f"{notice.id} for {notice.hop}"),
        ):
            self._events.record(
                MailEvent(
                    when=self._clock.seconds(),
                    step=step,
                    transaction=notice.message,
                    message_id=notice.message_id,
                    sender="",
                    recipient=str(notice.recipients[0].path),
                    peer="",
                    detail=words,
                    size=notice.size,
                )
            )


def _accepted(item: QueueItem) -> Accepted:
    return Accepted(
        transaction=item.message,
        envelope=item.envelope,
        arrived=item.arrived,
        message_id=item.message_id,
        subject=item.subject,
        account=item.account,
    )


def _is_wanted(recipient: Recipient, kind: NoticeKind) -> bool:
    """As NOTIFY says (RFC 3461 §4.1)."""
    notify = recipient.parameters.notify
    return kind in _UNASKED if notify is None else _WANTED[kind] in notify


def _id(
    transaction: str, item: str, kind: NoticeKind, told: Sequence[QueuedRecipient]
) -> str:
    paths = sorted(str(each.path) for each in told)
    text = "\n".join((transaction, item, kind.value, *paths))
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def _queue_id(id: str) -> QueueId:
    return QueueId(f"{id}.1")


def _told(each: QueuedRecipient) -> Told:
    return Told(
        address=str(each.path),
        status=each.status,
        words=each.words,
        host=each.host,
        original=each.recipient.parameters.orcpt or "",
    )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
