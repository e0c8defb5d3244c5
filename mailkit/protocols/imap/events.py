"""
What an IMAP client can ask for, one class a command (RFC 9051 §6, RFC 3501 §6).

Mailbox names are decoded (modified UTF-7 or UTF-8), in NFC, and ``INBOX`` is spelt
so; a separator at the end of a CREATE is left on. Numbers are unresolved.
"""

from __future__ import annotations

from attrs import field, frozen

from mailkit.model.flags import FlagAction, Flags
from mailkit.model.mailbox import MailboxName, SpecialUse
from mailkit.protocols.imap.items import (
    FetchItem,
    ListReturn,
    ListSelection,
    StatusItem,
)
from mailkit.protocols.imap.keys import SearchKey, SearchReturn
from mailkit.protocols.imap.sequence import SequenceSet

# --- any state


@frozen
class Capability:
    """RFC 9051 §6.1.1."""


@frozen
class Noop:
    """RFC 9051 §6.1.2."""


@frozen
class Logout:
    """RFC 9051 §6.1.3. Untagged BYE first (`IMAPServer.bye`), then answer OK."""


@frozen
class Id:
    """Who the client says it is (RFC 2971 §3.1); ``None`` is NIL."""

    parameters: tuple[tuple[str, str | None], ...] | None


# --- not authenticated


@frozen
class StartTLS:
    """RFC 9051 §6.2.1. Answer OK, then ``IPeer.start_tls``."""


@frozen
class Authenticate:
    """
    RFC 9051 §6.2.2. `IMAPServer.challenge` or answer.

    ``mechanism`` is in upper case. ``initial_response`` is decoded; ``None`` means
    there was none, ``b""`` that it was empty (``=``, RFC 4959 §3).
    """

    mechanism: str
    initial_response: bytes | None = field(default=None, repr=False)


@frozen
class AuthResponse:
    """The client's answer to a challenge, decoded. `challenge` again or answer."""

    octets: bytes = field(repr=False)


@frozen
class AuthCancelled:
    """The client gave up, or sent no base64: answer BAD with ``problem``."""

    problem: str


@frozen
class Login:
    """RFC 9051 §6.2.3."""

    name: str
    password: str = field(repr=False)


# --- authenticated


@frozen
class Enable:
    """RFC 9051 §6.3.1: names in upper case. Call `IMAPServer.enable`, then answer."""

    capabilities: tuple[str, ...]


@frozen
class Select:
    """RFC 9051 §6.3.2. An answer of NO leaves no mailbox selected."""

    mailbox: MailboxName


@frozen
class Examine:
    """RFC 9051 §6.3.3. An answer of NO leaves no mailbox selected."""

    mailbox: MailboxName


@frozen
class Create:
    """RFC 9051 §6.3.4; ``uses`` by RFC 6154 §3 in the form of RFC 4466 §2.2."""

    mailbox: MailboxName
    uses: tuple[SpecialUse, ...] = ()


@frozen
class Delete:
    """RFC 9051 §6.3.5."""

    mailbox: MailboxName


@frozen
class Rename:
    """RFC 9051 §6.3.6."""

    mailbox: MailboxName
    new: MailboxName


@frozen
class Subscribe:
    """RFC 9051 §6.3.7."""

    mailbox: MailboxName


@frozen
class Unsubscribe:
    """RFC 9051 §6.3.8."""

    mailbox: MailboxName


@frozen
class List:
    """
    RFC 9051 §6.3.9, RFC 5258 §3.

    Patterns that cannot be a name (not modified UTF-7) are left out, so
    ``patterns`` may be empty.
    """

    reference: str
    patterns: tuple[str, ...]
    selection: frozenset[ListSelection] = frozenset()
    returns: frozenset[ListReturn] = frozenset()
    status: tuple[StatusItem, ...] = ()
    """Items of RETURN (STATUS (…)); empty unless that is in ``returns``."""
    is_extended: bool = False
    """The extended syntax was used: ``""`` is then no question for the separator."""


