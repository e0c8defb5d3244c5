"""One conversation with an IMAP client: what all commands work with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from attrs import define, field
from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.internet.interfaces import IReactorTime

from mailkit.errors import LocalMisuse, MailkitError
from mailkit.interfaces.session import IPeer
from mailkit.interfaces.storage import IMailStore, ISpool, IWatch
from mailkit.metrics import Metrics
from mailkit.model.account import Account
from mailkit.model.address import AccountName
from mailkit.model.mailbox import MailboxName
from mailkit.protocols.imap.limits import DEFAULT_LIMITS, Limits
from mailkit.protocols.imap.response import Condition, Response
from mailkit.protocols.imap.server import IMAPServer
from mailkit.protocols.imap.state import State
from mailkit.services.authentication import Authentication, Exchange
from mailkit.services.imap.answers import answer_for
from mailkit.services.imap.incoming import Incoming
from mailkit.services.imap.selected import Selected
from mailkit.services.imap.settings import IMAPSettings
from mailkit.services.sessions import Sessions

QuotaOf = Callable[[AccountName], Awaitable[int]]
"""How many octets an account may keep; 0 is without limit."""


@define(eq=False)
class IMAPHouse:
    """What all IMAP sessions of a server share."""

    hostname: str
    store: IMailStore
    spool: ISpool
    authentication: Authentication
    sessions: Sessions
    clock: IReactorTime
    metrics: Metrics
    quota_of: QuotaOf
    settings: IMAPSettings = field(factory=IMAPSettings)
    limits: Limits = DEFAULT_LIMITS
    large: DeferredSemaphore = field(factory=lambda: DeferredSemaphore(2), init=False)
    """How many large messages may be in memory at once, for their parts."""


@define(eq=False)
class Dialogue:
    """The two ends, who is logged in, and what is selected."""

    house: IMAPHouse
    machine: IMAPServer
    peer: IPeer
    who: Account | None = None
    selected: Selected | None = None
    exchange: Exchange | None = None
    """The SASL exchange under way."""
    incoming: Incoming | None = None
    """The message that APPEND is sending."""
    appended_to: MailboxName | None = None
    """Where the last APPEND found room."""
    room: int = 0
    """Octets that the account has left, as far as this session knows: what others put
    there since is seen by the store."""
    registration: IWatch | None = None
    failures: int = 0
    """Logins that failed."""
    goodbye: Response | None = None
    """Why the session has to end, to be said as soon as nothing is at work."""
    _turn_began: float = field(default=0.0, init=False)

    @property
    def settings(self) -> IMAPSettings:
        return self.house.settings

    @property
    def store(self) -> IMailStore:
        return self.house.store

    @property
    def is_rev2(self) -> bool:
        """Whether the client enabled IMAP4rev2 (RFC 9051 §6.3.1)."""
        return self.machine.is_rev2

    @property
    def account(self) -> AccountName:
        """Who is logged in; the machine lets nobody else ask."""
        if self.who is None:
            raise LocalMisuse("nobody is logged in")
        return self.who.name

    @property
    def here(self) -> Selected:
        """What is selected; the machine lets nobody ask before."""
        if self.selected is None:
            raise LocalMisuse("no mailbox is selected")
        return self.selected

    def say(self, *responses: bytes) -> None:
        """Untagged responses, whole, or pieces of one; nothing after BYE."""
        if self.machine.state is not State.LOGOUT:
            self.machine.send_untagged(*responses)

    async def flush(self) -> None:
        """
        Send what waits, when the peer has room; now and then let others work.

        :raises PeerGone:
        """
        await self.peer.flush()
        clock = self.house.clock
        now = clock.seconds()
        if now - self._turn_began > self.settings.turn:
            turn: Deferred[None] = Deferred()
            clock.callLater(0, turn.callback, None)
            await turn
            self._turn_began = clock.seconds()

    def end(self, reason: str, code: bytes = b"") -> None:
        """The session is over as soon as the command at work was answered."""
        self.goodbye = Response(Condition.BYE, reason, code)
        self.peer.interrupt()

    def end_for(self, error: MailkitError) -> None:
        """The same, in the words for an error."""
        answer = answer_for(error)
        self.end(answer.text, answer.code)

    def begin_turn(self) -> float:
        """A command begins; the moment at which it does."""
        self._turn_began = self.house.clock.seconds()
        return self._turn_began
