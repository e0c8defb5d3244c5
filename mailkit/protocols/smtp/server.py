"""The server's side of SMTP and LMTP as a machine without I/O (RFC 5321)."""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Callable
from enum import Enum, auto
from operator import attrgetter

from attrs import frozen

from mailkit.errors import LocalMisuse
from mailkit.model.envelope import BodyType, SenderParameters
from mailkit.model.reply import Reply
from mailkit.protocols.buffer import Buffer, LineTooLong
from mailkit.protocols.smtp.chunk import ChunkReader
from mailkit.protocols.smtp.dialect import SMTP, Dialect
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
from mailkit.protocols.smtp.limits import DEFAULT_LIMITS, Limits
from mailkit.protocols.smtp.parse import (
    BadArgument,
    bad_parameter,
    bad_syntax,
    read_base64,
    read_hello,
    read_recipient,
    read_sender,
)
from mailkit.protocols.smtp.text import TextReader
from mailkit.protocols.smtp.write import write_reply


class State(Enum):
    """How far a session has come; the first is also where TLS leads back to."""

    CONNECTED = auto()
    READY = auto()
    MAIL = auto()
    RCPT = auto()
    CHUNKS = auto()
    """At least one BDAT was taken, and the last is still to come."""
    TEXT = auto()
    AUTH = auto()
    """A challenge is with the peer."""
    CLOSED = auto()


ANY = frozenset({State.CONNECTED, State.READY, State.MAIL, State.RCPT, State.CHUNKS})
"""Where a command may be sent at all."""

ACCEPTED_IN: dict[type[Event], frozenset[State]] = {
    Hello: ANY,
    StartTLS: frozenset({State.READY}),
    AuthBegins: frozenset({State.READY}),
    MailFrom: frozenset({State.READY}),
    RcptTo: frozenset({State.MAIL, State.RCPT}),
    DataBegins: frozenset({State.RCPT}),
    ChunkEnds: frozenset({State.RCPT, State.CHUNKS}),
    Reset: ANY,
    Noop: ANY,
    Quit: ANY,
    Help: ANY,
    Verify: ANY,
    Expand: ANY,
}
"""What each command needs (RFC 5321 §4.1.4)."""

LEADS_TO: dict[type[Event], State] = {
    Hello: State.READY,
    MailFrom: State.MAIL,
    RcptTo: State.RCPT,
    DataBegins: State.TEXT,
    Reset: State.READY,
    Quit: State.CLOSED,
}
"""Where a positive reply to it leads; nowhere, where it is not named."""

ENDS_IN_READY = (TextEnds, AuthBegins, AuthResponse, AuthCancelled)
"""Whatever the reply to these is, the next command is read after it."""

_FAR_TOO_LARGE = Reply(421, "3.4", "Far too large, closing the connection")
_OUT_OF_ORDER = Reply(503, "5.1", "Not now: bad sequence of commands")
_UNKNOWN = Reply(500, "5.1", "Unknown command")
_NOT_IMPLEMENTED = Reply(502, "5.1", "Not implemented")
_LINE_TOO_LONG = Reply(500, "5.2", "Line too long")
_AUTH_TOO_LONG = Reply(500, "5.6", "Line too long")  # RFC 4954 §6
_CONTROL = Reply(500, "5.2", "A control octet in a command; lines end in CRLF")
_NOT_UTF8 = Reply(500, "5.2", "Not UTF-8")
_HTTP = Reply(421, "7.0", "This is not a web server, closing the connection")
_TLS = Reply(421, "7.0", "TLS begins with STARTTLS here, closing the connection")
_TOO_MANY_RECIPIENTS = Reply(452, "5.3", "Too many recipients")  # RFC 5321 §4.5.3.1.10


