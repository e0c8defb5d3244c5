"""From the address of a host to a connection that pumps."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any

from attrs import define, field, frozen
from twisted.internet.endpoints import (
    TCP4ClientEndpoint,
    TCP6ClientEndpoint,
    UNIXClientEndpoint,
)
from twisted.internet.error import ConnectError, TimeoutError, UserError
from twisted.internet.interfaces import (
    IAddress,
    IProtocolFactory,
    IReactorTime,
    IStreamClientEndpoint,
    ITransport,
)
from twisted.internet.protocol import Protocol
from zope.interface import implementer

from mailkit.errors import Unreachable
from mailkit.interfaces.queue import NextHost
from mailkit.metrics import Metrics
from mailkit.net.door import Door, DoorSettings
from mailkit.net.failures import words_of
from mailkit.net.pump import Pump, PumpSettings, StartsTLS, Surroundings
from mailkit.net.relay.conversation import Conversation
from mailkit.net.relay.settings import RelaySettings
from mailkit.net.relay.tls import Handshake
from mailkit.net.tls import Upgrade
from mailkit.protocols.smtp.client import SMTPClient
from mailkit.protocols.smtp.dialect import LMTP, SMTP

EndpointFor = Callable[[NextHost], IStreamClientEndpoint]
"""How a host is reached; tests reach into memory."""

UpgradeFor = Callable[[Handshake], StartsTLS]
"""How TLS begins with a host."""

_NO_LIMIT = 1_000_000_000


def endpoints(reactor: Any, settings: RelaySettings) -> EndpointFor:
    """
    TCP over IPv4 and IPv6, and Unix sockets.

    :param reactor: `IReactorTCP` and `IReactorUNIX`; one type cannot say both.
    """

    def endpoint_for(host: NextHost) -> IStreamClientEndpoint:
        if host.address.startswith("/"):
            return UNIXClientEndpoint(reactor, host.address, settings.connect)
        version = ipaddress.ip_address(host.address.partition("%")[0]).version
        kind = TCP4ClientEndpoint if version == 4 else TCP6ClientEndpoint
        return kind(reactor, host.address, host.port, settings.connect)

    return endpoint_for


@implementer(IProtocolFactory)
@define(eq=False)
class OnePump:
    """A factory of one connection."""

    pump: Pump
    noisy: bool = False

    def buildProtocol(self, addr: IAddress) -> Pump:
        return self.pump

    def doStart(self) -> None:
        """Twisted calls it; there is nothing to do."""

    def doStop(self) -> None:
        """As `doStart`."""


@define(eq=False)
class Connecting:
    """Makes connections to hosts, each with its conversation."""

    clock: IReactorTime
    settings: RelaySettings
    metrics: Metrics
    endpoint_for: EndpointFor
    upgrade_for: UpgradeFor
    _door: Door = field(init=False)
    _pumping: PumpSettings = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._door = Door(DoorSettings(_NO_LIMIT, _NO_LIMIT))
        self._pumping = PumpSettings(
            slow_reader=self.settings.block, close_wait=self.settings.quit
        )

    async def connect(self, host: NextHost, handshake: Handshake) -> Conversation:
        """
        Connect; nothing was said yet.

        :raises Unreachable:
        """
        where = describe(host)
        talk = Conversation(
            SMTPClient(LMTP if host.is_lmtp else SMTP),
            self.clock,
            self.settings,
            where,
            account=host.username,
        )
        around = Surroundings(
            "relay",
            self.clock,
            self._door,
            self._pumping,
            tls_first=host.tls_first,
            metrics=self.metrics,
            upgrade=self.upgrade_for(handshake),
            over=lambda: talk.on_over(talk),
        )
        talk.line = pump = Pump(talk.attach, around)
        try:
            await self.endpoint_for(host).connect(OnePump(pump))
        except (UserError, ConnectError, OSError) as error:
            words = _words(error, self.settings.connect)
            raise Unreachable(f"{where}: {words}") from error
        return talk


@frozen(eq=False)
class LateUpgrade:
    """TLS as it is, made ready when it is asked for."""

    handshake: Handshake
    clock: IReactorTime

    def start(self, transport: ITransport, protocol: Protocol) -> None:
        """Put TLS between the two."""
        Upgrade(self.handshake, self.clock, is_client=True).start(transport, protocol)


def upgrades(clock: IReactorTime) -> UpgradeFor:
    """How TLS begins on a clock."""
    return lambda handshake: LateUpgrade(handshake, clock)


def describe(host: NextHost) -> str:
    """``mx.example.org [192.0.2.1]:25``; the path of a Unix socket."""
    if host.address.startswith("/"):
        return host.address
    address = f"[{host.address}]:{host.port}"
    is_named = host.name and host.name.strip("[]") != host.address
    return f"{host.name} {address}" if is_named else address


def _words(error: Exception, wait: float) -> str:
    if isinstance(error, TimeoutError):
        return f"no connection within {wait:g} s"
    return f"no connection: {words_of(error)}"
