"""One process that serves: it binds, opens the house, hears signals, ends well."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IStreamServerEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.task import LoopingCall
from twisted.logger import ILogObserver, Logger
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.components import Componentized
from twisted.python.failure import Failure

from mailkit.app.assemble import House, make_builds, make_name_service, open_house
from mailkit.app.check import (
    given_pairs,
    parse_endpoint,
    served_endpoints,
    warn_of_missing,
)
from mailkit.app.garbage import loading
from mailkit.app.logging import LogSwitch
from mailkit.app.metricsite import make_metric_site
from mailkit.app.nameserver import NameService
from mailkit.app.privileges import (
    Identity,
    become,
    check_writable,
    give,
    make_folder,
)
from mailkit.app.selfsigned import keep_self_signed
from mailkit.app.settings import Settings
from mailkit.app.signals import hear_signals
from mailkit.app.turns import measure_turns, shorten_turns
from mailkit.config.reader import Config
from mailkit.errors import MailkitError
from mailkit.interfaces.counts import ICounts
from mailkit.interfaces.session import Build, IPeer, ISession
from mailkit.metrics import Metrics
from mailkit.net.door import Door, DoorSettings
from mailkit.net.guarded import Guarded
from mailkit.net.listeners import Listener, PumpFactory
from mailkit.net.nameserver.ports import Datagrams, NameServerPorts
from mailkit.net.nameserver.server import NameServer
from mailkit.net.pump import PumpSettings, Surroundings
from mailkit.net.startlanes import finish
from mailkit.net.tls import KeyPair, ServerTLS
from mailkit.protocols.machine import Machine

if TYPE_CHECKING:
    from mailkit.app.webhouse import Web
    from mailkit.web.site import WebSite

TLS_FIRST = frozenset({"submissions", "imaps", "pop3s"})
METRICS = "metrics"
DNS = "dns"
LOOK_AT_CERTIFICATES = 60.0
"""Seconds between two looks at whether certificates were renewed."""
PATIENCE = 9.0
"""Seconds that transactions in hand may take at the end, of ten in all."""


class Post(Protocol):
    """What a worker has from its parent, and others do for themselves."""

    counts: ICounts
    """What all workers count together."""
    number: int
    """Of this worker, from 1."""

    def endpoint(self, service: str, description: str) -> IStreamServerEndpoint:
        """The port that was bound for this endpoint string."""

    def datagrams(self, description: str) -> Datagrams:
        """Opens the UDP socket that was bound beside an endpoint of DNS."""

    def others(self) -> Deferred[list[str]]:
        """The metrics of the other workers; never fails."""


class Server(MultiService):
    """
    Everything that one process serves, as Twisted's application sees it.

    Ports are bound and files that only root may read are read in
    `privilegedStartService`; mail is touched after that, as whoever serves.

    :param read: reads the config again, for `reload`.
    :param identity: who to be once the ports are bound.
    :param give_up: ends the process for a reason that is one line.
    :param reactor: Twisted's, which has no type of its own.
    :param post: for one of several workers.
    """

    log = Logger()

    def __init__(
        self,
        config: Config[Settings],
        read: Callable[[], Config[Settings]],
        identity: Identity | None,
        switch: LogSwitch,
        give_up: Callable[[Exception], NoReturn],
        reactor: Any,
        post: Post | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        self._read = read
        self._identity = identity
        self._switch = switch
        self._give_up = give_up
        self._ready: list[Callable[[], None]] = []
        self._reactor = reactor
        self._post = post
        self._is_bound = False
        self._is_ending = False
        self.metrics = Metrics()
        self._counts = post.counts if post is not None else None
        self.door = Door(door_settings(config.settings), self._counts)
        self.pump_settings = pump_settings(config.settings)
        make_folder(config.settings.data, identity)
        self.tls = ServerTLS(tuple(key_pairs(config.settings, identity)))
        self.house: House | None = None
        self._names: NameService | None = None
        self._web: Web | None = None
        self._builds: dict[str, Build] = {}
        if post is None:
            warn_of_missing(config)
        for service, description, key in served_endpoints(config):
            self._add_listener(service, description, key)
        self._watch = LoopingCall(self.tls.take_over)
        self._watch.clock = reactor

    # -- Twisted's side

    def setServiceParent(self, parent: Any) -> None:
        """Twisted hands the application, which asks for a log observer here."""
        if isinstance(parent, Componentized):
            parent.setComponent(ILogObserver, self._switch)
        super().setServiceParent(parent)

    def privilegedStartService(self) -> None:
        """Bind, become who we shall be, open the house."""
        self._is_bound = True
        # Whoever connects from now on may also end us: not with the status of a kill.
        hear_signals(self._reactor, self.end, self.reload)
        settings = self.config.settings
        try:
            super().privilegedStartService()
            if self._identity is not None:
                become(self._identity)
            check_writable(settings.data)
            self.house = open_house(settings, self._reactor, self.metrics, self._counts)
        except MailkitError as error:
            self._give_up(error)
        self._builds = make_builds(self.house, settings)
        if settings.listen.dns:
            self._names = make_name_service(self.house, settings)
            finish(self._names.look())

    def startService(self) -> None:
        if not self._is_bound:  # `python -m twisted` knows no privileged start
            self.privilegedStartService()
        super().startService()
        assert self.house is not None
        # What all processes share is counted, and done, by the first of them.
        self.house.start(self._post is None or self._post.number == 1)
        if self._names is not None:
            self._names.start()
        self._watch.start(LOOK_AT_CERTIFICATES, now=False)
        self._reactor.callWhenRunning(self._running)

    def stopService(self) -> Deferred[None]:
        self._is_ending = True
        return Deferred.fromCoroutine(self._stop())

    def when_ready(self, call: Callable[[], None]) -> None:
        """Have ``call`` called once, when everything is there."""
        self._ready.append(call)

    # -- what signals do

    def reload(self) -> None:
        """
        Read settings and certificates again; what is wrong leaves all as it was.

        Connections that are there keep what they began with.
        """
        assert self.house is not None
        try:
            config = self._read()
            pairs = key_pairs(config.settings, self._identity)
            self.tls.load(pairs)
        except MailkitError as error:
            self.log.error("nothing is reloaded: {reason}", reason=str(error))
            return
        old, new = self.config.settings, config.settings
        for name in ("hostname", "data", "workers", "listen", "process"):
            if getattr(old, name) != getattr(new, name):
                self.log.warn("{setting} changes at the next start", setting=name)
        self.config = config
        self.door.settings = door_settings(new)
        self._switch.turn(new.log)
        self._builds = make_builds(self.house, new)
        if self._names is not None:
            names = make_name_service(self.house, new)
            changing = Deferred.fromCoroutine(self._change_names(names))
            changing.addErrback(self._names_failed)
        for listener in self.listeners:
            if isinstance(listener.factory, PumpFactory):
                listener.factory.surroundings.settings = pump_settings(new)
        self.log.info("settings and certificates are reloaded")

    def end(self) -> None:
        """Stop the reactor, which stops this service first; once is enough."""
        if not self._is_ending:
            self._is_ending = True
            self._reactor.stop()

    @property
    def listeners(self) -> list[Listener]:
        """Every open port, in the order of the config."""
        return [service for service in self if isinstance(service, Listener)]

    @property
    def trouble(self) -> str | None:
        """Why this process should get no new work; ``None``: it should."""
        if self._is_ending:
            return "shutting down"
        return None if self.house is None else self.house.trouble

    # -- within

    def _add_listener(self, service: str, description: str, key: str) -> None:
        if self._post is not None:
            endpoint = self._post.endpoint(service, description)
        else:
            endpoint = parse_endpoint(self.config, description, key, self._reactor)
        if service == DNS:
            datagrams = None
            if self._post is not None:
                datagrams = self._post.datagrams(description)
            ports = NameServerPorts(
                description, endpoint, self._name_server, self._reactor, datagrams
            )
            ports.setServiceParent(self)
            return
        factory = self._factory(service)
        listener = Listener(
            service, description, endpoint, factory, self._reactor, PATIENCE
        )
        listener.setServiceParent(self)

    def _factory(self, service: str) -> Factory[Any]:  # Any: HTTP's or ours
        if service == METRICS:
            others = self._post.others if self._post is not None else None
            return make_metric_site(self.metrics.registry, lambda: self.trouble, others)
        if service == "http":
            return Guarded(self._site(), self.door)
        if service == "https":
            secured = TLSMemoryBIOFactory(self.tls, False, self._site())
            return Guarded(secured, self.door)
        protocol = service.removesuffix("s") if service in TLS_FIRST else service

        def build(peer: IPeer) -> tuple[Machine, ISession]:
            # Looked up each time: `reload` puts others in their place.
            return self._builds[protocol](peer)

        around = Surroundings(
            service,
            self._reactor,
            self.door,
            self.pump_settings,
            self.tls,
            service in TLS_FIRST,
            self.metrics,
        )
        return PumpFactory(build, around)

    def _site(self) -> WebSite:
        # Who serves no pages has no room for what makes them: 12 MiB.
        if self._web is None:
            with loading():
                from mailkit.app.webhouse import Web

            self._web = Web(
                self._open_house,
                lambda: self.config.settings,
                lambda: self.trouble,
                self._reactor,
            )
        return self._web.site()

    def _name_server(self) -> NameServer:
        assert self._names is not None
        return self._names.server

    async def _change_names(self, names: NameService) -> None:
        await names.look()
        old, self._names = self._names, names
        if old is not None:
            old.stop()
        names.start()

    def _names_failed(self, failure: Failure) -> None:
        self.log.failure("the name server keeps its settings", failure)

    def _open_house(self) -> House:
        assert self.house is not None
        return self.house

    def _running(self) -> None:
        """The reactor runs: its own handlers are in place, and ours go over them."""
        hear_signals(self._reactor, self.end, self.reload)
        shorten_turns(self._reactor)
        measure_turns(self._reactor, self.metrics.turned)
        for call in self._ready:
            call()
        if self._web is not None:
            self._web.warm()

    async def _stop(self) -> None:
        if self._watch.running:
            self._watch.stop()
        # At the same time: a worker has ten seconds for both.
        leaving: Deferred[None] = succeed(None)
        if self.house is not None:
            leaving = Deferred.fromCoroutine(self.house.leave())
        await super().stopService()
        await leaving
        if self._names is not None:
            self._names.stop()
        if self.house is not None:
            await self.house.close()


def door_settings(settings: Settings) -> DoorSettings:
    """How many may be inside, from the tables that say so."""
    return DoorSettings(
        settings.limits.connections,
        settings.limits.connections_per_peer,
        settings.proxy.never_limit,
        settings.proxy.trusted,
    )


def pump_settings(settings: Settings) -> PumpSettings:
    """What every connection has to keep to."""
    return PumpSettings(dialogue=settings.log.level == "debug")


def key_pairs(settings: Settings, owner: Identity | None) -> list[KeyPair]:
    """All certificates, the one for every name first; made if nobody gave one."""
    pairs = given_pairs(settings)
    if settings.tls.certificate is None:
        folder = settings.data / "tls"
        now = datetime.now(UTC)
        own = keep_self_signed(folder, settings.hostname, now)
        give([folder, own.certificate, own.key], owner)
        pairs.insert(0, own)
    return pairs
