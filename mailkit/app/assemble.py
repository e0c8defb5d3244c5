"""Where all parts meet: the one file that knows the classes of all rooms."""

from __future__ import annotations

from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from mailkit import factories
from mailkit.app.composing import make_composing, reload_composing
from mailkit.app.foundation import Foundation, open_foundation
from mailkit.app.garbage import look_seldom
from mailkit.app.nameserver import NameService
from mailkit.app.outbound import Rooms, WayOut, open_way_out
from mailkit.app.sending import make_alarms, make_sending_limits
from mailkit.app.settings import Settings
from mailkit.errors import MailkitError, Refused, Unavailable
from mailkit.factories import SERVICES, Services
from mailkit.interfaces.conversations import IConversations
from mailkit.interfaces.counts import ICounts
from mailkit.interfaces.delivery import IFiling
from mailkit.interfaces.events import IEvents
from mailkit.interfaces.personal import IPersonal
from mailkit.interfaces.search import ISearch
from mailkit.interfaces.sendingcounts import ISendingCounts
from mailkit.interfaces.session import Build
from mailkit.interfaces.storage import IMailStore
from mailkit.interfaces.suppression import ISuppressionList
from mailkit.metrics import Metrics
from mailkit.net.lanes import Lanes
from mailkit.net.startlanes import StartLanes
from mailkit.protocols.smtp.limits import Limits as SMTPLimits
from mailkit.services.allowance import Allowance
from mailkit.services.composing.composing import Composing
from mailkit.services.delivery.filing import IntoInbox
from mailkit.services.delivery.settings import DeliverySettings
from mailkit.services.imap.settings import IMAPSettings
from mailkit.services.live.rooms import Live
from mailkit.services.notices.incoming import NotingFiling
from mailkit.services.routing import Routing
from mailkit.services.sendinglimits import SendingLimits
from mailkit.services.sessions import Sessions
from mailkit.services.slowdown import Slowdown
from mailkit.services.sorting.muting import MutedFiling
from mailkit.services.sorting.waking import Waker
from mailkit.storage.directory.directory import SQLiteDirectory
from mailkit.storage.drafts import DraftFolders
from mailkit.storage.keyfolder import KeyFolder
from mailkit.storage.maildir.personal import MaildirPersonal
from mailkit.storage.queue.store import QueueStore
from mailkit.storage.search.index import SearchIndex
from mailkit.storage.spool import Spool
from mailkit.storage.state.board import SocketBoard
from mailkit.storage.websessions import WebSessions


@define(eq=False)
class House:
    """What all services of one process share, and what lives as long as it."""

    log = Logger()

    foundation: Foundation
    """What it stands on, the rest of whose parts have names here, too."""
    reactor: Any  # Twisted's, which has no type of its own
    metrics: Metrics
    lanes: StartLanes
    board: SocketBoard
    directory: SQLiteDirectory
    allowance: Allowance
    store: IMailStore
    conversations: IConversations
    live: Live
    """Tells open pages what happens."""
    search: ISearch
    personal: IPersonal
    web_sessions: WebSessions
    spool: Spool
    events: IEvents
    queue: QueueStore
    suppression: ISuppressionList
    sending_counts: ISendingCounts
    filing: IFiling
    routing: Routing
    sessions: Sessions
    keys: KeyFolder
    """What our domains sign with."""
    way_out: WayOut | None
    """``None``: mail goes to our own people only."""
    secret: bytes = field(repr=False)
    """What addresses and tokens of ours are signed with."""
    services: Services | None = field(default=None, init=False)
    """What the servers of mail share; set by `make_builds`, anew with each reload."""
    sending_limits: SendingLimits | None = field(default=None, init=False)
    """How much our people may send; set once there are services."""
    composing: Composing | None = field(default=None, init=False)
    """Drafts, and what is on its way out; set by the first `make_builds`."""
    slowdown: Slowdown | None = field(default=None, init=False)
    """Makes those wait who guess passwords; set once there are services."""
    waker: Waker | None = field(default=None, init=False)
    """Brings back what was put off; in one process alone."""
    _starting: Deferred[None] = field(factory=lambda: succeed(None), init=False)
    _is_closing: bool = field(default=False, init=False)

    def start(self, counts_all: bool = True) -> None:
        """
        The reactor is about to run: blocking work goes to threads from now on.

        :param counts_all: whether this process measures what all of them share.
        """
        self.lanes.start(Lanes(self.reactor, self.metrics))
        look_seldom()
        if counts_all:
            self.waker = Waker(
                self.store, self.personal, self.directory, self.board, self.reactor
            )
            self.waker.start()
            if self.composing is not None:
                self.composing.outbox.start()
        if self.way_out is not None:
            starting = Deferred.fromCoroutine(self._send(self.way_out, counts_all))
            self._starting = starting.addErrback(self._cannot_send)

    async def _send(self, way_out: WayOut, counts_all: bool) -> None:
        try:
            await self.queue.start()
        except Unavailable as error:  # nothing but leftovers: mail leaves all the same
            self.log.error(
                "what a stop left of the queue is not cleared away: {reason}",
                reason=str(error),
            )
        if self._is_closing:
            return
        way_out.start(counts_all)
        if self.sending_limits is not None and counts_all:
            self.sending_limits.start()

    def _cannot_send(self, failure: Failure) -> None:
        """The queue cannot be read; mail is taken in and read all the same."""
        self.log.failure("nothing is sent", failure)

    @property
    def trouble(self) -> str | None:
        """Why there should be no new work; ``None``: there should."""
        try:
            self.spool.check()
        except MailkitError as error:
            return f"no room for mail: {error}"
        return None

    async def leave(self) -> None:
        """Finish what is on its way out, and begin nothing new; `close` follows."""
        self._is_closing = True
        await self._starting
        if self.way_out is not None:
            await self.way_out.stop()

    async def close(self) -> None:
        """Finish what was promised, and let go of every file."""
        self._is_closing = True
        self.live.close()
        await self._starting
        if self.sending_limits is not None:
            self.sending_limits.stop()
        if self.waker is not None:
            await self.waker.stop()
        if self.composing is not None:
            self.composing.outbox.stop()
        if self.way_out is not None:
            await self.way_out.close()
        self.sessions.close()
        if self.slowdown is not None:
            self.slowdown.close()
        await self.personal.close()
        await self.search.close()
        await self.foundation.close()


