"""
The way in for other Twisted programs: servers from a store and a directory.

Bring the two, make `Services` of them, and hand a factory to any endpoint::

    services = Services(store, directory, reactor, hostname="mail.example.org")
    serverFromString(reactor, "tcp:25").listen(SMTPFactory(services))
    serverFromString(reactor, "tcp:143").listen(IMAP4Factory(services, tls=tls))

``store`` provides `IMailStore`; ``directory`` provides `IDirectory` and
`IDirectoryChanges`. Everything else has a default that may be replaced.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Sequence
from typing import Any

from attrs import define, field
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator

from mailkit.interfaces.checks import ICheck
from mailkit.interfaces.delivery import IDestination, IFiling
from mailkit.interfaces.events import IEvents
from mailkit.interfaces.lanes import ILanes
from mailkit.interfaces.session import Build
from mailkit.interfaces.storage import IMailStore, ISpool
from mailkit.metrics import Metrics
from mailkit.net.door import LOOPBACK, Door, Network
from mailkit.net.lanes import Lanes
from mailkit.net.listeners import PumpFactory
from mailkit.net.pump import PumpSettings, Surroundings
from mailkit.protocols.smtp.limits import Limits as SMTPLimits
from mailkit.services.allowance import Allowance
from mailkit.services.authentication import Authentication
from mailkit.services.authsettings import AuthSettings
from mailkit.services.delivery.filing import IntoInbox
from mailkit.services.delivery.local import LocalDelivery
from mailkit.services.delivery.onward import Outbound
from mailkit.services.delivery.rules import Arrival, Handed, Rules, Submitted
from mailkit.services.delivery.settings import DeliverySettings
from mailkit.services.delivery.transaction import DeliveryHouse
from mailkit.services.imap.build import imap
from mailkit.services.imap.dialogue import IMAPHouse, QuotaOf
from mailkit.services.imap.settings import IMAPSettings
from mailkit.services.pop3.build import pop3
from mailkit.services.pop3.house import POP3House, POP3Settings
from mailkit.services.routing import Routing
from mailkit.services.sessions import Sessions
from mailkit.services.slowdown import Slowdown
from mailkit.services.smtp.build import lmtp, smtp, submission
from mailkit.services.smtp.doors import Limit, OwnPeople, SenderDoor
from mailkit.services.smtp.service import SMTPHouse
from mailkit.services.smtp.settings import SMTPSettings
from mailkit.storage.memory.events import MemoryEvents
from mailkit.storage.memory.spool import MemorySpool


def new_id() -> str:
    """An id that no other message has, on this machine or another."""
    return f"{random.getrandbits(64):016x}"


@define(eq=False, kw_only=True)
class Settings:
    """What the services allow; the defaults are safe."""

    auth: AuthSettings = field(factory=AuthSettings)
    smtp: SMTPLimits = field(factory=SMTPLimits)
    peers: SMTPSettings = field(factory=SMTPSettings)
    """How long peers of SMTP may be silent, and how often wrong."""
    imap: IMAPSettings = field(factory=IMAPSettings)
    pop3: POP3Settings = field(factory=POP3Settings)
    delivery: DeliverySettings = field(factory=DeliverySettings)
    never_limit: Sequence[Network] = LOOPBACK
    """Networks whose wrong logins cost nobody time."""
    connections_per_account: int = 50
    required_from: Collection[str] = ()
    """Domains whose mail is taken from other servers under TLS alone."""


@define(eq=False)
class Services:
    """
    What all servers over one store and one directory share.

    The spool and the event record are in memory unless others are given: give an
    `mailkit.storage.spool.Spool` to take messages that do not fit there.
    """

    store: IMailStore
    directory: Any  # IDirectory and IDirectoryChanges at once, which has no name
    reactor: Any  # Twisted's, which has no type of its own
    hostname: str = field(default="localhost", kw_only=True)
    settings: Settings = field(factory=Settings, kw_only=True)
    spool: ISpool = field(factory=MemorySpool, kw_only=True)
    events: IEvents = field(factory=MemoryEvents, kw_only=True)
    filing: IFiling = field(factory=IntoInbox, kw_only=True)
    metrics: Metrics = field(factory=Metrics, kw_only=True)
    outbound: Outbound | None = field(default=None, kw_only=True)
    """The way to other servers; ``None``: mail goes to our own people only."""
    check: ICheck | None = field(default=None, kw_only=True)
    """What mail from others is thought of; ``None``: nobody looks."""
    sending_limit: Limit | None = field(default=None, kw_only=True)
    """How much each account may send; ``None``: as much as it likes."""
    slowdown: Slowdown | None = field(default=None, kw_only=True)
    """Counts wrong logins; ``None``: those of these services alone."""
    lanes: ILanes = field(kw_only=True)
    routing: Routing = field(kw_only=True)
    sessions: Sessions = field(kw_only=True)
    quota_of: QuotaOf = field(kw_only=True)
    """Octets that an account may keep; 0 is without limit."""
    authentication: Authentication = field(init=False)

    @lanes.default
    def _make_lanes(self) -> ILanes:
        return Lanes(self.reactor, self.metrics)

    @routing.default
    def _make_routing(self) -> Routing:
        return Routing(self.directory, self.hostname, sends=self.outbound is not None)

    @sessions.default
    def _make_sessions(self) -> Sessions:
        return Sessions(self.directory, self.settings.connections_per_account)

    @quota_of.default
    def _make_quota_of(self) -> QuotaOf:
        return Allowance(self.directory, self.settings.delivery.quota).of

    def __attrs_post_init__(self) -> None:
        self.authentication = Authentication.over(
            self.directory,
            self.directory,
            self.lanes,
            self.reactor,
            self.settings.auth,
            self.settings.never_limit,
            self.metrics,
            self.slowdown,
        )

    def build(self, service: str) -> Build:
        """
        How ``smtp``, ``submission``, ``lmtp``, ``imap`` or ``pop3`` makes the two
        halves of a conversation.
        """
        return _BUILDS[service](self)

    async def close(self) -> None:
        """Let go of what was made here; the store is its owner's."""
        self.sessions.close()
        self.routing.close()
        await self.events.close()
        await self.lanes.close()

    # -- how each is put together

    def _delivery(self, rules: Rules) -> IDestination:
        house = DeliveryHouse(
            hostname=self.hostname,
            directory=self.directory,
            routing=self.routing,
            store=self.store,
            spool=self.spool,
            filing=self.filing,
            events=self.events,
            metrics=self.metrics,
            clock=self.reactor,
            new_id=new_id,
            settings=self.settings.delivery,
            outbound=self.outbound,
            check=self.check,
        )
        return LocalDelivery(house, rules)

    def handed(self) -> IDestination:
        """Mailboxes of ours, for mail that a server of our own hands over."""
        return self._delivery(Handed())

    def submitted(self) -> IDestination:
        """Where mail goes that our own people hand in."""
        rules = Submitted(
            self.hostname, self.routing, self.lanes, self.reactor.seconds, new_id
        )
        return self._delivery(rules)

    def own_people(self) -> SenderDoor:
        """Who of our own people may hand in what, and as whom."""
        return OwnPeople(self.authentication, self.routing, limit=self.sending_limit)

    def _smtp_house(self) -> SMTPHouse:
        return SMTPHouse(
            hostname=self.hostname,
            clock=self.reactor,
            events=self.events,
            metrics=self.metrics,
            sessions=self.sessions,
            limits=self.settings.smtp,
        )

    def _smtp(self) -> Build:
        destination = self._delivery(Arrival([self.hostname.lower()]))
        if self.outbound is not None:
            destination = self.outbound.in_front(destination)
        return smtp(
            self._smtp_house(),
            destination,
            self.settings.peers,
            sends=self.outbound is not None,
            required_from=self.settings.required_from,
        )

    def _submission(self) -> Build:
        return submission(
            self._smtp_house(),
            self.submitted(),
            self.authentication,
            self.routing,
            self.settings.peers,
            sends=self.outbound is not None,
            limit=self.sending_limit,
        )

    def _lmtp(self) -> Build:
        return lmtp(self._smtp_house(), self.handed())

    def _imap(self) -> Build:
        return imap(
            IMAPHouse(
                hostname=self.hostname,
                store=self.store,
                spool=self.spool,
                authentication=self.authentication,
                sessions=self.sessions,
                clock=self.reactor,
                metrics=self.metrics,
                quota_of=self.quota_of,
                settings=self.settings.imap,
            )
        )

    def _pop3(self) -> Build:
        return pop3(
            POP3House(
                hostname=self.hostname,
                store=self.store,
                authentication=self.authentication,
                sessions=self.sessions,
                clock=self.reactor,
                metrics=self.metrics,
                settings=self.settings.pop3,
            )
        )


