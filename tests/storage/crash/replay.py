"""Playing a recorded run: stopped after any change, found again, held to promises."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random

from attrs import define, evolve, field, frozen

from mailkit.storage.maildir.house import MaildirSettings
from mailkit.storage.maildir.store import MaildirStore
from mailkit.storage.safefile import Verb
from mailkit.testing.at_once import at_once
from mailkit.testing.contracts.messages import ALICE
from tests.storage.crash.disk import (
    Change,
    Database,
    Disk,
    Recorder,
    commits_only,
    ordered_losses,
)
from tests.storage.crash.promises import (
    BrokenPromiseError,
    Client,
    Expected,
    check,
    check_files,
    clients_of,
    same_messages,
)
from tests.storage.crash.world import (
    Clock,
    State,
    Step,
    abandon,
    look,
    new_boot,
    open_store,
    opened,
)

ROUNDS = int(os.environ.get("MAILKIT_CRASH_ROUNDS", "1"))
"""How much is tried beyond what each run of the tests has time for."""

_MEMORY = "/dev/shm"


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for a while; in memory where that can be had."""
    where = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="mailkit-crash-", dir=where))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@frozen(eq=False)
class Moment:
    """A step was answered after so many changes, and all was as in ``state``."""

    position: int
    state: State


@define(eq=False)
class Run:
    """What was done to a disk, by whom, and what they were told."""

    disk: Disk
    """As it was before the first change."""
    changes: list[Change]
    steps: Sequence[Step]
    moments: Sequence[Moment]
    """The first before all steps, then one after each."""
    clock: Clock
    boot: str
    first_index: bytes = field(repr=False)
    settings: MaildirSettings | None = None
    length: int = 0
    """Of a rehearsal: how many changes there were, unrecorded."""
    _clients: dict[int, list[Client]] = field(init=False, factory=dict)

    def expected(self, position: int) -> Expected:
        """What holds if it stops after so many changes."""
        answered = max(
            n for n, moment in enumerate(self.moments) if moment.position <= position
        )
        before = self.moments[answered].state
        clients = self.clients(position)
        if answered == len(self.steps):
            return Expected(before, before, None, clients)
        step, after = self.steps[answered], self.moments[answered + 1].state
        return Expected(before, after, step, clients)

    def clients(self, position: int) -> list[Client]:
        """Those who looked: at the beginning, in the middle and last."""
        commits = [-1] + [
            n
            for n, change in enumerate(self.changes[:position])
            if change.verb is Verb.COMMIT
            and change.operation.path.endswith("index.sqlite")
        ]
        chosen = {commits[0], commits[len(commits) // 2], *commits[-2:]}
        return [client for commit in chosen for client in self._clients_at(commit)]

    def _clients_at(self, commit: int) -> list[Client]:
        if commit not in self._clients:
            octets = self.first_index if commit < 0 else self.changes[commit].database
            self._clients[commit] = clients_of(octets) if octets else []
        return self._clients[commit]

    def at(self, position: int) -> Disk:
        """After so many changes, nothing lost."""
        return self.disk.copy().apply(self.changes[:position])


NextStep = Callable[[State, int], Step | None]
"""What is done after so many steps, where all is so; ``None``: no more."""


def in_order(steps: Sequence[Step]) -> NextStep:
    """Steps that were chosen before."""
    return lambda state, done: steps[done] if done < len(steps) else None


def record(
    next_step: NextStep | Sequence[Step],
    prepare: Callable[[MaildirStore], None] | None = None,
    settings: MaildirSettings | None = None,
) -> Run:
    """Do steps in a store, after `prepare`, and write everything down."""
    if not callable(next_step):
        next_step = in_order(next_step)
    with scratch() as folder:
        data = folder / "data"
        clock = Clock(_now())
        boot = new_boot()
        recorder = Recorder(str(data))
        store = open_store(data, clock, boot, recorder, settings)
        at_once(store.create_account(ALICE))
        at_once(look(store))
        if prepare is not None:
            prepare(store)
        state = at_once(look(store))
        disk = Disk.of(data)
        recorder.changes.clear()
        moments = [Moment(0, state)]
        steps: list[Step] = []
        while (step := next_step(state, len(steps))) is not None:
            steps.append(step)
            at_once(step.run(store))
            position = len(recorder.changes)
            state = at_once(look(store))
            if step.is_told_by_look:
                position = len(recorder.changes)
            moments.append(Moment(position, state))
        abandon(store)
    index = disk.find("mail/example.test/alice/index.sqlite")
    if not isinstance(index, Database):
        raise AssertionError("there is no index")
    first = index.commits[-1]
    run = Run(disk, recorder.changes, steps, moments, clock, boot, first)
    run.settings = settings
    return run


def _now() -> float:
    """A time at which every file that the tests make is old enough to be trusted."""
    return float(int(time.time()) + 10)


@frozen
class Stop:
    """How a run ended and what was found; said when a promise was broken."""

    position: int
    model: str
    detail: str = ""


def found(run: Run, position: int, model: str, choose: Random) -> tuple[Disk, str]:
    """The disk after a stop, and how it was chosen."""
    match model:
        case "kill":
            return run.at(position), ""
        case "strict":
            lose = choose.choice([1.0, 0.7, 0.5, 0.2])
            changes = list(run.changes[:position])
            disk = run.disk.copy().apply(changes + _in_the_wal(run, position))
            return disk.after_strict_loss(choose, lose), f"lose {lose}"
        case "ordered":
            lose = choose.choice([1.0, 0.5, 0.0])
            changes = list(run.changes[:position])
            kept = choose.choice(ordered_losses(changes))
            rest = commits_only(changes[kept:]) + _in_the_wal(run, position)
            disk = run.disk.copy().apply([*changes[:kept], *rest])
            return disk.after_ordered_loss(choose, lose), f"kept {kept}, lose {lose}"
    raise ValueError(model)


def _in_the_wal(run: Run, position: int) -> list[Change]:
    """A FULL commit is in the WAL before it is synced, and may be found there."""
    if position < len(run.changes):
        change = run.changes[position]
        if change.verb is Verb.COMMIT and change.operation.is_full:
            half = evolve(change.operation, is_full=False)
            return [Change(half, change.database, change.times)]
    return []


def try_stop(
    run: Run, position: int, model: str, choose: Random, *, is_thorough: bool
) -> None:
    """
    Stop there, open again, and hold the store to its promises.

    :raises BrokenPromiseError:
    """
    disk, detail = found(run, position, model, choose)
    expected = run.expected(position)
    expected.is_told_again = model != "kill"
    clock = Clock(run.clock.seconds + choose.choice([1, 100, 4000, -86400]))
    boot = run.boot if model == "kill" else new_boot()
    try:
        hold_to(disk, expected, clock, boot, run.settings, is_thorough=is_thorough)
    except Exception as error:
        said = _said(run, position)
        raise BrokenPromiseError(
            f"stopped by {model} after {position} changes ({detail}), during "
            f"{expected.step.name if expected.step else 'nothing'}: {error}\n{said}"
        ) from error


def hold_to(
    disk: Disk,
    expected: Expected,
    clock: Clock,
    boot: str,
    settings: MaildirSettings | None = None,
    *,
    is_thorough: bool,
) -> None:
    """Open a store over a disk that was found, and see whether all is true."""
    with scratch() as folder:
        data = folder / "data"
        disk.put(data)
        with opened(data, clock, boot, settings=settings) as store:
            at_once(check(store, expected))
            if not is_thorough:
                return
            state = at_once(look(store))
            at_once(store.close())
        check_files(data, state)
        account = data / "mail/example.test/alice"
        for ending in ("", "-wal", "-shm"):
            (account / f"index.sqlite{ending}").unlink(missing_ok=True)
        with opened(data, clock, boot) as store:
            same_messages(state, at_once(look(store)))


def try_twice(run: Run, position: int, models: tuple[str, str], choose: Random) -> None:
    """
    Stop there, and stop whoever opens it then somewhere in between.

    :raises BrokenPromiseError:
    """
    disk, detail = found(run, position, models[0], choose)
    clock = Clock(run.clock.seconds + 100)
    boot = run.boot if models[0] == "kill" else new_boot()
    with scratch() as folder:
        data = folder / "data"
        disk.put(data)
        recorder = Recorder(str(data))
        with opened(data, clock, boot, recorder) as store:
            at_once(look(store))
    changes = recorder.changes
    again = Run(Disk(disk.root), changes, [], [], clock, boot, b"")
    for stop in sorted(choose.sample(range(len(changes) + 1), min(3, len(changes)))):
        expected = run.expected(position)
        expected.is_told_again = True
        expected.clients = [*expected.clients, *again.clients(stop)]
        second, more = found(again, stop, models[1], choose)
        next_boot = boot if models[1] == "kill" else new_boot()
        later = Clock(clock.seconds + choose.choice([1, -7200]))
        try:
            hold_to(second, expected, later, next_boot, is_thorough=False)
        except Exception as error:
            raise BrokenPromiseError(
                f"stopped by {models[0]} after {position} changes ({detail}), and by "
                f"{models[1]} after {stop} more ({more}), during "
                f"{expected.step.name if expected.step else 'nothing'}: {error}\n"
                f"{_said(run, position)}\n=== opened again ===\n{_said(again, stop)}"
            ) from error


def _said(run: Run, position: int) -> str:
    """The last changes before the stop, and the next."""
    lines = []
    for n in range(max(0, position - 12), min(position + 2, len(run.changes))):
        operation = run.changes[n].operation
        mark = "--- stopped here ---\n" if n == position else ""
        full = " FULL" if operation.is_full else ""
        lines.append(
            f"{mark}{n} {operation.verb.name}{full} {operation.path} {operation.to}"
        )
    return "\n".join(lines)
