"""The queue, stopped after each of its operations: nothing is lost, nothing doubled."""

from __future__ import annotations

from functools import cache
from random import Random

import pytest
from attrs import frozen

from mailkit.errors import MailkitError
from mailkit.storage.queue.changing import Changing
from mailkit.storage.queue.octets import Octets
from mailkit.storage.safefile import NewFile, Verb
from mailkit.testing.at_once import at_once
from tests.storage.crash.alive import FailOnce, Hand, no_room
from tests.storage.crash.disk import Change, Disk, Recorder
from tests.storage.crash.replay import ROUNDS, Run, found, scratch
from tests.storage.crash.world import Clock
from tests.storage.queue.runs import LATER, STEPS, State, check, look, open_store


@frozen(eq=False)
class Played:
    """What was done to the disk, and how all was after each step."""

    run: Run
    moments: tuple[tuple[int, State], ...]

    def allowed(self, position: int) -> list[State]:
        """What may be found if it stops after so many changes."""
        answered = max(
            n for n, (done, _) in enumerate(self.moments) if done <= position
        )
        return [state for _, state in self.moments[answered : answered + 2]]


def play() -> Played:
    with scratch() as folder:
        data = folder / "data"
        recorder = Recorder(str(data))
        store = open_store(data, recorder)
        at_once(store.start())
        disk = Disk.of(data)
        recorder.changes.clear()
        moments = [(0, at_once(look(store)))]
        for step in STEPS:
            at_once(step.run(store))
            moments.append((len(recorder.changes), at_once(look(store))))
        at_once(store.close())
    return Played(_run(disk, recorder.changes), tuple(moments))


played = cache(play)


def _run(disk: Disk, changes: list[Change]) -> Run:
    return Run(disk, changes, [], [], Clock(0.0), "", b"")


def said(changes: list[Change], position: int) -> str:
    """The last changes before a stop, and the next."""
    return "\n".join(
        f"{n} {change.verb.name} {change.operation.path}"
        for n, change in enumerate(changes[: position + 2])
        if n > position - 8
    )


def stop_everywhere(played: Played, model: str) -> None:
    """:raises AssertionError: if something was lost."""
    choose = Random(model)
    run = played.run
    for position in range(len(run.changes) + 1):
        for _ in range(1 if model == "kill" else ROUNDS):
            disk, detail = found(run, position, model, choose)
            with scratch() as folder:
                disk.put(folder / "data")
                store = open_store(folder / "data")
                try:
                    check(store, folder / "data", played.allowed(position))
                except Exception as error:
                    raise AssertionError(
                        f"{model} {detail}: {error}\n{said(run.changes, position)}"
                    ) from error
                finally:
                    at_once(store.close())


@pytest.mark.parametrize("model", ["kill", "ordered", "strict"])
def test_nothing_is_lost(model: str) -> None:
    stop_everywhere(played(), model)


def _no_sync(octets: Octets) -> None:
    """As if names were durable by themselves."""


def test_these_tests_have_teeth(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Octets, "sync", _no_sync)
        unsynced = play()
    with pytest.raises(AssertionError):
        stop_everywhere(unsynced, "strict")
    finish = Changing.finish

    def too_early(changing: Changing) -> None:
        """As if a file could go before its row."""
        finish(changing)
        database = changing.database
        for name in changing.leftover:
            folder = database.path.removesuffix("queue.sqlite")
            database.files.unlink(f"{folder}content/{name}")

    with monkeypatch.context() as patch:
        patch.setattr(Changing, "finish", too_early)
        hasty = play()
    with pytest.raises(AssertionError):
        stop_everywhere(hasty, "kill")
    with monkeypatch.context() as patch:
        patch.setattr(NewFile, "finish", NewFile._close)
        unsynced = play()
    with pytest.raises(AssertionError):
        stop_everywhere(unsynced, "ordered")


@pytest.mark.parametrize("model", ["kill", "ordered", "strict"])
def test_whoever_tidies_up_is_stopped_as_well(model: str) -> None:
    choose = Random(model)
    run = played().run
    for position in range(1, len(run.changes), max(1, 9 // ROUNDS)):
        disk, _ = found(run, position, "strict", choose)
        with scratch() as folder:
            data = folder / "data"
            disk.put(data)
            recorder = Recorder(str(data))
            store = open_store(data, recorder)
            check(store, data, played().allowed(position))
            at_once(store.close())
        again = _run(Disk(disk.root), recorder.changes)
        stop = choose.randint(0, len(again.changes))
        second, _ = found(again, stop, model, choose)
        with scratch() as folder:
            data = folder / "data"
            second.put(data)
            store = open_store(data)
            check(store, data, played().allowed(position), LATER + 1000)
            at_once(store.close())


@pytest.mark.parametrize("kind", ["full", "broken"])
def test_what_fails_is_not_done(kind: str) -> None:
    for position in range(0, len(played().run.changes), 2):
        act = no_room if kind == "full" else FailOnce()
        with scratch() as folder:
            data = folder / "data"
            hand = Hand(act, position, is_on=False)
            store = open_store(data, hand)
            at_once(store.start())
            hand.made, hand.is_on = 0, True
            state = at_once(look(store))
            for step in STEPS:
                try:
                    at_once(step.run(store))
                except MailkitError:
                    break
                state = at_once(look(store))
            hand.is_on = False
            assert at_once(look(store)) == state, position
            at_once(store.close())
            store = open_store(data)
            check(store, data, [state])
            at_once(store.close())


def test_a_message_is_synced_before_its_row_and_removed_after_it() -> None:
    changes = [change.operation for change in played().run.changes]
    verbs = [operation.verb for operation in changes]
    first = verbs.index(Verb.COMMIT)
    assert verbs[first - 2 : first] == [Verb.SYNC, Verb.SYNC_FOLDER]
    assert changes[first].is_full
    for n, operation in enumerate(changes):
        if operation.verb is Verb.UNLINK:
            before = [one for one in changes[:n] if one.verb is not Verb.UNLINK]
            assert before[-1].verb is Verb.COMMIT
            assert before[-1].is_full


def test_a_claim_syncs_nothing() -> None:
    commits = [c.operation for c in played().run.changes if c.verb is Verb.COMMIT]
    assert sum(not commit.is_full for commit in commits) == 7  # 3 · 2 claims, renew
