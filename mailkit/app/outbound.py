"""Everything that mail needs to leave: the queue, who empties it, and whom they ask."""

from __future__ import annotations

import os
import random
import secrets
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from attrs import asdict, define, field
from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from mailkit.app.freeing import free_claims
from mailkit.app.ownports import own_ports
from mailkit.app.routes import EndMaker
from mailkit.app.settings import Settings
from mailkit.errors import MailkitError
from mailkit.factories import new_id
from mailkit.formats.downgrade import downgrade
from mailkit.interfaces.delivery import IDestination
from mailkit.interfaces.directory import IDirectory
from mailkit.interfaces.events import IEvents
from mailkit.interfaces.lanes import ILanes
from mailkit.interfaces.queue import IQueueStore
from mailkit.interfaces.storage import IContent, IMailStore, ISpool
from mailkit.interfaces.suppression import ISuppressionList
from mailkit.metrics import Metrics
from mailkit.model.queueitem import QueueItem
from mailkit.model.sending import rate_of
from mailkit.net.policyfetch import AlsoTrusted, PolicyFetch
from mailkit.net.relay.relay import Relay
from mailkit.net.relay.settings import RelaySettings
from mailkit.net.relay.tls import make_client_context
from mailkit.net.resolver.resolver import Resolver
from mailkit.services.delivery.again import LocalCarrier
from mailkit.services.delivery.onward import LOCAL, Outbound
from mailkit.services.notices.destination import ReturnHouse, Returning
from mailkit.services.notices.incoming import Reports
from mailkit.services.notices.returnaddresses import ReturnAddresses
from mailkit.services.notices.teller import Teller
from mailkit.services.queue.hosts import Hosts
from mailkit.services.queue.house import SendingHouse
from mailkit.services.queue.pace import Pace
from mailkit.services.queue.schedule import Schedule
from mailkit.services.queue.sender import Sender
from mailkit.services.routes.carriers import RouteEnds, Ways
from mailkit.services.routing import Routing
from mailkit.services.sealing import Sealing
from mailkit.services.tlspolicies import TLSPolicies
from mailkit.services.tlsreports import TLSReports
from mailkit.storage.keyfolder import KeyFolder
from mailkit.storage.state.living import Living
from mailkit.storage.tlsrecords import TLSRecords

LOOKED_AFTER = 3600.0
"""Seconds between two looks at which MTA-STS policies are getting old, and between two
at whether there is a day of TLS to be reported."""

REPORTED = (1, 2)
"""Days that are reported, counted back from today: yesterday, and the one before if
nobody took its report for a day, or the server was off (RFC 8460 §5.5)."""


