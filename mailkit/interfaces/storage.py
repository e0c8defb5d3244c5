"""Where mail is kept. Knows UIDs and kinds of failure, no protocol."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import field, frozen
from zope.interface import Attribute, Interface

from mailkit.model.address import AccountName
from mailkit.model.flags import FlagChange, Flags
from mailkit.model.layout import Laid, Layout, Stretch
from mailkit.model.mailbox import (
    Copied,
    MailboxChange,
    MailboxEntry,
    MailboxName,
    MailboxStatus,
    Records,
    Snapshot,
    Want,
)
from mailkit.model.query import Query
from mailkit.model.uidset import UIDSet
from mailkit.model.verdict import Verdict


class IContent(Interface):
    """The octets of one message; read as often as wanted, never changed."""

    size: int = Attribute("Octets, all line ends CRLF.")
    octets: bytes | None = Attribute("All of it where that is in memory anyway.")

    async def read(start: int, count: int) -> bytes:
        """Part of the message; shorter than ``count`` at its end only."""


class ISpoolFile(Interface):
    """A message on its way in: small ones in memory, large ones on disk."""

    size: int = Attribute("Octets written so far.")

    async def write(octets: bytes) -> None:
        """
        Take one more piece.

        :raises StorageFull: :raises StorageBroken:
        """

    async def finish() -> IContent:
        """No more comes. The content is good until `discard`."""

    def discard() -> None:
        """Forget it. Safe to call at any time, more than once."""


class ISpool(Interface):
    """Room for messages on their way in; knows how much the disk has left."""

    def begin() -> ISpoolFile:
        """
        Make room for one message.

        :raises StorageFull: while less is free than is kept free.
        """


@frozen(eq=False)
class NewMessage:
    """A message to be kept, and how it begins its life."""

    content: IContent
    flags: Flags = frozenset()
    internal_date: float | None = None
    """Seconds since 1970; ``None``: now."""
    head: bytes = field(default=b"", repr=False)
    """Whole header lines that go above the content."""
    verdict: Verdict | None = None
    """What was thought of it when it came; ``None``: nobody checked."""


@frozen(eq=False)
class Placement:
    """One mailbox that a delivered message goes to."""

    account: AccountName
    mailbox: MailboxName
    flags: Flags = frozenset()
    head: bytes = field(default=b"", repr=False)
    """Whole header lines that go above the content for this account."""
    verdict: Verdict | None = None
    """What was thought of it when it came; ``None``: nobody checked."""
    once: str = ""
    """
    What this delivery is of, such as an item of the queue: of the same one an account
    keeps one message in each mailbox, however often it is delivered. Empty: it is new.
    """


class IWatch(Interface):
    """Somebody listens."""

    def stop() -> None:
        """Hear no more. Safe to call twice."""


class IMailbox(Interface):
    """
    One mailbox of one account. Knows UIDs; sequence numbers are the session's.

    After the mailbox was deleted every method raises `MailboxGone`, but for
    `changes_since`, whose answer says so. A mailbox that is renamed stays open. All
    that is answered by returning is durable (STORE.md §3).
    """

    account: AccountName = Attribute("Whose it is.")
    name: MailboxName = Attribute("What it was opened as.")
    mailbox_id: str = Attribute("The same for life (RFC 8474 §4).")
    uid_validity: int = Attribute("The same for life.")
    mod_seq: int = Attribute(
        "The state that the last answer was read in; 0 before there was one."
    )

    async def snapshot(take_recent: bool) -> Snapshot:
        """
        Look at the whole mailbox: what a SELECT begins with.

        :param take_recent: whether this look takes the recent messages as its own.
        """

    async def status() -> MailboxStatus:
        """The counters as of now, other programs' changes included."""

    async def append(messages: Sequence[NewMessage]) -> list[int]:
        """
        Keep messages durably, all or none; their UIDs, in order.

        :raises OverQuota: :raises StorageFull: :raises StorageBroken:
        :raises TooMany: if a keyword would be one too many.
        """

    async def fetch(uids: UIDSet, want: Want, most: int = 0) -> Records:
        """
        Those of ``uids`` that exist, ascending. Ask in batches of some hundreds.

        :param most: about how many octets of envelopes and the like may be read at
            once (0: all). From the first message on that is too much, but for the
            very first, they are not looked at: `Records.rest`.
        """

    async def lay_out(
        stretches: Sequence[Stretch], layout: Layout, most: int
    ) -> Laid | None:
        """
        What ``layout`` says of those messages that exist, ready to send.

        ``None`` where the store is not faster so than by `fetch`, which is asked then.

        :param stretches: one at least, ascending, of some hundred messages in all.
        :param most: as of `fetch`.
        """

    async def contents(uids: UIDSet) -> list[tuple[int, IContent]]:
        """
        The octets of those of ``uids`` that exist, ascending; ask for few at a time.

        Small messages come with their ``octets`` read. A message whose file has
        vanished is left out, and is expunged by the time this returns.
        """

    async def store(
        uids: UIDSet, change: FlagChange, unchanged_since: int | None = None
    ) -> UIDSet:
        """
        Change flags; returns UIDs left alone because they changed (RFC 7162 §3.1.3).

        :raises TooMany: if a keyword would be one too many.
        """

    async def copy(uids: UIDSet, to: MailboxName) -> Copied:
        """All or none. :raises NoSuchMailbox: :raises OverQuota:"""

    async def move(uids: UIDSet, to: MailboxName) -> Copied:
        """All or none, never doubled. :raises NoSuchMailbox:"""

    async def expunge(uids: UIDSet) -> UIDSet:
        r"""Remove those of ``uids`` for good that are \Deleted; what was removed."""

    async def search(query: Query) -> UIDSet:
        """Messages that match, exactly."""

    async def changes_since(mod_seq: int) -> MailboxChange:
        """
        What somebody who knew the state ``mod_seq`` missed.

        Looks at what other processes committed, and at other programs' changes
        to the folder as often as STORE.md §4 says.
        """

    def watch(hear: Callable[[], None]) -> IWatch:
        """
        Call ``hear`` soon after each change, whoever made it.

        Only a hint to ask `changes_since`: it may come for nothing, or once for
        many changes. While a watch is there, the folder is looked at each second.
        """