_BUILDS: dict[str, Callable[[Services], Build]] = {
    "smtp": Services._smtp,
    "submission": Services._submission,
    "lmtp": Services._lmtp,
    "imap": Services._imap,
    "pop3": Services._pop3,
}


SERVICES = tuple(_BUILDS)
"""What `Services.build` knows."""


class _ServiceFactory(PumpFactory):
    """A listening service; the classes below say which."""

    service = ""

    def __init__(
        self,
        services: Services,
        *,
        tls: IOpenSSLServerConnectionCreator | None = None,
        tls_first: bool = False,
        door: Door | None = None,
        settings: PumpSettings | None = None,
    ) -> None:
        """
        :param tls: what STARTTLS upgrades to, such as `mailkit.net.tls.ServerTLS`;
            without it passwords are taken from loopback only.
        :param tls_first: TLS from the first octet (RFC 8314 §3).
        :param door: shared between factories, it limits connections to all of them.
        """
        super().__init__(
            services.build(self.service),
            Surroundings(
                self.service,
                services.reactor,
                door or Door(),
                settings or PumpSettings(),
                tls,
                tls_first,
                services.metrics,
            ),
        )


class SMTPFactory(_ServiceFactory):
    """Mail from other servers, for people of ours (RFC 5321)."""

    service = "smtp"


class SubmissionFactory(_ServiceFactory):
    """Mail from our own people, who log in (RFC 6409)."""

    service = "submission"


class LMTPFactory(_ServiceFactory):
    """Mail from a server in front of this one (RFC 2033)."""

    service = "lmtp"


class IMAP4Factory(_ServiceFactory):
    """Mail for people to read (RFC 9051, RFC 3501)."""

    service = "imap"


class POP3Factory(_ServiceFactory):
    """Mail for people to fetch (RFC 1939)."""

    service = "pop3"
