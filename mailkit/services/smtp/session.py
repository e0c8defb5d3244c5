"""What an SMTP client may do here: policy, no octets (RFC 5321)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import assert_never, cast

from attrs import define, field
from zope.interface import implementer

from mailkit.errors import (
    LocalMisuse,
    MailkitError,
    Malformed,
    Refused,
    TooLarge,
    Unavailable,
)
from mailkit.formats.received import with_keyword
from mailkit.interfaces.delivery import ITransaction, Origin
from mailkit.interfaces.session import IPeer, ISession
from mailkit.interfaces.storage import IWatch
from mailkit.model.account import Account
from mailkit.model.envelope import Envelope, Recipient, SenderParameters
from mailkit.model.event import MailEvent, Step
from mailkit.model.path import Path
from mailkit.model.reply import Reply
from mailkit.protocols.smtp.events import (
    AuthBegins,
    AuthCancelled,
    AuthResponse,
    BadCommand,
    ChunkEnds,
    DataBegins,
    Event,
    Expand,
    Hello,
    Help,
    MailFrom,
    Noop,
    Quit,
    RcptTo,
    Reset,
    StartTLS,
    TextBlock,
    TextEnds,
    Verify,
)
from mailkit.protocols.smtp.server import SMTPServer, State
from mailkit.services.authentication import Exchange
from mailkit.services.smtp.replies import AUTH_REPLIES, outcome_of, reply_for
from mailkit.services.smtp.service import SMTPService

NAMES: dict[type[Event], str] = {
    AuthBegins: "AUTH",
    AuthCancelled: "AUTH",
    AuthResponse: "AUTH",
    ChunkEnds: "BDAT",
    DataBegins: "DATA",
    Expand: "EXPN",
    Hello: "HELO",
    Help: "HELP",
    MailFrom: "MAIL",
    Noop: "NOOP",
    Quit: "QUIT",
    RcptTo: "RCPT",
    Reset: "RSET",
    StartTLS: "STARTTLS",
    TextEnds: "end-of-data",
    Verify: "VRFY",
}
"""What the metrics call each event; the end of a message is not its DATA."""

_EXTENSIONS = (
    "8BITMIME",  # RFC 6152
    "SMTPUTF8",  # RFC 6531
    "CHUNKING",  # RFC 3030
    "BINARYMIME",  # RFC 3030
    "DSN",  # RFC 3461
    "ENHANCEDSTATUSCODES",  # RFC 2034
)
_FAREWELLS = {"timed out": "4.2", "internal error": "3.0"}
_DONE = Reply(250, "0.0", "Done")
_SENDER_ACCEPTED = Reply(250, "1.0", "Sender accepted")
_RECIPIENT_ACCEPTED = Reply(250, "1.5", "Recipient accepted")
_SEND_TEXT = Reply(354, "", "Send the message, then a dot on a line of its own")
_CHUNK_ACCEPTED = Reply(250, "0.0", "Chunk accepted")
_TLS_BEGINS = Reply(220, "0.0", "Ready for TLS")
_TLS_IS_ON = Reply(503, "5.1", "TLS is on already")
_NO_TLS = Reply(454, "7.0", "TLS is not available")  # RFC 3207 §4
_NO_AUTH = Reply(502, "5.1", "AUTH is not offered here")
_LOGGED_IN = Reply(235, "7.0", "Authentication succeeded")
_CANCELLED = Reply(501, "7.0", "Authentication cancelled")  # RFC 4954 §4
_NOT_SHOWN = Reply(502, "5.1", "Who is on a list is not told")
_TRY_IT = Reply(252, "5.0", "Cannot be told, but mail to it is tried")
_HELP = Reply(214, "0.0", "See RFC 5321; the administrator reads mail to postmaster")
_NOT_OFFERED = Reply(555, "5.4", "A parameter that was not offered")
_HELD_TOO_LONG = Reply(501, "5.4", "That is further away than we hold mail")
_HELD_AT_MOST = 30 * 86400
"""Seconds for which mail is held on request (RFC 4865 §3)."""
_TOO_MANY_ERRORS = Reply(421, "7.0", "Too many errors, closing the connection")


@implementer(ISession)
@define(eq=False)
class SMTPSession:
    """One client's session; it holds at most one open transaction."""

    service: SMTPService
    machine: SMTPServer
    peer: IPeer
    _hello: str = field(default="", init=False)
    _account: Account | None = field(default=None, init=False)
    _registration: IWatch | None = field(default=None, init=False)
    _exchange: Exchange | None = field(default=None, init=False)
    _sender: Path | None = field(default=None, init=False)
    _transaction: ITransaction | None = field(default=None, init=False)
    _recipients: list[Path] = field(factory=list, init=False)
    _failure: MailkitError | None = field(default=None, init=False)
    _errors: int = field(default=0, init=False)
    _refusals: int = field(default=0, init=False)

    # -- what the pump asks

    @property
    def is_over(self) -> bool:
        return self.machine.state is State.CLOSED

    @property
    def timeout(self) -> float:
        return self.service.settings.timeout

    @property
    def is_idle(self) -> bool:
        return self._transaction is None and self._exchange is None

    @property
    def account(self) -> str:
        return "" if self._account is None else self._account.name

    async def greet(self) -> None:
        kind = "LMTP" if self.service.dialect.answers_each else "ESMTP"
        self.machine.send(Reply(220, "", f"{self.service.house.hostname} {kind}"))

    async def handle(self, event: object) -> None:
        event = cast(Event, event)
        if isinstance(event, TextBlock):
            await self._take(event.octets)
            return
        house = self.service.house
        began = house.clock.seconds()
        try:
            replies = await self._answer(event)
        except (Refused, Unavailable, Malformed) as error:
            replies = self._failed(event, error)
        if not replies:
            return  # said already
        outcome = outcome_of(replies[0])
        if outcome == "ok":
            self.machine.send(*replies)
        else:
            self.machine.send(*self._counted(event, replies))
        name = event.name if isinstance(event, BadCommand) else NAMES[type(event)]
        took = house.clock.seconds() - began
        house.metrics.commanded(self.service.name, name, outcome, took)

    def farewell(self, reason: str) -> None:
        detail = _FAREWELLS.get(reason, "3.2")
        text = f"{self.service.house.hostname} {reason}"
        self.machine.send(Reply(421, detail, text))

    async def close(self) -> None:
        if self._registration is not None:
            self._registration.stop()
        await self._abandon()

    # -- one case for each event

    async def _answer(self, event: Event) -> list[Reply]:
        match event:
            case MailFrom():
                return [await self._mail(event)]
            case RcptTo():
                recipient = Recipient(event.path, event.parameters)
                await self.service.door.check_recipient(self._account, event.path)
                await self._current.add_recipient(recipient)
                self._recipients.append(event.path)
                return [_RECIPIENT_ACCEPTED]
            case DataBegins():
                return [_SEND_TEXT]
            case TextEnds():
                return await self._end(event.refusal)
            case ChunkEnds():
                return await self._chunk(event)
            case Hello():
                await self._abandon()
                self._hello = event.domain
                return [self._greeting(event)]
            case Reset():
                await self._abandon()
                return [_DONE]
            case Noop():
                return [_DONE]
            case Quit():
                await self._abandon()
                host = self.service.house.hostname
                return [Reply(221, "0.0", f"{host} closing the connection")]
            case BadCommand():
                self._exchange = None
                return [event.reply]
            case StartTLS():
                return await self._start_tls()
            case AuthBegins():
                authentication = self.service.door.authentication
                if authentication is None:
                    return [_NO_AUTH]
                mechanism = event.mechanism
                self._exchange = authentication.begin(mechanism, "smtp", self.peer)
                return await self._authenticate(event.initial)
            case AuthResponse():
                return await self._authenticate(event.octets)
            case AuthCancelled():
                self._exchange = None
                return [_CANCELLED]
            case Verify():
                return [_TRY_IT]
            case Expand():
                return [_NOT_SHOWN]
            case Help():
                return [_HELP]
            case TextBlock():
                raise LocalMisuse("a block of text awaits no reply")
            case _:
                assert_never(event)

    def _greeting(self, event: Hello) -> Reply:
        host = self.service.house.hostname
        if not event.is_extended:
            return Reply(250, "", host)
        size = self.machine.limits.message_size
        lines = [host, "PIPELINING", f"SIZE {size}", *_EXTENSIONS]
        if self.peer.can_start_tls:
            lines.append("STARTTLS")
        if self._offers_requiretls:
            lines.append("REQUIRETLS")  # RFC 8689 §2
        if self._offers_future_release:  # RFC 4865 §3
            until = datetime.fromtimestamp(self._held_until_at_most, UTC)
            lines.append(f"FUTURERELEASE {_HELD_AT_MOST} {until:%Y-%m-%dT%H:%M:%SZ}")
        authentication = self.service.door.authentication
        if authentication is not None and self._account is None:
            mechanisms = authentication.mechanisms(self.peer)
            if mechanisms:
                lines.append(f"AUTH {' '.join(mechanisms)}")
        return Reply(250, "", "\n".join(lines))

    async def _start_tls(self) -> list[Reply]:
        if self.peer.is_secure:
            return [_TLS_IS_ON]
        if not self.peer.can_start_tls:
            return [_NO_TLS]
        await self._abandon()
        self._forget_login()
        self._hello = ""
        self.machine.send(_TLS_BEGINS)
        await self.peer.start_tls()
        return []

    # -- who it is

    async def _authenticate(self, octets: bytes | None) -> list[Reply]:
        assert self._exchange is not None
        answer = await self._exchange.step(octets)
        if isinstance(answer, bytes):
            self.machine.challenge(answer)
            return []
        self._exchange = None
        sessions = self.service.house.sessions
        self._registration = sessions.register(
            answer.name, answer.generation, self.peer.interrupt
        )
        self._account = answer
        return [_LOGGED_IN]

    def _forget_login(self) -> None:
        if self._registration is not None:
            self._registration.stop()
            self._registration = None
        self._account = None

    # -- the message

    @property
    def _current(self) -> ITransaction:
        assert self._transaction is not None
        return self._transaction

    @property
    def _offers_requiretls(self) -> bool:
        # Only where TLS protects this hop too.
        return self.service.sends and bool(self.peer.tls)

    @property
    def _offers_future_release(self) -> bool:
        return self.service.sends and self.service.door.is_submission

    @property
    def _held_until_at_most(self) -> float:
        return self.service.house.clock.seconds() + _HELD_AT_MOST

    def _unwanted(self, parameters: SenderParameters) -> Reply | None:
        """What is said to parameters that were not offered here, or are too much."""
        if parameters.require_tls and not self._offers_requiretls:
            return _NOT_OFFERED
        wait, until = parameters.hold_for, parameters.hold_until
        if wait is None and until is None:
            return None
        if not self._offers_future_release:
            return _NOT_OFFERED
        if (wait or 0) > _HELD_AT_MOST or (until or 0) > self._held_until_at_most:
            return _HELD_TOO_LONG
        return None

    async def _mail(self, event: MailFrom) -> Reply:
        unwanted = self._unwanted(event.parameters)
        if unwanted is not None:
            return unwanted
        try:
            await self.service.door.check(
                self._account, event.path, self.peer.is_secure
            )
            if (event.parameters.size or 0) > self.machine.limits.message_size:
                raise TooLarge("SIZE")
            envelope = Envelope(event.path, event.parameters)
            origin = self._origin(event.parameters.smtputf8)
            destination = self.service.destination
            self._transaction = await destination.begin(envelope, origin)
        except (Refused, Unavailable) as error:
            self._record(str(event.path), reply_for(error, self.service.words))
            raise
        self._sender = event.path
        self._failure = None
        return _SENDER_ACCEPTED

    def _origin(self, smtputf8: bool) -> Origin:
        # A Unix socket is as good as TLS, and is none.
        is_tls = self.peer.is_secure and self.peer.host != "unix"
        protocol = with_keyword(
            extended=self.machine.is_extended,
            tls=is_tls,
            authenticated=self._account is not None,
            utf8=smtputf8,
            lmtp=self.service.dialect.answers_each,
        )
        return Origin(
            self.peer.host,
            self._hello,
            protocol,
            self.peer.tls,
            self._account,
            self.service.door.is_submission,
        )

    async def _take(self, octets: bytes) -> None:
        if self._failure is None:
            try:
                await self._current.write(octets)
            except (Refused, Unavailable) as error:
                self._failure = error

    async def _chunk(self, event: ChunkEnds) -> list[Reply]:
        if not self._recipients:
            assert event.refusal is not None  # it came out of order
            return [event.refusal]
        if event.is_last or event.refusal is not None:
            return await self._end(event.refusal)
        if self._failure is not None:
            failure = self._failure
            await self._abandon()
            raise failure
        return [_CHUNK_ACCEPTED]

    async def _end(self, refusal: Reply | None) -> list[Reply]:
        """Keep the message or not; whether the peer is still there is all one."""
        try:
            if refusal is not None:
                self._record(str(self._sender), refusal)
                return [refusal] * self.machine.replies_wanted
            if self._failure is not None:
                raise self._failure
            words = self.service.words
            finish = self.service.finish
            replies = await finish(self._current, self._recipients, words)
            self._errors = self._refusals = 0
            return replies
        finally:
            await self._abandon()

    async def _abandon(self) -> None:
        transaction, self._transaction = self._transaction, None
        self._failure = None
        self._sender = None
        self._recipients.clear()
        if transaction is not None:
            await transaction.abort()

    # -- what went wrong

    def _failed(self, event: Event, error: MailkitError) -> list[Reply]:
        if isinstance(event, AuthBegins | AuthResponse):
            self._exchange = None
            return [reply_for(error, AUTH_REPLIES)]
        reply = reply_for(error, self.service.words)
        return [reply] * self.machine.replies_wanted

    def _counted(self, event: Event, replies: list[Reply]) -> list[Reply]:
        """What a peer hears that was wrong once more; at some time the last word."""
        if isinstance(event, BadCommand | AuthBegins | AuthResponse):
            self._errors += 1
        elif not replies[0].is_transient:
            self._refusals += 1
        settings = self.service.settings
        if self._errors > settings.errors or self._refusals > settings.refusals:
            return [_TOO_MANY_ERRORS]
        return replies

    def _record(self, sender: str, reply: Reply) -> None:
        """Note that no message came of it; those of the destination it notes itself."""
        house = self.service.house
        house.events.record(
            MailEvent(
                house.clock.seconds(),
                Step.REFUSED,
                "",
                "",
                sender,
                ", ".join(map(str, self._recipients)),
                self.peer.host,
                self.account,
                str(reply),
            )
        )
