"""
Pictures on other people's servers, and the one click that ends a subscription.

We go to public addresses alone, at the ports of the web, and say nothing of the reader:
no cookies, no Referer, always the same User-Agent.
"""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from io import BytesIO
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

from attrs import define, field
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.ssl import platformTrust
from twisted.web.client import (
    URI,
    Agent,
    FileBodyProducer,
    HTTPConnectionPool,
)
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgentEndpointFactory, IResponse
from zope.interface import implementer

from mailkit.errors import Refused, TooLarge, Unavailable, Unreachable
from mailkit.formats.picture import LONGEST_URL, picture_type
from mailkit.interfaces.pictures import IOneClick, IPictures, Picture
from mailkit.interfaces.resolver import IResolver
from mailkit.model.inward import Network
from mailkit.net.intime import in_time
from mailkit.net.publichosts import BoundedBody, PublicHost

T = TypeVar("T")

PATIENCE = 10.0
"""Seconds for all of it, other addresses it leads to included."""

LARGEST = 5 * 1024 * 1024
"""Octets of a picture."""

MOST_REDIRECTS = 3

_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_USER_AGENT = "Mozilla/5.0 (mailkit picture proxy)"
_ONE_CLICK = b"List-Unsubscribe=One-Click"
_PORTS = {"http": 80, "https": 443}


@implementer(IPictures, IOneClick)
@define(eq=False)
class StrangersWeb:
    """
    Asks web servers that messages name.

    :param reactor: Twisted's, which has no type of its own.
    :param trust: authorities; those of the system unless others are given.
    :param allow: networks of the administrator's that strangers may lead to.
    :param ports: for ``http`` and ``https``; another one is never gone to.
    """

    _reactor: Any
    _resolver: IResolver
    trust: Any = field(factory=platformTrust)  # whose interface Twisted keeps to itself
    allow: Sequence[Network] = ()
    ports: dict[str, int] = field(factory=lambda: dict(_PORTS))
    _agent: Agent = field(init=False)

    def __attrs_post_init__(self) -> None:
        # A connection that is kept would be used without a look at its address.
        pool = HTTPConnectionPool(self._reactor, persistent=False)
        self._agent = Agent.usingEndpointFactory(
            self._reactor, _Endpoints(self), pool=pool
        )

    async def fetch(self, url: str) -> Picture:
        return await self._in_time(url, self._fetch(url))

    async def unsubscribe(self, url: str) -> None:
        await self._in_time(url, self._click(url))

    def endpoint(self, uri: URI) -> IStreamClientEndpoint:
        """Where a request goes; its host is looked up and judged when it connects."""
        scheme, host = uri.scheme.decode("ascii"), uri.host.decode("ascii")
        found = PublicHost(self._reactor, self._resolver, host, uri.port, self.allow)
        return found.over_tls(self.trust) if scheme == "https" else found

    async def _in_time(self, url: str, asked: Coroutine[Any, Any, T]) -> T:
        try:
            return await in_time(self._reactor, PATIENCE, url, asked)
        except (Unreachable, ValueError) as error:
            raise Refused(f"{url}: {error}") from error

    async def _fetch(self, url: str) -> Picture:
        for _ in range(MOST_REDIRECTS + 1):
            response = await self._ask(b"GET", url)
            if response.code not in _REDIRECTS:
                return await self._picture(url, response)
            response.deliverBody(BoundedBody(most=0))
            url = urljoin(url, _location(response))
        raise Refused(f"{url} leads from one place to another")

    async def _click(self, url: str) -> None:
        # RFC 8058 §3.1: no redirects; whoever sends one all the same has heard us.
        response = await self._ask(b"POST", url, _ONE_CLICK)
        response.deliverBody(BoundedBody(most=0))
        if response.code >= 500:
            raise Unavailable(f"{url} answers {response.code}")
        if response.code >= 400:
            raise Refused(f"{url} answers {response.code}")

    async def _ask(self, method: bytes, url: str, body: bytes = b"") -> IResponse:
        headers = Headers({"User-Agent": [_USER_AGENT]})
        producer = None
        if method == b"GET":
            headers.addRawHeader("Accept", "image/avif,image/webp,image/*;q=0.8")
        else:
            headers.addRawHeader("Content-Type", "application/x-www-form-urlencoded")
            producer = FileBodyProducer(BytesIO(body))
        address = self._judged(url).encode("ascii")
        # Agent's own type says Any.
        found: IResponse = await self._agent.request(method, address, headers, producer)
        return found

    def _judged(self, url: str) -> str:
        """
        The address as it goes over the line, if we go there at all.

        :raises Refused: if not; names inside our network are refused at connecting.
        :raises ValueError: if it is no address.
        """
        if len(url) > LONGEST_URL:
            raise Refused("the address is too long")
        parts = urlsplit(url)
        scheme = parts.scheme.lower()
        if scheme not in self.ports or not parts.hostname:
            raise Refused(f"{url} is no address in the web")
        port = self.ports[scheme]
        if (parts.port or port) not in (port, *_PORTS.values()):
            raise Refused(f"{url} is at an unusual port")
        if parts.username or parts.password:
            raise Refused(f"{url} has a password in it")
        host = parts.hostname
        if ":" in host:
            host = f"[{host}]"
        elif not host.isascii():
            host = host.encode("idna").decode("ascii")
        path = _encoded(parts.path) or "/"
        query = f"?{_encoded(parts.query)}" if parts.query else ""
        return f"{scheme}://{host}:{parts.port or port}{path}{query}"

    async def _picture(self, url: str, response: IResponse) -> Picture:
        length = response.length
        is_too_long = isinstance(length, int) and length > LARGEST
        body = BoundedBody(most=0 if is_too_long or response.code != 200 else LARGEST)
        response.deliverBody(body)
        if response.code >= 500:
            raise Unavailable(f"{url} answers {response.code}")
        if response.code != 200:
            raise Refused(f"{url} answers {response.code}")
        octets = await body.whole
        if octets is None:
            raise TooLarge(f"{url} is too large for a picture")
        found = picture_type(octets)
        if found is None:
            raise Refused(f"{url} is no picture")
        return Picture(found, octets)


@implementer(IAgentEndpointFactory)
@define(eq=False)
class _Endpoints:
    _web: StrangersWeb

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        return self._web.endpoint(uri)


def _location(response: IResponse) -> str:
    found: str = response.headers.getRawHeaders("Location", [""])[0]
    if not found:
        raise Refused("a redirect that leads nowhere")
    return found


def _encoded(text: str) -> str:
    """What may not stand in a request line, percent-encoded (RFC 3986 §2.1)."""
    return "".join(
        one
        if "!" <= one <= "~" and one not in '"<>\\^`{|}'
        else "".join(f"%{octet:02X}" for octet in one.encode("utf-8", "replace"))
        for one in text
    )
