"""An administration over memory stores, and those who ask it for things."""

from __future__ import annotations

from attrs import define, field

from mailkit.model.account import Account, Role
from mailkit.model.address import AccountName, DomainName
from mailkit.services.admin.actor import Actor
from mailkit.services.admin.administration import Administration
from mailkit.services.admin.office import Office
from mailkit.services.authsettings import AuthSettings
from mailkit.services.passwords.passwords import Passwords
from mailkit.services.queue.suspended import SuspendedMail
from mailkit.services.routing import Routing
from mailkit.storage.memory.directory import MemoryDirectory
from mailkit.storage.memory.events import MemoryEvents
from mailkit.storage.memory.queue import MemoryQueue
from mailkit.storage.memory.sendingcounts import MemorySendingCounts
from mailkit.storage.memory.store import MemoryStore
from mailkit.storage.memory.suppression import MemorySuppressionList
from mailkit.storage.state.local import LocalBoard
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import TestClock
from mailkit.testing.lanes import DirectLanes

ROOT = Actor.command("root")
DORA = Actor(
    "dora@example.test",
    Role.DOMAIN_ADMIN,
    DomainName("example.test"),
    AccountName("dora@example.test"),
)
USER = Actor(
    "alice@example.test",
    Role.USER,
    DomainName("example.test"),
    AccountName("alice@example.test"),
)


@define(eq=False)
class World:
    """The domains ``example.test`` and ``other.test``, ``alice`` in the first."""

    clock: TestClock = field(factory=TestClock)
    directory: MemoryDirectory = field(init=False)
    store: MemoryStore = field(init=False)
    suppression: MemorySuppressionList = field(init=False)
    admin: Administration = field(init=False)
    counts: MemorySendingCounts = field(factory=MemorySendingCounts)
    queue: MemoryQueue = field(init=False)
    events: MemoryEvents = field(factory=MemoryEvents)

    def __attrs_post_init__(self) -> None:
        self.directory = MemoryDirectory(self.clock.seconds)
        self.store = MemoryStore()
        self.queue = MemoryQueue(LocalBoard(self.clock), self.clock.seconds)
        office = Office(
            self.directory,
            self.directory,
            self.directory,
            self.store,
            DirectLanes(),
            Passwords(AuthSettings(scram_iterations=4096)),
            self.clock,
            waiting=SuspendedMail(self.queue, self.events, self.clock),
            sending=self.counts,
        )
        routing = Routing(self.directory, "mail.example.test")
        self.suppression = MemorySuppressionList()
        self.admin = Administration(office, routing, self.suppression)
        for domain in ("example.test", "other.test"):
            at_once(self.admin.domains.add(ROOT, domain))
        at_once(self.admin.accounts.add(ROOT, "alice@example.test", "wonderland"))

    def account(self, name: str) -> Account | None:
        return at_once(self.directory.account(AccountName(name)))

    def lines(self, subject: str = "") -> list[tuple[str, str, str, str, str]]:
        """Who, action, subject, before, after; oldest first."""
        return [
            (line.who, line.action, line.subject, line.before, line.after)
            for line in at_once(self.directory.lines(subject))
        ]