@frozen
class Lsub:
    """RFC 3501 §6.3.9; ``pattern`` is ``None`` where it cannot be a name."""

    reference: str
    pattern: str | None


@frozen
class Namespace:
    """RFC 9051 §6.3.10, RFC 2342 §5."""


@frozen
class Status:
    """RFC 9051 §6.3.11; each item once."""

    mailbox: MailboxName
    items: tuple[StatusItem, ...]


@frozen
class AppendBegins:
    """
    RFC 9051 §6.3.12, with the size known and no octet of the message here yet.

    `IMAPServer.accept_literal` lets the message come, as `AppendChunk`s and one of
    `AppendEnds` or `AppendAborted`; an answer of NO or BAD refuses it.
    """

    mailbox: MailboxName
    size: int
    """Octets announced."""
    flags: Flags = frozenset()
    internal_date: float | None = None
    """Seconds since 1970."""
    is_binary: bool = False
    """A literal8: it may hold NUL (RFC 3516 §4.4)."""
    is_utf8: bool = False
    """Sent as UTF8 (RFC 6855 §4)."""


@frozen
class AppendChunk:
    """Octets of the message, at most 64 KiB. Awaits no answer."""

    octets: bytes = field(repr=False)


@frozen
class AppendEnds:
    """All octets came. Keep the message, then answer."""


@frozen
class AppendAborted:
    """Forget the message: the command went wrong after all. Answer BAD, ``problem``."""

    problem: str


@frozen
class Idle:
    """RFC 9051 §6.3.13. `IMAPServer.continue_`, then tell changes until `Done`."""


@frozen
class Done:
    """The end of IDLE. Answer OK, or BAD with ``problem`` where there is one."""

    problem: str = ""


# --- selected


@frozen
class Check:
    """RFC 3501 §6.4.1."""


@frozen
class Close:
    """RFC 9051 §6.4.1."""


@frozen
class Unselect:
    """RFC 9051 §6.4.2, RFC 3691 §2."""


@frozen
class Expunge:
    """RFC 9051 §6.4.3."""


@frozen
class UidExpunge:
    """RFC 9051 §6.4.9, RFC 4315 §2.1."""

    uids: SequenceSet


@frozen
class Search:
    """
    RFC 9051 §6.4.4.

    ``returns`` is ``None`` where the client said no RETURN; ``RETURN ()`` is ALL.
    """

    key: SearchKey
    returns: frozenset[SearchReturn] | None = None
    uid: bool = False
    unknown_charset: str = ""
    """Named by the client, so that ``key`` could not be read: answer NO."""


@frozen
class Fetch:
    """
    RFC 9051 §6.4.5: macros are spelt out, each item is there once.

    With ``uid`` the items begin with UID, asked for or not.
    """

    numbers: SequenceSet
    items: tuple[FetchItem, ...]
    uid: bool = False


@frozen
class Store:
    """RFC 9051 §6.4.6."""

    numbers: SequenceSet
    action: FlagAction
    flags: Flags
    is_silent: bool = False
    uid: bool = False


@frozen
class Copy:
    """RFC 9051 §6.4.7."""

    numbers: SequenceSet
    mailbox: MailboxName
    uid: bool = False


@frozen
class Move:
    """RFC 9051 §6.4.8."""

    numbers: SequenceSet
    mailbox: MailboxName
    uid: bool = False


# --- the connection itself


@frozen
class HangUp:
    """The peer is past helping: say so with `IMAPServer.bye` and be over."""

    reason: str


Event = (
    Capability
    | Noop
    | Logout
    | Id
    | StartTLS
    | Authenticate
    | AuthResponse
    | AuthCancelled
    | Login
    | Enable
    | Select
    | Examine
    | Create
    | Delete
    | Rename
    | Subscribe
    | Unsubscribe
    | List
    | Lsub
    | Namespace
    | Status
    | AppendBegins
    | AppendChunk
    | AppendEnds
    | AppendAborted
    | Idle
    | Done
    | Check
    | Close
    | Unselect
    | Expunge
    | UidExpunge
    | Search
    | Fetch
    | Store
    | Copy
    | Move
    | HangUp
)