@define(eq=False)
class WayOut:
    """
    The parts of one process that send.

    The command opens them too, to look at the queue and to change it, and never calls
    `start`.
    """

    log = Logger()

    reactor: Any  # Twisted's, which has no type of its own
    queue: IQueueStore
    resolver: Resolver
    relay: Relay
    teller: Teller
    addresses: ReturnAddresses
    returning: ReturnHouse
    tls: TLSRecords
    policies: TLSPolicies
    reports: TLSReports
    sending: SendingHouse
    lanes: ILanes
    living: Living
    """Who else sends from this data folder."""
    delivery: IDestination | None = field(default=None, init=False)
    """Mailboxes of ours, for what had to wait; set once there are services."""
    store: IMailStore | None = field(default=None, init=False)
    """What routes into mailboxes of ours write to; set with it."""
    ends: RouteEnds | None = field(default=None, init=False)
    """Where routes lead."""
    _sender: Sender | None = field(default=None, init=False)
    _seldom: list[LoopingCall] = field(factory=list, init=False)
    _freeing: Deferred[None] | None = field(default=None, init=False)

    @property
    def outbound(self) -> Outbound:
        """What deliveries need to know."""
        return Outbound(
            self.queue, self.teller, self.addresses.rewrite, self._in_front, self._put
        )

    async def _put(
        self, content: IContent, items: Sequence[QueueItem], head: bytes
    ) -> None:
        """Where this process sends, it sends at once what comes to it."""
        put = self.queue.put if self._sender is None else self._sender.put
        await put(content, items, head)

    def _in_front(self, destination: IDestination) -> IDestination:
        return Returning(self.returning, destination)

    def local(self) -> IDestination:
        """Where mail ends that is for people of ours."""
        assert self.delivery is not None
        return self.delivery

    def mailboxes(self) -> IMailStore:
        """Where routes into mailboxes of ours end."""
        assert self.store is not None
        return self.store

    def start(self, counts_all: bool) -> None:
        """Begin to send; in the reactor's thread."""
        name = secrets.token_hex(8)
        try:
            self.living.begin(name)
        except OSError as error:
            self.log.warn(
                "others will not know if this process is killed, and wait a minute for"
                " what it was at: {reason}",
                reason=str(error),
            )
        self._sender = Sender(self.sending, name, counts_all=counts_all)
        self._sender.start()
        freeing = Deferred.fromCoroutine(self._free_claims())
        self._freeing = freeing.addErrback(self._log_not_freed)
        if counts_all:  # by one process
            for what in (self.policies.refresh, self._report):
                looking = LoopingCall(self._look, what)
                looking.clock = self.reactor
                looking.start(LOOKED_AFTER, now=False)
                self._seldom.append(looking)

    async def stop(self) -> None:
        """Finish what is on its way, in ten seconds at most; begin nothing new."""
        while self._seldom:
            self._seldom.pop().stop()
        if self._freeing is not None:
            await self._freeing
            self._freeing = None
        if self._sender is not None:
            await self._sender.stop()
            self._sender = None
        self.living.end()

    async def _free_claims(self) -> None:
        """Those who were killed will not go on with what they have claimed."""
        now = self.reactor.seconds()
        freed = await free_claims(self.living, self.queue, self.lanes, now)
        if freed:
            self.log.info(
                "a process ended without a word: {count} items that it was at are"
                " tried again",
                count=freed,
            )

    def _log_not_freed(self, failure: Failure) -> None:
        """They end by themselves, in a minute."""
        if failure.check(OSError, MailkitError) is None:
            self.log.failure("claims of those who ended are not freed", failure)
        else:
            self.log.warn(
                "claims of those who ended are not freed: {reason}",
                reason=failure.getErrorMessage(),
            )

    async def close(self) -> None:
        """Let go of all connections and files."""
        await self.stop()
        if self.ends is not None:
            await self.ends.close()
        await self.relay.close()
        await self.resolver.close()
        await self.tls.close()

    def _look(self, what: Callable[[], Awaitable[int]]) -> Deferred[None]:
        looking = Deferred.fromCoroutine(self._do_seldom(what))
        # A failure that came through would end it for good.
        return looking.addErrback(self._log_bug)

    def _log_bug(self, failure: Failure) -> None:
        self.log.failure("what is done each hour failed", failure)

    async def _do_seldom(self, what: Callable[[], Awaitable[int]]) -> None:
        """One of what is done beside, each hour: nobody waits for it."""
        try:
            await what()
        except MailkitError as error:
            self.log.warn(
                "policies of TLS are not renewed, or not reported: {reason}",
                reason=str(error),
            )

    async def _report(self) -> int:
        sent = 0
        for ago in REPORTED:
            day = datetime.fromtimestamp(self.reactor.seconds() - ago * 86_400, UTC)
            sent += await self.reports.report(f"{day:%Y-%m-%d}")
        return sent


@define(eq=False)
class Rooms:
    """What the way out shares with the rest of the house."""

    reactor: Any  # as above
    lanes: ILanes
    directory: IDirectory
    routing: Routing
    spool: ISpool
    events: IEvents
    queue: IQueueStore
    suppression: ISuppressionList
    keys: KeyFolder
    metrics: Metrics
    secret: bytes = field(repr=False)
    """`IDirectory.server_secret`."""


