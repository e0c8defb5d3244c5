"""The client's side of SMTP and LMTP as a machine without I/O (RFC 5321)."""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections import deque
from collections.abc import Callable
from enum import Enum, auto

from attrs import field, frozen

from mailkit.errors import LocalMisuse, Malformed
from mailkit.model.envelope import (
    BodyType,
    Notify,
    RecipientParameters,
    SenderParameters,
)
from mailkit.model.path import Path
from mailkit.model.reply import Reply
from mailkit.protocols.buffer import Buffer
from mailkit.protocols.sasl.framing import decode_base64
from mailkit.protocols.smtp.dialect import SMTP, Dialect
from mailkit.protocols.smtp.events import (
    AuthBegins,
    AuthCancelled,
    AuthResponse,
    DataBegins,
    Expand,
    Hello,
    Help,
    MailFrom,
    Noop,
    Quit,
    RcptTo,
    Reset,
    StartTLS,
    Verify,
)
from mailkit.protocols.smtp.limits import DEFAULT_LIMITS, Limits
from mailkit.protocols.smtp.parse import write_xtext
from mailkit.protocols.smtp.text import is_text
from mailkit.protocols.smtp.write import write_line
from mailkit.protocols.transparency import DotStuffer

Command = (
    Hello
    | StartTLS
    | AuthBegins
    | AuthResponse
    | AuthCancelled
    | MailFrom
    | RcptTo
    | DataBegins
    | Reset
    | Noop
    | Quit
    | Help
    | Verify
    | Expand
)
"""What a client may say in one line."""


@frozen
class Greeting:
    """The connection itself, to which the server's first reply is the answer."""


@frozen
class Text:
    """The end of a message that was sent by DATA."""


@frozen
class Chunk:
    """One BDAT with its octets (RFC 3030 §2)."""

    is_last: bool


Said = Command | Greeting | Text | Chunk
"""What a reply may be the answer to."""


@frozen
class Answered:
    """The server's reply to something we said; they come in the order of the words."""

    to: Said
    reply: Reply
    recipient: Path | None = None
    """In LMTP, after a message: whose reply this is (RFC 2033 §4.2)."""


@frozen
class Challenged:
    """The server wants an answer within AUTH, base64 undone (RFC 4954 §4)."""

    octets: bytes = field(repr=False)


@frozen
class Broken:
    """What came is no reply, or nobody asked for it: the connection is of no use."""

    reason: str


class Phase(Enum):
    """What the client may say now."""

    COMMANDS = auto()
    AUTH = auto()
    """AUTH or its last answer waits for the server."""
    CHALLENGED = auto()
    """The server waits for an answer within AUTH."""
    ASKED = auto()
    """DATA waits for its 354."""
    TEXT = auto()
    TLS = auto()
    """STARTTLS waits for its reply, or TLS to begin."""
    OVER = auto()


ENDS_A_GROUP = (Hello, StartTLS, AuthBegins, AuthResponse, DataBegins, Quit)
"""Behind these nothing is sent before their reply has come (RFC 2920 §3.1)."""


