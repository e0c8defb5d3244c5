"""
Between Twisted's requests and our pages: who asks, is it allowed, what to send back.

The order of the walls: our own address (421), TLS, from where the browser asks, the
session, the token of a form. Only then a page hears of it.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import CACHED

from mailkit.errors import LoginNeeded, MailkitError, Malformed, PeerGone
from mailkit.model.preferences import DEFAULTS, Preferences
from mailkit.services.signin.signin import SignedIn
from mailkit.web.answers import PLAIN, Answer, Kind, Stream, Swap, Template
from mailkit.web.asking import Asked
from mailkit.web.cookies import Cookies
from mailkit.web.csrf import is_token, make_token
from mailkit.web.fetchmetadata import SAFE, is_opened_by_hand, is_welcome
from mailkit.web.fields import Fields
from mailkit.web.headers import STRICT_TRANSPORT, headers_of
from mailkit.web.origin import Addresses, Asking
from mailkit.web.outlet import RequestOutlet, broken_off
from mailkit.web.receiving import Receiving
from mailkit.web.rendering import Rendering
from mailkit.web.webmail.facts import Facts
from mailkit.web.webmail.house import WebmailHouse
from mailkit.web.webmail.rooms import Needs, Route
from mailkit.web.words import Language, Languages
from mailkit.web.wrong import (
    BROKEN,
    FORBIDDEN,
    NEEDS_TLS,
    NOT_HERE,
    SIGNED_OUT,
    Wrong,
    wrong_of,
)

_COMPRESSED = 1024
"""Octets from which an answer is sent compressed."""

_LEVEL = 3
"""Of 9: a twentieth longer than by 5, for half of the time."""

_PHRASES = {421: b"Misdirected Request"}
"""Of codes that Twisted does not know (RFC 9110 §15.5.20)."""

_SWAPS = {swap.value: swap for swap in Swap}


@define(eq=False)
class _Visit:
    """What is known of one request, little by little."""

    request: Receiving
    route: Route | None
    asking: Asking
    headers: Mapping[str, str]
    language: Language
    signed_in: SignedIn | None = None
    had_cookie: bool = False
    secret: bytes = b""
    """What this browser's tokens are made of."""
    preferences: Preferences = DEFAULTS
    cookies: list[str] = field(factory=list)
    octets: bytes = field(default=b"", repr=False)
    """What it brought, where that is no form with files."""

    @property
    def is_script(self) -> bool:
        """Whether a script of ours asks, which wants no page about signing in."""
        return (
            "x-mailkit-swap" in self.headers
            or self.headers.get("sec-fetch-dest") == "empty"
        )


