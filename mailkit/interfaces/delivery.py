"""Where mail goes: between whoever receives a message and whoever keeps it."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen
from zope.interface import Interface

from mailkit.interfaces.storage import IContent
from mailkit.model.account import Account
from mailkit.model.address import AccountName
from mailkit.model.envelope import Envelope, Recipient
from mailkit.model.flags import Flags
from mailkit.model.mailbox import INBOX, MailboxName
from mailkit.model.outcome import Outcome
from mailkit.model.path import Path
from mailkit.model.queueitem import NextHop
from mailkit.model.verdict import Verdict


@frozen
class Origin:
    """Who hands a message in, as far as a destination has to know."""

    peer: str
    """IP address, or ``unix``."""
    hello: str = ""
    """What EHLO, HELO or LHLO said."""
    protocol: str = "SMTP"
    """The ``with`` keyword of Received (RFC 3848 §1), such as ``ESMTPSA``."""
    tls: str = ""
    """``TLSv1.3`` and cipher in words; empty in the clear."""
    account: Account | None = None
    """Who is logged in; ``None`` is a stranger."""
    is_submission: bool = False
    item: str = ""
    """The item of the queue that ends here, as `Placement.once` has it."""
    verdict: Verdict | None = None
    """What was thought of that item when it came: it is not checked again."""
    transaction: str = ""
    """The id of the transaction: the same whenever the same is tried once more, because
    nobody knows what became of it. Empty: it is new."""


class ITransaction(Interface):
    """
    One message on its way in. Nothing is kept until `commit` returns.

    Order: `add_recipient` at least once, `write`, `prepare`, `commit`.
    """

    async def add_recipient(recipient: Recipient) -> None:
        """
        Take one more recipient.

        :raises Refused: if this address will never be accepted.
        :raises Unavailable: if it may be accepted later.
        """

    async def write(octets: bytes) -> None:
        """Take a piece of the message; may wait until there is room."""

    async def prepare() -> Mapping[Path, Outcome]:
        """
        Say for each recipient what will become of the message; keep nothing.

        :raises Refused: if the message as a whole is not taken.
        :raises Unavailable: if it may be taken later.
        """

    async def commit() -> str:
        """
        Keep the message durably for all that `prepare` did not fail.

        :returns: the id under which ``mailkit trace`` knows it.
        """

    async def abort() -> None:
        """Forget the message. Safe to call at any time, more than once."""


class IDestination(Interface):
    """Anything mail can be handed to: a mailbox store, the queue, a list, a relay."""

    async def begin(envelope: Envelope, origin: Origin) -> ITransaction:
        """
        Start a transaction.

        :raises Refused: if nothing is taken from that sender, or of that size.
        :raises Unavailable: if nothing is taken at present.
        """


@frozen
class Filed:
    """Where a message goes within an account."""

    mailboxes: tuple[MailboxName, ...] = (INBOX,)
    """Empty: thrown away."""
    flags: Flags = frozenset()


@frozen(eq=False)
class Arriving:
    """What filing may look at."""

    account: Account
    envelope: Envelope
    recipients: tuple[Recipient, ...]
    """Those of the envelope that lead to this account."""
    detail: str
    """What followed ``+`` in the address (RFC 5233 §1); empty mostly."""
    header: bytes = field(repr=False)
    """The header as it will be kept, with its last empty line."""
    size: int
    content: IContent | None = field(default=None, repr=False)
    """All of it; ``None`` where nobody has it at hand."""


class IFiling(Interface):
    """For one message and account: which mailboxes, which flags."""

    async def file(arriving: Arriving) -> Filed:
        """
        Asked once a message and account, before anything is kept.

        :raises Refused: to turn the message down for this account.
        :raises Unavailable: to have it offered again later.
        """


@frozen
class LocalRecipient:
    """An account that a recipient address leads to."""

    account: AccountName
    address: str
    """The address that RCPT named, folded; differs from the account's for an alias."""
    detail: str = ""


@frozen
class ForeignRecipient:
    """Somebody elsewhere whom a recipient address leads to."""

    path: Path
    hop: NextHop
    alias: str = ""
    """The address of ours that leads there, folded; empty: the sender named it."""
    is_quiet: bool = False
    """A copy by a route: the sender is not told what becomes of it."""


@frozen
class Routed:
    """All that one recipient address leads to, each once."""

    local: tuple[LocalRecipient, ...] = ()
    foreign: tuple[ForeignRecipient, ...] = ()