@frozen
class Appended:
    """Under which UIDs messages were kept (RFC 4315 §3)."""

    uid_validity: int
    uids: list[int]


class IMailStore(Interface):
    """All mailboxes of all accounts."""

    async def create_account(account: AccountName) -> None:
        """Make the INBOX and the special mailboxes; nothing happens if they are."""

    async def remove_account(account: AccountName, purge: bool) -> None:
        """Take an account's mail away: aside for 30 days, or for good."""

    async def used(account: AccountName) -> int:
        """Octets that the account's messages have together, kept, never counted."""

    async def mailboxes(account: AccountName) -> list[MailboxEntry]:
        """Every mailbox and every subscribed name, INBOX first, then by name."""

    async def status(account: AccountName, name: MailboxName) -> MailboxStatus:
        """Like `open` and `IMailbox.status`, at once. :raises NoSuchMailbox:"""

    async def open(account: AccountName, name: MailboxName) -> IMailbox:
        """:raises NoSuchMailbox: INBOX is there for every account that exists."""

    async def create(account: AccountName, name: MailboxName) -> None:
        """
        Make a mailbox, and those above it that are not there.

        :raises MailboxExists: :raises CannotName: :raises TooMany:
        """

    async def rename(account: AccountName, old: MailboxName, new: MailboxName) -> None:
        """
        With all below it. Renaming INBOX moves its messages (RFC 9051 §6.3.6).

        :raises NoSuchMailbox: :raises MailboxExists: :raises CannotName:
        """

    async def delete(account: AccountName, name: MailboxName) -> None:
        """
        One with others below it lives on as a name.

        :raises NoSuchMailbox: :raises CannotName: for INBOX.
        """

    async def subscribe(account: AccountName, name: MailboxName, wish: bool) -> None:
        """Subscribe or not; the name need not exist (RFC 9051 §6.3.7)."""

    async def deliver(content: IContent, to: Sequence[Placement]) -> list[int]:
        """
        Keep one message in several mailboxes durably; their UIDs, in order.

        Written once and linked where heads are equal. A mailbox that is not there
        is made. When it raises, the message may be in some mailboxes already, and
        a second attempt doubles it there, unless `Placement.once` tells that it is
        one. What its person has moved since counts as kept, with the UID 0; what was
        expunged does not.

        :raises StorageFull: :raises StorageBroken:
        """

    async def append(
        account: AccountName, name: MailboxName, messages: Sequence[NewMessage]
    ) -> Appended:
        """
        `IMailbox.append` to a mailbox by its name, which is quicker than to open it.

        :raises NoSuchMailbox: and what `IMailbox.append` raises.
        """

    async def exclusively(account: AccountName, name: MailboxName) -> IWatch:
        """
        Hold a mailbox against other POP3 sessions of all processes (RFC 1939 §4).

        :raises MailboxInUse:
        """

    async def close() -> None:
        """Write behind what waits and let go of all files."""


@frozen
class MailboxCheck:
    """What a look at one mailbox found."""

    name: MailboxName
    messages: int
    problems: tuple[str, ...]
    """In words for an administrator; empty: all is as it should be."""


class IUpkeep(Interface):
    """What a store that keeps something beside the messages lets be looked after."""

    async def check(account: AccountName) -> Sequence[MailboxCheck]:
        """Compare what is kept twice, for all mailboxes; change nothing."""

    async def rebuild(account: AccountName) -> None:
        """
        Make anew whatever is derived from the messages.

        UIDs, flags and names stay; sessions are told of nothing.
        """