class SMTPServer:
    """
    Turns received octets into events and replies into octets to send.

    Each event but `TextBlock` awaits exactly one reply (in LMTP the end of a message
    as many as recipients were accepted); the state moves when a positive reply goes
    out, not when the command comes in.
    """

    def __init__(
        self, dialect: Dialect = SMTP, limits: Limits = DEFAULT_LIMITS
    ) -> None:
        self.limits = limits
        self.state = State.CONNECTED
        self.is_extended = False
        """The peer said EHLO, and so knows of extensions."""
        self.is_authenticated = False
        self._dialect = dialect
        self._in = Buffer()
        self._out = bytearray()
        self._awaiting: Event | None = None
        self._is_greeted = False
        self._sender = SenderParameters()
        self._accepted = 0
        self._text: TextReader | None = None
        self._chunks: ChunkReader | None = None
        self._is_in_chunk = False

    # -- what every machine does

    def receive(self, octets: bytes) -> None:
        """Take what the peer sent, in pieces of any size."""
        if self.state is not State.CLOSED:
            self._in.add(octets)

    def next_event(self) -> Event | None:
        """
        Parse one command, or take one block of the message.

        :returns: the event, or ``None`` when more octets are needed first.
        :raises LocalMisuse: if the event before this one is still unanswered.
        """
        if self._awaiting is not None:
            raise LocalMisuse(f"{self._awaiting!r} has had no reply")
        if self.state is State.CLOSED:
            return None
        if self._text is not None:
            event = self._next_in_text(self._text)
        elif self._chunks is not None and self._is_in_chunk:
            event = self._next_in_chunk(self._chunks)
        else:
            event = self._next_line()
            if self._chunks is not None and self._is_in_chunk:
                event = self._next_in_chunk(self._chunks)
        if event.__class__ is not TextBlock:
            self._awaiting = event
        return event

    def send(self, *replies: Reply) -> None:
        """
        Answer the event last returned, or greet. A 421 may come at any time.

        :raises LocalMisuse: if these are not as many replies as are awaited.
        """
        event, self._awaiting = self._awaiting, None
        for reply in replies:
            self._out += write_reply(reply)
        if replies[-1].code == 421:
            self._close()
        elif event is None:
            if self._is_greeted:
                raise LocalMisuse(f"nobody asked for {replies}")
            self._is_greeted = True
        else:
            if len(replies) != self._wanted(event):
                raise LocalMisuse(f"{len(replies)} replies to {event!r}")
            self._move(event, replies[0])

    def take_output(self) -> bytes:
        """Octets to send to the peer; they are forgotten here."""
        octets, self._out = bytes(self._out), bytearray()
        return octets

    def secured(self) -> None:
        """TLS is on: nothing that was said before counts (RFC 3207 §4.2)."""
        self._in.clear()
        self.state = State.CONNECTED
        self.is_extended = False
        self.is_authenticated = False
        self._forget()

    # -- what a session may ask besides

    @property
    def replies_wanted(self) -> int:
        """As many replies the event last returned needs; 0: none is awaited."""
        return 0 if self._awaiting is None else self._wanted(self._awaiting)

    def challenge(self, octets: bytes) -> None:
        """
        Answer an AUTH event with a challenge (RFC 4954 §4), base64 done here.

        :raises LocalMisuse: if no AUTH event awaits a reply.
        """
        if not isinstance(self._awaiting, AuthBegins | AuthResponse):
            raise LocalMisuse("no AUTH dialogue")
        self._awaiting = None
        self._out += b"334 " + b2a_base64(octets, newline=False) + b"\r\n"
        self.state = State.AUTH

    # -- within

    def _wanted(self, event: Event) -> int:
        is_end = isinstance(event, TextEnds) or (
            isinstance(event, ChunkEnds) and event.is_last
        )
        # Out of order, a chunk has no recipients.
        if is_end and self._dialect.answers_each and self._accepted:
            return self._accepted
        return 1

    def _move(self, event: Event, reply: Reply) -> None:
        """Go where this reply leads."""
        kind = type(event)
        if isinstance(event, ChunkEnds):
            self._chunk_answered(event, reply)
        elif kind in ENDS_IN_READY or self.state is State.AUTH:
            self.state = State.READY
            self.is_authenticated = self.is_authenticated or reply.code == 235
            self._forget()
        elif reply.is_positive and kind in LEADS_TO:
            self._positive(event)

    def _positive(self, event: Event) -> None:
        match event:
            case Hello():
                self.is_extended = event.is_extended
                self._forget()
            case Reset():
                self._forget()
                if self.state is State.CONNECTED:
                    return  # RSET opens no session (RFC 5321 §4.1.4)
            case MailFrom():
                self._sender = event.parameters
            case RcptTo():
                self._accepted += 1
            case DataBegins():
                self._text = TextReader(self._in, self.limits)
            case _:  # QUIT
                self._close()
        self.state = LEADS_TO[type(event)]

    def _chunk_answered(self, event: ChunkEnds, reply: Reply) -> None:
        if self.state not in ACCEPTED_IN[ChunkEnds]:
            self._chunks = None
        elif reply.is_positive and not event.is_last:
            self.state = State.CHUNKS
        else:
            self.state = State.READY
            self._forget()

    def _forget(self) -> None:
        self._sender = SenderParameters()
        self._accepted = 0
        self._text = None
        self._chunks = None
        self._is_in_chunk = False

    def _close(self) -> None:
        self.state = State.CLOSED
        self._in.clear()
        self._forget()

    # -- the message

    def _next_in_text(self, text: TextReader) -> Event | None:
        block = text.next_block()
        if block:
            return TextBlock(block)
        if text.is_over:
            return TextEnds(text.refusal)
        if text.wasted > self.limits.overrun:
            return BadCommand(_FAR_TOO_LARGE, "DATA")
        return None

    def _next_in_chunk(self, chunks: ChunkReader) -> Event | None:
        block = chunks.next_block()
        if block:
            return TextBlock(block)
        if chunks.is_over:
            self._is_in_chunk = False
            return ChunkEnds(chunks.is_last, chunks.refusal)
        if chunks.wasted > self.limits.overrun:
            return BadCommand(_FAR_TOO_LARGE, "BDAT")
        return None

    # -- commands

    def _next_line(self) -> Event | None:
        # Before lines are looked for: a hello of TLS may hold CRLF, or be too long.
        if self.state is State.CONNECTED and self._in.startswith(b"\x16\x03"):
            return BadCommand(_TLS)
        try:
            line = self._in.take_short_line(self.limits.auth_line)
        except LineTooLong:
            in_auth = self.state is State.AUTH
            return BadCommand(_AUTH_TOO_LONG if in_auth else _LINE_TOO_LONG)
        if line is None:
            return None
        if self.state is State.AUTH:
            return _auth_line(line)
        return self._command(line)

    def _command(self, line: bytes) -> Event | None:
        word, _, rest = line.partition(b" ")
        verb = word.upper()
        if verb in self._dialect.hellos:
            command = _HELLO
        elif (found := _COMMANDS.get(verb)) is not None:
            command = found
        else:
            return _unknown(verb, len(line) > self.limits.command_line - 2)
        name = verb.decode("ascii")
        if len(line) > command.longest(self.limits) - 2:
            return BadCommand(_LINE_TOO_LONG, name)
        if _CONTROL_OCTET.search(line) is not None:
            return BadCommand(_CONTROL, name)
        # A BDAT out of order brings its octets all the same.
        if self.state not in ACCEPTED_IN[command.kind] and verb != b"BDAT":
            return BadCommand(_OUT_OF_ORDER, name)
        try:
            return command.read(self, verb, rest.decode())
        except BadArgument as problem:
            return BadCommand(problem.reply, name)
        except UnicodeDecodeError:
            return BadCommand(_NOT_UTF8, name)

    def _read_hello(self, verb: bytes, text: str) -> Event:
        return Hello(read_hello(text, self.limits), self._dialect.hellos[verb])

    def _read_start_tls(self, verb: bytes, text: str) -> Event:
        if text:
            raise bad_parameter("STARTTLS takes no parameter")
        if len(self._in):
            # Somebody may have put it there (RFC 3207 §6); it is not TLS.
            raise bad_syntax("Something follows STARTTLS")
        return StartTLS()

    def _read_auth(self, verb: bytes, text: str) -> Event:
        mechanism, _, initial = text.rstrip(" ").partition(" ")
        if self.is_authenticated:
            raise BadArgument(_OUT_OF_ORDER)
        if _MECHANISM.fullmatch(mechanism) is None:
            raise bad_parameter("AUTH names a mechanism")
        octets = None
        if initial:
            octets = b"" if initial == "=" else read_base64(initial.encode())
        return AuthBegins(mechanism.upper(), octets)

    def _read_mail(self, verb: bytes, text: str) -> Event:
        if text[:5].upper() != "FROM:":
            raise bad_syntax("Say MAIL FROM:<address>")
        return MailFrom(*read_sender(text[5:], self.limits))

    def _read_rcpt(self, verb: bytes, text: str) -> Event:
        if text[:3].upper() != "TO:":
            raise bad_syntax("Say RCPT TO:<address>")
        if self._accepted >= self.limits.recipients:
            raise BadArgument(_TOO_MANY_RECIPIENTS)
        return RcptTo(*read_recipient(text[3:], self.limits, self._sender.smtputf8))

    def _read_data(self, verb: bytes, text: str) -> Event:
        _nothing(verb, text)
        if self._sender.body is BodyType.BINARY:
            # RFC 3030 §3.
            raise BadArgument(Reply(503, "5.1", "BINARYMIME is sent by BDAT"))
        return DataBegins()

    def _read_bdat(self, verb: bytes, text: str) -> Event | None:
        match = _BDAT.fullmatch(text)
        if match is None:
            raise bad_parameter("Say BDAT size or BDAT size LAST")
        if self.state not in ACCEPTED_IN[ChunkEnds]:
            self._chunks = ChunkReader(self._in, self.limits, refusal=_OUT_OF_ORDER)
        elif self._chunks is None:
            is_binary = self._sender.body is BodyType.BINARY
            self._chunks = ChunkReader(self._in, self.limits, is_binary)
        self._chunks.begin(int(match[1]), match[2] is not None)
        self._is_in_chunk = True
        return None

    def _read_plain(self, verb: bytes, text: str) -> Event:
        _nothing(verb, text)
        return _PLAIN[verb]

    def _read_noop(self, verb: bytes, text: str) -> Event:
        return Noop()

    def _read_help(self, verb: bytes, text: str) -> Event:
        return Help()

    def _read_verify(self, verb: bytes, text: str) -> Event:
        return Verify(_some(verb, text))

    def _read_expand(self, verb: bytes, text: str) -> Event:
        return Expand(_some(verb, text))


