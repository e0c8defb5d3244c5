"""Stores that are really stopped, or hindered, while another one is at work."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

from attrs import define, evolve, field

from mailkit.errors import MailkitError
from mailkit.interfaces.storage import Placement
from mailkit.model.mailbox import INBOX
from mailkit.storage.content import OctetsContent
from mailkit.storage.maildir.naming import NewNames
from mailkit.storage.maildir.store import MaildirStore
from mailkit.storage.safefile import Operation, Verb
from mailkit.testing.at_once import at_once
from mailkit.testing.contracts.messages import ALICE, message
from tests.storage.crash.disk import Disk
from tests.storage.crash.promises import Client, Expected, check
from tests.storage.crash.replay import Moment, Run, scratch
from tests.storage.crash.world import (
    Clock,
    State,
    Step,
    abandon,
    look,
    new_boot,
    open_store,
)

NEIGHBOURS = message(900, "from next door")


class Killed(BaseException):
    """The process is no more."""


@define(eq=False)
class Hand:
    """An observer that counts, and acts before one operation and those after it."""

    act: Callable[[Operation], None]
    at: int
    made: int = field(init=False, default=0)
    is_on: bool = True

    def before(self, operation: Operation) -> None:
        if self.is_on and self.made >= self.at:
            self.act(operation)

    def after(self, operation: Operation) -> None:
        self.made += 1


def kill(operation: Operation) -> None:
    """Nothing is done any more, not even what the dying would like to do."""
    raise Killed


def no_room(operation: Operation) -> None:
    """The disk is full: names can still be changed and taken away."""
    if operation.verb in (Verb.CREATE, Verb.WRITE, Verb.LINK, Verb.MAKE_FOLDER):
        raise OSError(errno.ENOSPC, "No space left on device")


@define(eq=False)
class FailOnce:
    """One operation fails; those after it work again."""

    has_failed: bool = False

    def __call__(self, operation: Operation) -> None:
        if not self.has_failed:
            self.has_failed = True
            if operation.verb is Verb.COMMIT:
                raise sqlite3.OperationalError("disk I/O error")
            raise OSError(errno.EIO, "Input/output error")


def start(data: Path, clock: Clock, boot: str, hand: Hand | None) -> MaildirStore:
    """A store that has everything open."""
    store = open_store(data, clock, boot, hand)
    at_once(look(store))
    return store


def beside(store: MaildirStore, clock: Clock) -> MaildirStore:
    """Names that another process on another machine would give."""
    store.house.names = NewNames("neighbour", clock.now)
    return store


def rehearse(disk: Disk, steps: Sequence[Step], clock: float) -> Run:
    """How it goes when nobody is stopped."""
    with scratch() as folder:
        disk.put(folder / "data")
        hand = Hand(kill, at=1 << 60)
        times = Clock(clock)
        boot = new_boot()
        store = start(folder / "data", times, boot, hand)
        hand.made = 0
        moments = [Moment(0, at_once(look(store)))]
        for step in steps:
            at_once(step.run(store))
            moments.append(Moment(hand.made, at_once(look(store))))
        made = hand.made
        abandon(store)
    run = Run(disk, [], steps, moments, times, boot, b"")
    run.length = made
    return run


def killed_beside(run: Run, at: int) -> None:
    """Kill a store whose neighbour has the account open and takes over."""
    with scratch() as folder:
        data = folder / "data"
        run.disk.put(data)
        clock = Clock(run.clock.seconds)
        hand = Hand(kill, at, is_on=False)
        store = start(data, clock, run.boot, hand)
        clock = Clock(run.clock.seconds + 0.5)
        neighbour = beside(start(data, clock, run.boot, None), clock)
        before = at_once(look(neighbour))
        hand.made, hand.is_on = 0, True
        answered = _until_killed(store, run.steps)
        abandon(store)
        expected = _expected(run, answered, before)
        content = OctetsContent(NEIGHBOURS)
        at_once(neighbour.deliver(content, [Placement(ALICE, INBOX)]))
        at_once(check(neighbour, _and_the_neighbours(expected)))
        state = at_once(look(neighbour))
        third = start(data, Clock(clock.seconds + 1), run.boot, None)
        at_once(check(third, Expected(state, state)))
        abandon(third)
        abandon(neighbour)


def _until_killed(store: MaildirStore, steps: Sequence[Step]) -> int:
    answered = 0
    try:
        for step in steps:
            at_once(step.run(store))
            answered += 1
            at_once(look(store))
    except Killed:
        pass
    return answered


def _expected(run: Run, answered: int, first: State) -> Expected:
    clients = [
        Client(
            box.mailbox_id,
            box.mod_seq,
            box.uid_next,
            {uid: seen.flags for uid, seen in box.messages.items()},
        )
        for box in first.boxes.values()
    ]
    before = run.moments[answered].state
    if answered == len(run.steps):
        return Expected(before, before, None, clients)
    after = run.moments[answered + 1].state
    return Expected(before, after, run.steps[answered], clients)


def _and_the_neighbours(expected: Expected) -> Expected:
    """The message that came meanwhile has a UID that nobody foretold."""
    step = expected.step or Step("nothing", _nothing)
    with_it = evolve(step, new=(*step.new, NEIGHBOURS))
    return Expected(expected.before, expected.after, with_it, expected.clients)


async def _nothing(store: object) -> None:
    """It was over already."""


def hindered(run: Run, at: int, act: Callable[[Operation], None]) -> None:
    """Have the disk fail somewhere; what is not answered with OK is all or none."""
    with scratch() as folder:
        data = folder / "data"
        run.disk.put(data)
        clock = Clock(run.clock.seconds)
        hand = Hand(act, at, is_on=False)
        store = start(data, clock, run.boot, hand)
        before = at_once(look(store))
        hand.made, hand.is_on = 0, True
        answered = 0
        step: Step | None = None
        try:
            for step in run.steps:
                at_once(step.run(store))
                answered += 1
                at_once(look(store))
        except MailkitError:
            pass
        hand.is_on = False
        expected = _expected(run, answered, before)
        at_once(check(store, expected))
        state = at_once(look(store))
        third = start(data, Clock(clock.seconds + 1), run.boot, None)
        at_once(check(third, Expected(state, state)))
        abandon(third)
        abandon(store)
