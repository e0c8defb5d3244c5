"""A machine of lines, a session that writes down what it is asked, a transport."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IPushProducer
from twisted.internet.testing import StringTransport
from zope.interface import implementer

from mailkit.interfaces.session import IPeer, ISession
from mailkit.protocols.buffer import Buffer


class Lines:
    """Each line is an event; what is said goes out as it is."""

    def __init__(self) -> None:
        self.buffer = Buffer()
        self.out = b""
        self.was_secured = False
        self.ends_at: bytes | None = None
        self.on_end: Callable[[], None] = lambda: None

    def receive(self, octets: bytes) -> None:
        self.buffer.add(octets)

    def next_event(self) -> bytes | None:
        line = self.buffer.take_line()
        if line is not None and line == self.ends_at:
            self.on_end()
            return None
        return line

    def take_output(self) -> bytes:
        out, self.out = self.out, b""
        return out

    def secured(self) -> None:
        self.buffer.clear()
        self.was_secured = True


@implementer(ISession)
@define
class Echo:
    """
    Echoes lines; some words mean something.

    ``wait`` waits for ``gate``, ``boom`` raises, ``tls`` upgrades, ``flush`` waits
    for room, ``quit`` ends, ``busy`` and ``idle`` say whether something is half done,
    ``mute`` says nothing.
    """

    machine: Lines
    peer: IPeer
    said: list[str] = field(factory=list)
    gate: Deferred[None] = field(factory=Deferred)
    is_over: bool = False
    is_idle: bool = True
    timeout: float = 60.0
    account: str = ""

    async def greet(self) -> None:
        self.said.append("greet")
        self.machine.out += b"hello\r\n"

    async def handle(self, event: object) -> None:
        assert isinstance(event, bytes)
        word = event.decode()
        self.said.append(word)
        match word:
            case "wait":
                await self.gate
                self.said.append("waited")
            case "boom":
                raise RuntimeError("a bug")
            case "tls":
                self.machine.out += b"begin\r\n"
                await self.peer.start_tls()
                return
            case "flush":
                self.machine.out += b"x" * 100
                await self.peer.flush()
                self.said.append("flushed")
            case "busy" | "idle":
                self.is_idle = word == "idle"
            case "quit":
                self.is_over = True
            case "mute":
                return
        self.machine.out += event + b"\r\n"

    def farewell(self, reason: str) -> None:
        self.said.append(f"farewell {reason}")
        self.machine.out += b"bye " + reason.encode() + b"\r\n"
        self.is_over = True

    async def close(self) -> None:
        self.said.append("close")


class Line(StringTransport):
    """A transport that can be full, and tells how it ends."""

    def __init__(self, peer: IAddress | None = None) -> None:
        super().__init__(peerAddress=peer)
        self.is_aborted = False

    def setTcpNoDelay(self, enabled: bool) -> None:
        self.no_delay = enabled

    def abortConnection(self) -> None:
        self.is_aborted = True
        self.loseConnection()

    def fill(self) -> None:
        """The peer reads nothing any more."""
        assert IPushProducer.providedBy(self.producer)
        self.producer.pauseProducing()

    def drain(self) -> None:
        """The peer has read everything."""
        assert IPushProducer.providedBy(self.producer)
        self.producer.resumeProducing()