def open_way_out(settings: Settings, rooms: Rooms) -> WayOut:
    """Put the parts together; nothing is sent before `WayOut.start`."""
    data, reactor, lanes = settings.data, rooms.reactor, rooms.lanes
    queue = rooms.queue
    addresses = ReturnAddresses(settings.hostname, [rooms.secret], reactor)
    tls = TLSRecords(data / "queue" / "tls.sqlite", lanes, reactor)
    resolver = Resolver(reactor, settings.dns, rooms.metrics)
    teller = Teller(
        settings.hostname,
        queue,
        rooms.directory,
        rooms.routing,
        addresses,
        rooms.suppression,
        rooms.events,
        rooms.metrics,
        reactor,
        settings.notices,
    )
    fetch = policy_fetch(settings, reactor, resolver)
    policies = TLSPolicies(
        resolver,
        tls,
        fetch,
        reactor.seconds,
        frozenset(settings.tls.required_to),
        settings.relay.port,
    )
    shuffle = random.SystemRandom()
    hosts = Hosts(
        resolver,
        settings.hostname,
        shuffle.shuffle,
        policies.of,
        settings.relay.allow,
        settings.relay.port,
        own_ports(settings.listen.smtp),
    )
    trusted = settings.tls.trust
    relay = Relay(
        reactor,
        settings.hostname,
        rooms.metrics,
        patience_of(settings),
        context=make_client_context(also=None if trusted is None else bytes(trusted)),
        on_tls=tls.count,
        encode=lambda octets: lanes.run(object(), partial(downgrade, octets)),
    )
    sealing = Sealing(
        rooms.directory, rooms.keys, lanes, reactor.seconds, rooms.keys.outlives
    )
    sending = SendingHouse(
        queue,
        hosts,
        relay,
        teller,
        rooms.events,
        rooms.metrics,
        reactor,
        Schedule(shuffle.random, settings.retry),
        seal=sealing.seal,
        check=sealing.check,
        pace=Pace(partial(pace_of, settings.workers or os.cpu_count() or 1)),
        settings=settings.queue,
    )
    returning = ReturnHouse(
        settings.hostname,
        addresses,
        Reports(rooms.events, rooms.suppression, addresses, rooms.metrics, reactor),
        rooms.directory,
        rooms.routing,
        queue,
        rooms.spool,
        rooms.events,
        reactor,
        new_id,
    )
    reports = TLSReports(
        settings.hostname,
        rooms.directory,
        rooms.routing,
        tls,
        tls,
        resolver,
        queue,
        fetch,
        reactor.seconds,
        new_id,
    )
    way_out = WayOut(
        reactor,
        queue,
        resolver,
        relay,
        teller,
        addresses,
        returning,
        tls,
        policies,
        reports,
        sending,
        lanes,
        Living(str(data / "run")),
    )
    maker = EndMaker(
        settings,
        reactor,
        lanes,
        rooms.directory,
        relay,
        resolver,
        policies.of,
        way_out.mailboxes,
    )
    way_out.ends = RouteEnds(rooms.routing.book, maker.make, rooms.metrics)
    sending.routes = Ways({LOCAL: LocalCarrier(way_out.local)}, way_out.ends)
    return way_out


def patience_of(settings: Settings) -> RelaySettings:
    """What other hosts may take, as the settings have it."""
    relay = settings.relay
    return RelaySettings(
        messages=relay.messages,
        recipients=relay.recipients,
        idle_connections=relay.idle_connections,
        dialogue=settings.log.level == "debug",
        **asdict(relay.timeouts),
    )


def policy_fetch(settings: Settings, reactor: Any, resolver: Resolver) -> PolicyFetch:
    """
    Other people's web servers, as the settings have them.

    :raises BadCertificate: if ``[tls] trust`` holds no authorities.
    """
    port, trusted = settings.relay.https_port, settings.tls.trust
    allow = settings.relay.allow
    if trusted is None:
        return PolicyFetch(reactor, resolver, port=port, allow=allow)
    make_client_context(also=bytes(trusted))
    return PolicyFetch(reactor, resolver, AlsoTrusted(trusted), port, allow)


def pace_of(workers: int, name: str) -> float | None:
    """
    Messages a second of a bulk sending that one of so many processes may send.

    Each has its share, so that together they never exceed the rate.
    """
    rate = rate_of(name)
    return None if rate is None else rate.per_second / workers
