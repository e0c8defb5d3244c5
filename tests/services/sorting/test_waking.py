"""Messages come back by themselves: on time, late, and after whatever went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from attrs import define
from twisted.logger import capturedLogs

from mailkit.errors import StorageBroken
from mailkit.model.account import Role
from mailkit.model.address import AccountName, fold_domain
from mailkit.model.conversation import InMailbox
from mailkit.model.mailbox import INBOX, MailboxName
from mailkit.model.snooze import SNOOZED, Snooze
from mailkit.services.sorting.actions import Action, Op, Targets
from mailkit.services.sorting.choosing import Choosing
from mailkit.services.sorting.sorting import Sorting
from mailkit.services.sorting.times import Offer, offers
from mailkit.services.sorting.waking import Waker
from mailkit.storage.memory.personal import MemoryPersonal
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import NEW_YEAR
from tests.services.sorting.world import ALICE, World

HOUR = 3600.0


async def _put_off(world: World, until: float = NEW_YEAR + HOUR) -> str:
    one = await world.put("one", "\\Seen", "\\Flagged")
    await world.act(Op.SNOOZE, one, until=until)
    assert await world.subjects() == []
    return one


def test_a_message_comes_back_unread_when_its_time_is_there() -> None:
    world = World()
    one = at_once(_put_off(world))
    thread = at_once(world.thread(one))
    world.waker.start()
    for _ in range(59):
        world.clock.advance(60)
    assert at_once(world.subjects()) == []
    world.clock.advance(60)
    assert at_once(world.state())["INBOX"] == [("one", ("\\Flagged",))]
    [woken] = at_once(world.personal.woken(ALICE))
    assert (woken.email_id, woken.thread_id) == (one, thread)
    assert woken.since == NEW_YEAR + HOUR
    assert not at_once(world.personal.snoozes(ALICE))
    at_once(world.waker.stop())
    assert not world.clock.getDelayedCalls()


def test_whoever_puts_a_message_off_is_heard() -> None:
    world = World()
    world.waker.start()
    world.clock.advance(1)
    at_once(_put_off(world, NEW_YEAR + 61.5))
    [call] = world.clock.getDelayedCalls()
    assert call.getTime() <= NEW_YEAR + 61.5
    world.clock.advance(60)
    world.clock.advance(0.5)
    assert at_once(world.subjects()) == ["one"]
    at_once(world.waker.stop())


def test_a_server_that_was_down_says_when_it_came_back() -> None:
    world = World()
    at_once(_put_off(world))
    world.clock.advance(2 * HOUR)
    world.waker.start()
    [woken] = at_once(world.personal.woken(ALICE))
    assert woken.since == NEW_YEAR + 2 * HOUR
    at_once(world.waker.stop())


def test_many_come_back() -> None:
    async def run() -> None:
        world = World()
        for number in range(450):
            await world.put(f"n{number}")
        await world.act(Op.SNOOZE, until=NEW_YEAR + HOUR)
        world.clock.advance(HOUR)
        assert await world.waker.wake(ALICE) == 450
        assert await world.subjects(SNOOZED) == []
        assert await world.waker.wake(ALICE) == 0

    at_once(run())


def test_what_somebody_moved_meanwhile_stays_there() -> None:
    async def run() -> None:
        world = World()
        await _put_off(world)
        mailbox = await world.store.open(ALICE, SNOOZED)
        snapshot = await mailbox.snapshot(take_recent=False)
        from_there = InMailbox(SNOOZED)
        assert snapshot.status.exists == 1
        await world.store.create(ALICE, MailboxName("Kept"))
        await world.act(Op.MOVE, view=from_there, to=MailboxName("Kept"))
        await world.personal.snooze(ALICE, [Snooze("M-none", NEW_YEAR + 1, INBOX)])
        world.clock.advance(HOUR)
        assert await world.waker.wake(ALICE) == 0
        assert await world.subjects(MailboxName("Kept")) == ["one"]
        assert not await world.personal.snoozes(ALICE)
        assert not await world.personal.woken(ALICE)

    at_once(run())


def test_without_their_mailbox_there_is_nothing_to_bring_back() -> None:
    async def run() -> None:
        world = World()
        await _put_off(world)
        await world.store.delete(ALICE, SNOOZED)
        world.clock.advance(HOUR)
        assert await world.waker.wake(ALICE) == 0
        assert not await world.personal.snoozes(ALICE)

    at_once(run())


def test_a_mailbox_that_is_no_more_is_the_inbox() -> None:
    async def run() -> None:
        world = World()
        one = await _put_off(world)
        gone = MailboxName("Gone")
        await world.personal.snooze(ALICE, [Snooze(one, NEW_YEAR + 1, gone)])
        world.clock.advance(HOUR)
        assert await world.waker.wake(ALICE) == 1
        assert await world.subjects() == ["one"]

    at_once(run())


class _Broken(MemoryPersonal):
    """The first questions after some account's messages are not answered."""

    failures = 0

    async def snoozes(self, account: AccountName) -> Sequence[Snooze]:
        if self.failures:
            self.failures -= 1
            raise StorageBroken("the disk")
        return await super().snoozes(account)


