"""
Those whose dialogues have no commands to probe with: a host that we send mail to, the
name server, the web.

What they promise is that everything ends: nothing is logged as an error, nothing waits
for ever, and whoever waited for an answer of ours has one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attrs import define, evolve, field
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, fail
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.interfaces import (
    IAddress,
    IProtocol,
    IProtocolFactory,
    IStreamClientEndpoint,
)
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure
from zope.interface import implementer

from mailkit.errors import Refused, Unreachable
from mailkit.interfaces.queue import Carried
from mailkit.metrics import Metrics
from mailkit.net.nameserver.ports import StreamFactory
from mailkit.net.relay.fitting import Octets
from mailkit.net.relay.relay import Relay
from mailkit.net.relay.settings import RelaySettings
from mailkit.services.sessions import Sessions
from mailkit.storage.memory.directory import MemoryDirectory
from mailkit.testing.clock import TestClock
from tests.fuzz.place import Place
from tests.net.nameserver.doubles import Served
from tests.net.relay.world import SINK, item
from tests.web.world import WebWorld

FORESEEN = (Unreachable, Refused)
"""What a relay may raise."""
LONG = 4000.0
"""Seconds, after which every host was given up."""
STEP = 20.0
TEXT = b"From: x@elsewhere.test\r\nSubject: x\r\n\r\nHell\xc3\xb6\r\n.dot\r\n"
WHERE = IPv4Address("TCP", "192.0.2.1", 25)
TO = ("a@sink.test", "b@sink.test", "c@sink.test")
ZONE = """
@ MX 10 www
www A 192.0.2.2
*.w TXT "x"
alias CNAME www
loop CNAME loop
d DNAME example.net.
sub NS ns.sub
ns.sub A 192.0.2.3
"""


@implementer(IStreamClientEndpoint)
@define(eq=False)
class OneHost:
    """Takes one connection, which somebody else makes."""

    clock: TestClock
    where: IAddress
    made: Protocol | None = None

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[Any]:
        if self.made is not None:
            return fail(ConnectionRefusedError())
        made = protocolFactory.buildProtocol(self.where)
        assert isinstance(made, Protocol)
        self.made = made
        connected: Deferred[Any] = Deferred()
        self.clock.callLater(0, connected.callback, made)
        return connected


@define(eq=False)
class Carrying:
    """Mail on its way to hosts that say what the dialogue has them say."""

    is_lmtp: bool
    where: IAddress
    clock: TestClock = field(factory=TestClock)
    metrics: Metrics = field(factory=Metrics)
    outcomes: list[Carried | Failure | None] = field(factory=list)
    """Of each connection; ``None``: it goes on."""

    def connect(self) -> IProtocol:
        """One more message, over one more connection."""
        host = OneHost(self.clock, self.where)
        relay = Relay(
            self.clock,
            "us.test",
            self.metrics,
            RelaySettings(),
            endpoint_for=lambda _: host,
        )
        number = len(self.outcomes)
        self.outcomes.append(None)

        def ended(outcome: Carried | Failure) -> None:
            self.outcomes[number] = outcome

        to = evolve(SINK, is_lmtp=self.is_lmtp)
        carrying = relay.carry(to, item(*TO, size=len(TEXT)), Octets(TEXT))
        Deferred.fromCoroutine(carrying).addBoth(ended)
        assert host.made is not None
        return host.made

    def end(self) -> str:
        """Wait; then each recipient has one fate, or the host was out of reach."""
        waited = 0.0
        while None in self.outcomes and waited < LONG:
            self.clock.advance(STEP)
            waited += STEP
        for outcome in self.outcomes:
            if outcome is None:
                return "the relay waits for ever"
            if isinstance(outcome, Carried):
                told = sorted(str(report.path) for report in outcome.reports)
                if told != sorted(TO):
                    return f"told of {told}"
            elif not outcome.check(*FORESEEN):
                return str(outcome.getTraceback())
        return ""


def relay(service: str) -> Place:
    """Our client of SMTP or LMTP; what clients say elsewhere, servers say here."""
    carrying = Carrying(service == "lmtp-relay", WHERE)
    return Place(
        service,
        carrying.clock,
        Sessions(MemoryDirectory(carrying.clock.seconds)),
        carrying.metrics,
        carrying.connect,
        {"pass": lambda seconds: carrying.clock.advance(float(seconds))},
        carrying.end,
    )


def dns(service: str) -> Place:
    """The name server by TCP; by UDP it is asked the same, without lengths."""
    served = Served(Path("/nonexistent"), {"example.org": ZONE})
    factory = StreamFactory(lambda: served.server, served.clock)

    def connect() -> IProtocol:
        return factory.buildProtocol(WHERE)

    def end() -> str:
        served.clock.advance(LONG)
        return "connections are left" if factory.open else ""

    return Place(
        service,
        served.clock,
        Sessions(MemoryDirectory(served.clock.seconds)),
        served.metrics,
        connect,
        end=end,
    )


def web(service: str) -> Place:
    """The pages, by HTTP/1.1."""
    world = WebWorld()

    def connect() -> IProtocol:
        channel: IProtocol = world.site.buildProtocol(WHERE)
        return channel

    def end() -> str:
        world.idle.advance(LONG)
        return ""

    return Place(
        service, world.clock, Sessions(world.directory), Metrics(), connect, end=end
    )
