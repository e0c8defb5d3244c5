"""
Both resolvers do what the interface says, the stub over real sockets.

Among it: reverse names (RFC 3596 §2.5), TLSA (RFC 6698 §2.1), wildcards (RFC 4592
§2.2), names that are never asked about (RFC 6761 §6, RFC 7686 §2).
"""

from __future__ import annotations

from typing import Any

import dns.rcode
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from mailkit.net.resolver.resolver import Resolver
from mailkit.net.resolver.settings import DNSSettings
from mailkit.testing.contracts.resolver import BROKEN, ZONE, ResolverContract
from mailkit.testing.dns import DictResolver, LittleServer


class DictResolverTests(ResolverContract, TestCase):
    def setUp(self) -> None:
        self.resolver = DictResolver(ZONE)
        self.resolver.fail(BROKEN)


class StubOverUDPTests(ResolverContract, TestCase):
    def setUp(self) -> None:
        self.server = LittleServer(ZONE, rcodes={BROKEN: dns.rcode.SERVFAIL})
        self.change()
        place = self.server.listen(reactor)
        # Nobody is silent here: what is late is this machine, and is waited for.
        settings = DNSSettings(servers=(place,), timeout=30.0)
        self.resolver = Resolver(reactor, settings)

    def change(self) -> None:
        """What this server is like."""

    def tearDown(self) -> Any:
        return Deferred.fromCoroutine(self._end())

    async def _end(self) -> None:
        await self.resolver.close()
        await self.server.close()


class StubOverTCPTests(StubOverUDPTests):
    def change(self) -> None:
        self.server.truncates = True


class StubOfOldServerTests(StubOverUDPTests):
    def change(self) -> None:
        self.server.knows_edns = False
        self.server.keeps_case = False


class StubOfServerWithoutStreamsTests(StubOverUDPTests):
    def change(self) -> None:
        self.server.keeps_case = False
        self.server.is_deaf_to_streams = True
