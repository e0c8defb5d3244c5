"""
The server's side of IMAP as a machine without I/O (RFC 9051 §3, §6).

How a session drives it::

    machine = IMAPServer(limits)
    machine.greet(ok("mail.example.org", capability_code(names)))  # or PREAUTH
    event = machine.next_event()        # one at a time; None: more octets are needed
    machine.send_untagged(octets, …)    # whole untagged responses made by write/, or
                                        # pieces of one: a literal may go in many
    machine.answer(ok("Done", code))    # the tagged response: exactly one a command

Between a command and its answer stand, where the RFC has it so:

* `Authenticate`, `AuthResponse`: ``challenge(octets)`` instead of the answer, then
  `AuthResponse` or `AuthCancelled` comes.
* `AppendBegins`: ``accept_literal()`` instead of the answer, then `AppendChunk` (no
  answer), and `AppendEnds` or `AppendAborted` (answer). A refusal is an answer to
  `AppendBegins`: octets that come nevertheless (LITERAL+) are swallowed, up to
  ``limits.swallowed``, beyond which comes `HangUp`.
* `Idle`: ``continue_(text)``, then ``send_untagged`` at any time, then `Done` (answer).
* `Enable`: ``enable(names)`` for those that this server turns on, then the answer.
* `StartTLS`: the answer OK, then ``IPeer.start_tls``, which calls ``secured()``.
* `Logout`, `HangUp`: ``bye(text)``; the first is then answered, the second is not.

The state moves when the tagged response goes out, never when a command comes in.
Malformed commands, and those that the state does not allow, the machine answers
itself with BAD (or NO with a code); a session never sees them.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterable
from enum import Enum, auto
from typing import assert_never

from mailkit.errors import LocalMisuse, Malformed
from mailkit.protocols.buffer import Buffer
from mailkit.protocols.imap.events import (
    AppendAborted,
    AppendBegins,
    AppendChunk,
    AppendEnds,
    AuthCancelled,
    Authenticate,
    AuthResponse,
    Done,
    Event,
    HangUp,
    Idle,
    Logout,
    StartTLS,
)
from mailkit.protocols.imap.lexer import Declined, Lexer, LiteralToCome
from mailkit.protocols.imap.limits import DEFAULT_LIMITS, Limits
from mailkit.protocols.imap.parse.append import read_tail
from mailkit.protocols.imap.parse.authenticate import read_response
from mailkit.protocols.imap.parse.commands import command_for
from mailkit.protocols.imap.reader import (
    Announced,
    CommandReader,
    Flood,
    Ruined,
    Whole,
)
from mailkit.protocols.imap.response import Condition, Response, bad, no
from mailkit.protocols.imap.state import NO_LEADS_TO, OK_LEADS_TO, State

UTF8_ACCEPT = "UTF8=ACCEPT"
IMAP4REV2 = "IMAP4REV2"

_FLOOD = "More octets announced than will be read"
_HTTP = re.compile(rb"[A-Z]+ \S+ HTTP/[0-9]")


class _Mode(Enum):
    """What the next octets are."""

    COMMAND = auto()
    MESSAGE = auto()  # of APPEND
    TAIL = auto()  # of APPEND, behind its message
    AUTHENTICATE = auto()  # an answer to a challenge
    IDLE = auto()  # DONE


_Step = Event | bool
"""An event; or whether there may be more to do without further octets."""


class IMAPServer:
    """Turns received octets into events, and answers into octets to send."""

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self.state = State.NOT_AUTHENTICATED
        self.enabled: frozenset[str] = frozenset()
        """Names that `enable` was called with, in upper case."""
        self._limits = limits
        self._in = Buffer()
        self._reader = CommandReader(self._in, limits)
        self._out: list[bytes] = []
        self._is_mid_response = False
        self._is_upgrading = False
        self._bad = 0
        self._complaints = 0
        self._mode = _Mode.COMMAND
        self.tag = b""
        """Of the command that is at work; empty where none is."""
        self._command: Event | None = None
        """The command that is to be answered under this tag."""
        self._awaiting: Event | None = None
        """The event that the session has to react to before there is a next."""
        self._announced: Announced | None = None
        """How the message of the APPEND at hand was announced."""
        self._to_come = 0
        """Octets of that message that did not come yet."""
        self._problem = ""
        """Why that message will not be kept."""

    # --- octets

    def receive(self, octets: bytes) -> None:
        """Take what the peer sent, in pieces of any size."""
        if self.state is not State.LOGOUT and not self._is_upgrading:
            self._in.add(octets)

    def take_output(self) -> bytes:
        """Octets to send to the peer; they are forgotten here."""
        octets = b"".join(self._out)
        self._out.clear()
        return octets

    def take_complaints(self) -> int:
        """How many commands were answered without a session since this was asked."""
        complaints, self._complaints = self._complaints, 0
        return complaints

    def secured(self) -> None:
        """TLS is on: forget every octet and all knowledge from before."""
        self._in.clear()
        self._begin()
        self._is_upgrading = False

    # --- events

    def next_event(self) -> Event | None:
        """
        The next thing that the client wants.

        :returns: the event, or ``None`` when more octets are needed first.
        :raises LocalMisuse: if the event before this one is still unanswered.
        """
        if self._awaiting is not None:
            raise LocalMisuse(f"{type(self._awaiting).__name__} was not answered")
        while self.state is not State.LOGOUT and not self._is_upgrading:
            if self._bad >= self._limits.bad_commands:
                return self._hang_up("Too many bad commands")
            step = _STEPS[self._mode](self)
            if not isinstance(step, bool):
                return step
            if not step:
                break
        return None

    # --- responses

    @property
    def is_utf8(self) -> bool:
        """Whether names of mailboxes and quoted strings are in UTF-8 now."""
        return not self.enabled.isdisjoint((UTF8_ACCEPT, IMAP4REV2))

    @property
    def is_rev2(self) -> bool:
        """Whether the client turned IMAP4rev2 on (RFC 9051 §6.3.1)."""
        return IMAP4REV2 in self.enabled

    def greet(self, response: Response) -> None:
        """Say the first word: OK, or PREAUTH where nobody has to log in."""
        if response.condition is Condition.PREAUTH:
            self.state = State.AUTHENTICATED
        self.status(response)

    def send_untagged(self, *pieces: bytes) -> None:
        """
        Send octets made by `mailkit.protocols.imap.write`, as they are.

        Whole responses end with CRLF; one may also go in pieces by several calls, as
        long as nothing else is sent between.
        """
        for piece in pieces:
            if piece:
                self._out.append(piece)
                self._is_mid_response = not piece.endswith(b"\r\n")

    def status(self, response: Response) -> None:
        """Send an untagged status response: OK with a code, NO or BAD as a warning."""
        self._write_line(b"* %b" % bytes(response))

    def answer(self, response: Response) -> None:
        """
        Send the tagged response to the command, and move the state.

        :raises LocalMisuse: if no event awaits one.
        """
        event, command = self._awaiting, self._command
        if event is None or command is None:
            raise LocalMisuse(f"nobody asked for {response.text!r}")
        self._write_line(b"%b %b" % (self.tag, bytes(response)))
        if self.state is not State.LOGOUT:
            leads_to = OK_LEADS_TO if response.is_ok else NO_LEADS_TO
            self.state = leads_to.get(type(command), self.state)
        self._count(response)
        self._is_upgrading = response.is_ok and isinstance(command, StartTLS)
        announced = self._announced
        self._begin()
        if isinstance(event, AppendBegins) and announced is not None:
            # A refused message that comes all the same is not taken for commands.
            self._reader.ruin(announced, None)

    def accept_literal(self) -> None:
        """Let the message of `AppendBegins` come."""
        if not isinstance(self._awaiting, AppendBegins) or self._announced is None:
            raise LocalMisuse("no message was announced")
        if self._announced.is_sync:
            self._write_line(b"+ Send the message")
        self._to_come = self._awaiting.size
        self._awaiting, self._mode = None, _Mode.MESSAGE

    def challenge(self, octets: bytes) -> None:
        """Ask the client for one more step of its authentication."""
        if not isinstance(self._awaiting, Authenticate | AuthResponse):
            raise LocalMisuse("nobody is authenticating")
        self._awaiting, self._mode = None, _Mode.AUTHENTICATE
        self._write_line(b"+ " + binascii.b2a_base64(octets, newline=False))

    def continue_(self, text: str = "idling") -> None:
        """Begin to idle: untagged responses may be sent at any time from now on."""
        if not isinstance(self._awaiting, Idle):
            raise LocalMisuse("nobody wants to idle")
        self._awaiting, self._mode = None, _Mode.IDLE
        self._write_line(b"+ " + text.encode("ascii", "replace"))

    def enable(self, names: Iterable[str]) -> None:
        """Turn extensions on; UTF-8 changes the grammar from here on."""
        self.enabled |= {name.upper() for name in names}

    def bye(self, text: str, code: bytes = b"") -> None:
        """
        Say the last word. After it only a `Logout` is still answered.

        In the middle of a response nothing is said: it would be taken for data.
        """
        if self.state is State.LOGOUT:
            return
        if not self._is_mid_response:
            self.status(Response(Condition.BYE, text, code))
        self.state = State.LOGOUT
        self._in.clear()
        if not isinstance(self._awaiting, Logout):
            self._awaiting = None

    # --- commands

    def _begin(self) -> None:
        """Nothing is known of the next command yet."""
        self._mode = _Mode.COMMAND
        self.tag = b""
        self._command = self._awaiting = None
        self._announced = None
        self._to_come = 0
        self._problem = ""
        self._reader.reset()

    def _read_command(self) -> _Step:
        taken = self._reader.take()
        match taken:
            case Whole(text, literals):
                return self._read_whole(text, literals)
            case Announced():
                return self._read_announced(taken)
            case Ruined(text, response):
                return self._refuse(text, response)
            case Flood():
                return self._hang_up(_FLOOD)
            case None:
                return False
            case _:
                assert_never(taken)

    def _refuse(self, text: bytes, response: Response | None) -> bool:
        """Answer a command that no session will see; without ``response`` it was."""
        if response is not None:
            self._write_line(b"%b %b" % (_tag_of(text), bytes(response)))
            self._count(response)
            self._complaints += 1
        self._begin()
        return True

    def _read_whole(self, text: bytes, literals: tuple[bytes, ...]) -> _Step:
        if self.state is State.NOT_AUTHENTICATED and _HTTP.match(text):
            return self._hang_up("This is IMAP")
        lexer = self._lexer(text, literals)
        try:
            tag = lexer.tag()
            _, command = command_for(lexer, self.state)
            event = command.read(lexer)
            lexer.end()
            if isinstance(event, StartTLS) and len(self._in):
                # Whoever wrote it may not have been who speaks TLS (RFC 9051 §6.2.1).
                self._in.clear()
                raise Malformed("Nothing may follow STARTTLS before TLS is on")
        except Malformed as problem:
            return self._refuse(text, _response_to(problem))
        self.tag = tag
        self._command = self._awaiting = event
        return event

    def _read_announced(self, announced: Announced) -> _Step:
        """Is the literal wanted? Said before it comes, where the client waits."""
        lexer = self._lexer(announced.text, announced.literals)
        try:
            tag = lexer.tag()
            name, command = command_for(lexer, self.state)
            if name == b"APPEND":
                event = _read_append(command.read, lexer)
                if event is not None:
                    self.tag, self._announced = tag, announced
                    self._command = self._awaiting = event
                    return event
            most = self._limits.literals
            if announced.size + sum(map(len, announced.literals)) > most:
                raise Malformed(f"The literals have more than {most} octets")
        except Malformed as problem:
            self._reader.ruin(announced, _response_to(problem))
            return True
        self._reader.accept(announced.size)
        if announced.is_sync:
            self._write_line(b"+ Go on")
        return True

    def _lexer(self, text: bytes, literals: tuple[bytes, ...]) -> Lexer:
        return Lexer(
            text,
            literals,
            self._limits,
            is_utf8=self.is_utf8,
            takes_charset=UTF8_ACCEPT not in self.enabled,
        )

    # --- in the middle of a command

    def _read_message(self) -> _Step:
        assert isinstance(self._command, AppendBegins)
        if not self._to_come:
            self._reader.reset()
            self._mode = _Mode.TAIL
            return True
        octets = self._in.take(min(self._to_come, self._limits.chunk))
        self._to_come -= len(octets)
        if b"\0" in octets and not self._command.is_binary:
            self._problem = "NUL inside the message: send it as a literal8, ~{size}"
        if not octets or self._problem:
            return bool(octets)
        return AppendChunk(octets)

    def _read_tail(self) -> _Step:
        assert isinstance(self._command, AppendBegins)
        taken = self._reader.take()
        match taken:
            case Whole(text):
                self._problem = self._problem or read_tail(self._command, text)
            case Announced():
                problem = read_tail(self._command, taken.text)
                self._reader.ruin(taken, bad(problem))
                return True
            case Ruined(_, response):
                assert response is not None
                self._problem = self._problem or response.text
            case Flood():
                return self._hang_up(_FLOOD)
            case None:
                return False
            case _:
                assert_never(taken)
        event: AppendAborted | AppendEnds = AppendEnds()
        if self._problem:
            event = AppendAborted(self._problem)
        self._awaiting = event
        return event

    def _read_response(self) -> _Step:
        line = self._reader.take_line()
        if line is None:
            return False
        text, was_cut = line
        event: AuthResponse | AuthCancelled
        if was_cut:
            event = AuthCancelled("The response is too long")
        else:
            event = read_response(text)
        self._awaiting = event
        return event

    def _read_done(self) -> _Step:
        line = self._reader.take_line()
        if line is None:
            return False
        is_done = line[0].upper() == b"DONE"
        event = Done("" if is_done else "Expected DONE")
        self._awaiting = event
        return event

    # --- the end, and the way out

    def _hang_up(self, reason: str) -> HangUp:
        event = HangUp(reason)
        self._begin()
        self._awaiting = event
        return event

    def _count(self, response: Response) -> None:
        if response.condition is Condition.BAD:
            self._bad += 1
        elif self.state is not State.NOT_AUTHENTICATED:
            self._bad = 0

    def _write_line(self, line: bytes) -> None:
        if self._is_mid_response:
            raise LocalMisuse("the response before has no end yet")
        self._out.append(line + b"\r\n")


def _read_append(read: Callable[[Lexer], Event], lexer: Lexer) -> AppendBegins | None:
    """The APPEND whose message was announced; ``None`` if that was its mailbox."""
    try:
        event = read(lexer)
    except LiteralToCome:
        return None
    assert isinstance(event, AppendBegins)
    return event


def _response_to(problem: Malformed) -> Response:
    if isinstance(problem, Declined):
        return no(str(problem), problem.code)
    return bad(str(problem))


def _tag_of(text: bytes) -> bytes:
    try:
        return Lexer(text).tag()
    except Malformed:
        return b"*"


_STEPS: dict[_Mode, Callable[[IMAPServer], _Step]] = {
    _Mode.COMMAND: IMAPServer._read_command,
    _Mode.MESSAGE: IMAPServer._read_message,
    _Mode.TAIL: IMAPServer._read_tail,
    _Mode.AUTHENTICATE: IMAPServer._read_response,
    _Mode.IDLE: IMAPServer._read_done,
}