class SMTPClient:
    """
    Turns commands into octets to send, and received octets into replies.

    Commands may be said one after the other without waiting; that the server offers
    PIPELINING is for the caller to see.
    """

    def __init__(
        self, dialect: Dialect = SMTP, limits: Limits = DEFAULT_LIMITS
    ) -> None:
        self.extensions: dict[str, str] = {}
        """What the server offered, by keyword in upper case, with its parameters."""
        self.phase = Phase.COMMANDS
        self._dialect = dialect
        self._limits = limits
        self._in = Buffer()
        self._out = bytearray()
        self._said: deque[tuple[Said, Path | None]] = deque([(Greeting(), None)])
        self._lines: list[tuple[int, str]] = []
        self._accepted: list[Path] = []
        self._stuffer = DotStuffer()
        self._follows_cr = False

    # -- what every machine does

    def receive(self, octets: bytes) -> None:
        """Take what the server sent, in pieces of any size."""
        if self.phase is not Phase.OVER:
            self._in.add(octets)

    def next_event(self) -> Answered | Challenged | Broken | None:
        """The next reply, or ``None`` when more octets are needed first."""
        while self.phase is not Phase.OVER:
            try:
                line = self._in.take_short_line(self._limits.reply_line)
                reply = None if line is None else self._read(line)
            except Malformed as problem:
                return self._broken(str(problem))
            if line is None:
                return None
            if reply is not None:
                return self._answer(reply)
        return None

    def take_output(self) -> bytes:
        """Octets to send to the server; they are forgotten here."""
        octets, self._out = bytes(self._out), bytearray()
        return octets

    def secured(self) -> None:
        """TLS is on: what the server offered before does not count (RFC 3207 §4.2)."""
        self._in.clear()
        self._lines.clear()
        self.extensions.clear()
        self.phase = Phase.COMMANDS

    # -- what a client says

    def offers(self, keyword: str) -> bool:
        """Whether the server offered an extension."""
        return keyword in self.extensions

    @property
    def awaits(self) -> int:
        """How many replies are still to come."""
        return len(self._said)

    def say(self, command: Command) -> None:
        """
        Send one command.

        :raises LocalMisuse: if it cannot be said now, or does not fit into a line.
        """
        kind = type(command)
        if kind in (AuthResponse, AuthCancelled):
            if self.phase is not Phase.CHALLENGED:
                raise LocalMisuse("no challenge waits for an answer")
        elif self.phase is not Phase.COMMANDS:
            raise LocalMisuse(f"not while {self.phase}")
        if self._said and type(self._said[-1][0]) in ENDS_A_GROUP:
            raise LocalMisuse(f"{self._said[-1][0]!r} waits for its reply")
        self._out += write_line(self._line(command))
        self._said.append((command, None))
        self.phase = _PHASES.get(kind, self.phase)

    def text(self, octets: bytes) -> None:
        """
        Send a piece of the message, dots stuffed here (RFC 5321 §4.5.2).

        Pieces may be cut anywhere.

        :raises Malformed: at a bare CR or LF, or a NUL: somebody may take it for the
            end of a line (RFC 5321 §2.3.8). The connection can only be closed then.
        :raises LocalMisuse: if the server did not ask for it.
        """
        if self.phase is not Phase.TEXT:
            raise LocalMisuse("the server asked for no text")
        if not octets:
            return
        whole = octets
        if self._follows_cr:
            whole = b"\r" + octets
        self._follows_cr = octets.endswith(b"\r")
        if not is_text(whole[:-1] if self._follows_cr else whole):
            raise Malformed("a bare CR, a bare LF or a NUL in a text")
        self._out += self._stuffer.stuff(octets)

    def end_text(self) -> None:
        """
        End the message; a last line without an end gets one.

        :raises Malformed: if the last octet was a bare CR.
        :raises LocalMisuse: if the server did not ask for it.
        """
        if self.phase is not Phase.TEXT:
            raise LocalMisuse("the server asked for no text")
        if self._follows_cr:
            raise Malformed("a bare CR in a text")
        self._out += self._stuffer.end()
        self._expect_ends(Text())
        self.phase = Phase.COMMANDS

    def chunk(self, octets: bytes, is_last: bool) -> None:
        """
        Send a piece of the message as it is, by BDAT (RFC 3030 §2).

        :raises LocalMisuse: if a command waits that nothing may follow.
        """
        if self.phase is not Phase.COMMANDS:
            raise LocalMisuse(f"not while {self.phase}")
        last = " LAST" if is_last else ""
        self._out += write_line(f"BDAT {len(octets)}{last}".encode()) + octets
        if is_last:
            self._expect_ends(Chunk(True))
        else:
            self._said.append((Chunk(False), None))

    # -- within: what is said

    def _expect_ends(self, said: Text | Chunk) -> None:
        """One reply, or in LMTP one a recipient that was accepted so far."""
        if not self._dialect.answers_each:
            self._said.append((said, None))
            return
        if any(isinstance(each, RcptTo) for each, _ in self._said):
            raise LocalMisuse("a recipient's reply has not come yet")
        self._said += [(said, path) for path in self._accepted]

    def _line(self, command: Command) -> bytes:
        if isinstance(command, Hello):
            wanted = command.is_extended
            verbs = [verb for verb, it in self._dialect.hellos.items() if it is wanted]
            if not verbs:
                raise LocalMisuse("not a greeting of this dialect")
            line = verbs[0] + b" " + command.domain.encode("ascii")
        else:
            line = _WRITERS[type(command)](command).encode()
        longest = self._limits.path_line
        if isinstance(command, AuthBegins | AuthResponse):
            longest = self._limits.auth_line
        if len(line) > longest - 2:
            raise LocalMisuse("longer than a command may be")
        return line

    # -- within: what is answered

    def _read(self, line: bytes) -> Reply | None:
        """
        Read one line of a reply (RFC 5321 §4.2).

        :raises Malformed:
        """
        match = _REPLY_LINE.fullmatch(line)
        if match is None:
            raise Malformed("not a reply of SMTP")
        code = int(match[1])
        if self._lines and self._lines[0][0] != code:
            raise Malformed("a reply of two codes")
        if len(self._lines) >= self._limits.reply_lines:
            raise Malformed("a reply without end")
        self._lines.append((code, (match[3] or b"").decode("utf-8", "replace")))
        if match[2] == b"-":
            return None
        lines, self._lines = [text for _, text in self._lines], []
        return _reply(code, lines)

    def _answer(self, reply: Reply) -> Answered | Challenged | Broken:
        if reply.code == 421:
            said, path = self._said[0] if self._said else (Noop(), None)
            self.phase = Phase.OVER
            return Answered(said, reply, path)
        if not self._said:
            return self._broken("a reply that nobody asked for")
        said, path = self._said.popleft()
        if isinstance(said, AuthBegins | AuthResponse) and reply.code == 334:
            return self._challenge(reply)
        self._move(said, reply)
        if isinstance(said, StartTLS) and self.phase is Phase.TLS and len(self._in):
            # Somebody may have put it there (RFC 3207 §6).
            return self._broken("something came behind the reply to STARTTLS")
        return Answered(said, reply, path)

    def _move(self, said: Said, reply: Reply) -> None:
        match said:
            case Hello():
                self._accepted.clear()
                if reply.is_positive:
                    self.extensions = _extensions(reply)
            case AuthBegins() | AuthResponse() | AuthCancelled():
                self.phase = Phase.COMMANDS
            case StartTLS():
                # No other reply begins it (RFC 3207 §4).
                self.phase = Phase.TLS if reply.code == 220 else Phase.COMMANDS
            case MailFrom() | Reset():
                self._accepted.clear()
            case RcptTo() if reply.is_positive:
                self._accepted.append(said.path)
            case DataBegins():
                begins = reply.code == 354
                self.phase = Phase.TEXT if begins else Phase.COMMANDS
                self._stuffer = DotStuffer()
                self._follows_cr = False
            case Quit():
                self.phase = Phase.OVER

    def _challenge(self, reply: Reply) -> Challenged | Broken:
        try:
            octets = decode_base64(reply.text.encode())
        except Malformed:
            return self._broken("a challenge that is not base64")
        self.phase = Phase.CHALLENGED
        return Challenged(octets)

    def _broken(self, reason: str) -> Broken:
        self.phase = Phase.OVER
        self._in.clear()
        return Broken(reason)