def _world(personal: MemoryPersonal) -> World:
    world = World()
    world.personal = personal
    world.sorting._personal = personal
    world.waker._personal = personal
    return world


def test_a_look_that_fails_is_tried_again() -> None:
    personal = _Broken()
    world = _world(personal)
    at_once(_put_off(world))
    world.clock.advance(HOUR)
    personal.failures = 1
    with capturedLogs() as told:
        world.waker.start()
    assert "do not come back" in told[-1]["log_format"]
    assert at_once(world.subjects()) == []
    world.clock.advance(30)
    assert at_once(world.subjects()) == ["one"]
    at_once(world.waker.stop())


class _Bad(MemoryPersonal):
    """Something goes wrong that nobody thought of, or the table is out of reach."""

    error: Exception | None = None

    async def due(self, now: float, most: int) -> Sequence[AccountName]:
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        return await super().due(now, most)


@pytest.mark.parametrize("error", [StorageBroken("the disk"), ZeroDivisionError()])
def test_whatever_goes_wrong_there_is_another_look(error: Exception) -> None:
    personal = _Bad()
    world = _world(personal)
    at_once(_put_off(world))
    world.clock.advance(HOUR)
    personal.error = error
    with capturedLogs() as told:
        world.waker.start()
    assert told
    world.clock.advance(30)
    assert at_once(world.subjects()) == ["one"]
    at_once(world.waker.stop())
    at_once(world.waker.stop())


class _Lost(MemoryPersonal):
    """The table of times was lost."""

    settled: list[str]
    is_known = False

    async def is_settled(self) -> bool:
        return self.is_known

    async def note_settled(self) -> None:
        self.is_known = True

    async def settle(self, account: AccountName) -> None:
        self.settled.append(account)


def test_a_table_of_times_that_was_lost_is_made_from_all_accounts() -> None:
    personal = _Lost()
    personal.settled = []
    world = _world(personal)
    at_once(world.directory.add_domain(fold_domain("example.org")))
    at_once(world.directory.add_account(ALICE, Role.USER, None))
    world.waker.start()
    assert personal.settled == [ALICE]
    world.clock.advance(60)
    assert personal.settled == [ALICE]
    at_once(world.waker.stop())


# --- what is offered ---

