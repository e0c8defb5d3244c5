"""`IResolver` as a stub: it asks resolvers, and remembers what they say."""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from attrs import define, evolve, field
from dns.flags import Flag
from dns.rcode import Rcode
from twisted.internet.defer import CancelledError, Deferred, DeferredSemaphore
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from mailkit.errors import DNSTrouble
from mailkit.interfaces.resolver import Answer, IResolver
from mailkit.metrics import Metrics
from mailkit.net.resolver import typed
from mailkit.net.resolver.cache import Cache, Kept
from mailkit.net.resolver.exchange import CaseLost, Closed, Exchange, Guessed, Silent
from mailkit.net.resolver.found import Found, Unhelpful, find, parse
from mailkit.net.resolver.question import Question, Sent, compose
from mailkit.net.resolver.questions import Questions
from mailkit.net.resolver.servers import (
    Habits,
    Server,
    SystemServers,
    parse_server,
)
from mailkit.net.resolver.settings import DNSSettings
from mailkit.net.resolver.typed import Typed

T = TypeVar("T")

_CANNOT_READ = (Rcode.FORMERR, Rcode.NOTIMP, Rcode.BADVERS)
"""What servers without EDNS say to it (RFC 6891 §7)."""


@implementer(IResolver)
@define(eq=False)
class Resolver(Questions):
    """
    Asks the servers of the config, or those of the system.

    What is asked twice at the same time is asked once. `Answer.authentic` follows AD
    (RFC 6840 §5.8), from servers on loopback alone; when such a server fails for a
    question (as it does for forged answers), servers elsewhere are not asked.

    :param reactor: Twisted's, which has no type of its own.
    :param dice: ids and case are thrown with these.
    """

    log = Logger()

    _reactor: Any
    _settings: DNSSettings = field(factory=DNSSettings)
    _metrics: Metrics | None = None
    _dice: random.Random = field(factory=random.SystemRandom)
    _system: Callable[[], tuple[Server, ...]] = field(factory=SystemServers)
    _cache: Cache = field(init=False)
    _habits: Habits = field(init=False)
    _exchange: Exchange = field(init=False)
    _turns: DeferredSemaphore = field(init=False)
    _asking: dict[Question, _Asking] = field(factory=dict, init=False)
    _ids: set[int] = field(factory=set, init=False)
    _is_closed: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self._cache = Cache(self._settings.cache, self._reactor.seconds)
        self._habits = Habits(self._reactor.seconds)
        self._exchange = Exchange(self._reactor)
        self._turns = DeferredSemaphore(self._settings.at_once)

    # -- IResolver

    async def addresses(self, host: str) -> Answer[str]:
        first = Deferred.fromCoroutine(_outcome(self.ipv6(host)))
        second = Deferred.fromCoroutine(_outcome(self.ipv4(host)))
        ipv6, ipv4 = await first, await second
        if isinstance(ipv6, DNSTrouble):
            # Some servers fail for AAAA alone; what is known is enough to go there.
            if isinstance(ipv4, DNSTrouble) or not ipv4.records:
                raise ipv6
            return ipv4
        if isinstance(ipv4, DNSTrouble):
            if not ipv6.records:
                raise ipv4
            return ipv6
        return typed.join(ipv6, ipv4)

    async def close(self) -> None:
        self._is_closed = True
        self._cache.clear()
        for asking in list(self._asking.values()):
            asking.work.cancel()

    # -- what is known, being asked, or to be asked

    async def _answer(self, text: str, kind: Typed) -> Answer[Any]:
        name = typed.parse_name(text)
        if name is None:
            return typed.nothing(text)
        special = typed.special(name, kind)
        if special is not None:
            return special
        kept = await self._look_up(Question(name, kind.kind))
        if kept.found is None:
            about = typed.host_text(name)
            raise DNSTrouble(f"DNS says nothing about {about}: {kept.reason}")
        left = max(kept.until - self._reactor.seconds(), 0.0)
        return typed.answer_of(kept.found, kind, left)

    async def _look_up(self, question: Question) -> Kept:
        kept = self._cache.get(question)
        if kept is not None:
            self._count(question, "remembered")
            return kept
        if self._is_closed:
            raise DNSTrouble("the resolver is closed")
        asking = self._asking.get(question)
        if asking is None:
            if len(self._asking) >= self._settings.at_once + self._settings.waiting:
                self._count(question, "failed")
                raise DNSTrouble("too many questions at once")
            asking = self._asking[question] = _Asking()
            waiting = asking.wait()
            asking.begin(self._ask(question), lambda: self._asking.pop(question))
        else:
            waiting = asking.wait()
        return await waiting

    async def _ask(self, question: Question) -> Kept:
        began = self._reactor.seconds()
        await self._turns.acquire()
        try:
            found = await self._follow(question)
        except DNSTrouble as trouble:
            self._count(question, "failed")
            self.log.debug(
                "{name} {kind}: {reason}",
                name=str(question.name),
                kind=question.kind.name,
                reason=str(trouble),
            )
            until = self._reactor.seconds() + self._settings.trouble
            kept = Kept(None, str(trouble), until)
        else:
            self._count(question, "answered" if found.records else "empty")
            is_positive = bool(found.records)
            settings = self._settings
            most = settings.longest if is_positive else settings.longest_negative
            now = self._reactor.seconds()
            kept = Kept(found, "", now + min(found.ttl, most))
        finally:
            self._turns.release()
        if self._metrics is not None:
            took = self._reactor.seconds() - began
            self._metrics.resolved_in(typed.LABELS.get(question.kind, "other"), took)
        self._cache.keep(question, kept)
        return kept

    async def _follow(self, question: Question) -> Found:
        """Ask, and ask for where aliases lead if the answer does not go that far."""
        ttl, authentic = float("inf"), True
        found = Found(name=question.name, is_open=True)
        while found.is_open:
            asked = Question(found.name, question.kind)
            found = await self._ask_servers(asked, found.aliases)
            ttl, authentic = min(ttl, found.ttl), authentic and found.authentic
        return evolve(found, ttl=ttl, authentic=authentic)

    # -- servers

    def _servers(self) -> tuple[Server, ...]:
        if self._settings.servers:
            return tuple(parse_server(text) for text in self._settings.servers)
        return self._system()

    async def _ask_servers(self, question: Question, aliases: int) -> Found:
        seconds, reason = self._settings.timeout, "no name server"
        for _ in range(self._settings.rounds):
            servers = self._habits.ordered(self._servers())
            is_hopeless = True
            while servers:
                server = servers.pop(0)
                try:
                    return await self._ask_one(server, question, seconds, aliases)
                except (Silent, Closed) as trouble:
                    reason = str(trouble)
                    self._habits.was_silent(server)
                    is_hopeless = False
                except (CaseLost, Guessed) as trouble:
                    reason = str(trouble)
                    is_hopeless = False
                except Unhelpful as answer:
                    reason = f"{server} says {answer}"
                    if server.is_local:
                        # It may have seen a forgery; others would believe it.
                        servers = [other for other in servers if other.is_local]
            if is_hopeless:
                break
            seconds *= 2
        raise DNSTrouble(reason)

    async def _ask_one(
        self, server: Server, question: Question, seconds: float, aliases: int
    ) -> Found:
        octets = await self._exchange_with(
            server, question, seconds, self._habits.knows_edns(server)
        )
        self._habits.answered(server)
        message = parse(octets)
        if message.rcode() in _CANNOT_READ and self._habits.knows_edns(server):
            octets = await self._exchange_with(server, question, seconds, False)
            message = parse(octets)
            if message.rcode() not in _CANNOT_READ:
                self._habits.has_no_edns(server)
        found = find(message, question, aliases, len(octets))
        is_vouched_for = server.is_local and bool(message.flags & Flag.AD)
        return evolve(found, authentic=is_vouched_for)

    async def _exchange_with(
        self, server: Server, question: Question, seconds: float, has_edns: bool
    ) -> bytes:
        """
        The octets of the answer, which is whole.

        :raises Silent: :raises Closed: :raises Unhelpful:
        """
        mixes = self._habits.keeps_case(server)
        id = self._new_id()
        try:
            sent = self._compose(server, question, id, has_edns, mixes)
            try:
                octets = await self._exchange.by_datagram(server, sent, seconds)
            except CaseLost:
                plain = self._compose(server, question, id, has_edns, False)
                octets = await self._without_case(server, seconds, sent, plain)
            except Guessed:
                octets = await self._exchange.by_stream(server, sent, seconds)
            if octets[2] & 0x02:  # TC (RFC 1035 §4.2.1)
                octets = await self._exchange.by_stream(server, sent, seconds)
            return sent.in_lower_case(octets)
        finally:
            self._ids.discard(id)

    async def _without_case(
        self, server: Server, seconds: float, sent: Sent, plain: Sent
    ) -> bytes:
        """
        The case of letters came back wrong: a forgery, or a server that is like that.

        By TCP it shows which. Where there is no TCP it is asked without the trick.
        """
        try:
            octets = await self._exchange.by_stream(server, sent, seconds)
        except (Silent, Closed):
            octets = await self._exchange.by_datagram(server, plain, seconds)
            self._habits.keeps_no_case(server)
            return octets
        if not sent.is_answered_by(octets):
            self._habits.keeps_no_case(server)
        return octets

    def _compose(
        self, server: Server, question: Question, id: int, has_edns: bool, mixes: bool
    ) -> Sent:
        return compose(
            question,
            id,
            self._dice if mixes else None,
            has_edns=has_edns,
            wants_proof=server.is_local,
        )

    def _new_id(self) -> int:
        """One that no other question has at the moment."""
        while True:
            id = self._dice.getrandbits(16)
            if id not in self._ids:
                self._ids.add(id)
                return id

    def _count(self, question: Question, outcome: str) -> None:
        if self._metrics is not None:
            kind = typed.LABELS.get(question.kind, "other")
            self._metrics.resolved(kind, outcome)


