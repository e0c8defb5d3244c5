"""The web site: what is served at which address."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Protocol, cast
from urllib.parse import unquote_to_bytes

from attrs import define
from klein import Klein
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure
from twisted.web.http import Request as HTTPRequest
from twisted.web.iweb import IRequest
from twisted.web.pages import notFound
from twisted.web.resource import IResource
from twisted.web.server import Request, Site
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map

from mailkit.formats.multipartform import FormReader, boundary_of
from mailkit.formats.unsubscribe import Unsubscription, read_token
from mailkit.model.preferences import DEFAULTS
from mailkit.web.answers import Template
from mailkit.web.channel import make_channel
from mailkit.web.cookies import Cookies
from mailkit.web.headers import put_headers
from mailkit.web.origin import Addresses
from mailkit.web.receiving import LONGEST_BODY, Receiving
from mailkit.web.rendering import Rendering
from mailkit.web.serving import Serving
from mailkit.web.statics import Statics
from mailkit.web.upload import Uploading
from mailkit.web.visits import Visits
from mailkit.web.webmail.boxes import SlugConverter
from mailkit.web.webmail.facts import SETTINGS, Facts
from mailkit.web.webmail.house import WebmailHouse
from mailkit.web.webmail.pages import SCRIPTS, all_routes
from mailkit.web.webmail.rooms import Route
from mailkit.web.wellknown import PolicyPage
from mailkit.web.words import Languages
from mailkit.web.wrong import NOT_FOUND

_PLAIN = "text/plain; charset=utf-8"
_HTML = "text/html; charset=utf-8"


class Unsubscriptions(Protocol):
    """Where it is kept that somebody wants no more of something."""

    async def unsubscribe(self, what: Unsubscription) -> None:
        """Keep it; once is enough."""


@define(eq=False)
class WebHouse:
    """What the pages need that people see who are not signed in, and programs."""

    policy: PolicyPage
    trouble: Callable[[], str | None]
    """Why the server should get no new work; ``None``: it should."""
    keys: Callable[[], list[bytes]]
    """Secrets that sign tokens, the newest first."""
    unsubscriptions: Unsubscriptions
    now: Callable[[], float]
    statics: Statics
    rendering: Rendering
    languages: Languages
    webmail: Callable[[], Webmail] | None = None
    """Called for each request, once the house is open; ``None``: there is none."""
    routes: tuple[Route, ...] = ()
    """Pages of the webmail."""


@define(eq=False)
class Webmail:
    """What serves the webmail's pages."""

    serving: Serving
    house: WebmailHouse


class Pages:
    """Routes: each parses, calls a service, renders."""

    def __init__(self, house: WebHouse) -> None:
        self._house = house
        self.app = Klein()
        self.app.url_map.converters["slug"] = SlugConverter
        reading = ["GET", "HEAD"]
        route = self.app.route
        route("/healthz", methods=reading)(self.health)
        route("/.well-known/mta-sts.txt", methods=reading)(self.policy)
        route("/u/<token>", methods=reading, endpoint="ask")(self.ask)
        route("/u/<token>", methods=["POST"], endpoint="unsubscribe")(self.unsubscribe)
        route("/static/<version>/<name>", methods=reading)(self.static)
        if house.webmail is not None:
            route("/manifest.webmanifest", methods=reading)(self.manifest)
        for page in house.routes if house.webmail else ():
            self._add(page)
        self.app.handle_errors(HTTPException)(self.refused)

    def _add(self, page: Route) -> None:
        assert self._house.webmail is not None
        webmail = self._house.webmail

        def answer(request: IRequest, **parts: str) -> Any:  # Klein's renderable
            return webmail().serving.answer(page, request, **parts)

        # Werkzeug takes HEAD where there is GET.
        endpoint = f"{page.method} {page.path}"
        self.app.route(page.path, methods=[page.method], endpoint=endpoint)(answer)

    @property
    def map(self) -> Map:
        """Which address leads where."""
        return self.app.url_map

    def health(self, request: Request) -> str:
        """For load balancers, and whoever watches."""
        reason = self._house.trouble()
        request.setResponseCode(200 if reason is None else 503)
        request.setHeader("Content-Type", _PLAIN)
        return f"{reason or 'ok'}\n"

    async def policy(self, request: Request) -> str:
        """RFC 8461 §3.2."""
        host = request.getRequestHostname().decode("ascii", "replace")
        text = await self._house.policy.text(host)
        request.setHeader("Content-Type", _PLAIN)
        if text is None:
            return _missing(request)
        return text

    def static(self, request: Request, version: str, name: str) -> bytes | str:
        """A file that never changes under its address."""
        found = self._house.statics.find(version, name)
        if found is None:
            return _missing(request)
        for key, value in found.headers.items():
            request.setHeader(key, value)
        request.setHeader("Content-Type", found.content_type)
        octets = found.octets
        if found.compressed and "gzip" in (request.getHeader("accept-encoding") or ""):
            request.setHeader("Content-Encoding", "gzip")
            octets = found.compressed
        if request.setETag(f'"{version}"'.encode()) is not None:
            return b""
        request.setHeader("Content-Length", str(len(octets)))
        return b"" if request.method == b"HEAD" else octets

    def manifest(self, request: Request) -> bytes:
        """What a browser wants to know to show the site as a program of its own."""
        assert self._house.webmail is not None
        name = self._house.webmail().house.brand.name
        icon = self._house.statics.address("icon.svg")
        facts = {
            "name": name,
            "short_name": name,
            "id": "/",
            "start_url": "/mail/inbox",
            "scope": "/",
            "display": "standalone",
            "icons": [{"src": icon, "type": "image/svg+xml", "sizes": "any"}],
        }
        octets = json.dumps(facts, ensure_ascii=False).encode()
        request.setHeader("Content-Type", "application/manifest+json")
        request.setHeader("Cache-Control", "public, max-age=86400")
        request.setHeader("Content-Length", str(len(octets)))
        return octets

    def ask(self, request: Request, token: str) -> str:
        """Whoever follows the link by hand is asked once."""
        what = read_token(token, self._house.keys(), self._house.now())
        if what is None:
            return _missing(request)
        request.setHeader("Content-Type", _HTML)
        language = self._house.languages.choose(
            "", request.getHeader("accept-language") or ""
        )
        facts = {"brand": "mailkit", "preferences": DEFAULTS}
        template = Template(
            "unsubscribe.html", {"address": what.address, "sending": what.sending}
        )
        return self._house.rendering.page(template, facts, language)

    async def unsubscribe(self, request: Request, token: str) -> str:
        """One click, by a program or by the button (RFC 8058 §3.2): no page."""
        what = read_token(token, self._house.keys(), self._house.now())
        if what is None:
            return _missing(request)
        await self._house.unsubscriptions.unsubscribe(what)
        request.setHeader("Content-Type", _PLAIN)
        return "You will get no more of this.\n"

    def refused(self, request: IRequest, failure: Failure) -> Any:  # or a Deferred
        """Not an address of ours, or not what may be done there."""
        error = failure.value
        assert isinstance(error, HTTPException)
        assert isinstance(request, Request)
        # Nothing is shown where only forms are sent to.
        is_read = error.code == 405 and request.method in (b"GET", b"HEAD")
        if (error.code == 404 or is_read) and self._house.webmail is not None:
            wrong = self._house.webmail().serving.wrong(request, NOT_FOUND)
            return Deferred.fromCoroutine(wrong)
        request.setResponseCode(error.code or 500)
        request.setHeader("Content-Type", _PLAIN)
        return "There is nothing here.\n" if error.code == 404 else f"{error.name}\n"