@frozen
class _Command:
    """How one verb is read."""

    kind: type[Event]
    read: Callable[[SMTPServer, bytes, str], Event | None]
    longest: Callable[[Limits], int] = attrgetter("command_line")


_HELLO = _Command(Hello, SMTPServer._read_hello)

_COMMANDS: dict[bytes, _Command] = {
    b"STARTTLS": _Command(StartTLS, SMTPServer._read_start_tls),
    b"AUTH": _Command(AuthBegins, SMTPServer._read_auth, attrgetter("auth_line")),
    b"MAIL": _Command(MailFrom, SMTPServer._read_mail, attrgetter("path_line")),
    b"RCPT": _Command(RcptTo, SMTPServer._read_rcpt, attrgetter("path_line")),
    b"DATA": _Command(DataBegins, SMTPServer._read_data),
    b"BDAT": _Command(ChunkEnds, SMTPServer._read_bdat),
    b"RSET": _Command(Reset, SMTPServer._read_plain),
    b"QUIT": _Command(Quit, SMTPServer._read_plain),
    b"NOOP": _Command(Noop, SMTPServer._read_noop),
    b"HELP": _Command(Help, SMTPServer._read_help),
    b"VRFY": _Command(Verify, SMTPServer._read_verify),
    b"EXPN": _Command(Expand, SMTPServer._read_expand),
}

