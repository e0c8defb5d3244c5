"""
Other people's web servers: policies of MTA-STS are got (RFC 8461 §3.3), reports of TLS
handed in (RFC 8460 §5.4).
"""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

from attrs import define, field, frozen
from OpenSSL import SSL
from treq.client import HTTPClient
from twisted.internet._sslverify import IOpenSSLTrustRoot  # it has no public name
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.ssl import platformTrust
from twisted.web.client import URI, Agent
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface import implementer

from mailkit.errors import Unavailable, Unreachable
from mailkit.interfaces.policies import IPolicyFetch, IReportPost
from mailkit.interfaces.resolver import IResolver
from mailkit.model.inward import Network
from mailkit.net.failures import words_of
from mailkit.net.intime import in_time
from mailkit.net.publichosts import BoundedBody, PublicHost
from mailkit.net.tls import trust_also

T = TypeVar("T")


@implementer(IOpenSSLTrustRoot)
@frozen
class AlsoTrusted:
    """The authorities of the system, and those in a PEM file."""

    path: Path

    def _addCACertsToContext(self, context: SSL.Context) -> None:
        context.set_default_verify_paths()
        trust_also(context, bytes(self.path))


PATIENCE = 60.0
"""Seconds for all of it (RFC 8461 §3.3)."""

LONGEST = 64 * 1024
"""Octets (RFC 8461 §3.3)."""


@implementer(IPolicyFetch, IReportPost)
@define(eq=False)
class PolicyFetch:
    """
    Fetches over HTTPS by our own resolver; the certificate has to be good.

    :param reactor: Twisted's, which has no type of its own.
    :param trust: authorities; those of the system unless others are given.
    :param allow: networks of the administrator's that names of strangers may lead to.
    """

    _reactor: Any
    _resolver: IResolver
    trust: Any = field(factory=platformTrust)  # whose interface Twisted keeps to itself
    port: int = 443
    allow: Sequence[Network] = ()
    _client: HTTPClient = field(init=False)

    def __attrs_post_init__(self) -> None:
        factory = _Endpoints(self._reactor, self._resolver, self.trust, self.allow)
        agent = Agent.usingEndpointFactory(self._reactor, factory)
        self._client = HTTPClient(agent)

    async def fetch(self, domain: str) -> bytes:
        port = "" if self.port == 443 else f":{self.port}"
        url = f"https://mta-sts.{domain}{port}/.well-known/mta-sts.txt"
        return await self._in_time(url, self._get(url))

    async def post(self, url: str, octets: bytes, kind: str) -> None:
        if not url.lower().startswith("https://"):
            raise Unavailable(f"{url} is no address for reports")
        await self._in_time(url, self._post(url, octets, kind))

    async def _in_time(self, url: str, asked: Coroutine[Any, Any, T]) -> T:
        try:
            return await in_time(self._reactor, PATIENCE, url, asked)
        except Unreachable as error:
            raise Unavailable(f"{url}: {words_of(error)}") from error
        except ValueError as error:
            raise Unavailable(f"{url}: {error}") from error

    async def _post(self, url: str, octets: bytes, kind: str) -> None:
        response = await self._client.post(
            url,
            data=BytesIO(octets),
            headers=Headers({"Content-Type": [kind]}),
            allow_redirects=False,
            unbuffered=True,
        )
        body = BoundedBody(most=0)
        response.deliverBody(body)
        if response.code not in (200, 201, 202, 204):
            raise Unavailable(f"{url} answers {response.code}")

    async def _get(self, url: str) -> bytes:
        response = await self._client.get(url, allow_redirects=False, unbuffered=True)
        kind = response.headers.getRawHeaders("Content-Type", [""])[0]
        is_text = kind.partition(";")[0].strip().lower() == "text/plain"
        body = BoundedBody(most=LONGEST if response.code == 200 and is_text else 0)
        response.deliverBody(body)
        if response.code != 200:
            raise Unavailable(f"{url} answers {response.code}")
        if not is_text:
            raise Unavailable(f"{url} is no plain text")
        octets = await body.whole
        if octets is None:
            raise Unavailable(f"{url} is too long")
        return octets


@implementer(IAgentEndpointFactory)
@define(eq=False)
class _Endpoints:
    _reactor: Any
    _resolver: IResolver
    _trust: Any  # as above
    _allow: Sequence[Network]

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        host = uri.host.decode("ascii")
        found = PublicHost(self._reactor, self._resolver, host, uri.port, self._allow)
        return found.over_tls(self._trust)