def _slow_down(house: House, settings: Settings) -> Slowdown:
    """What makes guessers wait; a reload does not make it forget."""
    if house.slowdown is None:
        house.slowdown = Slowdown(
            house.reactor, settings.auth, settings.proxy.never_limit, house.board
        )
    else:
        house.slowdown.configure(settings.auth, settings.proxy.never_limit)
    return house.slowdown


def make_builds(house: House, settings: Settings) -> dict[str, Build]:
    """How each service makes the two halves of a conversation, by its name."""
    house.sessions.most = settings.limits.connections_per_account
    house.allowance.default = settings.accounts.quota
    if house.way_out is not None:
        directory, reactor = house.directory, house.reactor
        alarms = make_alarms(settings, directory, house.routing, house.queue, reactor)
        house.way_out.sending.alarm = alarms.tell
        house.sending_limits = make_sending_limits(
            settings, house.sending_counts, directory, reactor, alarms, house.metrics
        )
    services = Services(
        house.store,
        house.directory,
        house.reactor,
        hostname=settings.hostname,
        settings=service_settings(settings),
        spool=house.spool,
        events=house.events,
        filing=house.filing,
        metrics=house.metrics,
        lanes=house.lanes,
        routing=house.routing,
        sessions=house.sessions,
        quota_of=house.allowance.of,
        outbound=None if house.way_out is None else house.way_out.outbound,
        sending_limit=house.sending_limits,
        slowdown=_slow_down(house, settings),
    )
    house.services = services
    if house.composing is None:
        house.composing = make_composing(
            services,
            settings,
            house.conversations,
            DraftFolders(settings.data, house.lanes),
            house.personal,
            house.queue,
            house.board,
        )
    else:
        reload_composing(house.composing, services, settings)
    if house.way_out is not None:
        # Notices of our own to addresses of bulk mail come back, too.
        in_front = house.way_out.outbound.in_front
        house.way_out.delivery = in_front(services.handed())
        house.way_out.store = house.store
    house.routing.book.configure(settings.route)
    return {service: services.build(service) for service in SERVICES}


def make_name_service(house: House, settings: Settings) -> NameService:
    """Our name server, over the directory and the keys of mail."""
    return NameService(
        settings,
        house.directory,
        house.lanes,
        house.reactor,
        house.metrics,
        house.keys,
    )


def service_settings(settings: Settings) -> factories.Settings:
    """What the services are told of the whole file."""
    return factories.Settings(
        auth=settings.auth,
        smtp=SMTPLimits(
            text_line=settings.limits.text_line,
            message_size=settings.limits.message_size,
            recipients=settings.limits.recipients,
        ),
        peers=settings.smtp,
        imap=IMAPSettings(message_size=settings.limits.message_size),
        delivery=DeliverySettings(settings.limits.hops, settings.accounts.quota),
        never_limit=settings.proxy.never_limit,
        connections_per_account=settings.limits.connections_per_account,
        required_from=frozenset(settings.tls.required_from),
    )


def open_house(
    settings: Settings, reactor: Any, metrics: Metrics, counts: ICounts | None = None
) -> House:
    """
    Open everything below the data folder, and put together what serves and sends.

    :param reactor: Twisted's, running or not.
    :param counts: what the other processes of this server count.
    :raises MailkitError: with the one line that says why that cannot be.
    """
    data = settings.data
    foundation = open_foundation(settings, reactor)
    lanes, directory = foundation.lanes, foundation.directory
    events, queue = foundation.events, foundation.queue
    store, routing = foundation.store, foundation.routing
    try:
        spool = Spool(str(data / "spool"), lanes)
    except OSError as error:
        raise Refused(f"cannot write to {data}: {error.strerror}") from error
    way_out: WayOut | None = None
    filing: IFiling = IntoInbox()
    if settings.relay.enabled:
        rooms = Rooms(
            reactor=reactor,
            lanes=lanes,
            directory=directory,
            routing=routing,
            spool=spool,
            events=events,
            queue=queue,
            suppression=foundation.suppression,
            keys=foundation.keys,
            metrics=metrics,
            secret=foundation.secret,
        )
        way_out = open_way_out(settings, rooms)
        filing = NotingFiling(filing, way_out.returning.reports)
    search = SearchIndex(data, store, store.conversations, lanes, reactor)
    store.changed = search.changed
    personal = MaildirPersonal(store, lanes, data)
    filing = MutedFiling(filing, store, personal, foundation.board)
    return House(
        foundation=foundation,
        reactor=reactor,
        metrics=metrics,
        lanes=lanes,
        board=foundation.board,
        directory=directory,
        allowance=foundation.allowance,
        store=store,
        conversations=store.conversations,
        search=search,
        live=Live(store.conversations, store, foundation.board, reactor),
        personal=personal,
        web_sessions=foundation.web_sessions,
        spool=spool,
        events=events,
        queue=queue,
        suppression=foundation.suppression,
        sending_counts=foundation.sending_counts,
        keys=foundation.keys,
        filing=filing,
        routing=routing,
        sessions=Sessions(directory, settings.limits.connections_per_account, counts),
        way_out=way_out,
        secret=foundation.secret,
    )