class WebSite(Site):
    """All pages, each with the headers that keep its readers safe."""

    protocol = staticmethod(make_channel)
    requestFactory = Receiving
    displayTracebacks = False
    noisy = False

    def __init__(self, pages: Pages, house: WebHouse, reactor: IReactorTime) -> None:
        super().__init__(
            pages.app.resource(),
            timeout=60,
            parsePOSTFormSubmission=False,
            reactor=reactor,
        )
        self._map = pages.map.bind("")
        self._house = house
        self._visits = Visits()
        self._by_endpoint = {
            f"{route.method} {route.path}": route for route in house.routes
        }

    def getResourceFor(self, request: Request) -> IResource:
        put_headers(request)
        if not request.path.startswith(b"/"):
            return notFound()
        try:
            unquote_to_bytes(request.path).decode()
        except UnicodeDecodeError:
            return notFound()
        return cast(IResource, super().getResourceFor(request))

    def log(self, request: HTTPRequest) -> None:
        """A line for each request; Twisted's has all of its address."""
        self._visits.note(request)

    def begin(self, verb: str, address: str, content_type: str) -> Uploading | int:
        """What to do with the body of a request whose head is here."""
        route = self._route(verb, address)
        if route is None or self._house.webmail is None:
            return LONGEST_BODY
        boundary = boundary_of(content_type)
        if route.body.files is None or boundary is None:
            return route.body.most
        house = self._house.webmail().house
        return Uploading(
            house.spool, FormReader(boundary), route.body.most, route.body.files(house)
        )

    def _route(self, verb: str, address: str) -> Route | None:
        path = unquote_to_bytes(address.partition("?")[0]).decode("utf-8", "replace")
        try:
            endpoint, _ = self._map.match(path, method=verb)
        except HTTPException:
            return None
        return self._by_endpoint.get(endpoint)


def make_webmail(
    house: WebmailHouse,
    rendering: Rendering,
    languages: Languages,
    addresses: Addresses,
    cookies: Cookies,
    https: Callable[[str], str],
    random: Callable[[int], bytes],
) -> Webmail:
    """
    What serves the webmail's pages.

    :param https: what an address begins with where it is asked for by HTTP and should
        be by TLS, by the host that was asked for; empty: there is no TLS.
    :param random: that many octets nobody can guess.
    """
    paths = {route.path for route in all_routes() if route.method == "GET"}
    tabs = tuple(tab for tab in SETTINGS if tab[1] in paths)
    facts = Facts(house.brand, tabs, SCRIPTS, house.undone)
    serving = Serving(
        house, rendering, languages, addresses, cookies, facts, https, random
    )
    return Webmail(serving, house)


def make_site(house: WebHouse, reactor: IReactorTime) -> WebSite:
    """
    What ``[listen] http`` and ``https`` serve.

    :param reactor: by whose time connections are ended where nothing is said.
    """
    return WebSite(Pages(house), house, reactor)


def _missing(request: Request) -> str:
    request.setResponseCode(404)
    request.setHeader("Content-Type", _PLAIN)
    return "There is nothing here.\n"
