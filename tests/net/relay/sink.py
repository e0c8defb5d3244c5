"""A host that says what a table tells it, over transports in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define, field
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import (
    IAddress,
    IOpenSSLServerConnectionCreator,
    IProtocolFactory,
    IStreamClientEndpoint,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from zope.interface import implementer

from mailkit.interfaces.queue import NextHost
from mailkit.net.tls import Upgrade
from tests.net.doubles import Line

HANG = "hang"
"""Say nothing, and keep the connection."""

CUT = "cut"
"""Close without a word."""

BREAK = "break"
"""Say it, and close: ``break 250 ok``."""

DRIP = "drip"
"""An octet every ten seconds: ``drip 250 ok``."""

HELLO = "250-sink.test\n250-PIPELINING\n250-8BITMIME\n250-SIZE 1000000\n250 DSN"
"""What most hosts offer."""

CHUNKING = HELLO.replace("250-PIPELINING", "250-PIPELINING\n250-CHUNKING")

PLAIN_HELLO = "250 sink.test"

Answers = dict[str, str | list[str]]
"""By verb, ``greeting`` and ``text``; a list is used up, but for its last."""

GOOD: Answers = {
    "greeting": "220 sink.test ESMTP",
    "EHLO": HELLO,
    "LHLO": HELLO,
    "HELO": "250 sink.test",
    "STARTTLS": "220 2.0.0 Begin",
    "MAIL": "250 2.1.0 Sender ok",
    "RCPT": "250 2.1.5 Recipient ok",
    "DATA": "354 Go on",
    "BDAT": "250 2.0.0 Octets ok",
    "text": "250 2.0.0 Taken",
    "RSET": "250 2.0.0 Forgotten",
    "QUIT": "221 2.0.0 Bye",
}


class Sink(Protocol):
    """One connection of it."""

    def __init__(self, host: ScriptedHost) -> None:
        self.host = host
        self.answers: dict[str, list[str]] = {
            verb: [said] if isinstance(said, str) else list(said)
            for verb, said in host.answers.items()
        }
        self.heard: list[str] = []
        """Every command, in order."""
        self.texts: list[bytes] = []
        """What came between DATA and the dot, as it came, or by BDAT."""
        self.reads: list[int] = []
        """How many commands each read brought."""
        self.is_secure = host.tls_first
        self.lost: BaseException | None = None
        self._buffer = b""
        self._in_text = False
        self._wanted = 0
        self._chunks = b""
        self._is_last = False
        self._accepted = 0
        self._is_deaf = False

    def connectionMade(self) -> None:
        if not self.host.tls_first:
            self.say("greeting")

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.lost = reason.value

    def dataReceived(self, data: bytes) -> None:
        if self._is_deaf:
            return
        before = len(self.heard)
        self._buffer += data
        while self._step():
            pass
        if len(self.heard) > before:
            self.reads.append(len(self.heard) - before)

    def _step(self) -> bool:
        if self._is_deaf:
            return False
        if self._wanted:
            piece = self._buffer[: self._wanted]
            self._buffer = self._buffer[len(piece) :]
            self._chunks += piece
            self._wanted -= len(piece)
            if not self._wanted:
                self._chunk_ends()
            return not self._wanted and bool(self._buffer)
        if self._in_text:
            text, dot, rest = (b"\r\n" + self._buffer).partition(b"\r\n.\r\n")
            if not dot:
                return False
            self._buffer, self._in_text = rest, False
            self.texts.append(text[2:] + b"\r\n" if text else b"")
            for _ in range(self._accepted if self.host.is_lmtp else 1):
                self.say("text")
            self._accepted = 0
            return True
        line, end, rest = self._buffer.partition(b"\r\n")
        if not end:
            return False
        self._buffer = rest
        # A client that begins with TLS says octets by chance; a line may end in them.
        self._command(line.decode(errors="replace"))
        return True

    def _command(self, line: str) -> None:
        self.heard.append(line)
        verb = line.split(" ")[0].upper()
        if verb == "BDAT":
            words = line.split(" ")
            self._wanted, self._is_last = int(words[1]), len(words) > 2
            if not self._wanted:
                self._chunk_ends()
            return
        said = self.say(verb if verb in self.answers else "other")
        if verb == "MAIL":
            self._accepted = 0
        elif verb == "RCPT" and said.startswith("2"):
            self._accepted += 1
        elif verb == "DATA" and said.startswith("354"):
            self._in_text = True
        elif verb == "STARTTLS" and said.startswith("220"):
            self.start_tls()
        elif verb == "QUIT":
            assert self.transport is not None
            self.transport.loseConnection()

    def _chunk_ends(self) -> None:
        if not self._is_last:
            self.say("BDAT")
            return
        self.texts.append(self._chunks)
        self._chunks = b""
        for _ in range(self._accepted if self.host.is_lmtp else 1):
            self.say("text")

    def start_tls(self) -> None:
        assert self.transport is not None
        assert self.host.tls is not None
        Upgrade(self.host.tls, self.host.net.clock).start(self.transport, self)
        self.is_secure = True
        self._buffer = b""
        self.answers["EHLO"] = [self.host.secure_hello]

    def say(self, verb: str) -> str:
        answers = self.answers.get(verb, ["500 5.5.1 What?"])
        said = answers.pop(0) if len(answers) > 1 else answers[0]
        transport = self.transport
        assert transport is not None
        kind, _, text = said.partition(" ")
        if said == HANG:
            self._is_deaf = True
        elif said == CUT:
            self._is_deaf = True
            transport.loseConnection()
        elif kind == BREAK:
            self._is_deaf = True
            transport.write(octets_of(text))
            transport.loseConnection()
        elif kind == DRIP:
            self._is_deaf = True
            for place, octet in enumerate(octets_of(text)):
                self.host.net.clock.callLater(
                    10.0 * (place + 1), transport.write, bytes([octet])
                )
        else:
            transport.write(octets_of(said))
        return said


def octets_of(said: str) -> bytes:
    """``\\n`` ends a line; what ends with ``|`` has no end of its own."""
    octets = said.replace("\n", "\r\n").encode("latin-1")
    return octets[:-1] if octets.endswith(b"|") else octets + b"\r\n"


class Wire(Line):
    """A transport to whoever is its protocol now."""

    protocol: Protocol

    def getHandle(self) -> object:
        return None


@define(eq=False)
class Net:
    """All wires between us and scripted hosts."""

    clock: Clock
    wires: list[tuple[Wire, Wire]] = field(factory=list)

    def join(
        self, ours: Protocol, theirs: Protocol, tls: Upgrade | None, address: IAddress
    ) -> None:
        """Two ends; ``tls`` at once where the host wants it."""
        pair = (Wire(address), Wire())
        for wire, protocol in zip(pair, (ours, theirs), strict=True):
            wire.protocol = protocol
        self.wires.append(pair)
        ours.makeConnection(pair[0])
        if tls is not None:
            tls.start(pair[1], theirs)
            theirs.connectionMade()
            assert isinstance(theirs, Sink)
            theirs.say("greeting")
        else:
            theirs.makeConnection(pair[1])

    def flow(self) -> None:
        """Move octets until nobody says anything."""
        moved = True
        while moved:
            moved = False
            for pair in list(self.wires):
                for here, there in (pair, pair[::-1]):
                    octets = here.value()
                    if octets:
                        here.clear()
                        moved = True
                        if not there.is_aborted:
                            there.protocol.dataReceived(octets)
                if pair[0].disconnecting or pair[1].disconnecting:
                    moved = True
                    self._part(pair)

    def _part(self, pair: tuple[Wire, Wire]) -> None:
        self.wires.remove(pair)
        for here, there in (pair, pair[::-1]):
            if here.disconnecting:
                lost: Exception = ConnectionDone()
                if here.is_aborted:
                    lost = ConnectionAborted()
            else:
                lost = ConnectionLost() if there.is_aborted else ConnectionDone()
            octets = here.value()
            here.clear()
            if octets and not there.is_aborted:
                there.protocol.dataReceived(octets)
        for here, there in (pair, pair[::-1]):
            lost = ConnectionDone()
            if here.is_aborted:
                lost = ConnectionAborted()
            elif there.is_aborted:
                lost = ConnectionLost()
            here.protocol.connectionLost(Failure(lost))


@implementer(IStreamClientEndpoint)
@define(eq=False)
class ScriptedHost:
    """Takes connections; each follows the table anew."""

    net: Net
    answers: Answers
    is_lmtp: bool = False
    tls: IOpenSSLServerConnectionCreator | None = None
    tls_first: bool = False
    secure_hello: str = HELLO
    refusal: Exception | None = None
    sinks: list[Sink] = field(factory=list)
    later: Answers | None = None
    """For all connections but the first."""
    kind: type[Sink] = Sink
    address: IAddress = field(factory=lambda: IPv4Address("TCP", "192.0.2.1", 25))

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[Any]:
        if self.refusal is not None:
            return fail(self.refusal)
        ours = protocolFactory.buildProtocol(self.address)
        assert isinstance(ours, Protocol)
        if self.sinks and self.later is not None:
            self.answers = self.later
        sink = self.kind(self)
        self.sinks.append(sink)
        upgrade = None
        if self.tls_first:
            assert self.tls is not None
            upgrade = Upgrade(self.tls, self.net.clock)
        self.net.join(ours, sink, upgrade, self.address)
        return succeed(ours)

    @property
    def sink(self) -> Sink:
        """The only connection there was."""
        (sink,) = self.sinks
        return sink


EndpointFor = Callable[[NextHost], IStreamClientEndpoint]
