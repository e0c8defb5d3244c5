"""One message on its way to accounts of ours: nothing is kept until the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from attrs import define, field
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from mailkit.errors import (
    LocalMisuse,
    MailLoop,
    NoSuchAddress,
    Refused,
    Unavailable,
)
from mailkit.formats import encodedword, header, received
from mailkit.formats.limits import DEFAULT_LIMITS, Limits
from mailkit.interfaces.checks import Checked, ICheck
from mailkit.interfaces.delivery import (
    Arriving,
    Filed,
    IFiling,
    ITransaction,
    LocalRecipient,
    Origin,
    Routed,
)
from mailkit.interfaces.directory import IDirectory
from mailkit.interfaces.events import IEvents
from mailkit.interfaces.storage import (
    IContent,
    IMailStore,
    ISpool,
    ISpoolFile,
    Placement,
)
from mailkit.interfaces.tellers import Accepted
from mailkit.metrics import Metrics
from mailkit.model.envelope import Envelope, Recipient
from mailkit.model.notice import NoticeKind
from mailkit.model.outcome import Failed, Outcome
from mailkit.model.path import Path
from mailkit.model.queueitem import QueueItem, Selection
from mailkit.model.verdict import Verdict
from mailkit.services.delivery.content import message_id_of, read_header
from mailkit.services.delivery.onward import (
    HEAD_START,
    Onward,
    Outbound,
    tell_of_success,
)
from mailkit.services.delivery.quota import Quotas
from mailkit.services.delivery.recipients import Copy, Recipients, count_others
from mailkit.services.delivery.record import Record
from mailkit.services.delivery.rules import Examination, Examined
from mailkit.services.delivery.settings import DeliverySettings
from mailkit.services.delivery.trace import head_of, trace_of
from mailkit.services.routes.matcher import Mailing
from mailkit.services.routing import Routing


@define(eq=False)
class DeliveryHouse:
    """What all deliveries share."""

    hostname: str
    directory: IDirectory
    routing: Routing
    store: IMailStore
    spool: ISpool
    filing: IFiling
    events: IEvents
    metrics: Metrics
    clock: IReactorTime
    new_id: Callable[[], str]
    """Makes the id of a transaction: unique, short, of letters and digits."""
    settings: DeliverySettings = field(factory=DeliverySettings)
    limits: Limits = DEFAULT_LIMITS
    outbound: Outbound | None = None
    """The way out; ``None``: mail goes to our own people only."""
    check: ICheck | None = None
    """What mail from others is thought of; ``None``: nobody looks."""
    quotas: Quotas = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.quotas = Quotas(self.store, self.clock, self.settings.quota)


@implementer(ITransaction)
@define(eq=False)
class LocalTransaction:
    """
    Takes a message for any number of accounts, and keeps it for all of them at once.

    Whatever can be known of a recipient is said when it is added.
    """

    log = Logger()

    _house: DeliveryHouse
    _envelope: Envelope
    _origin: Origin
    _file: ISpoolFile
    _examination: Examination
    id: str
    _examined: Examined | None = field(default=None, init=False)
    _verdict: Verdict | None = field(default=None, init=False)
    _finished: float = field(default=0.0, init=False)
    _sender: str = field(init=False)
    _record: Record = field(init=False)
    _recipients: Recipients = field(init=False)
    _mailing: Mailing = field(init=False)

    def __attrs_post_init__(self) -> None:
        reverse_path, by = self._envelope.reverse_path, self._origin.account
        self._sender = str(reverse_path)
        house = self._house
        self._record = Record(
            house.events,
            house.metrics,
            house.clock,
            self.id,
            self._sender,
            self._origin,
        )
        is_split = house.outbound is not None and self._record.kind != "lmtp"
        self._recipients = Recipients(is_split, house.limits)
        self._mailing = Mailing(reverse_path.address, None if by is None else by.name)

    async def add_recipient(self, recipient: Recipient) -> None:
        try:
            routing = self._house.routing
            routed = await routing.route(
                recipient.path, self._origin.is_submission, self._mailing
            )
            copies = await self._copies_for(routed)
        except (Refused, Unavailable) as error:
            self._record.refused(recipient.path, error)
            raise
        self._recipients.add(recipient, copies, routed.foreign)

    async def write(self, octets: bytes) -> None:
        self._examination.see(octets)
        await self._file.write(octets)

    async def prepare(self) -> Mapping[Path, Outcome]:
        house = self._house
        self._finished = house.clock.seconds()
        try:
            content = await self._file.finish()
            top = await read_header(content, house.limits.header_size)
            self._record.message_id = message_id_of(top)
            if self._has_gone_round(top):
                raise MailLoop("hops")
            self._examined = await self._examination.examine(top, content)
            self._verdict = await self._check(self._examined)
        except (Refused, Unavailable) as error:
            for path in self._recipients.paths:
                self._record.refused(path, error)
            raise
        if not self._record.message_id:
            self._record.message_id = message_id_of(self._examined.header)
        recipients = self._recipients
        for copy in recipients.copies:
            try:
                copy.filed = await self._file_copy(copy, self._examined)
            except (Refused, Unavailable) as error:
                copy.error = error
        for path in recipients.paths:
            outcome = recipients.settle(path, self._examined.header)
            if isinstance(outcome, Failed):
                self._record.refused(path, outcome.error)
                continue
            for copy in recipients.copies_of(path):  # of an alias: others are behind it
                if copy.error is not None:
                    self._record.refused(copy.account.name, copy.error)
        recipients.let_wait()
        if self._is_held:
            recipients.hold()
        return recipients.outcomes

    async def commit(self) -> str:
        if self._examined is None:
            raise LocalMisuse("commit without prepare")
        house, content = self._house, self._examined.content
        placements: list[Placement] = []
        recipients = self._recipients
        copies = [copy for copy in recipients.copies if recipients.is_wanted(copy)]
        trace = trace_of(
            house.hostname, self._origin, self._finished, self.id, recipients.paths
        )
        for copy in copies:
            head = head_of(self._sender, copy.delivered_to, trace)
            placements += [
                Placement(
                    copy.account.name,
                    mailbox,
                    copy.filed.flags,
                    head,
                    self._verdict,
                    self._origin.item,
                )
                for mailbox in copy.filed.mailboxes
            ]
        items: Sequence[QueueItem] = ()
        try:
            if house.outbound is not None:
                wait = HEAD_START if placements else 0.0
                items = await self._send_on(house.outbound, content, trace, wait)
            if placements:
                try:
                    await house.store.deliver(content, placements)
                except (Refused, Unavailable):
                    if items and house.outbound is not None:
                        await house.outbound.queue.drop(Selection(ids=(self.id,)))
                    raise
            self._record_success(copies, items, content.size)
            if house.outbound is not None:
                await self._tell_of_success(house.outbound, content)
        except (Refused, Unavailable) as error:
            for path in recipients.kept:
                self._record.refused(path, error)
            raise
        finally:
            self._file.discard()
        return self.id

    async def abort(self) -> None:
        self._file.discard()

    # -- recipients

    def _has_gone_round(self, top: bytes) -> bool:
        """Counted to the letter only where a quick look says that it may be."""
        hops = self._house.settings.hops
        return (
            top.lower().count(b"received") >= hops
            and received.count(top, self._house.limits) >= hops
        )

    async def _copies_for(self, routed: Routed) -> list[Copy]:
        """
        The copies of all whom a recipient leads to.

        :raises Unavailable: if none has room, or one has not and has to have it with
            the others.
        """
        copies = [await self._copy_for(each) for each in routed.local]
        left = len(copies) + count_others(routed.foreign)
        for copy in copies:
            try:
                # Without SIZE= nothing but a mailbox that is full can be seen.
                size = self._envelope.parameters.size or 1
                await self._house.quotas.check(copy.account, size)
            except Unavailable:
                left -= 1
                if not (left and self._recipients.is_split):
                    raise
        return copies

    async def _copy_for(self, found: LocalRecipient) -> Copy:
        known = self._recipients.copy_of(found.account)
        if known is not None:
            return known
        account = await self._house.directory.account(found.account)
        if account is None:
            raise NoSuchAddress(found.address)  # it was removed this moment
        return Copy(account, found.address, found.detail)

    async def _check(self, examined: Examined) -> Verdict | None:
        """Our own people who are logged in are not strangers."""
        if self._origin.item:
            return self._origin.verdict
        check = self._house.check
        if check is None or self._origin.account is not None:
            return None
        return await check.check(
            Checked(self._envelope, self._origin, examined.header, examined.content)
        )

    async def _file_copy(self, copy: Copy, examined: Examined) -> Filed:
        house = self._house
        size = examined.content.size
        if copy.delivered_to and received.was_delivered_to(
            examined.header, copy.delivered_to, house.limits
        ):
            raise MailLoop(copy.delivered_to)
        await house.quotas.check(copy.account, size)
        arriving = Arriving(
            copy.account,
            self._envelope,
            tuple(copy.recipients),
            copy.detail,
            examined.header,
            size,
            examined.content,
        )
        return await house.filing.file(arriving)

    # -- what goes on, or has to wait

    @property
    def _is_held(self) -> bool:
        """Whether nobody is to have it yet (RFC 4865 §4), people of ours included."""
        said = self._envelope.parameters
        is_later = said.hold_for is not None or (
            said.hold_until is not None and said.hold_until > self._finished
        )
        return is_later and self._origin.is_submission and self._recipients.is_split

    async def _send_on(
        self, outbound: Outbound, content: IContent, trace: bytes, wait: float
    ) -> Sequence[QueueItem]:
        """Put into the queue what is for others, and tell of whom we refused."""
        assert self._examined is not None
        onward = Onward(outbound, self._envelope)
        refused = self._recipients.send_on(onward)
        accepted = self._accepted()
        if refused and self._recipients.is_split:
            await outbound.teller.tell_refused(accepted, content, refused)
        said = header.first(self._examined.header, b"TLS-Required") or b""
        head = trace
        if onward.alias:
            head = received.write_delivered_to(onward.alias) + trace
        items = onward.items(
            accepted,
            content.size + len(head),
            said.strip().lower() == b"no",
            wait,
            "" if self._verdict is None else self._verdict.to_text(),
        )
        if items and not await self._is_queued(outbound, items[0]):
            await outbound.put(content, items, head)
        return items

    async def _is_queued(self, outbound: Outbound, item: QueueItem) -> bool:
        """Whether an earlier try of the same has put it into the queue."""
        if not self._origin.transaction:
            return False
        queue = outbound.queue
        if await queue.items(Selection(ids=(item.message,)), most=1):
            return True
        return bool(await queue.attempts(item.id))

    async def _tell_of_success(self, outbound: Outbound, content: IContent) -> None:
        """Whoever asked for it hears that our people have it (RFC 3461 §5.2.6)."""
        kept, expanded = self._recipients.told_of_success()
        tell = partial(tell_of_success, outbound, self._accepted(), content)
        try:
            await tell(kept)
            await tell(expanded, NoticeKind.EXPANDED)
        except Unavailable as error:  # the message itself is kept
            self.log.warn(
                "{queue_id}: <{sender}> could not be told of success: {reason}",
                queue_id=self.id,
                sender=self._sender,
                reason=str(error),
            )

    def _accepted(self) -> Accepted:
        assert self._examined is not None
        subject = header.first(self._examined.header, b"Subject") or b""
        by = self._origin.account
        return Accepted(
            transaction=self.id,
            envelope=self._envelope,
            arrived=self._finished,
            message_id=self._record.message_id,
            subject=encodedword.decode(subject),
            account=None if by is None else by.name,
        )

    # -- what is told afterwards

    def _record_success(
        self, copies: list[Copy], items: Sequence[QueueItem], size: int
    ) -> None:
        assert self._examined is not None
        record = self._record
        everybody = ", ".join(map(str, self._recipients.kept))
        record.accepted(everybody, self._examined.notes, size)
        for copy in copies:
            name, mailboxes = copy.account.name, copy.filed.mailboxes
            self._house.quotas.delivered(name, size * len(mailboxes))
            record.kept(name, copy.address, mailboxes, size)
        for item in items:
            record.queued(item)
        record.done(everybody, size, self._finished)
