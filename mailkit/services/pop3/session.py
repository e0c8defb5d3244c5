"""One POP3 client's session: policy and storage, no octets (RFC 1939)."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import assert_never, cast

from attrs import define, field
from twisted.logger import Logger
from zope.interface import implementer

from mailkit.errors import (
    Busy,
    MailboxInUse,
    MailkitError,
    Malformed,
    NeedsEncryption,
    NoSuchMechanism,
    NotAuthenticated,
    Refused,
    StorageBroken,
    TooMany,
    Unavailable,
)
from mailkit.formats.header import find_end
from mailkit.interfaces.session import IPeer, ISession
from mailkit.interfaces.storage import IContent, IWatch
from mailkit.model.account import Account
from mailkit.protocols.pop3.events import (
    AuthBegins,
    AuthCancelled,
    AuthList,
    AuthResponse,
    Capa,
    Dele,
    Event,
    Noop,
    Pass,
    Quit,
    Retr,
    Rset,
    Scan,
    StartTLS,
    Stat,
    Top,
    Uidl,
    User,
    Utf8,
)
from mailkit.protocols.pop3.server import POP3Server, State
from mailkit.services.authentication import Exchange
from mailkit.services.pop3.cut import Top as CutTop
from mailkit.services.pop3.house import POP3House
from mailkit.services.pop3.maildrop import Maildrop

PIECE = 65_536
"""Octets of a message that are read and written at once."""

LINES = 2_000
"""Lines of a listing that are written at once."""

CODES: dict[type[MailkitError], tuple[str, str]] = {
    NeedsEncryption: ("SYS/PERM", "Not in the clear: begin with STLS"),
    NoSuchMechanism: ("SYS/PERM", "No such mechanism"),
    NotAuthenticated: ("AUTH", "Name or password is wrong"),
    Malformed: ("AUTH", "Not understood"),
    Busy: ("SYS/TEMP", "Too many failures, try again later"),
    TooMany: ("SYS/TEMP", "The account has too many connections"),
    MailboxInUse: ("IN-USE", "Another session has this mailbox"),
    Unavailable: ("SYS/TEMP", "Not now, try again later"),
    Refused: ("SYS/PERM", "Not possible"),
}
"""How POP3 says each error: code (RFC 2449 §8.1, RFC 3206 §3) and words."""


def words_for(error: MailkitError) -> tuple[str, str]:
    """The nearest class in the error's ancestry that `CODES` has."""
    return next(CODES[kind] for kind in type(error).__mro__ if kind in CODES)


