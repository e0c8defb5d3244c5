"""
Messages posted to a program behind HTTP.

Each request has ``X-Mailkit-Id``, the same for each attempt at an item, and, if there
is a secret, ``X-Mailkit-Signature: t=1700000000,v1=…``: seconds since 1970, and in hex
the HMAC-SHA256 (RFC 2104) of those digits, a full stop and the body. ``raw`` requests
are ``message/rfc822`` and have the envelope as JSON in ``X-Mailkit-Envelope``.

The message is read from the queue twice, once to be signed and once to be sent, a piece
at a time: however many wait for somebody who is slow, none is in memory.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from typing import Any

from attrs import define, field, frozen
from treq.client import HTTPClient
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IConsumer, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.ssl import optionsForClientTLS
from twisted.python.failure import Failure
from twisted.web.client import (
    Agent,
    HTTPConnectionPool,
    RequestGenerationFailed,
    RequestTransmissionFailed,
    ResponseFailed,
)
from twisted.web.http_headers import Headers
from twisted.web.iweb import IBodyProducer, IPolicyForHTTPS
from zope.interface import implementer

from mailkit.errors import MailkitError, Unreachable
from mailkit.formats import routed
from mailkit.interfaces.queue import Carried, IRouteEnd
from mailkit.interfaces.storage import IContent
from mailkit.model.queueitem import Fate, QueueItem, Report
from mailkit.model.target import ToHook
from mailkit.net.routes.body import Body, Feed, FeedStoppedError, told_as_json

TO_CONNECT = 10.0
"""Seconds."""

WORDS = 300
"""Characters of an answer that are told."""

_MOST_READ = 4 * WORDS

Secret = Callable[[str], Awaitable[str]]
"""Reads the first line of a file. :raises Unavailable:"""


@frozen
class Verdict:
    """What an HTTP status means for a message."""

    fate: Fate
    status: str
    is_busy: bool = False


LATER = frozenset({408, 421, 423, 425, 429})
"""4xx that say "not now": timeout, wrong connection, locked, too early, too many
requests (RFC 9110 §15.5, RFC 6585 §4)."""

_FOR_GOOD = {404: "5.1.1", 410: "5.1.1", 413: "5.3.4"}


def verdict(code: int) -> Verdict:
    """
    2xx: it was taken. 429 and 503: less, please. Others of `LATER`, 3xx (which is not
    followed) and 5xx: tried again. The rest of 4xx: never.
    """
    if 200 <= code < 300:
        return Verdict(Fate.RELAYED, "2.1.5")
    if 400 <= code < 500 and code not in LATER:
        return Verdict(Fate.FAILED, _FOR_GOOD.get(code, "5.3.0"))
    return Verdict(Fate.WAITING, "4.3.0", code in (429, 503))


@implementer(IRouteEnd)
@define(eq=False)
class IntoHook:
    """
    One URL.

    :param reactor: Twisted's, which has no type of its own.
    :param secret: reads the file of the secret.
    :param agent: who sends requests, if not an agent of our own.
    """

    _target: ToHook
    _reactor: Any
    _secret: Secret
    _agent: Any = None  # IAgent, of which treq has no type
    is_final: bool = True
    _pool: HTTPConnectionPool = field(init=False)
    _client: HTTPClient = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._pool = HTTPConnectionPool(self._reactor, persistent=True)
        self._pool.cachedConnectionTimeout = 10
        agent = self._agent or Agent(
            self._reactor,
            contextFactory=_SystemTrust(),
            connectTimeout=TO_CONNECT,
            pool=self._pool,
        )
        self._client = HTTPClient(agent)

    async def carry(self, item: QueueItem, content: IContent) -> Carried:
        target = self._target
        if target.is_raw:
            body = Body(content=content)
        else:
            body = await told_as_json(item, content, target.is_whole)
        headers = await self._headers(item, body)
        watch = _Watch(self._reactor, target.timeout)
        request = Deferred.fromCoroutine(self._post(body, headers, watch))
        watch.begin(request)
        try:
            code, words = await request
        except CancelledError:
            if not watch.is_over:
                raise  # the server stops
            return self._unheard(item, watch, watch.words)
        except (ConnectError, OSError) as error:
            raise Unreachable(_words(error, watch)) from error
        except _FAILURES as error:
            reason = _reason(error)
            if isinstance(reason, MailkitError):
                raise reason from error
            return self._unheard(item, watch, _words(reason, watch))
        finally:
            watch.end()
        judged = verdict(code)
        said = f"{code} {words}".rstrip()
        reports = tuple(
            Report(each.path, judged.fate, judged.status, said) for each in item.waiting
        )
        return Carried(reports=reports, is_busy=judged.is_busy)

    async def close(self) -> None:
        await self._pool.closeCachedConnections()

    # -- within

    def _unheard(self, item: QueueItem, watch: _Watch, words: str) -> Carried:
        """
        Nobody answered.

        :raises Unreachable: if nothing was sent, either.
        """
        if not watch.is_all_sent:
            raise Unreachable(words)
        reports = tuple(
            Report(each.path, Fate.WAITING, "4.4.2", words) for each in item.waiting
        )
        return Carried(reports=reports, is_doubtful=True)

    async def _headers(self, item: QueueItem, body: Body) -> Headers:
        target = self._target
        kind = "message/rfc822" if target.is_raw else "application/json"
        headers = Headers({"Content-Type": [kind], "User-Agent": ["mailkit"]})
        headers.addRawHeader("X-Mailkit-Id", item.id)
        if target.is_raw:
            envelope = routed.write(routed.envelope_of(item))
            headers.addRawHeader(b"X-Mailkit-Envelope", envelope)
        secret = target.secret
        if target.secret_file:
            secret = await self._secret(target.secret_file)
        if secret:
            moment = str(int(self._reactor.seconds()))
            signature = await sign(secret, moment, body)
            headers.addRawHeader("X-Mailkit-Signature", f"t={moment},v1={signature}")
        return headers

    async def _post(
        self, body: Body, headers: Headers, watch: _Watch
    ) -> tuple[int, str]:
        response = await self._client.post(
            self._target.url,
            data=_Producer(body, watch),
            headers=headers,
            allow_redirects=False,
            unbuffered=True,
        )
        reading = _FirstWords()
        response.original.deliverBody(reading)
        said = (await reading.done).decode("utf-8", "replace")
        plain = "".join(char if char.isprintable() else " " for char in said)
        phrase = response.original.phrase.decode("ascii", "replace")
        return response.code, " ".join(f"{phrase} {plain}".split())[:WORDS]


async def sign(secret: str, moment: str, body: Body) -> str:
    """The signature of a request, in hex (RFC 2104)."""
    code = hmac.new(secret.encode(), f"{moment}.".encode(), hashlib.sha256)

    def take(octets: bytes) -> None:
        code.update(octets)

    await body.pieces(take)
    return code.hexdigest()


@define(eq=False)
class _Watch:
    """Ends a request that hears nothing and moves nothing for too long."""

    _clock: IReactorTime
    _wait: float
    is_over: bool = False
    is_all_sent: bool = False
    _timer: Any = field(default=None, init=False)  # IDelayedCall, which may be none

    @property
    def words(self) -> str:
        return f"no word within {self._wait:g} s"

    def begin(self, request: Deferred[tuple[int, str]]) -> None:
        def over() -> None:
            self.is_over = True
            request.cancel()

        self._timer = self._clock.callLater(self._wait, over)

    def moved(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.reset(self._wait)

    def end(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()


@implementer(IBodyProducer)
@define(eq=False)
class _Producer:
    """A body as Twisted's client wants it."""

    _body: Body
    _watch: _Watch
    _feed: Feed = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._feed = Feed(self._body, self._watch.moved)

    @property
    def length(self) -> int:
        return self._body.length

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        return Deferred.fromCoroutine(self._run(consumer))

    async def _run(self, consumer: IConsumer) -> None:
        try:
            await self._feed.run(consumer.write)
        except FeedStoppedError:
            # Twisted wants to hear no more of a producer that it has stopped.
            await Deferred()
        self._watch.is_all_sent = True
        self._watch.moved()

    def pauseProducing(self) -> None:
        self._feed.pauseProducing()

    def resumeProducing(self) -> None:
        self._feed.resumeProducing()

    def stopProducing(self) -> None:
        self._feed.stopProducing()


