"""One pump sends a message to another: client and server, STARTTLS between them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from attrs import define, field
from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.protocol import Protocol
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from mailkit.interfaces.session import IPeer, ISession
from mailkit.model.path import Path as MailPath
from mailkit.net.pump import Pump, Surroundings
from mailkit.net.selfsigned import make_self_signed
from mailkit.net.tls import ServerTLS, Upgrade
from mailkit.protocols.smtp.client import Answered, Greeting, SMTPClient, Text
from mailkit.protocols.smtp.events import (
    DataBegins,
    Hello,
    MailFrom,
    Quit,
    RcptTo,
    StartTLS,
)
from mailkit.services.delivery.rules import Arrival
from mailkit.services.smtp import build
from tests.services.smtp.world import ALICE, HOSTNAME, World

TEXT = b"From: x@elsewhere.test\r\n\r\n.hidden by a dot\r\n"


@implementer(IOpenSSLClientConnectionCreator)
class Trusting:
    """A client that checks nothing; that is not what is tested here."""

    def clientConnectionForTLS(self, protocol: object) -> SSL.Connection:
        return SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD), None)


@implementer(ISession)
@define
class Sender:
    """Sends one message, under TLS, and leaves."""

    machine: SMTPClient
    peer: IPeer
    replies: list[str] = field(factory=list)
    is_over: bool = False
    is_idle: bool = True
    timeout: float = 300.0
    account: str = ""

    async def greet(self) -> None:
        """The server speaks first."""

    async def handle(self, event: object) -> None:
        assert isinstance(event, Answered)
        self.replies.append(f"{type(event.to).__name__} {event.reply.code}")
        match event.to:
            case Greeting():
                self.machine.say(Hello("client.test", True))
            case Hello() if not self.peer.is_secure:
                assert self.machine.offers("STARTTLS")
                self.machine.say(StartTLS())
            case StartTLS():
                await self.peer.start_tls()
                self.machine.say(Hello("client.test", True))
            case Hello():
                self.machine.say(MailFrom(MailPath("x", "elsewhere.test")))
                self.machine.say(RcptTo(MailPath("alice", "example.org")))
                self.machine.say(DataBegins())
            case DataBegins():
                self.machine.text(TEXT)
                self.machine.end_text()
            case Text():
                self.machine.say(Quit())
            case Quit():
                self.is_over = True

    def farewell(self, reason: str) -> None:
        self.is_over = True

    async def close(self) -> None:
        self.replies.append("closed")


def carry(one: Protocol, other: Protocol) -> None:
    """Move octets between two ends until neither says anything."""
    ends = []
    for protocol in (one, other):
        transport = StringTransport()
        # As a socket does, it hands what comes to whoever is its protocol now.
        setattr(transport, "protocol", protocol)  # noqa: B010 - no interface has it
        ends.append(transport)
    for transport, protocol in zip(ends, (one, other), strict=True):
        protocol.makeConnection(transport)
    moved = True
    while moved:
        moved = False
        for here, there in (ends, ends[::-1]):
            octets = here.value()
            if octets:
                here.clear()
                getattr(there, "protocol").dataReceived(octets)  # noqa: B009 - not in the interface
                moved = True


class BothRolesTests(SynchronousTestCase):
    def test_message(self) -> None:
        world = World()
        pair = make_self_signed(Path(self.mktemp()), ["localhost"], datetime.now(UTC))
        served = build.smtp(world.house, world.delivery(Arrival((HOSTNAME,))))
        server = Pump(served, Surroundings("smtp", world.clock, tls=ServerTLS((pair,))))
        senders: list[Sender] = []

        def dial(peer: IPeer) -> tuple[SMTPClient, Sender]:
            machine = SMTPClient()
            senders.append(Sender(machine, peer))
            return machine, senders[0]

        upgrade = Upgrade(Trusting(), world.clock, is_client=True)
        client = Pump(dial, Surroundings("relay", world.clock, upgrade=upgrade))
        carry(server, client)
        self.assertEqual(
            senders[0].replies,
            [
                "Greeting 220",
                "Hello 250",
                "StartTLS 220",
                "Hello 250",
                "MailFrom 250",
                "RcptTo 250",
                "DataBegins 354",
                "Text 250",
                "Quit 221",
                "closed",
            ],
        )
        (octets,) = world.mailbox(ALICE)
        self.assertTrue(octets.endswith(TEXT))
        self.assertIn(b"with ESMTPS", octets)
        self.assertIn(b"TLSv1.3", octets)
