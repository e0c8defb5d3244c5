"""Ports: opened once, taken ports told in one line, closed without losing work."""

from __future__ import annotations

from attrs import define, field
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import (
    IAddress,
    IListeningPort,
    IProtocolFactory,
    IStreamServerEndpoint,
)
from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from mailkit.interfaces.session import IPeer
from mailkit.net.listeners import Listener, PortTaken, PumpFactory
from mailkit.net.pump import Surroundings
from tests.net.doubles import Echo, Line, Lines


@implementer(IListeningPort)
@define(eq=False)
class Port:
    """A port that remembers being closed."""

    is_open: bool = True
    closing: Deferred[None] | None = None

    def startListening(self) -> None:
        self.is_open = True

    def getHost(self) -> IAddress:
        return IPv4Address("TCP", "127.0.0.1", 25)

    def stopListening(self) -> Deferred[None] | None:
        self.is_open = False
        return self.closing


@implementer(IStreamServerEndpoint)
@define(eq=False)
class Endpoint:
    """Opens a port, or says why not."""

    port: Port = field(factory=Port)
    error: Exception | None = None

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        return fail(self.error) if self.error else succeed(self.port)


def build(peer: IPeer) -> tuple[Lines, Echo]:
    machine = Lines()
    return machine, Echo(machine, peer)


class ListenerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.factory = PumpFactory(build, Surroundings("echo", self.clock))

    def listener(self, endpoint: Endpoint, factory: Factory | None = None) -> Listener:
        return Listener("echo", "tcp:25", endpoint, factory or self.factory, self.clock)

    def test_taken(self) -> None:
        """The one line names the service, the endpoint and the reason."""
        error = CannotListenError(None, 25, OSError(98, "Address already in use"))
        with self.assertRaises(PortTaken) as caught:
            self.listener(Endpoint(error=error)).privilegedStartService()
        self.assertEqual(
            str(caught.exception),
            "echo: cannot listen on tcp:25: Address already in use",
        )

    def test_other_reasons(self) -> None:
        with self.assertRaises(PortTaken) as caught:
            self.listener(
                Endpoint(error=ValueError("no such interface"))
            ).privilegedStartService()
        self.assertIn("no such interface", str(caught.exception))

    def test_stop(self) -> None:
        """No new connection; the old ones are told, and waited for."""
        endpoint = Endpoint(Port(closing=succeed(None)))
        listener = self.listener(endpoint)
        listener.privilegedStartService()
        pump, line = self.factory.buildProtocol(None), Line()
        pump.makeConnection(line)
        stopped = listener.stopService()
        self.assertFalse(endpoint.port.is_open)
        self.assertIn(b"bye Shutting down", line.value())
        self.assertNoResult(stopped)
        pump.connectionLost()
        self.successResultOf(stopped)

    def test_stop_at_once(self) -> None:
        """A port that closes at once, and a factory that has no pumps."""
        listener = self.listener(Endpoint(), Factory())
        listener.privilegedStartService()
        self.successResultOf(listener.stopService())
        self.successResultOf(self.listener(Endpoint()).stopService())
