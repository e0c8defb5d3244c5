"""A client of one connection to a `World`, for tests that no transcript can say."""

from __future__ import annotations

from twisted.internet.address import IPv4Address

from mailkit.net.pump import Pump
from tests.services.imap.world import World
from tests.transcript import Wire


class Client:
    """Says lines and reads what comes back."""

    def __init__(self, world: World) -> None:
        protocol = world.protocol()
        assert isinstance(protocol, Pump)
        self.pump = protocol
        self.wire = Wire(protocol, IPv4Address("TCP", "127.0.0.1", 1))
        protocol.makeConnection(self.wire)
        self.greeting = self.heard()

    def login(self, name: str = "alice", password: str = "wonderland") -> bytes:
        return self.say(f"l LOGIN {name}@example.org {password}")

    def say(self, line: str | bytes) -> bytes:
        """All that is said after this line."""
        octets = line.encode() if isinstance(line, str) else line
        self.wire.arrive(octets + b"\r\n")
        return self.heard()

    def heard(self) -> bytes:
        octets: bytes = self.wire.value()
        self.wire.clear()
        return octets

    def leave(self) -> None:
        self.wire.leave()
