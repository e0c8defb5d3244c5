"""The queue: mail that has to wait for somebody else, and the way out of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import frozen
from zope.interface import Attribute, Interface

from mailkit.interfaces.storage import IContent, IWatch
from mailkit.model.address import DomainName
from mailkit.model.queueitem import (
    Attempt,
    DayStats,
    DueHop,
    NextHop,
    QueuedRecipient,
    QueueId,
    QueueItem,
    Report,
    Sealed,
    Selection,
)
from mailkit.model.tlspolicy import TLSPolicy


@frozen(kw_only=True)
class NewMessage:
    """One message that is to be kept, as `IQueueStore.put` takes it."""

    content: IContent
    items: tuple[QueueItem, ...]
    head: bytes = b""


class IQueueStore(Interface):
    """
    Keeps what waits. All that is answered by returning is durable.

    An item is claimed by a lease: whoever holds it is the only one to try it, in this
    process or another. A lease that is not renewed ends by itself.
    """

    async def put(
        content: IContent,
        items: Sequence[QueueItem],
        head: bytes = b"",
        owner: str = "",
        until: float = 0.0,
    ) -> None:
        """
        Keep one message and all its items, or nothing.

        The octets are kept once. All items have the same `QueueItem.message`.

        :param head: whole header lines that go above the content.
        :param owner: whose all items are until ``until`` as by `claim`: who will try
            them at once. They are due, and nobody hears of them.
        :raises StorageFull: :raises StorageBroken:
        """

    async def due(now: float, most: int) -> Sequence[DueHop]:
        """Next hops with items that may be tried, longest waiting first."""

    async def next_time(now: float) -> float | None:
        """When `due` will have more than it has at ``now``; ``None``: nothing waits."""

    async def claim(
        hop: NextHop, owner: str, now: float, until: float, most: int
    ) -> Sequence[QueueItem]:
        """
        Up to ``most`` items that are due, from now on ours until ``until``.

        Those whose claim by somebody else has ended are `QueueItem.is_taken_over`.
        """

    async def renew(owner: str, ids: Sequence[QueueId], until: float) -> set[QueueId]:
        """Hold on to claimed items; those that are not ours any more are left out."""

    async def give_back(owner: str, ids: Sequence[QueueId], next_try: float) -> None:
        """End a claim without an attempt having been made."""

    async def end_claims(owner: str, now: float) -> int:
        """
        End all claims of somebody who is known to be no more; how many there were.

        They are free at once as if their time were over: `QueueItem.is_taken_over`.
        """

    async def record(
        owner: str,
        id: QueueId,
        attempt: Attempt,
        recipients: Sequence[QueuedRecipient],
        next_try: float | None,
        caused: Sequence[NewMessage] = (),
    ) -> bool:
        """
        Keep what an attempt brought and end the claim.

        :param recipients: all of the item, as they stand now; an item of which nobody
            waits any longer is gone, and its octets with the last of its message.
        :param next_try: seconds since 1970; ``None`` where nobody waits any longer.
        :param caused: messages that are kept with it, or not at all: what the sender
            is told of it. One that is in the queue, or was, is not kept again.
        :returns: whether the claim was still ours; if not, nothing is kept but the
            attempt.
        :raises StorageFull: :raises StorageBroken: with nothing kept.
        """

    async def seal(message: str, sealed: Sealed) -> None:
        """
        From now on all items of a message have this head and these octets.

        A message that is sealed already stays as it is.
        """

    async def content(id: QueueId) -> IContent:
        """The message as it will leave. :raises NoSuchItem:"""

    async def items(
        selection: Selection, after: QueueId | None = None, most: int = 100
    ) -> Sequence[QueueItem]:
        """
        A page of the queue, by arrival. ``after`` is the last of the page before.

        That one may have left meanwhile. :raises NoSuchItem: if it never was.
        """

    async def count(selection: Selection) -> int:
        """How many items a selection means."""

    async def attempts(id: QueueId) -> Sequence[Attempt]:
        """All attempts of an item, oldest first; also for a while after it is gone."""

    async def hold(selection: Selection, reason: str, most: int = 1000) -> int:
        """
        Try no more until `release`. At most ``most`` a call; ask again until 0.

        An item that is being tried is held when that attempt is over.
        """

    async def release(selection: Selection, now: float, most: int = 1000) -> int:
        """
        End holds, `QueueItem.hold_until` too, and try soon.

        Bulk mail that was never tried keeps its `QueueItem.next_try`.
        """

    async def retry(selection: Selection, now: float, most: int = 1000) -> int:
        """
        Try soon, whatever the schedule says. Held items stay held.

        Bulk mail that was never tried keeps its moment, unless it is named.
        """

    async def drop(selection: Selection, most: int = 1000) -> list[QueueItem]:
        """Take items out and tell nobody; those being tried now are left."""

    async def stats(domain: DomainName | None, since: str) -> Sequence[DayStats]:
        """Numbers by day and domain, oldest first; ``since`` is a day."""

    def watch(hear: Callable[[], None]) -> IWatch:
        """Have ``hear`` called in the reactor thread when something may be due."""

    async def close() -> None:
        """Let go of every file."""


@frozen(kw_only=True)
class NextHost:
    """One host that may take an item, at one address."""

    name: str
    """What DNS or a route calls it, an A-label; the address itself for literals."""
    address: str
    """IP address, or the path of a Unix socket."""
    port: int
    policy: TLSPolicy
    is_lmtp: bool = False
    tls_first: bool = False
    username: str = ""
    password: str = ""
    """For AUTH (RFC 4954); never logged. Empty: none."""


@frozen(kw_only=True)
class Carried:
    """What a host did with an item."""

    reports: tuple[Report, ...]
    tls: str = ""
    """As `Attempt.tls`."""
    is_busy: bool = False
    """It asked for fewer connections or less mail (421, 451 4.7.x, 450 4.3.2)."""
    is_doubtful: bool = False
    """All octets were sent and no answer was heard: it may come a second time."""
    host: str = ""
    """Who it was, where the carrier chose; empty: the host that was asked for."""
    address: str = ""
    """As `Attempt.address`, where the carrier chose."""


class IRelay(Interface):
    """Carries envelopes to hosts."""

    async def carry(host: NextHost, item: QueueItem, content: IContent) -> Carried:
        """
        Hand an item's waiting recipients to one host.

        Connections are kept for a while and used again.

        :raises Unreachable: if the host did not come as far as taking a sender; the
            next one may be tried. Its text is told to people.
        :raises Refused: if the message cannot go to that host at all (8-bit header to
            a host without SMTPUTF8, no TLS where it is required).
        """

    async def close() -> None:
        """Say QUIT on idle connections, wait for the others."""


class ICarrier(Interface):
    """
    Where a route leads: a smarthost, a list in Redis, a program, a folder.

    It finds its hosts itself; the queue asks no DNS for it.
    """

    is_final: bool = Attribute(
        "Whoever takes it is where mail ends: the sender is told of delivery, not of "
        "its being passed on (RFC 3464 §2.3.3)."
    )

    async def carry(item: QueueItem, content: IContent) -> Carried:
        """
        Hand an item's waiting recipients on.

        :raises Unavailable: if nobody could be asked; it is tried again later.
        :raises Refused: if it will never be taken.
        """


class IRouteEnd(ICarrier):
    """A carrier that was made for one route, and may hold on to a connection."""

    async def close() -> None:
        """Let go of it. Safe to call twice; nothing is carried any more."""