_PHASES: dict[type[Said], Phase] = {
    AuthBegins: Phase.AUTH,
    AuthResponse: Phase.AUTH,
    AuthCancelled: Phase.AUTH,
    StartTLS: Phase.TLS,
    DataBegins: Phase.ASKED,
}
"""Where a command leads as soon as it is said."""

_REPLY_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])(.*))?", re.S)
_STATUS = re.compile(r"([245])\.([0-9]{1,3}\.[0-9]{1,3})(?: |$)")


def _reply(code: int, lines: list[str]) -> Reply:
    """Take the enhanced status code out, where it fits the code (RFC 2034 §4)."""
    match = _STATUS.match(lines[-1])
    if match is None or int(match[1]) != code // 100:
        return Reply(code, "", "\n".join(lines))
    prefix = match[0].rstrip(" ")
    texts = [line.removeprefix(prefix).removeprefix(" ") for line in lines]
    return Reply(code, match[2], "\n".join(texts))


def _extensions(reply: Reply) -> dict[str, str]:
    """Read what EHLO answered (RFC 5321 §4.1.1.1); the first line is a greeting."""
    found: dict[str, str] = {}
    for line in reply.text.split("\n")[1:]:
        keyword, _, parameters = line.strip().partition(" ")
        found[keyword.upper()] = parameters.strip()
    return found


def _base64(octets: bytes) -> str:
    return b2a_base64(octets, newline=False).decode("ascii")


def _auth(command: AuthBegins) -> str:
    if command.initial is None:
        return f"AUTH {command.mechanism}"
    return f"AUTH {command.mechanism} {_base64(command.initial) or '='}"


def _sender(command: MailFrom) -> str:
    said: SenderParameters = command.parameters
    words = [f"MAIL FROM:<{command.path}>"]
    if said.size is not None:
        words.append(f"SIZE={said.size}")
    if said.body is not BodyType.SEVEN_BIT:
        words.append(f"BODY={said.body.value}")
    if said.smtputf8:
        words.append("SMTPUTF8")
    if said.ret is not None:
        words.append(f"RET={said.ret}")
    if said.envid is not None:
        words.append(f"ENVID={write_xtext(said.envid)}")
    if said.auth is not None:
        words.append(f"AUTH={write_xtext(said.auth)}")
    if said.require_tls:
        words.append("REQUIRETLS")
    return " ".join(words)


def _recipient(command: RcptTo) -> str:
    said: RecipientParameters = command.parameters
    words = [f"RCPT TO:<{command.path}>"]
    if said.notify is not None:
        wishes = [wish.name for wish in Notify if wish in said.notify]
        words.append(f"NOTIFY={','.join(wishes)}")
    if said.orcpt is not None:
        kind, _, address = said.orcpt.partition(";")
        words.append(f"ORCPT={kind};{write_xtext(address)}")
    return " ".join(words)


_WRITERS: dict[type[Command], Callable[..., str]] = {
    StartTLS: lambda command: "STARTTLS",
    AuthBegins: _auth,
    AuthResponse: lambda command: _base64(command.octets),
    AuthCancelled: lambda command: "*",
    MailFrom: _sender,
    RcptTo: _recipient,
    DataBegins: lambda command: "DATA",
    Reset: lambda command: "RSET",
    Noop: lambda command: "NOOP",
    Quit: lambda command: "QUIT",
    Help: lambda command: "HELP",
    Verify: lambda command: f"VRFY {command.text}",
    Expand: lambda command: f"EXPN {command.text}",
}
