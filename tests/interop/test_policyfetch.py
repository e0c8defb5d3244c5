"""Policies are fetched over real HTTPS (RFC 8461 §3.3)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, ServerFactory
from twisted.internet.ssl import (
    Certificate,
    CertificateOptions,
    PrivateCertificate,
    trustRootFromCertificates,
)
from twisted.trial.unittest import TestCase
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from mailkit.errors import Unavailable
from mailkit.net import policyfetch
from mailkit.net.policyfetch import LONGEST, AlsoTrusted, PolicyFetch
from mailkit.net.selfsigned import make_self_signed
from mailkit.testing.dns import DictResolver
from tests.interop.connections import connections_end

POLICY = b"version: STSv1\nmode: enforce\nmx: mx.example.test\nmax_age: 604800\n"
HOST = "mta-sts.example.test"
ALLOW = (ip_network("127.0.0.0/8"),)


class _Answers(Resource):
    """Says what the test wants to hear."""

    isLeaf = True

    def __init__(self, answer: Callable[[Request], bytes | int]) -> None:
        super().__init__()
        self.answer = answer

    def render_GET(self, request: Request) -> bytes | int:
        if request.uri != b"/.well-known/mta-sts.txt":
            request.setResponseCode(404)
        request.setHeader("Content-Type", "text/plain; charset=utf-8")
        return self.answer(request)

    def render_POST(self, request: Request) -> bytes | int:
        return self.answer(request)


class _Rude(Protocol):
    """Is there, and hangs up."""

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.loseConnection()


class PolicyFetchTests(TestCase):
    """A web server of our own, found by DNS of our own, trusted or not."""

    def setUp(self) -> None:
        folder = Path(self.mktemp())
        folder.mkdir()
        pair = make_self_signed(folder, [HOST], datetime.now(UTC))
        pem = pair.certificate.read_bytes()
        own = PrivateCertificate.loadPEM(pem + pair.key.read_bytes())
        self.certificate = pair.certificate
        self.site = _Answers(lambda request: POLICY)
        options: CertificateOptions = own.options()
        twisted: Any = reactor  # it has no type of its own
        web = Site(self.site)
        web.noisy = False
        port = twisted.listenSSL(0, web, options, interface="127.0.0.1")
        self.addCleanup(connections_end)
        self.addCleanup(port.stopListening)
        self.resolver = DictResolver(f"{HOST}. A 127.0.0.1")
        self.fetch = PolicyFetch(
            reactor,
            self.resolver,
            trustRootFromCertificates([Certificate.loadPEM(pem)]),
            port.getHost().port,
            ALLOW,
        )

    def get(self, domain: str = "example.test") -> Deferred[bytes]:
        return Deferred.fromCoroutine(self.fetch.fetch(domain))

    async def test_authorities_besides_those_of_the_system(self) -> None:
        port = self.fetch.port
        trust = AlsoTrusted(self.certificate)
        fetch = PolicyFetch(reactor, self.resolver, trust, port, ALLOW)
        assert await fetch.fetch("example.test") == POLICY
        strict = PolicyFetch(reactor, self.resolver, port=port, allow=ALLOW)
        with self.assertRaisesRegex(Unavailable, "certificate"):
            await strict.fetch("example.test")

    async def refused(self, words: str, domain: str = "example.test") -> None:
        with self.assertRaisesRegex(Unavailable, words):
            await self.get(domain)

    async def test_a_policy(self) -> None:
        self.assertEqual(await self.get(), POLICY)

    async def test_who_is_not_trusted(self) -> None:
        port = self.fetch.port
        self.fetch = PolicyFetch(reactor, self.resolver, port=port, allow=ALLOW)
        await self.refused("certificate verify failed")

    async def test_a_certificate_for_somebody_else(self) -> None:
        self.resolver.add("mta-sts.other.test. A 127.0.0.1")
        await self.refused("VerificationError", "other.test")

    async def test_nobody_is_there(self) -> None:
        await self.refused("has no address", "nobody.test")
        self.fetch.port = 1
        await self.refused("refused")

    async def test_names_that_lead_into_our_network(self) -> None:
        self.fetch = PolicyFetch(reactor, self.resolver, port=self.fetch.port)
        await self.refused("not public")
        self.resolver.add("mta-sts.mapped.test. AAAA ::ffff:127.0.0.1")
        await self.refused("not public", "mapped.test")
        with self.assertRaisesRegex(Unavailable, "not public"):
            url = f"https://localhost:{self.fetch.port}/"
            await self.fetch.post(url, b"it", "application/tlsrpt+gzip")

    async def test_names_that_no_certificate_may_have(self) -> None:
        self.resolver.add("mta-sts.a_b.test. A 127.0.0.1")
        await self.refused("mta-sts.a_b.test", "a_b.test")
        await self.refused("mta-sts", "-a.test")
        await self.refused("mta-sts", "a" * 63 + ".test")

    async def test_addresses_that_are_none(self) -> None:
        for url in ("https://[b", "https:///x", "https://a:x/", "https://a:999999/"):
            with self.assertRaises(Unavailable):
                await self.fetch.post(url, b"it", "application/tlsrpt+gzip")

    async def test_who_hangs_up_at_once(self) -> None:
        rude = ServerFactory()
        rude.noisy = False
        rude.protocol = _Rude
        twisted: Any = reactor
        port = twisted.listenTCP(0, rude, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        self.fetch.port = port.getHost().port
        await self.refused("https://mta-sts.example.test")

    async def test_dns_fails(self) -> None:
        self.resolver.fail(HOST)
        await self.refused("no answer")

    async def test_redirections_are_not_followed(self) -> None:
        def elsewhere(request: Request) -> bytes:
            request.redirect(b"/elsewhere")
            return b""

        self.site.answer = elsewhere
        await self.refused("answers 302")

    async def test_what_is_no_text(self) -> None:
        def page(request: Request) -> bytes:
            request.setHeader("Content-Type", "text/html")
            return POLICY

        self.site.answer = page
        await self.refused("no plain text")

    async def test_what_is_too_long(self) -> None:
        """RFC 8461 §3.3: 64 KiB, and a minute."""
        assert (LONGEST, policyfetch.PATIENCE) == (65_536, 60.0)
        self.site.answer = lambda request: b"x" * (LONGEST + 1)
        await self.refused("too long")

    async def test_who_hangs_up(self) -> None:
        def cut(request: Request) -> int:
            transport: Any = request.transport  # TCP's or TLS's, not any transport
            transport.abortConnection()
            return NOT_DONE_YET

        self.site.answer = cut
        await self.refused("https://mta-sts.example.test")

    def endless(self, code: int, octets: bytes = b"version") -> list[Deferred[object]]:
        """Answers that begin and never end, and when each of them is hung up on."""
        ends: list[Deferred[object]] = []

        def drip(request: Request) -> int:
            request.setResponseCode(code)
            if octets:
                request.write(octets)
            ends.append(request.notifyFinish().addErrback(lambda failure: None))
            return NOT_DONE_YET

        self.site.answer = drip
        return ends

    async def test_nobody_waits_for_the_rest_of_a_refusal(self) -> None:
        ends = self.endless(500)
        await self.refused("answers 500")
        await ends[0]
        ends = self.endless(201)
        url = f"https://{HOST}:{self.fetch.port}/"
        await self.fetch.post(url, b"it", "application/tlsrpt+gzip")
        await ends[0]

    async def test_what_takes_too_long_is_hung_up_on(self) -> None:
        await self.takes_too_long(b"version")

    async def test_who_says_nothing_is_hung_up_on(self) -> None:
        await self.takes_too_long(b"")

    async def takes_too_long(self, octets: bytes) -> None:
        ends = self.endless(200, octets)
        patience = 0.2
        while not ends:  # on a busy machine it is over before the answer begins
            self.patch(policyfetch, "PATIENCE", patience)
            await self.refused("takes too long")
            patience *= 2
        await ends[0]

    async def test_reports_are_handed_in(self) -> None:
        taken: list[tuple[bytes, bytes, str]] = []

        def take(request: Request) -> bytes:
            assert request.content is not None
            kind = request.getHeader("Content-Type") or ""
            taken.append((request.uri, request.content.read(), kind))
            request.setResponseCode(201)
            return b""

        self.site.answer = take
        url = f"https://{HOST}:{self.fetch.port}/tls?x=y"
        await self.fetch.post(url, b"it", "application/tlsrpt+gzip")
        self.assertEqual(taken, [(b"/tls?x=y", b"it", "application/tlsrpt+gzip")])

    async def test_reports_that_are_not_taken(self) -> None:
        def refuse(request: Request) -> bytes:
            request.setResponseCode(500)
            return b""

        self.site.answer = refuse
        for url, words in (
            (f"https://{HOST}:{self.fetch.port}/", "answers 500"),
            (f"http://{HOST}:{self.fetch.port}/", "no address for reports"),
        ):
            with self.assertRaisesRegex(Unavailable, words):
                await self.fetch.post(url, b"it", "application/tlsrpt+gzip")
