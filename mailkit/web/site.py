"""The web site: what is served at which address."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from typing import Protocol, cast
from urllib.parse import unquote_to_bytes

from attrs import define
from jinja2 import Environment, StrictUndefined
from klein import Klein
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest
from twisted.web.pages import notFound
from twisted.web.resource import IResource
from twisted.web.server import Request, Site
from werkzeug.exceptions import HTTPException

from mailkit.formats.unsubscribe import Unsubscription, read_token
from mailkit.web.headers import put_headers
from mailkit.web.wellknown import PolicyPage

LONGEST_BODY = 64 * 1024
"""Octets that a request may bring."""

_TOO_LARGE = (
    b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)
_PLAIN = "text/plain; charset=utf-8"
_HTML = "text/html; charset=utf-8"


class Unsubscriptions(Protocol):
    """Where it is kept that somebody wants no more of something."""

    async def unsubscribe(self, what: Unsubscription) -> None:
        """Keep it; once is enough."""


@define(eq=False)
class WebHouse:
    """What the pages need."""

    policy: PolicyPage
    trouble: Callable[[], str | None]
    """Why the server should get no new work; ``None``: it should."""
    keys: Callable[[], list[bytes]]
    """Secrets that sign tokens, the newest first."""
    unsubscriptions: Unsubscriptions
    now: Callable[[], float]


class Pages:
    """Routes: each parses, calls a service, renders."""

    app = Klein()

    def __init__(self, house: WebHouse) -> None:
        self._house = house
        self._templates = Environment(autoescape=True, undefined=StrictUndefined)

    @app.route("/healthz", methods=["GET", "HEAD"])
    def health(self, request: Request) -> str:
        """For load balancers, and whoever watches."""
        reason = self._house.trouble()
        request.setResponseCode(200 if reason is None else 503)
        request.setHeader("Content-Type", _PLAIN)
        return f"{reason or 'ok'}\n"

    @app.route("/.well-known/mta-sts.txt", methods=["GET", "HEAD"])
    async def policy(self, request: Request) -> str:
        """RFC 8461 §3.2."""
        host = request.getRequestHostname().decode("ascii", "replace")
        text = await self._house.policy.text(host)
        request.setHeader("Content-Type", _PLAIN)
        if text is None:
            return _missing(request)
        return text

    @app.route("/u/<token>", methods=["GET", "HEAD"])
    def ask(self, request: Request, token: str) -> str:
        """Whoever follows the link by hand is asked once."""
        what = read_token(token, self._house.keys(), self._house.now())
        if what is None:
            return _missing(request)
        request.setHeader("Content-Type", _HTML)
        return self._render(
            "unsubscribe.html", address=what.address, sending=what.sending
        )

    @app.route("/u/<token>", methods=["POST"])
    async def unsubscribe(self, request: Request, token: str) -> str:
        """One click, by a program or by the button (RFC 8058 §3.2): no page."""
        what = read_token(token, self._house.keys(), self._house.now())
        if what is None:
            return _missing(request)
        await self._house.unsubscriptions.unsubscribe(what)
        request.setHeader("Content-Type", _PLAIN)
        return "You will get no more of this.\n"

    @app.handle_errors(HTTPException)
    def refused(self, request: IRequest, failure: Failure) -> str:
        """Not an address of ours, or not what may be done there."""
        error = failure.value
        assert isinstance(error, HTTPException)
        request.setResponseCode(error.code or 500)
        request.setHeader("Content-Type", _PLAIN)
        return "There is nothing here.\n" if error.code == 404 else f"{error.name}\n"

    def _render(self, name: str, **facts: object) -> str:
        source = files("mailkit.web").joinpath("templates", name).read_text()
        return self._templates.from_string(source).render(facts)


class Bounded(Request):
    """
    A request that sends no more than `LONGEST_BODY`; one that does is hung up on.

    Twisted takes whatever comes, and writes it to disk.
    """

    _is_refused = False
    _taken = 0

    def gotLength(self, length: int | None) -> None:
        super().gotLength(min(length or 0, LONGEST_BODY))
        if length is not None and length > LONGEST_BODY:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:
        self._taken += len(data)
        if self._taken > LONGEST_BODY:
            self._refuse()
        if not self._is_refused:
            super().handleContentChunk(data)

    def process(self) -> None:
        if not self._is_refused:
            super().process()

    def _refuse(self) -> None:
        if self._is_refused or self.channel is None:
            return
        self._is_refused = True
        transport = self.channel.transport
        assert transport is not None
        transport.write(_TOO_LARGE)
        self.channel.loseConnection()


class WebSite(Site):
    """All pages, each with the headers that keep its readers safe."""

    requestFactory = Bounded
    displayTracebacks = False
    noisy = False

    def getResourceFor(self, request: Request) -> IResource:
        put_headers(request)
        try:
            unquote_to_bytes(request.path).decode()
        except UnicodeDecodeError:
            return notFound()
        return cast(IResource, super().getResourceFor(request))


def make_site(house: WebHouse) -> WebSite:
    """What ``[listen] http`` and ``https`` serve."""
    return WebSite(Pages(house).app.resource(), timeout=60)


def _missing(request: Request) -> str:
    request.setResponseCode(404)
    request.setHeader("Content-Type", _PLAIN)
    return "There is nothing here.\n"
