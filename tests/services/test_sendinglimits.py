"""Who sends too much sends no more, and administrators hear of it."""

from __future__ import annotations

import pytest
from attrs import define, field
from prometheus_client import generate_latest
from twisted.internet.defer import Deferred

from mailkit.errors import SendingStopped, SentTooMuch
from mailkit.metrics import Metrics
from mailkit.model.account import Account
from mailkit.model.address import AccountName, DomainName
from mailkit.model.alarm import Alarm
from mailkit.model.path import Path
from mailkit.services.sendinglimits import SendingLimits
from mailkit.services.sendingsettings import SendingSettings
from mailkit.services.smtp.replies import reply_for
from mailkit.storage.memory.directory import MemoryDirectory
from mailkit.storage.memory.sendingcounts import MemorySendingCounts
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import TestClock

ALICE = Account(AccountName("alice@example.org"))


@define(eq=False)
class World:
    """Limits in front of memory, and a list of what administrators hear."""

    settings: SendingSettings
    clock: TestClock = field(factory=TestClock)
    counts: MemorySendingCounts = field(factory=MemorySendingCounts)
    directory: MemoryDirectory = field(init=False)
    limits: SendingLimits = field(init=False)
    alarms: list[Alarm] = field(factory=list)
    hears: bool = True
    metrics: Metrics = field(factory=Metrics)

    def __attrs_post_init__(self) -> None:
        self.directory = MemoryDirectory(self.clock.seconds)
        at_once(self.directory.add_domain(DomainName("example.org")))
        self.limits = SendingLimits(
            self.counts,
            self.directory,
            self.clock,
            self._tell,
            self.settings,
            self.metrics,
        )

    async def _tell(self, alarm: Alarm) -> bool:
        self.alarms.append(alarm)
        return self.hears

    def write(self, number: int = 1, domain: str = "example.net") -> None:
        at_once(self.limits.check_sender(ALICE))
        at_once(self.limits.check_recipient(ALICE, Path(f"n{number}", domain)))


def test_two_hundred_strangers_a_day_unless_said_otherwise() -> None:
    world = World(SendingSettings())
    for number in range(200):
        world.write(number)
    with pytest.raises(SendingStopped, match="200 recipients within a day to whom"):
        world.write(200)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (SendingSettings(hour=2), "2 recipients within an hour"),
        (SendingSettings(day=2), "2 recipients within a day"),
        (SendingSettings(new=2), "2 recipients within a day to whom it had never"),
    ],
)
def test_an_account_is_frozen(settings: SendingSettings, words: str) -> None:
    world = World(settings)
    world.write(1)
    world.write(2)
    with pytest.raises(SendingStopped, match=words) as caught:
        world.write(3)
    reply = reply_for(caught.value)
    assert (reply.code, reply.status) == (550, "5.7.1")
    assert "Mail can still be read" in reply.text
    [alarm] = world.alarms
    assert (alarm.kind, alarm.subject) == ("sending-frozen", "alice@example.org")
    assert words in alarm.words
    assert "mailkit account thaw alice@example.org" in alarm.advice
    with pytest.raises(SendingStopped, match=words):
        world.write(1)
    with pytest.raises(SendingStopped):
        at_once(world.limits.check_recipient(ALICE, Path("n1", "example.net")))
    assert len(world.alarms) == 1
    text = generate_latest(world.metrics.registry).decode()
    assert 'mailkit_sending_limited_total{limit="frozen"} 1.0' in text
    assert at_once(world.counts.untold()) == []
    at_once(world.counts.thaw(ALICE.name))
    world.write(3)


def test_our_own_people_are_not_counted() -> None:
    world = World(SendingSettings(hour=1))
    for number in range(3):
        world.write(number, "example.org")
        world.write(number, "")
    world.write()


def test_accounts_without_limit() -> None:
    world = World(SendingSettings(hour=1, without_limit=("alice@example.org",)))
    for number in range(3):
        world.write(number)


def test_a_domain_is_asked_to_wait() -> None:
    world = World(SendingSettings(domain_hour=1))
    world.write()
    for _ in range(2):
        with pytest.raises(SentTooMuch) as caught:
            world.write()
        reply = reply_for(caught.value)
        assert (reply.code, reply.status) == (450, "4.7.1")
    [alarm] = world.alarms
    assert (alarm.kind, alarm.subject) == ("sending-limited", "@example.org")
    assert at_once(world.counts.frozen(ALICE.name)) is None
    world.clock.advance(1800)
    with pytest.raises(SentTooMuch):
        world.write()
    assert len(world.alarms) == 1
    world.clock.advance(2400)
    world.write()
    world.clock.advance(60)
    with pytest.raises(SentTooMuch):
        world.write()
    assert len(world.alarms) == 2


def test_who_was_not_reached_is_told_at_the_next_start() -> None:
    world = World(SendingSettings(hour=1), hears=False)
    world.write()
    with pytest.raises(SendingStopped):
        world.write()
    assert len(at_once(world.counts.untold())) == 1
    world.hears = True
    world.limits.start()
    assert world.alarms[0] == world.alarms[1]
    assert at_once(world.counts.untold()) == []
    world.limits.start()
    assert len(world.alarms) == 2


def test_nobody_waits_for_the_alarm() -> None:
    world = World(SendingSettings(new=1))
    never: Deferred[bool] = Deferred()

    async def tell(alarm: Alarm) -> bool:
        return await never

    limits = SendingLimits(
        world.counts, world.directory, world.clock, tell, world.settings
    )
    at_once(limits.check_recipient(ALICE, Path("a", "example.net")))
    with pytest.raises(SendingStopped):
        at_once(limits.check_recipient(ALICE, Path("b", "example.net")))
    never.callback(True)
    assert at_once(world.counts.untold()) == []


def test_a_server_that_ends_tells_at_its_next_start() -> None:
    world = World(SendingSettings(new=1))
    never: Deferred[bool] = Deferred()

    async def tell(alarm: Alarm) -> bool:
        return await never

    limits = SendingLimits(
        world.counts, world.directory, world.clock, tell, world.settings
    )
    at_once(limits.check_recipient(ALICE, Path("a", "example.net")))
    with pytest.raises(SendingStopped):
        at_once(limits.check_recipient(ALICE, Path("b", "example.net")))
    limits.stop()
    assert never.called  # nobody waits any more
    assert len(at_once(world.counts.untold())) == 1
    world.limits.start()
    assert len(world.alarms) == 1
    assert at_once(world.counts.untold()) == []