async def _outcome(looking_up: Coroutine[Any, Any, T]) -> T | DNSTrouble:
    try:
        return await looking_up
    except DNSTrouble as trouble:
        return trouble


@define(eq=False)
class _Asking:
    """One question that is being asked, and all who want to know."""

    log = Logger()

    work: Deferred[Kept] = field(init=False)
    _waiting: set[Deferred[Kept]] = field(factory=set, init=False)

    def wait(self) -> Deferred[Kept]:
        """Fires with the outcome; whoever stops waiting stops nobody else."""
        one: Deferred[Kept] = Deferred(lambda one: self._waiting.discard(one))
        self._waiting.add(one)
        return one

    def begin(self, work: Coroutine[Any, Any, Kept], end: Callable[[], object]) -> None:
        """Start; ``end`` is called before those who wait are told."""
        self.work = Deferred.fromCoroutine(work)

        def done(kept: Kept) -> None:
            end()
            while self._waiting:
                self._waiting.pop().callback(kept)

        def failed(failure: Failure) -> None:
            end()
            if failure.check(CancelledError):
                failure = Failure(DNSTrouble("the resolver is closed"))
            elif not self._waiting:
                self.log.failure("a look-up failed", failure)
            while self._waiting:
                self._waiting.pop().errback(failure)

        self.work.addCallbacks(done, failed)
