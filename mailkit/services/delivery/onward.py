"""The part of a message that leaves for other servers, or that has to wait."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from attrs import define, evolve, field

from mailkit.interfaces.delivery import ForeignRecipient, IDestination
from mailkit.interfaces.queue import IQueueStore
from mailkit.interfaces.storage import IContent
from mailkit.interfaces.tellers import Accepted, ITeller
from mailkit.model.address import AccountName
from mailkit.model.envelope import Envelope, Notify, Recipient
from mailkit.model.notice import NoticeKind
from mailkit.model.path import Path
from mailkit.model.queueitem import NextHop, QueuedRecipient, QueueId, QueueItem

LOCAL = "local"
"""The route of mail for our own people that could not be kept at once."""

HEAD_START = 0.25
"""Seconds that mailboxes have before others are sent the same message: what they
cannot keep, for want of room, can be taken back until then."""


Put = Callable[[IContent, Sequence[QueueItem], bytes], Awaitable[None]]
"""As `IQueueStore.put`."""


def as_it_is(reverse_path: Path) -> Path:
    """The rewriting of senders where nothing is rewritten."""
    return reverse_path


def nothing_in_front(destination: IDestination) -> IDestination:
    """The way in where nothing is looked at before."""
    return destination


@define(eq=False)
class Outbound:
    """The way out, as deliveries see it."""

    queue: IQueueStore
    teller: ITeller
    rewrite_sender: Callable[[Path], Path] = as_it_is
    """What the reverse-path becomes where an alias of ours leads elsewhere, so that
    the next host finds us allowed to send it (SRS)."""
    in_front: Callable[[IDestination], IDestination] = nothing_in_front
    """What looks at mail from other servers before mailboxes do: it may be mail that
    comes back."""
    put_at_once: Put | None = None
    """Puts what may leave at once; ``None``: the queue alone does, and others look."""

    async def put(
        self, content: IContent, items: Sequence[QueueItem], head: bytes
    ) -> None:
        """:raises Unavailable: as `IQueueStore.put`."""
        await (self.put_at_once or self.queue.put)(content, items, head)


@define(eq=False)
class Onward:
    """Collects what of one message the queue is to keep, an item a next hop."""

    _outbound: Outbound
    _envelope: Envelope
    _items: dict[tuple[NextHop, Path], dict[Path, Recipient]] = field(
        factory=dict, init=False
    )
    _aliases: set[str] = field(factory=set, init=False)
    """Which aliases lead here; the empty one: none."""

    @property
    def alias(self) -> str:
        """
        The one alias by which all of it leaves; empty, where there is none.

        It is noted in the message, as it is for our own people: if the message comes
        back, it is known. Of several, some recipients would read about others.
        """
        return next(iter(self._aliases)) if len(self._aliases) == 1 else ""

    def add(self, recipient: Recipient, foreign: ForeignRecipient) -> None:
        """Take somebody elsewhere, whom ``recipient`` leads to."""
        sender = self._envelope.reverse_path
        parameters = recipient.parameters
        if not foreign.is_quiet:  # copies are for the administrator
            self._aliases.add(foreign.alias)
        if foreign.alias:
            sender = self._outbound.rewrite_sender(sender)
            if parameters.orcpt is None:  # RFC 3461 §5.2.1
                said = f"rfc822;{recipient.path}"
                parameters = evolve(parameters, orcpt=said)
        if foreign.is_quiet:
            parameters = evolve(parameters, notify=frozenset({Notify.NEVER}))
        recipients = self._items.setdefault((foreign.hop, sender), {})
        recipients.setdefault(foreign.path, Recipient(foreign.path, parameters))

    def wait(self, recipient: Recipient) -> None:
        """Take somebody of ours who cannot be given the message now."""
        self._aliases.add("")
        hop = NextHop(recipient.path.address.domain, LOCAL)
        recipients = self._items.setdefault((hop, self._envelope.reverse_path), {})
        recipients[recipient.path] = recipient

    def items(
        self,
        accepted: Accepted,
        size: int,
        tls_optional: bool = False,
        wait: float = 0.0,
        verdict: str = "",
    ) -> Sequence[QueueItem]:
        """
        What is to be put into the queue.

        :param size: octets of the message as it will leave.
        :param tls_optional: whether its header says so; MAIL may say otherwise.
        :param wait: seconds until it is tried.
        :param verdict: as of `QueueItem`.
        """
        parameters = self._envelope.parameters
        is_ours = accepted.account is not None
        if is_ours and parameters.envid is None:
            # What comes back of it can then be tied to it (RFC 3461 §4.4).
            parameters = evolve(parameters, envid=accepted.transaction)
        hold_until = parameters.hold_until
        if parameters.hold_for is not None:
            hold_until = accepted.arrived + parameters.hold_for
        return [
            QueueItem(
                id=QueueId(f"{accepted.transaction}.{number}"),
                message=accepted.transaction,
                hop=hop,
                envelope=Envelope(sender, parameters),
                recipients=tuple(map(QueuedRecipient, recipients.values())),
                arrived=accepted.arrived,
                next_try=accepted.arrived + wait,
                size=size,
                message_id=accepted.message_id,
                subject=accepted.subject,
                account=accepted.account,
                is_ours=is_ours,
                hold_until=hold_until,
                require_tls=parameters.require_tls,
                # RFC 8689 §4.1.
                tls_optional=tls_optional and not parameters.require_tls,
                verdict=verdict,
            )
            for number, ((hop, sender), recipients) in enumerate(self._items.items(), 1)
        ]


def as_account(recipient: Recipient, account: AccountName, detail: str) -> Recipient:
    """One of those whom an alias leads to; what it was is kept (RFC 3461 §5.2.1)."""
    local_part, _, domain = account.rpartition("@")
    path = Path(f"{local_part}+{detail}" if detail else local_part, domain)
    parameters = recipient.parameters
    if parameters.orcpt is None and path != recipient.path:
        parameters = evolve(parameters, orcpt=f"rfc822;{recipient.path}")
    return evolve(recipient, path=path, parameters=parameters)


def without_success(recipient: Recipient) -> Recipient:
    """Somebody of whose success nobody is to be told: it was said already."""
    parameters = recipient.parameters
    notify = parameters.notify
    if notify is None or Notify.SUCCESS not in notify:
        return recipient
    left = (notify - {Notify.SUCCESS}) or frozenset((Notify.NEVER,))
    return evolve(recipient, parameters=evolve(parameters, notify=left))


async def tell_of_success(
    outbound: Outbound,
    accepted: Accepted,
    content: IContent,
    recipients: Sequence[Recipient],
    kind: NoticeKind = NoticeKind.DELIVERED,
) -> None:
    """
    Tell the sender that people of ours have the message (RFC 3461 §5.2.6), or that it
    went on to several (§5.2.7.3).

    :raises Unavailable: if that could not be kept.
    """
    if not recipients:
        return
    told = tuple(QueuedRecipient(each, status="2.1.5") for each in recipients)
    item = QueueItem(
        id=QueueId(f"{accepted.transaction}.0"),
        message=accepted.transaction,
        hop=NextHop(recipients[0].path.address.domain, LOCAL),
        envelope=accepted.envelope,
        recipients=told,
        arrived=accepted.arrived,
        next_try=accepted.arrived,
        size=content.size,
        message_id=accepted.message_id,
        subject=accepted.subject,
        account=accepted.account,
    )
    await outbound.teller.tell(item, content, told, kind)