OSLO = ZoneInfo("Europe/Oslo")


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        # A Thursday morning.
        (
            datetime(2026, 1, 1, 9, 30, 12, tzinfo=OSLO),
            {
                Offer.LATER_TODAY: "2026-01-01T12:30",
                Offer.TOMORROW: "2026-01-02T08:00",
                Offer.WEEKEND: "2026-01-03T08:00",
                Offer.NEXT_WEEK: "2026-01-05T08:00",
            },
        ),
        # Too late for today: three hours on is after nine in the evening.
        (
            datetime(2026, 1, 1, 18, 0, tzinfo=OSLO),
            {
                Offer.TOMORROW: "2026-01-02T08:00",
                Offer.WEEKEND: "2026-01-03T08:00",
                Offer.NEXT_WEEK: "2026-01-05T08:00",
            },
        ),
        # On Friday the weekend is tomorrow, on Sunday next week is.
        (
            datetime(2026, 1, 2, 23, 0, tzinfo=OSLO),
            {
                Offer.TOMORROW: "2026-01-03T08:00",
                Offer.NEXT_WEEK: "2026-01-05T08:00",
            },
        ),
        (
            datetime(2026, 1, 4, 10, 0, tzinfo=OSLO),
            {
                Offer.LATER_TODAY: "2026-01-04T13:00",
                Offer.TOMORROW: "2026-01-05T08:00",
            },
        ),
        # Clocks are put forward this night: the morning is at eight all the same.
        (
            datetime(2026, 3, 28, 22, 0, tzinfo=OSLO),
            {
                Offer.TOMORROW: "2026-03-29T08:00",
                Offer.NEXT_WEEK: "2026-03-30T08:00",
            },
        ),
    ],
)
def test_offers(now: datetime, expected: dict[Offer, str]) -> None:
    found = offers(now)
    assert {one.offer: f"{one.at:%Y-%m-%dT%H:%M}" for one in found} == expected
    assert [one.at for one in found] == sorted(one.at for one in found)


def test_offers_are_in_the_zone_that_was_asked_in() -> None:
    [*_, last] = offers(datetime(2026, 3, 28, 22, 0, tzinfo=OSLO))
    assert last.at.astimezone(UTC).hour == 6


# --- stopped anywhere ---


class _StoppedError(Exception):
    """The process ends here."""


def _stopping(of: object, left: list[int]) -> Any:  # Any: what it was made of
    return _Stopping(of, left)


@define(eq=False)
class _Stopping:
    """Passes everything on, until so many questions were answered."""

    of: object
    left: list[int]

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.of, name)
        if not callable(found):
            return found

        async def ask(*values: Any, **named: Any) -> Any:
            if not self.left[0]:
                raise _StoppedError
            self.left[0] -= 1
            answer = await found(*values, **named)
            if not self.left[0]:
                raise _StoppedError
            is_mailbox = name == "open"
            return _stopping(answer, self.left) if is_mailbox else answer

        return ask


def test_wherever_it_is_stopped_the_next_look_does_the_rest() -> None:
    steps = 0
    for steps in range(1, 100):
        world = World()
        one = at_once(_put_off(world))
        world.clock.advance(HOUR)
        left = [steps]
        stopping = Waker(
            _stopping(world.store, left),
            _stopping(world.personal, left),
            world.directory,
            world.board,
            world.clock,
        )
        try:
            at_once(stopping.wake(ALICE))
        except _StoppedError:
            at_once(world.waker.wake(ALICE))
        assert at_once(world.state())["INBOX"] == [("one", ("\\Flagged",))]
        assert at_once(world.subjects(SNOOZED)) == []
        assert not at_once(world.personal.snoozes(ALICE))
        [woken] = at_once(world.personal.woken(ALICE))
        assert woken.email_id == one
        if left[0]:
            break  # it was not stopped at all
    assert 8 < steps < 99


def test_wherever_putting_off_is_stopped_no_message_stays_away() -> None:
    steps = 0
    for steps in range(1, 100):
        world = World()
        one = at_once(world.put("one"))
        left = [steps]
        store = _stopping(world.store, left)
        personal = _stopping(world.personal, left)
        sorting = Sorting(
            store,
            personal,
            world.conversations,
            Choosing(store, world.conversations),
            world.undoing,
            world.board,
            world.clock,
        )
        targets = Targets(InMailbox(INBOX), email_ids=[one])
        action = Action(Op.SNOOZE, until=NEW_YEAR + HOUR)
        with suppress(_StoppedError):
            at_once(sorting.act(ALICE, action, targets))
        world.clock.advance(HOUR)
        at_once(world.waker.wake(ALICE))
        assert at_once(world.subjects()) == ["one"]
        if left[0]:
            break
    assert 6 < steps < 99
