"""
A whole small server over memory stores, for transcripts and tests of sessions.

Its domain is ``example.org``: ``alice`` (password ``wonderland``, the domain's
administrator), ``bob`` (``builder``, a quota of 10,000 octets) and ``carol``, who is
suspended; the alias ``sales`` leads to alice and bob, ``info`` to alice alone. It
stands at New Year 2026.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import count

from attrs import define, evolve, field
from twisted.internet.interfaces import IProtocol
from zope.interface import implementer

from mailkit.errors import StorageFull
from mailkit.interfaces.delivery import IDestination, IFiling
from mailkit.interfaces.events import IEvents
from mailkit.interfaces.session import Build
from mailkit.interfaces.storage import IContent, ISpool, ISpoolFile
from mailkit.metrics import Metrics
from mailkit.model.account import Alias, Role
from mailkit.model.address import AccountName, Address, DomainName
from mailkit.model.event import MailEvent
from mailkit.model.mailbox import INBOX, MailboxName
from mailkit.model.path import Path
from mailkit.model.uidset import UIDSet
from mailkit.net.pump import Pump, Surroundings
from mailkit.protocols.smtp.limits import DEFAULT_LIMITS, Limits
from mailkit.services.authentication import Authentication
from mailkit.services.delivery.filing import IntoInbox
from mailkit.services.delivery.local import LocalDelivery
from mailkit.services.delivery.onward import Outbound
from mailkit.services.delivery.rules import Arrival, Handed, Rules, Submitted
from mailkit.services.delivery.transaction import DeliveryHouse
from mailkit.services.routing import Routing
from mailkit.services.sessions import Sessions
from mailkit.services.smtp import build
from mailkit.services.smtp.doors import Limit
from mailkit.services.smtp.service import SMTPHouse
from mailkit.services.smtp.settings import SMTPSettings
from mailkit.storage.content import OctetsContent
from mailkit.storage.memory.directory import MemoryDirectory
from mailkit.storage.memory.queue import MemoryQueue
from mailkit.storage.memory.store import MemoryStore
from mailkit.storage.state.local import LocalBoard
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import TestClock
from mailkit.testing.lanes import DirectLanes
from mailkit.testing.tls import PretendedTLS
from tests.services.tellers import Teller

ALICE = AccountName("alice@example.org")
BOB = AccountName("bob@example.org")
CAROL = AccountName("carol@example.org")
HOSTNAME = "mx.example.org"


@implementer(IEvents)
@define(eq=False)
class EventList:
    """The record as a list."""

    events: list[MailEvent] = field(factory=list)

    def record(self, event: MailEvent) -> None:
        self.events.append(event)

    async def find(self, what: str) -> list[MailEvent]:
        return [
            event
            for event in self.events
            if what in (event.message_id, event.recipient, event.transaction)
        ]

    async def close(self) -> None:
        """Nothing waits."""


@implementer(ISpoolFile)
@define(eq=False)
class RoomFile:
    """A message on its way in, that remembers what became of it."""

    room: Room
    octets: bytes = b""
    is_discarded: bool = False

    @property
    def size(self) -> int:
        return len(self.octets)

    async def write(self, octets: bytes) -> None:
        if self.room.pause is not None:
            await self.room.pause()
        if self.room.left is not None and self.size + len(octets) > self.room.left:
            raise StorageFull
        self.octets += octets

    async def finish(self) -> IContent:
        if self.room.pause is not None:
            await self.room.pause()
        return OctetsContent(self.octets)

    def discard(self) -> None:
        self.is_discarded = True


@implementer(ISpool)
@define(eq=False)
class Room:
    """A spool in memory; ``left`` octets fit into it."""

    left: int | None = None
    pause: Callable[[], Awaitable[None]] | None = None
    """Waited for before anything is written or read."""
    files: list[RoomFile] = field(factory=list)

    def begin(self) -> ISpoolFile:
        if self.left == 0:
            raise StorageFull
        self.files.append(RoomFile(self))
        return self.files[-1]


def _rewritten(sender: Path) -> Path:
    """The rewriting of senders, as far as a test has to see it."""
    return Path(f"srs={sender.local_part}={sender.domain}", "example.org")


@define(eq=False)
class World:
    """The server; each part of it may be changed before it is used."""

    limits: Limits = DEFAULT_LIMITS
    clock: TestClock = field(factory=TestClock)
    events: EventList = field(factory=EventList)
    spool: Room = field(factory=Room)
    store: MemoryStore = field()
    filing: IFiling = field(factory=IntoInbox)
    directory: MemoryDirectory = field(init=False)
    routing: Routing = field(init=False)
    sessions: Sessions = field(init=False)
    metrics: Metrics = field(factory=Metrics)
    authentication: Authentication = field(init=False)
    pumps: list[Pump] = field(factory=list)
    has_certificate: bool = True
    smtp: SMTPSettings = field(factory=SMTPSettings)
    teller: Teller = field(factory=Teller)
    numbers: count[int] = field(factory=lambda: count(1))
    queue: MemoryQueue | None = None
    outbound: Outbound | None = None
    limit: Limit | None = None

    @store.default
    def _make_store(self) -> MemoryStore:
        return MemoryStore(now=self.clock.seconds)

    def __attrs_post_init__(self) -> None:
        self.directory = MemoryDirectory(self.clock.seconds)
        at_once(self._fill())
        self.routing = Routing(self.directory, HOSTNAME)
        self.sessions = Sessions(self.directory)
        self.authentication = Authentication.over(
            self.directory, self.directory, DirectLanes(), self.clock
        )

    async def _fill(self) -> None:
        directory = self.directory
        await directory.add_domain(DomainName("example.org"))
        for name, secret, quota in (
            (ALICE, "{PLAIN}wonderland", None),
            (BOB, "{PLAIN}builder", 10_000),
            (CAROL, "{PLAIN}carol", None),
        ):
            role = Role.DOMAIN_ADMIN if name == ALICE else Role.USER
            account = await directory.add_account(name, role, quota)
            await directory.set_password(name, secret, None, False)
        await self.suspend(account.name)
        for local_part, targets in (("sales", (ALICE, BOB)), ("info", (ALICE,))):
            address = Address(local_part, DomainName("example.org"))
            found = [Address.parse(target) for target in targets]
            await directory.set_alias(Alias(address, tuple(a for a in found if a)))

    async def suspend(self, name: AccountName) -> None:
        """Suspend an account."""
        account = await self.directory.account(name)
        assert account is not None
        await self.directory.change_account(evolve(account, is_suspended=True))

    # -- the services

    def delivery(self, rules: Rules) -> IDestination:
        """Local delivery under some rules; transactions are called T1, T2 …"""
        house = DeliveryHouse(
            HOSTNAME,
            self.directory,
            self.routing,
            self.store,
            self.spool,
            self.filing,
            self.events,
            self.metrics,
            self.clock,
            lambda: f"T{next(self.numbers)}",
            outbound=self.outbound,
        )
        return LocalDelivery(house, rules)

    def send_out(self) -> None:
        """From now on there is a queue for mail to other servers."""
        self.queue = MemoryQueue(LocalBoard(self.clock), self.clock.seconds)
        self.outbound = Outbound(self.queue, self.teller, _rewritten)
        self.routing.sends = True

    @property
    def house(self) -> SMTPHouse:
        return SMTPHouse(
            HOSTNAME, self.clock, self.events, self.metrics, self.sessions, self.limits
        )

    def build(self, name: str) -> Build:
        """``smtp``, ``submission`` or ``lmtp``."""
        if name == "smtp":
            return build.smtp(
                self.house,
                self.delivery(Arrival((HOSTNAME,))),
                self.smtp,
                self.outbound is not None,
                ["secure.example"],
            )
        if name == "lmtp":
            return build.lmtp(self.house, self.delivery(Handed()))
        rules = Submitted(
            HOSTNAME, self.routing, DirectLanes(), self.clock.seconds, lambda: "fresh"
        )
        return build.submission(
            self.house,
            self.delivery(rules),
            self.authentication,
            self.routing,
            sends=self.outbound is not None,
            limit=self.limit,
        )

    def protocol(self, name: str) -> IProtocol:
        """The server's side of one connection; TLS can be had."""
        upgrade = PretendedTLS() if self.has_certificate else None
        around = Surroundings(name, self.clock, upgrade=upgrade)
        self.pumps.append(Pump(self.build(name), around))
        return self.pumps[-1]

    def mailbox(self, account: AccountName, name: str = INBOX) -> list[bytes]:
        """All messages in a mailbox, oldest first."""
        return at_once(self._octets(account, name))

    async def _octets(self, account: AccountName, name: str) -> list[bytes]:
        mailbox = await self.store.open(account, MailboxName(name))
        contents = await mailbox.contents(UIDSet(((1, 2**32 - 1),)))
        return [content.octets or b"" for _, content in contents]
