"""Mail that waits to leave: items of the queue, attempts, and what came of them."""

from __future__ import annotations

from enum import Enum
from typing import NewType

from attrs import field, frozen

from mailkit.model.address import AccountName, DomainName
from mailkit.model.envelope import Envelope, Recipient
from mailkit.model.path import Path

QueueId = NewType("QueueId", str)
"""The transaction's id, a full stop and a number: ``5f3c09d1a2b4e687.1``."""


@frozen(order=True)
class NextHop:
    """
    Where an item goes next.

    Items of one next hop share connections, limits and a schedule's patience.
    """

    domain: DomainName
    """Whose mail it is, folded; an address literal keeps its brackets."""
    route: str = ""
    """The name of a route; empty: the hosts that DNS names for the domain."""

    def __str__(self) -> str:
        return f"{self.domain} by {self.route}" if self.route else self.domain


class Fate(Enum):
    """What has become of one recipient of an item."""

    WAITING = "waiting"
    SENT = "sent"
    """The next hop took it, and is to tell of success itself (RFC 3461 §5.2.2)."""
    RELAYED = "relayed"
    """The next hop took it and does not speak DSN (RFC 3461 §5.2.3)."""
    FAILED = "failed"
    DROPPED = "dropped"
    """An administrator took it out; nobody is told."""


@frozen
class QueuedRecipient:
    """One recipient of an item, and what was last heard of it."""

    recipient: Recipient
    fate: Fate = Fate.WAITING
    status: str = ""
    """Enhanced status code of the last answer, such as ``4.4.1`` (RFC 3463)."""
    words: str = ""
    """The peer's own words, or ours where there was no peer."""
    host: str = ""
    """Who said so; empty: we did."""
    is_delay_told: bool = False

    @property
    def path(self) -> Path:
        return self.recipient.path


@frozen(kw_only=True)
class QueueItem:
    """One message on its way to one next hop."""

    id: QueueId
    message: str
    """The id of the transaction that brought it, as the 250 told it."""
    hop: NextHop
    envelope: Envelope
    recipients: tuple[QueuedRecipient, ...]
    arrived: float
    """Seconds since 1970."""
    next_try: float
    """Seconds since 1970; counts neither while it is held nor while it is claimed."""
    size: int
    """Octets of the message as it will leave."""
    message_id: str = ""
    """The Message-ID field with its angle brackets; empty where there is none."""
    subject: str = ""
    account: AccountName | None = None
    """Who submitted it; ``None`` for mail of others that passes through."""
    attempts: int = 0
    hold_until: float | None = None
    """Not before then (undo of a send, RFC 4865); seconds since 1970."""
    held: str = ""
    """Why it is held until it is released; empty: it is not."""
    is_ours: bool = False
    """Written here, by an account or by us (a DSN): it is signed in our name."""
    is_sealed: bool = False
    """It was signed, or was found to need no signature: it changes no more."""
    require_tls: bool = False
    """REQUIRETLS was said of it (RFC 8689)."""
    tls_optional: bool = False
    """Its header says ``TLS-Required: No``: what the recipient's domain demands of TLS
    is no reason to fail (RFC 8689 §4.2.2)."""
    is_tls_report: bool = False
    """It tells how TLS went: how it goes itself is not told (RFC 8460 §3)."""
    verdict: str = ""
    """What was thought of it when it came, as `Verdict.to_text`; empty: nobody checked.
    For mailboxes of ours, where it ends."""
    rate: str = ""
    """The name of a bulk sending whose pace it keeps; empty: as fast as it goes."""
    is_taken_over: bool = False
    """
    It was claimed by somebody who let the claim end and told nothing: it may have been
    sent. Not kept; `IQueueStore.claim` says so.
    """
    claimed_until: float | None = field(default=None, eq=False)
    """
    Somebody tries it, and has until then, seconds since 1970, to claim it again. Not
    kept, and no part of what it is; `IQueueStore.items` says so.
    """

    @property
    def waiting(self) -> tuple[QueuedRecipient, ...]:
        """Those that are still to be reached."""
        return tuple(r for r in self.recipients if r.fate is Fate.WAITING)


@frozen
class Report:
    """What one attempt brought for one recipient."""

    path: Path
    fate: Fate
    status: str
    words: str


@frozen(kw_only=True)
class Attempt:
    """One try of one item, as ``mailkit queue show`` tells it."""

    began: float
    """Seconds since 1970."""
    took: float
    """Seconds."""
    host: str = ""
    """Name of the host that was tried last; empty where none was found."""
    address: str = ""
    """Its IP address and port."""
    tls: str = ""
    """``TLSv1.3 TLS_AES_256_GCM_SHA384, checked by mta-sts``; empty: none."""
    words: str = ""
    """
    What stopped the whole attempt, or that it may not have been the first; empty where
    recipients were asked and nothing else is to be said.
    """
    reports: tuple[Report, ...] = ()


@frozen(kw_only=True)
class Selection:
    """Which items a command means; what is not given does not matter."""

    ids: tuple[str, ...] = ()
    """Item ids, or transaction ids for all their items."""
    domain: DomainName | None = None
    account: AccountName | None = None
    is_held: bool | None = None
    rate: str | None = None


@frozen(kw_only=True)
class DueHop:
    """A next hop that has items to be tried now."""

    hop: NextHop
    count: int
    """How many; where there are more than 1,000 a store may stop counting there."""
    oldest: float
    """Since when the one that waits longest may be tried."""


@frozen(kw_only=True)
class DayStats:
    """What became of mail for one domain on one day (UTC), counted by recipients."""

    day: str
    """``2026-11-21``."""
    domain: DomainName
    accepted: int = 0
    """On the day of `QueueItem.arrived`; the others on that of the attempt."""
    delivered: int = 0
    deferred: int = 0
    """Attempts that were put off."""
    bounced: int = 0
    median: float | None = None
    """
    Seconds from arrival to delivery, within a twentieth; ``None`` where nothing was
    delivered.
    """


@frozen(kw_only=True)
class Sealed:
    """What a message became when it was signed."""

    head: bytes = field(default=b"", repr=False)
    """Whole header lines that go on top."""
    octets: bytes | None = field(default=None, repr=False)
    """The message below ``head`` where it was written anew; ``None``: as it is."""