@implementer(ISession)
@define(eq=False)
class POP3Session:
    """One client; after the login it holds a `Maildrop`."""

    log = Logger()

    machine: POP3Server
    peer: IPeer
    house: POP3House
    account: str = field(default="", init=False)
    timeout: float = field(init=False)
    _name: str = field(default="", init=False)
    _exchange: Exchange | None = field(default=None, init=False)
    _drop: Maildrop | None = field(default=None, init=False)
    _registration: IWatch | None = field(default=None, init=False)
    _failures: int = field(default=0, init=False)
    _is_utf8: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self.timeout = self.house.settings.login_time

    @property
    def is_over(self) -> bool:
        return self.machine.state is State.CLOSED

    @property
    def is_idle(self) -> bool:
        return True  # what is marked as deleted stays (RFC 1939 §6)

    async def greet(self) -> None:
        self.machine.greet(f"{self.house.hostname} POP3 ready")

    def farewell(self, reason: str) -> None:
        if reason == "timed out":
            self.machine.leave()  # without a response (RFC 1939 §3)
        else:
            self.machine.bye(reason, "SYS/TEMP")

    async def close(self) -> None:
        self._count_complaints()
        if self._drop is not None:
            self._drop.close()
        if self._registration is not None:
            self._registration.stop()

    async def handle(self, event: object) -> None:
        house = self.house
        self._count_complaints()
        began = house.clock.seconds()
        try:
            await self._answer(cast(Event, event))
        except (Refused, Unavailable) as error:
            code, text = words_for(error)
            self.machine.err(text, code)
        outcome = "ok" if self.machine.was_positive else "refused"
        took = house.clock.seconds() - began
        house.metrics.commanded("pop3", type(event).__name__.lower(), outcome, took)

    def _count_complaints(self) -> None:
        self.house.metrics.misunderstood("pop3", self.machine.take_complaints())

    async def _answer(self, event: Event) -> None:
        match event:
            case Capa():
                await self._list("Capabilities follow", self._capabilities())
            case StartTLS():
                await self._start_tls()
            case User(name):
                self._user(name)
            case Pass(password):
                await self._pass(password)
            case AuthList():
                names = self.house.authentication.mechanisms(self.peer)
                await self._list("Mechanisms follow", names)
            case AuthBegins(mechanism, initial_response):
                await self._begin_auth(mechanism, initial_response)
            case AuthResponse(octets):
                await self._step(octets)
            case AuthCancelled(reason):
                self._exchange = None
                self.machine.err(reason, "AUTH")
            case Utf8():
                self._is_utf8 = True
                self.machine.ok("UTF-8 it is")
            case Quit():
                await self._quit()
            case _:
                await self._in_transaction(event)

    async def _in_transaction(
        self, event: Stat | Scan | Uidl | Retr | Top | Dele | Noop | Rset
    ) -> None:
        drop = self._drop
        assert drop is not None
        match event:
            case Stat():
                self.machine.ok(f"{drop.count} {drop.octets}")
            case Scan(None):
                lines = (f"{number} {drop.size(number)}" for number in drop.numbers())
                text = f"{drop.count} messages ({drop.octets} octets)"
                await self._list(text, lines)
            case Uidl(None):
                ids = (f"{n} {drop.unique_id(n)}" for n in drop.numbers())
                await self._list("Unique ids follow", ids)
            case Noop():
                self.machine.ok()
            case Rset():
                drop.reset()
                self.machine.ok(f"{drop.count} messages ({drop.octets} octets)")
            case Scan() | Uidl() | Retr() | Top() | Dele():
                assert event.number is not None
                if drop.knows(event.number):
                    await self._with_one(drop, event, event.number)
                elif drop.is_deleted(event.number):
                    self.machine.err(f"Message {event.number} is deleted")
                else:
                    self.machine.err("No such message")
            case _:
                assert_never(event)

    async def _with_one(
        self, drop: Maildrop, event: Scan | Uidl | Retr | Top | Dele, number: int
    ) -> None:
        match event:
            case Scan():
                self.machine.ok(f"{number} {drop.size(number)}")
            case Uidl():
                self.machine.ok(f"{number} {drop.unique_id(number)}")
            case Dele():
                drop.delete(number)
                self.machine.ok(f"Message {number} deleted")
            case Retr():
                await self._send(drop, number, None)
            case Top(_, lines):
                await self._send(drop, number, lines)
            case _:
                assert_never(event)

    # -- coming in

    def _capabilities(self) -> list[str]:
        """RFC 2449 §6; after the login those of the login are gone."""
        names = ["TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING"]
        names += ["EXPIRE NEVER", "UTF8 USER", "IMPLEMENTATION mailkit"]
        if self.account:
            return names
        if self.house.authentication.may_send_password(self.peer):
            names.append("USER")
        if mechanisms := self.house.authentication.mechanisms(self.peer):
            names.append("SASL " + " ".join(mechanisms))
        if self.peer.can_start_tls:
            names.append("STLS")
        return names

    async def _start_tls(self) -> None:
        if not self.peer.can_start_tls:
            self.machine.err("TLS is on already, or there is none")
        elif self._is_utf8:
            self.machine.err("STLS comes before UTF8")  # RFC 6856 §2.1
        elif self.machine.has_more:
            # Said before TLS, to be believed after it: an injection.
            self.machine.err("Nothing may follow STLS before TLS is on")
        else:
            self._name = ""
            self.machine.ok("Begin TLS")
            await self.peer.start_tls()

    def _user(self, name: str) -> None:
        if not self.house.authentication.may_send_password(self.peer):
            raise NeedsEncryption
        self._name = name
        self.machine.ok("Now the password")

    async def _pass(self, password: str) -> None:
        name, self._name = self._name, ""
        if not name:
            self.machine.err("First the name")
            return
        try:
            account = await self.house.authentication.login(
                name, password, "pop3", self.peer
            )
            await self._enter(account)
        except (Malformed, Refused, Unavailable) as error:
            self._failed(error)
        else:
            self._welcome()

    async def _begin_auth(self, mechanism: str, response: bytes | None) -> None:
        try:
            self._exchange = self.house.authentication.begin(
                mechanism, "pop3", self.peer
            )
        except (Malformed, Refused, Unavailable) as error:
            self._failed(error)
            return
        await self._step(response)

    async def _step(self, response: bytes | None) -> None:
        exchange = self._exchange
        assert exchange is not None
        try:
            answer = await exchange.step(response)
            if isinstance(answer, bytes):
                self.machine.challenge(answer)
                return
            self._exchange = None
            await self._enter(answer)
        except (Malformed, Refused, Unavailable) as error:
            self._exchange = None
            self._failed(error)
        else:
            self._welcome()

    async def _enter(self, account: Account) -> None:
        registration = self.house.sessions.register(
            account.name, account.generation, self.peer.interrupt
        )
        try:
            self._drop = await Maildrop.open(self.house.store, account.name)
        except BaseException:
            registration.stop()
            raise
        self._registration = registration
        self.account = account.name
        self.timeout = self.house.settings.timeout

    def _welcome(self) -> None:
        drop = self._drop
        assert drop is not None
        self.machine.ok(f"{drop.count} messages ({drop.octets} octets)")

    def _failed(self, error: MailkitError) -> None:
        self._failures += isinstance(error, NotAuthenticated)
        code, text = words_for(error)
        self.machine.err(text, code)
        if self._failures >= self.house.settings.failures:
            self.machine.bye("Too many failed logins", "SYS/TEMP")

    # -- reading and leaving

    async def _list(self, text: str, lines: Iterable[str]) -> None:
        self.machine.ok(text)
        rest = iter(lines)
        while piece := list(islice(rest, LINES)):
            self.machine.write("".join(f"{line}\r\n" for line in piece).encode())
            if len(piece) == LINES:
                await self.peer.flush()
        self.machine.end()

    async def _send(self, drop: Maildrop, number: int, lines: int | None) -> None:
        content = await drop.content(number)
        if content is None:
            self.machine.err("The message has gone")
            return
        first = content.octets
        if first is None:
            first = await content.read(0, PIECE)
        if not self._is_utf8 and _needs_utf8(first):
            self.machine.err("This message needs UTF8", "UTF8")
            return
        self.machine.ok(f"{content.size} octets")
        top = None if lines is None else CutTop(lines)
        try:
            await self._write(content, first, top)
        except (Refused, Unavailable) as error:
            # No dot behind half a message: its reader would delete what it has not.
            self.log.warn(
                "{account}: message {number} broke off: {reason}",
                account=self.account,
                number=number,
                reason=str(error),
            )
            self.machine.leave()
        else:
            self.machine.end()

    async def _write(self, content: IContent, piece: bytes, top: CutTop | None) -> None:
        """:raises StorageBroken: if the message ends too soon."""
        read = 0
        while True:
            self.machine.write(piece if top is None else top.take(piece))
            read += len(piece)
            if read >= content.size or (top is not None and top.is_done):
                return
            await self.peer.flush()
            piece = await content.read(read, PIECE)
            if not piece:
                raise StorageBroken("it is shorter than it was")

    async def _quit(self) -> None:
        if self._drop is None:
            self.machine.ok("Goodbye")
            return
        try:
            await self._drop.update()
        except (Refused, Unavailable):
            self.machine.err("Some deleted messages not removed", "SYS/TEMP")
        else:
            self.machine.ok("Goodbye")
        finally:
            self._drop.close()


def _needs_utf8(start: bytes) -> bool:
    """Whether the header holds text that only UTF8 clients may see (RFC 6856 §2.1)."""
    if start.isascii():  # mostly, and then nothing has to be looked for
        return False
    header = start[: find_end(start)]
    if header.isascii():
        return False
    try:
        header.decode()
    except UnicodeDecodeError:
        return False  # never was UTF-8: mail of others' making, sent as it came
    return True