_PLAIN: dict[bytes, Event] = {b"RSET": Reset(), b"QUIT": Quit()}
_NOT_OFFERED = frozenset({b"TURN", b"ETRN", b"ATRN", b"SEND", b"SOML", b"SAML"})
_HTTP_METHODS = frozenset(
    {b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"CONNECT", b"OPTIONS", b"TRACE"}
    | {b"PATCH", b"PRI"}
)
_CONTROL_OCTET = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_MECHANISM = re.compile(r"[A-Za-z0-9_-]{1,20}")
_BDAT = re.compile(r" *([0-9]{1,15})(?: +(LAST))? *", re.I)


def _unknown(verb: bytes, is_long: bool) -> BadCommand:
    if verb in _HTTP_METHODS:
        return BadCommand(_HTTP)
    if is_long:
        return BadCommand(_LINE_TOO_LONG)
    return BadCommand(_NOT_IMPLEMENTED if verb in _NOT_OFFERED else _UNKNOWN)


def _auth_line(line: bytes) -> Event:
    if line == b"*":
        return AuthCancelled()
    try:
        return AuthResponse(read_base64(line))
    except BadArgument as problem:
        return BadCommand(problem.reply, "AUTH")


def _nothing(verb: bytes, text: str) -> None:
    if text.strip(" "):
        raise bad_parameter(f"{verb.decode()} takes no parameter")


def _some(verb: bytes, text: str) -> str:
    if not text.strip(" "):
        raise bad_parameter(f"{verb.decode()} takes a name")
    return text.strip(" ")
