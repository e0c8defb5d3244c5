"""Administrators hear of what cannot wait, by every way there is."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from attrs import define, evolve, field
from twisted.internet.defer import Deferred
from zope.interface import implementer

from mailkit.errors import StorageBroken, Unavailable
from mailkit.formats import header
from mailkit.interfaces.alarms import IAlarmChannel
from mailkit.model.account import Account, Role
from mailkit.model.address import AccountName, DomainName
from mailkit.model.alarm import Alarm
from mailkit.model.queueitem import QueueItem, Selection
from mailkit.services.alarms.alarms import GAP, Alarms
from mailkit.services.delivery.onward import LOCAL
from mailkit.services.routing import Routing
from mailkit.storage.memory.directory import MemoryDirectory
from mailkit.storage.memory.queue import MemoryQueue
from mailkit.storage.state.local import LocalBoard
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import NEW_YEAR, TestClock

ALARM = Alarm(
    kind="sending-frozen",
    subject="alice@example.org",
    when=NEW_YEAR,
    words="alice@example.org may send no more.",
    advice="Look at it.",
)


@implementer(IAlarmChannel)
@define(eq=False)
class Channel:
    """Fails so often, and then takes what it is told."""

    fails: int = 0
    told: list[Alarm] = field(factory=list)

    async def tell(self, alarm: Alarm) -> None:
        if self.fails:
            self.fails -= 1
            raise Unavailable("no answer")
        self.told.append(alarm)


@define(eq=False)
class World:
    """``example.org`` with an account, and whoever is told."""

    to: tuple[str, ...] = ()
    channels: tuple[Channel, ...] = ()
    sends: bool = True
    clock: TestClock = field(factory=TestClock)
    directory: MemoryDirectory = field(init=False)
    queue: MemoryQueue = field(init=False)
    alarms: Alarms = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.directory = MemoryDirectory(self.clock.seconds)
        self.queue = MemoryQueue(LocalBoard(self.clock), self.clock.seconds)
        at_once(self.directory.add_domain(DomainName("example.org")))
        routing = Routing(self.directory, "mail.example.org", sends=self.sends)
        self.alarms = Alarms(
            "mail.example.org",
            self.directory,
            routing,
            self.queue,
            self.clock,
            self.to,
            self.channels,
        )

    def account(self, name: str, role: Role) -> None:
        at_once(self.directory.add_account(AccountName(name), role, None))

    def tell(self) -> Deferred[bool]:
        return Deferred.fromCoroutine(self.alarms.tell(ALARM))

    @property
    def items(self) -> list[QueueItem]:
        return list(at_once(self.queue.items(Selection())))

    @property
    def recipients(self) -> list[str]:
        return [str(item.recipients[0].path) for item in self.items]


def _ended(deferred: Deferred[bool]) -> bool:
    found: list[bool] = []
    deferred.addCallback(found.append)
    return found[0]


def test_every_administrator_gets_a_mail() -> None:
    world = World()
    world.account("root@example.org", Role.ADMIN)
    world.account("alice@example.org", Role.USER)
    assert _ended(world.tell())
    [item] = world.items
    assert str(item.recipients[0].path) == "root@example.org"
    assert item.hop.route == LOCAL
    assert item.envelope.reverse_path.is_null
    content = at_once(world.queue.content(item.id))
    octets = at_once(content.read(0, content.size))
    assert header.first(octets, b"From") == b"Mail server <postmaster@example.org>"
    subject = header.first(octets, b"Subject")
    assert subject == b"Alarm: sending-frozen alice@example.org"
    assert b"may send no more.\r\n\r\nLook at it.\r\n" in octets


def test_without_one_the_postmaster() -> None:
    world = World()
    assert _ended(world.tell())
    assert world.recipients == ["postmaster@example.org"]


@pytest.mark.parametrize("subject", ["0123.1", "x@elsewhere.example", "y@"])
def test_what_is_about_nobody_of_ours(subject: str) -> None:
    """It is in the name of the server's own domain, not in a stranger's."""
    world = World()
    alarm = evolve(ALARM, subject=subject)
    assert at_once(world.alarms.tell(alarm))
    [item] = world.items
    assert str(item.recipients[0].path) == "postmaster@example.org"
    octets = at_once(world.queue.content(item.id)).octets
    assert octets is not None
    assert b"postmaster@example.org" in (header.first(octets, b"From") or b"")


def test_whoever_is_named() -> None:
    world = World(to=("ops@example.net", "root@example.org", "ops@example.net"))
    assert _ended(world.tell())
    assert world.recipients == ["ops@example.net", "root@example.org"]
    assert [item.hop.route for item in world.items] == ["", LOCAL]


def test_the_same_alarm_is_not_kept_twice() -> None:
    world = World(to=("nobody", "root@example.org"))
    assert _ended(world.tell())
    assert _ended(world.tell())
    assert world.recipients == ["root@example.org"]


def test_channels_are_asked_a_few_times() -> None:
    dead, slow, fine = Channel(fails=9), Channel(fails=2), Channel()
    world = World(channels=(dead, slow, fine))
    telling = world.tell()
    assert (slow.told, fine.told) == ([], [ALARM])
    for _ in range(2):
        world.clock.advance(GAP)
    assert _ended(telling)
    assert (dead.told, slow.told, dead.fails) == ([], [ALARM], 6)
    assert world.clock.seconds() - NEW_YEAR < 10


def test_nobody_is_reached() -> None:
    world = World(to=("ops@example.net",), sends=False)
    assert not _ended(world.tell())
    assert world.items == []


def test_who_the_administrators_are_may_be_unknown_just_now(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever hears by a channel has heard."""

    async def broken(directory: MemoryDirectory) -> Sequence[Account]:
        raise StorageBroken("the disk")

    channel = Channel()
    world = World(channels=(channel,))
    monkeypatch.setattr(MemoryDirectory, "accounts", broken)
    assert _ended(world.tell())
    assert channel.told == [ALARM]
