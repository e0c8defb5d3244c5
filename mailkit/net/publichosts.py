"""
Hosts that strangers name, gone to at addresses that were looked at first.

Whoever writes DNS records, or a link into a message, would otherwise reach into our own
network. The address that was checked is the one that is connected to: the name is not
asked for again.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from ipaddress import ip_address
from typing import Any

from attrs import define
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import (
    TCP4ClientEndpoint,
    TCP6ClientEndpoint,
    wrapClientTLS,
)
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IProtocolFactory, IStreamClientEndpoint
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.ssl import TLSVersion, optionsForClientTLS
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss
from zope.interface import implementer

from mailkit.errors import Unreachable
from mailkit.interfaces.resolver import IResolver
from mailkit.model.inward import Network, may_be_reached

TO_CONNECT = 10.0
"""Seconds for each address."""

_MOST_ADDRESSES = 4


@implementer(IStreamClientEndpoint)
@define(eq=False)
class PublicHost:
    """
    A host, at the addresses that our resolver knows, one after the other.

    :param reactor: Twisted's, which has no type of its own.
    :param allow: networks of the administrator's that strangers may lead to.
    """

    _reactor: Any
    _resolver: IResolver
    _host: str
    _port: int
    _allow: Sequence[Network] = ()

    def connect(self, factory: IProtocolFactory) -> Deferred[Any]:
        """:raises Unreachable: if no address of it may be gone to."""
        return Deferred.fromCoroutine(self._connect(factory))

    async def _connect(self, factory: IProtocolFactory) -> Any:
        found = await self._addresses()
        addresses = [one for one in found if may_be_reached(one, self._allow)]
        words = "leads to addresses that are not public" if found else "has no address"
        failure: Exception = Unreachable(f"{self._host} {words}")
        for address in addresses[:_MOST_ADDRESSES]:
            kind = TCP6ClientEndpoint if ":" in address else TCP4ClientEndpoint
            endpoint = kind(self._reactor, address, self._port, timeout=TO_CONNECT)
            try:
                return await endpoint.connect(factory)
            except (ConnectError, OSError) as error:
                failure = error
        raise failure

    async def _addresses(self) -> Sequence[str]:
        literal = self._host.removeprefix("[").removesuffix("]")
        with suppress(ValueError):  # nearly always it is a name
            return (str(ip_address(literal)),)
        return (await self._resolver.addresses(self._host)).records

    def over_tls(self, trust: Any) -> IStreamClientEndpoint:
        """
        The same host with TLS 1.2 or better; its certificate has to name it.

        :param trust: authorities, of a type that Twisted keeps to itself.
        """
        options = optionsForClientTLS(
            self._host,
            trustRoot=trust,
            extraCertificateOptions={"raiseMinimumTo": TLSVersion.TLSv1_2},
        )
        return wrapClientTLS(options, self)


class BoundedBody(Protocol):
    """
    What comes behind the header of an answer, up to a size; then it hangs up.

    So it does when nobody wants the rest: the other side may never end it.
    """

    def __init__(self, most: int) -> None:
        self.whole: Deferred[bytes | None] = Deferred(lambda one: self._hang_up())
        """All of it; ``None``: it is longer."""
        self._most = most
        self._octets = bytearray()

    def connectionMade(self) -> None:
        if not self._most:
            self._end(None)

    def dataReceived(self, data: bytes) -> None:
        self._octets += data
        if len(self._octets) > self._most:
            self._end(None)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self.whole.called:
            return
        if reason.check(ResponseDone, PotentialDataLoss):
            self.whole.callback(bytes(self._octets))
        else:
            self.whole.errback(reason)

    def _end(self, octets: bytes | None) -> None:
        if not self.whole.called:
            self.whole.callback(octets)
            self._hang_up()

    def _hang_up(self) -> None:
        if self.transport is not None:
            self.transport.loseConnection()