@define(eq=False)
class Serving:
    """
    Serves the webmail's pages.

    :param https: what an address begins with that leads from HTTP to TLS; empty:
        there is no TLS to lead to.
    """

    log = Logger()

    _house: WebmailHouse
    _rendering: Rendering
    _languages: Languages
    _addresses: Addresses
    _cookies: Cookies
    _facts: Facts
    _https: Callable[[str], str]
    _random: Callable[[int], bytes]

    def answer(self, route: Route, request: Any, **parts: str) -> Deferred[bytes]:
        """
        One request. What is begun is gone on with if the browser leaves.

        :param request: a `Receiving`; Klein's type knows less of it.
        """
        done: Deferred[bytes] = Deferred(lambda _: None)
        working = Deferred.fromCoroutine(self._serve(route, request, parts))
        working.addErrback(self._bug, route, request)

        def pass_on(result: bytes | Failure) -> None:
            if not done.called:
                done.callback(result)

        working.addBoth(pass_on)
        return done

    async def wrong(self, request: Any, wrong: Wrong) -> bytes:
        """A page that says what went wrong where there is no page at all."""
        visit = self._visit(None, request)
        if not await self._addresses.is_right(visit.asking):
            wrong = NOT_HERE
        return await self._send(visit, self._say(visit, wrong))

    # -- the walk

    async def _serve(
        self, route: Route, request: Receiving, parts: Mapping[str, str]
    ) -> bytes:
        visit = self._visit(route, request)
        if request.content is not None and request.uploading is None:
            # It is closed when the browser leaves.
            visit.octets = request.content.read()
        try:
            answer = await self._answer(visit, route, parts)
        except MailkitError as error:
            answer = self._say(visit, wrong_of(error), error)
        try:
            return await self._send(visit, answer)
        except PeerGone:
            return b""
        finally:
            request.let_go()

    async def _answer(
        self, visit: _Visit, route: Route, parts: Mapping[str, str]
    ) -> Answer:
        if not await self._addresses.is_right(visit.asking):
            return self._say(visit, NOT_HERE)
        insecure = self._insecure(visit)
        if insecure is not None:
            return insecure
        origin = visit.asking.origin
        method = visit.request.method.decode("ascii", "replace")
        if not is_welcome(method, visit.headers, origin, route.dests, route.links):
            return self._say(visit, FORBIDDEN)
        await self._recognize(visit)
        if route.needs is Needs.SOMEBODY and visit.signed_in is None:
            return self._lead_to_sign_in(visit)
        if visit.request.trouble is not None:
            raise visit.request.trouble
        asked = await self._asked(visit, route, method)
        if route.action and method not in SAFE:
            token = asked.form.text("t") or visit.headers.get("x-csrf", "")
            if not is_token(visit.secret, route.action, token):
                return self._say(visit, FORBIDDEN)
        answer: Answer = await route.page(asked, **parts)
        if isinstance(answer.body, Template):
            return await self._rendered(visit, asked, answer, answer.body)
        return answer

    def _visit(self, route: Route | None, request: Receiving) -> _Visit:
        headers = {
            name.decode("latin-1").lower(): values[-1].decode("utf-8", "replace")
            for name, values in request.requestHeaders.getAllRawHeaders()
        }
        asking = self._addresses.asking(request)
        language = self._languages.choose("", headers.get("accept-language", ""))
        return _Visit(request, route, asking, headers, language)

    def _insecure(self, visit: _Visit) -> Answer | None:
        """Where passwords would go in the clear: on to TLS, or no further."""
        asking = visit.asking
        if asking.is_secure or asking.is_loopback:
            return None
        https = self._https(asking.host)
        if https and visit.request.method in (b"GET", b"HEAD"):
            address = https + visit.request.uri.decode("ascii", "replace")
            return Answer(b"", 301, PLAIN, headers={"Location": address})
        return self._say(visit, NEEDS_TLS)

    async def _recognize(self, visit: _Visit) -> None:
        cookie = self._cookies.session(visit.headers)
        if cookie:
            visit.had_cookie = True
            changes = visit.request.method not in (b"GET", b"HEAD")
            visit.signed_in = await self._house.sign_in.find(
                cookie, visit.asking.peer, is_fresh=changes
            )
        if visit.signed_in is not None:
            visit.secret = visit.signed_in.session.secret
            name = visit.signed_in.account.name
            visit.preferences = await self._house.personal.preferences(name)
            visit.language = self._languages.choose(
                visit.preferences.language, visit.headers.get("accept-language", "")
            )
            return
        before = self._cookies.before(visit.headers)
        if not before:
            before = self._random(32).hex()
            visit.cookies.append(self._cookies.set_before(before))
        visit.secret = self._house.secret_of(before)

    async def _asked(self, visit: _Visit, route: Route, method: str) -> Asked:
        request = visit.request
        form, octets = Fields(), b""
        _, _, query = request.uri.partition(b"?")
        if method not in SAFE:
            kind = visit.headers.get("content-type", "").partition(";")[0].lower()
            if request.uploading is not None:
                form = request.uploading.fields
            else:
                octets = visit.octets
                if kind.strip() == "application/x-www-form-urlencoded":
                    form = Fields.parse(octets)
                elif kind.strip() == "multipart/form-data":
                    raise Malformed("no files are taken here")
        signed_in = visit.signed_in
        return Asked(
            house=self._house,
            method=method,
            path=request.path.decode("ascii", "replace"),
            query=Fields.parse(query),
            form=form,
            files=request.uploading.files if request.uploading else (),
            octets=octets,
            headers=visit.headers,
            peer=visit.asking.peer,
            is_secure=visit.asking.is_secure,
            is_loopback=visit.asking.is_loopback,
            origin=visit.asking.origin,
            language=visit.language,
            swap=_SWAPS.get(visit.headers.get("x-mailkit-swap", "")),
            is_navigation=is_opened_by_hand(visit.headers),
            session=signed_in.session if signed_in else None,
            preferences=visit.preferences,
            cookies=self._cookies,
            account=signed_in.account if signed_in else None,
            token=self._token(visit),
        )

    def _token(self, visit: _Visit) -> Callable[[str], str]:
        made: dict[str, str] = {}

        def make(action: str) -> str:
            if action not in made:
                made[action] = make_token(visit.secret, action, self._random)
            return made[action]

        return make

    def _lead_to_sign_in(self, visit: _Visit) -> Answer:
        if visit.is_script or visit.request.method not in (b"GET", b"HEAD"):
            if visit.is_script:
                headers = {"X-Mailkit-Session": "ended"}
                return Answer(b"Please sign in again.\n", 401, PLAIN, headers=headers)
            return self._say(visit, SIGNED_OUT, LoginNeeded("the session is over"))
        query = {"next": visit.request.uri.decode("ascii", "replace")}
        if visit.had_cookie:
            query["over"] = "1"
        if query["next"] in ("/", "/mail/inbox"):
            del query["next"]
        tail = f"?{urlencode(query)}" if query else ""
        return Answer(b"", 303, PLAIN, headers={"Location": f"/login{tail}"})

    # -- what is sent

    async def _rendered(
        self, visit: _Visit, asked: Asked, answer: Answer, template: Template
    ) -> Answer:
        facts = self._facts.of(asked)
        if asked.swap is not None and answer.status == 200:
            facts.update(await self._facts.shell(asked, {}, is_fragment=True))
            found = self._rendering.element(template, facts, visit.language, asked.swap)
            if found is not None:
                html, title = found
                headers = {**answer.headers, "X-Mailkit-Title": quote(title)}
                toast = await self._facts.toast(asked)
                if toast is not None:
                    headers["X-Mailkit-Said"] = quote(toast.text)
                    headers["X-Mailkit-Undo"] = quote(toast.token)
                return Answer(html.encode(), headers=headers, cookies=answer.cookies)
        if asked.is_signed_in:
            facts.update(
                await self._facts.shell(asked, template.facts, is_fragment=False)
            )
        html = self._rendering.page(template, facts, visit.language)
        return Answer(
            html.encode(),
            answer.status,
            headers=answer.headers,
            cookies=answer.cookies,
        )

    def _say(
        self,
        visit: _Visit,
        wrong: Wrong,
        error: MailkitError | None = None,
        reference: str = "",
    ) -> Answer:
        say = visit.language.words.gettext
        is_out = wrong is SIGNED_OUT
        facts = {
            **self._facts.plain(visit.language, visit.preferences, lambda action: ""),
            "headline": say(wrong.headline),
            "text": say(wrong.text),
            "reference": reference,
            "href": "/login" if is_out else "/mail/inbox",
            "link": say("Sign in") if is_out else say("Go to the inbox"),
        }
        template = Template("wrong.html", {})
        html = self._rendering.page(template, facts, visit.language)
        return Answer(html.encode(), wrong.status)

    async def _send(self, visit: _Visit, answer: Answer) -> bytes:
        request = visit.request
        request.setResponseCode(answer.status, _PHRASES.get(answer.status))
        for known, _ in list(request.responseHeaders.getAllRawHeaders()):
            if known.lower() not in (b"date", b"server"):
                request.responseHeaders.removeHeader(known)
        origin = visit.asking.origin
        for name, value in headers_of(answer.kind, origin).items():
            request.setHeader(name, value)
        if visit.asking.is_secure:
            request.setHeader("Strict-Transport-Security", STRICT_TRANSPORT)
        request.setHeader("Content-Type", answer.content_type)
        for name, value in answer.headers.items():
            request.setHeader(name, value)
        for cookie in (*visit.cookies, *answer.cookies):
            request.responseHeaders.addRawHeader("Set-Cookie", cookie)
        if answer.etag and request.setETag(b'"%b"' % answer.etag.encode()) is CACHED:
            return b""
        if isinstance(answer.body, bytes):
            return self._whole(visit, answer, answer.body)
        assert not isinstance(answer.body, Template)
        return await self._stream(request, answer.body)

    def _whole(self, visit: _Visit, answer: Answer, octets: bytes) -> bytes:
        request = visit.request
        accepts = "gzip" in visit.headers.get("accept-encoding", "")
        is_text = answer.content_type.startswith(("text/", "application/json"))
        if answer.kind is Kind.PAGE and is_text:
            request.setHeader("Vary", "Accept-Encoding, Cookie, X-Mailkit-Swap")
            if accepts and len(octets) >= _COMPRESSED:
                octets = gzip.compress(octets, _LEVEL, mtime=0)
                request.setHeader("Content-Encoding", "gzip")
        if answer.status not in (204, 304):
            request.setHeader("Content-Length", str(len(octets)))
        return b"" if request.method == b"HEAD" else octets

    async def _stream(self, request: Receiving, stream: Stream) -> bytes:
        if request.method == b"HEAD":
            return b""
        outlet = RequestOutlet.of(request)
        try:
            await stream(outlet)
        except PeerGone:
            outlet.finish()
            return b""
        except MailkitError as error:
            self.log.warn("an answer was broken off: {error}", error=error)
            return await broken_off(request)
        outlet.finish()
        return b""

    def _bug(
        self, failure: Failure, route: Route, request: Receiving
    ) -> bytes | Deferred[bytes]:
        """The last resort: what a page should never do, told as no more than that."""
        reference = self._random(4).hex()
        self.log.failure(
            "a page failed, reference {reference}", failure, reference=reference
        )
        request.let_go()
        if request.startedWriting:
            return broken_off(request)
        visit = self._visit(route, request)
        answer = self._say(visit, BROKEN, reference=reference)
        return Deferred.fromCoroutine(self._send(visit, answer))
