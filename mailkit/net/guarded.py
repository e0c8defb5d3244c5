"""Factories of Twisted's own, such as that of the web pages, behind our door."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python.failure import Failure

from mailkit.errors import Busy
from mailkit.net.door import Door

NOWHERE = "unix"
"""What the door calls a peer without an address, of whom there may be any number."""


class Counted(ProtocolWrapper):
    """One connection that the door let in."""

    noisy = False
    factory: Guarded

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.factory.leave(self)
        super().connectionLost(reason)


class Guarded(WrappingFactory[Counted]):
    """
    Lets in whom the door lets in; everybody else is hung up on.

    A proxy that we trust stands for many, and says of whom in its own way.
    """

    log = Logger()
    noisy = False
    protocol = Counted

    def __init__(self, factory: Any, door: Door) -> None:  # Any: Twisted's, untyped
        super().__init__(factory)
        self._door = door
        self._hosts: dict[Counted, str] = {}

    def buildProtocol(self, addr: IAddress | None) -> Counted:
        """``None``, which Twisted's type does not say, closes the connection."""
        host = getattr(addr, "host", NOWHERE)
        if self._door.trusts(host):
            host = NOWHERE
        try:
            self._door.enter(host)
        except Busy as error:
            self.log.info("{peer} is hung up on: {reason}", peer=host, reason=error)
            refused: Any = None
            return refused  # type: ignore[no-any-return]  # Twisted hangs up on None; its hints have no None
        made = super().buildProtocol(addr)
        self._hosts[made] = host
        return made

    def leave(self, made: Counted) -> None:
        """A connection has ended; told twice, it counts once."""
        host = self._hosts.pop(made, None)
        if host is not None:
            self._door.leave(host)
