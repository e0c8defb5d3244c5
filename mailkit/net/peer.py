"""What a session may know of, and ask of, the other end of its connection."""

from __future__ import annotations

from typing import Protocol

from attrs import define, field
from twisted.internet.interfaces import ITransport
from zope.interface import implementer

from mailkit.interfaces.session import IPeer
from mailkit.net.door import LOOPBACK, is_within
from mailkit.net.tls import describe_tls


class Line(Protocol):
    """What a `Peer` needs of the pump."""

    transport: ITransport | None
    is_secure: bool
    may_secure: bool

    async def start_tls(self) -> None: ...

    async def flush(self) -> None: ...

    def speak(self) -> None: ...

    def interrupt(self) -> None: ...


@implementer(IPeer)
@define
class Peer:
    """The other end of one connection, as the socket or a trusted proxy tells it."""

    _line: Line = field(repr=False)
    host: str
    port: int
    local_host: str
    local_port: int

    @property
    def is_secure(self) -> bool:
        return self._line.is_secure or self.host == "unix"

    @property
    def is_loopback(self) -> bool:
        return self.host == "unix" or is_within(self.host, LOOPBACK)

    @property
    def can_start_tls(self) -> bool:
        return self._line.may_secure and not self._line.is_secure

    @property
    def tls(self) -> str:
        return describe_tls(self._line.transport) if self._line.is_secure else ""

    async def start_tls(self) -> None:
        await self._line.start_tls()

    async def flush(self) -> None:
        await self._line.flush()

    def speak(self) -> None:
        self._line.speak()

    def interrupt(self) -> None:
        self._line.interrupt()


def peer_of(transport: ITransport, line: Line) -> Peer:
    """Read both addresses off a transport; a Unix socket has neither."""
    theirs, ours = transport.getPeer(), transport.getHost()
    return Peer(
        line,
        getattr(theirs, "host", "unix"),
        getattr(theirs, "port", 0),
        getattr(ours, "host", "unix"),
        getattr(ours, "port", 0),
    )
