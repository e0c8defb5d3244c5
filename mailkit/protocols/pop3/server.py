"""The server's side of POP3 as a machine without I/O (RFC 1939)."""

from __future__ import annotations

from enum import Enum, auto

from mailkit.errors import LocalMisuse, Malformed
from mailkit.protocols.buffer import Buffer
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
from mailkit.protocols.pop3.parse import Limits, read_command, read_response
from mailkit.protocols.sasl.framing import encode_challenge
from mailkit.protocols.transparency import DotStuffer


class State(Enum):
    """Where a session stands (RFC 1939 §3)."""

    AUTHORIZATION = auto()
    CHALLENGED = auto()
    TRANSACTION = auto()
    CLOSED = auto()


_A, _T = State.AUTHORIZATION, State.TRANSACTION

ACCEPTED_IN: dict[type[Event], frozenset[State]] = {
    Capa: frozenset({_A, _T}),
    StartTLS: frozenset({_A}),
    User: frozenset({_A}),
    Pass: frozenset({_A}),
    AuthList: frozenset({_A}),
    AuthBegins: frozenset({_A}),
    AuthResponse: frozenset({State.CHALLENGED}),
    AuthCancelled: frozenset({State.CHALLENGED}),
    Utf8: frozenset({_A}),
    Stat: frozenset({_T}),
    Scan: frozenset({_T}),
    Uidl: frozenset({_T}),
    Retr: frozenset({_T}),
    Top: frozenset({_T}),
    Dele: frozenset({_T}),
    Noop: frozenset({_T}),
    Rset: frozenset({_T}),
    Quit: frozenset({_A, _T}),
}
"""Which states each command belongs to."""

LEADS_TO: dict[type[Event], State] = {
    Pass: State.TRANSACTION,
    AuthBegins: State.TRANSACTION,
    AuthResponse: State.TRANSACTION,
    Quit: State.CLOSED,
}
"""Where a positive response leads; any other event leaves the state as it is."""


class POP3Server:
    """
    Turns received octets into events and responses into octets to send.

    Each event awaits exactly one `ok`, `err` or `challenge`; the state moves when
    a positive response goes out. A multi-line response is an `ok` followed by
    `write` as often as wanted and `end`.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self.state = State.AUTHORIZATION
        self.was_positive = True
        """Whether the last event was answered with yes."""
        self._limits = limits or Limits()
        self._in = Buffer()
        self._out: list[bytes] = []
        self._awaiting: Event | None = None
        self._errors = 0
        self._complaints = 0
        self._stuffer = DotStuffer()

    # -- the peer's side

    def receive(self, octets: bytes) -> None:
        """Take what the peer sent, in pieces of any size."""
        self._in.add(octets)

    def next_event(self) -> Event | None:
        """
        Parse one command.

        :returns: the event, or ``None`` when more octets are needed first.
        :raises LocalMisuse: if the event before this one is still unanswered.
        """
        if self._awaiting is not None:
            raise LocalMisuse(f"{self._awaiting!r} has had no response")
        while self.state is not State.CLOSED:
            try:
                line = self._line()
                if line is None:
                    return None
                self._awaiting = self._read(line)
            except Malformed as problem:
                self._complain(str(problem))
            else:
                self._errors = 0
                return self._awaiting
        return None

    def secured(self) -> None:
        """TLS is on: forget every octet and all knowledge from before."""
        self._in.clear()

    @property
    def has_more(self) -> bool:
        """Whether octets wait that belong to a later command."""
        return len(self._in) > 0

    # -- the session's side

    def greet(self, text: str) -> None:
        """Say the first word."""
        self._say(b"+OK ", text)

    def ok(self, text: str = "") -> None:
        """Answer the event last returned with yes."""
        event = self._answered()
        self.was_positive = True
        self._say(b"+OK ", text)
        self.state = LEADS_TO.get(type(event), self.state)

    def err(self, text: str, code: str = "") -> None:
        """
        Answer the event last returned with no.

        :param code: a response code such as ``IN-USE`` (RFC 2449 §8).
        """
        event = self._answered()
        self.was_positive = False
        self._say(b"-ERR ", f"[{code}] {text}" if code else text)
        if isinstance(event, Quit):
            self.state = State.CLOSED
        elif self.state is State.CHALLENGED:
            self.state = State.AUTHORIZATION

    def challenge(self, octets: bytes) -> None:
        """Answer an AUTH event with a further question (RFC 5034 §4)."""
        event = self._answered()
        if not isinstance(event, AuthBegins | AuthResponse):
            raise LocalMisuse("nobody is logging in")
        self._out.append(b"+ " + encode_challenge(octets) + b"\r\n")
        self.state = State.CHALLENGED

    def write(self, octets: bytes) -> None:
        """A piece of a multi-line response, of any length (RFC 1939 §3)."""
        self._out.append(self._stuffer.stuff(octets))

    def end(self) -> None:
        """The multi-line response is complete."""
        self._out.append(self._stuffer.end())

    def bye(self, text: str, code: str = "") -> None:
        """Say a last word that nobody asked for, and be closed."""
        self._awaiting = None
        self._say(b"-ERR ", f"[{code}] {text}" if code else text)
        self.state = State.CLOSED

    def leave(self) -> None:
        """Be closed without a word."""
        self._awaiting = None
        self.state = State.CLOSED

    def take_output(self) -> bytes:
        """Octets to send to the peer; they are forgotten here."""
        octets = b"".join(self._out)
        self._out.clear()
        return octets

    def take_complaints(self) -> int:
        """How many commands were answered without a session since this was asked."""
        complaints, self._complaints = self._complaints, 0
        return complaints

    # -- within

    def _answered(self) -> Event:
        event, self._awaiting = self._awaiting, None
        if event is None:
            raise LocalMisuse("nobody asked")
        return event

    def _say(self, status: bytes, text: str) -> None:
        octets = text.encode()
        if b"\r" in octets or b"\n" in octets:
            raise LocalMisuse("a response is one line")
        self._out.append((status + octets).rstrip(b" ") + b"\r\n")

    def _line(self) -> bytes | None:
        # AUTH with an initial response may be as long as a response alone.
        may_be_long = (
            self.state is State.CHALLENGED or self._in.peek(5).upper() == b"AUTH "
        )
        limits = self._limits
        return self._in.take_short_line(limits.response if may_be_long else limits.line)

    def _read(self, line: bytes) -> Event:
        if self.state is State.CHALLENGED:
            return read_response(line)
        event = read_command(line)
        if self.state not in ACCEPTED_IN[type(event)]:
            raise Malformed(
                "Log in first"
                if self.state is State.AUTHORIZATION
                else "Not after logging in"
            )
        return event

    def _complain(self, text: str) -> None:
        if self.state is State.CHALLENGED:
            self.state = State.AUTHORIZATION
        self._errors += 1
        self._complaints += 1
        if self._errors > self._limits.errors:
            self.bye("Too many errors")
        else:
            self._say(b"-ERR ", text)
