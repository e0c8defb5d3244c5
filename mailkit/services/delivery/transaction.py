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
    MailkitError,
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
    ForeignRecipient,
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
from mailkit.model.account import Account
from mailkit.model.address import AccountName
from mailkit.model.envelope import Envelope, Notify, Recipient
from mailkit.model.notice import NoticeKind
from mailkit.model.outcome import Failed, Kept, Outcome, Thrown
from mailkit.model.path import Path
from mailkit.model.queueitem import QueueItem, Selection
from mailkit.model.verdict import Verdict
from mailkit.services.delivery.content import message_id_of, read_header
from mailkit.services.delivery.onward import (
    HEAD_START,
    Onward,
    Outbound,
    as_account,
    tell_of_success,
    without_success,
)
from mailkit.services.delivery.quota import Quotas
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


@define(eq=False)
class _Copy:
    """The one copy of the message that an account gets."""

    account: Account
    address: str
    """What the first RCPT that led here named."""
    detail: str
    recipients: list[Recipient] = field(factory=list)
    filed: Filed = field(factory=Filed)
    error: MailkitError | None = None

    @property
    def delivered_to(self) -> str:
        """Empty, where the account's own address was named."""
        return "" if self.address == self.account.name else self.address


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
    _copies: dict[AccountName, _Copy] = field(factory=dict, init=False)
    _recipients: dict[Path, Recipient] = field(factory=dict, init=False)
    _accounts_of: dict[Path, tuple[AccountName, ...]] = field(factory=dict, init=False)
    _foreign_of: dict[Path, tuple[ForeignRecipient, ...]] = field(
        factory=dict, init=False
    )
    _waiting: set[Path] = field(factory=set, init=False)
    """Recipients of ours that were put off while others are kept."""
    _examined: Examined | None = field(default=None, init=False)
    _verdict: Verdict | None = field(default=None, init=False)
    _outcomes: dict[Path, Outcome] = field(factory=dict, init=False)
    _finished: float = field(default=0.0, init=False)
    _sender: str = field(init=False)
    _record: Record = field(init=False)
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
        for copy in copies:
            self._copies.setdefault(copy.account.name, copy)
            self._copies[copy.account.name].recipients.append(recipient)
        self._recipients.setdefault(recipient.path, recipient)
        names = tuple(copy.account.name for copy in copies)
        self._accounts_of[recipient.path] = names
        self._foreign_of[recipient.path] = routed.foreign

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
            for path in self._accounts_of:
                self._record.refused(path, error)
            raise
        if not self._record.message_id:
            self._record.message_id = message_id_of(self._examined.header)
        for copy in self._copies.values():
            try:
                copy.filed = await self._file_copy(copy, self._examined)
            except (Refused, Unavailable) as error:
                copy.error = error
        for path in self._accounts_of:
            self._outcomes[path] = outcome = self._outcome(path, self._examined.header)
            if isinstance(outcome, Failed):
                self._record.refused(path, outcome.error)
                continue
            for copy in self._copies_of(path):  # of an alias that others are behind
                if copy.error is not None:
                    self._record.refused(copy.account.name, copy.error)
        fates = self._outcomes.values()
        if self._is_split and not all(isinstance(fate, Failed) for fate in fates):
            self._let_wait()
        if self._is_held:
            self._hold()
        return self._outcomes

    async def commit(self) -> str:
        if self._examined is None:
            raise LocalMisuse("commit without prepare")
        house, content = self._house, self._examined.content
        placements: list[Placement] = []
        copies = [copy for copy in self._copies.values() if self._is_wanted(copy)]
        trace = trace_of(
            house.hostname, self._origin, self._finished, self.id, self._accounts_of
        )
        for copy in copies:
            head = head_of(self._sender, copy.delivered_to, trace)
            placements += [
                Placement(
                    copy.account.name, mailbox, copy.filed.flags, head, self._verdict
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
            for path, outcome in self._outcomes.items():
                if not isinstance(outcome, Failed):
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

    async def _copies_for(self, routed: Routed) -> list[_Copy]:
        """
        The copies of all whom a recipient leads to.

        :raises Unavailable: if none has room, or one has not and has to have it with
            the others.
        """
        copies = [await self._copy_for(each) for each in routed.local]
        left = len(copies) + _count_others(routed.foreign)
        for copy in copies:
            try:
                # Without SIZE= nothing but a mailbox that is full can be seen.
                size = self._envelope.parameters.size or 1
                await self._house.quotas.check(copy.account, size)
            except Unavailable:
                left -= 1
                if not (left and self._is_split):
                    raise
        return copies

    async def _copy_for(self, found: LocalRecipient) -> _Copy:
        known = self._copies.get(found.account)
        if known is not None:
            return known
        account = await self._house.directory.account(found.account)
        if account is None:
            raise NoSuchAddress(found.address)  # it was removed this moment
        return _Copy(account, found.address, found.detail)

    async def _check(self, examined: Examined) -> Verdict | None:
        """Our own people who are logged in are not strangers."""
        check = self._house.check
        if check is None or self._origin.account is not None:
            return None
        return await check.check(
            Checked(self._envelope, self._origin, examined.header, examined.content)
        )

    async def _file_copy(self, copy: _Copy, examined: Examined) -> Filed:
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

    def _outcome(self, path: Path, header: bytes) -> Outcome:
        for foreign in self._foreign_of[path]:
            # Aliases that lead to each other and to several make many of one message.
            if foreign.alias and received.was_delivered_to(
                header, foreign.alias, self._house.limits
            ):
                return Failed(MailLoop(foreign.alias))
        copies, foreign_ones = self._copies_of(path), self._foreign_of[path]
        errors = [copy.error for copy in copies if copy.error is not None]
        others = len(copies) - len(errors) + _count_others(foreign_ones)
        if errors and not (others and self._is_split):
            return Failed(errors[0])
        where = [
            f"{copy.account.name}/{mailbox}"
            for copy in copies
            if copy.error is None
            for mailbox in copy.filed.mailboxes
        ]
        where += ["queue" for error in errors if isinstance(error, Unavailable)]
        where += [f"queue for {foreign.hop}" for foreign in foreign_ones]
        return Kept(tuple(where)) if where else Thrown()

    def _copies_of(self, path: Path) -> list[_Copy]:
        return [self._copies[name] for name in self._accounts_of[path]]

    def _is_wanted(self, copy: _Copy) -> bool:
        """Whether somebody who leads here was told that the message is kept."""
        return (
            not self._is_held
            and copy.error is None
            and any(
                not isinstance(self._outcomes[recipient.path], Failed)
                and recipient.path not in self._waiting
                for recipient in copy.recipients
            )
        )

    # -- what goes on, or has to wait

    @property
    def _is_split(self) -> bool:
        """Whether recipients may fare differently though there is one reply."""
        return self._house.outbound is not None and self._record.kind != "lmtp"

    def _let_wait(self) -> None:
        """What fails for a time only is tried again by the queue."""
        for path, outcome in self._outcomes.items():
            if isinstance(outcome, Failed) and isinstance(outcome.error, Unavailable):
                self._waiting.add(path)
                self._outcomes[path] = Kept(("queue",))

    @property
    def _is_held(self) -> bool:
        """Whether nobody is to have it yet (RFC 4865 §4), people of ours included."""
        said = self._envelope.parameters
        is_later = said.hold_for is not None or (
            said.hold_until is not None and said.hold_until > self._finished
        )
        return is_later and self._origin.is_submission and self._is_split

    def _hold(self) -> None:
        """What is for our own people waits in the queue, where it can be dropped."""
        for path, outcome in self._outcomes.items():
            if not isinstance(outcome, Failed) and not self._foreign_of[path]:
                self._waiting.add(path)
                self._outcomes[path] = Kept(("queue",))

    async def _send_on(
        self, outbound: Outbound, content: IContent, trace: bytes, wait: float
    ) -> Sequence[QueueItem]:
        """Put into the queue what is for others, and tell of whom we refused."""
        assert self._examined is not None
        onward = Onward(outbound, self._envelope)
        refused: list[tuple[Recipient, MailkitError]] = []
        for path, outcome in self._outcomes.items():
            recipient = self._recipients[path]
            if isinstance(outcome, Failed):
                refused.append((recipient, outcome.error))
                continue
            if path in self._waiting and len(self._accounts_of[path]) == 1:
                onward.wait(recipient)  # all that is said of it is asked again then
                continue
            if self._is_expanded(path):
                recipient = without_success(recipient)
            late: set[Path] = set()
            for copy in self._copies_of(path):
                one = as_account(recipient, copy.account.name, copy.detail)
                if isinstance(copy.error, Refused):
                    refused.append((one, copy.error))
                elif self._is_held or copy.error is not None:
                    onward.wait(one)
                    late.add(one.path)
            for foreign in self._foreign_of[path]:
                # Who waits has his own copies made when it is his turn.
                if not (foreign.is_quiet and foreign.path in late):
                    onward.add(recipient, foreign)
        accepted = self._accepted()
        if refused and self._is_split:
            await outbound.teller.tell_refused(accepted, content, refused)
        said = header.first(self._examined.header, b"TLS-Required") or b""
        head = trace
        if onward.alias:
            head = received.write_delivered_to(onward.alias) + trace
        items = onward.items(
            accepted, content.size + len(head), said.strip().lower() == b"no", wait
        )
        if items:
            await outbound.put(content, items, head)
        return items

    async def _tell_of_success(self, outbound: Outbound, content: IContent) -> None:
        """Whoever asked for it hears that our people have it (RFC 3461 §5.2.6)."""
        wished = [
            path
            for path, outcome in self._outcomes.items()
            if not isinstance(outcome, Failed)
            and path not in self._waiting
            and Notify.SUCCESS in (self._recipients[path].parameters.notify or ())
        ]
        expanded = [
            self._recipients[path] for path in wished if self._is_expanded(path)
        ]
        kept = [
            self._recipients[path]
            for path in wished
            if not _count_others(self._foreign_of[path]) and not self._has_late(path)
        ]
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

    def _is_expanded(self, path: Path) -> bool:
        """
        Whether it leads to several, and not all have it (RFC 3461 §5.2.7.3): some are
        elsewhere, or wait.
        """
        others = _count_others(self._foreign_of[path])
        is_late = self._has_late(path) and path not in self._waiting
        several = others + len(self._accounts_of[path]) > 1
        return several and bool(others or is_late)

    def _has_late(self, path: Path) -> bool:
        return any(copy.error is not None for copy in self._copies_of(path))

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
        self, copies: list[_Copy], items: Sequence[QueueItem], size: int
    ) -> None:
        assert self._examined is not None
        record = self._record
        everybody = ", ".join(
            str(path)
            for path, outcome in self._outcomes.items()
            if not isinstance(outcome, Failed)
        )
        record.accepted(everybody, self._examined.notes, size)
        for copy in copies:
            name, mailboxes = copy.account.name, copy.filed.mailboxes
            self._house.quotas.delivered(name, size * len(mailboxes))
            record.kept(name, copy.address, mailboxes, size)
        for item in items:
            record.queued(item)
        record.done(everybody, size, self._finished)


def _count_others(foreign: Sequence[ForeignRecipient]) -> int:
    """How many are elsewhere; copies that routes make are beside."""
    return sum(not one.is_quiet for one in foreign)