class _FirstWords(Protocol):
    """
    The beginning of an answer; who goes on talking is hung up on.

    So is who comes to no end in time: the status was heard, and counts.
    """

    def __init__(self) -> None:
        self.done: Deferred[bytes] = Deferred(self._cut)
        self._octets = b""

    def dataReceived(self, data: bytes) -> None:
        self._octets += data[: _MOST_READ - len(self._octets)]
        if len(self._octets) >= _MOST_READ:
            self._cut(self.done)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._finish()

    def _cut(self, done: Deferred[bytes]) -> None:
        if self.transport is not None:
            self.transport.loseConnection()
        self._finish()

    def _finish(self) -> None:
        if not self.done.called:
            self.done.callback(self._octets)


_FAILURES = (ResponseFailed, RequestTransmissionFailed, RequestGenerationFailed)
"""What Twisted wraps the reasons of a failure in."""


def _reason(error: Exception) -> BaseException:
    """The innermost reason."""
    reason: BaseException = error
    while isinstance(reason, _FAILURES) and reason.reasons:
        reason = reason.reasons[-1].value
    return reason


def _words(reason: BaseException, watch: _Watch) -> str:
    if watch.is_over:
        return watch.words
    return " ".join(str(reason).split()) or type(reason).__name__


@implementer(IPolicyForHTTPS)
class _SystemTrust:
    """Certificates that the system's authorities have signed."""

    def creatorForNetloc(self, hostname: bytes, port: int) -> Any:  # Any: as Twisted
        return optionsForClientTLS(hostname.decode("ascii"))
