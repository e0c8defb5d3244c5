"""The replays find what they are for: a store that leaves something out breaks."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from mailkit.storage.index.database import Database
from mailkit.storage.maildir import expunging, listing, repair, transfer
from mailkit.storage.safefile import Files, NewFile
from tests.storage.crash.promises import BrokenPromiseError
from tests.storage.crash.replay import record, try_stop
from tests.storage.crash.scenarios import SCENARIOS, prepare

BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}

Patch = Callable[[pytest.MonkeyPatch], None]


def nothing(*args: object, **kwargs: object) -> None:
    """Leave it out."""


def no_folder_is_synced(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Files, "sync_folder", nothing)


def no_file_is_synced(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(NewFile, "finish", lambda self, date=None: self._close())


def no_commit_is_synced(patch: pytest.MonkeyPatch) -> None:
    begin = Database.begin
    patch.setattr(Database, "begin", lambda self, is_full: begin(self, is_full=False))


def no_batch_is_finished(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(repair, "_finish_batches", nothing)


def no_move_is_finished(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(transfer, "finish", nothing)


def no_expunge_is_finished(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(expunging, "finish", nothing)


def the_mark_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(listing, "_with_durable_mark", lambda home, index, row: row)


@pytest.mark.parametrize(
    ("leave_out", "name", "model"),
    [
        (no_folder_is_synced, "deliver", "strict"),
        (no_folder_is_synced, "move", "strict"),
        (no_folder_is_synced, "rename", "strict"),
        (no_file_is_synced, "append", "strict"),
        (no_commit_is_synced, "flags", "strict"),
        (no_commit_is_synced, "expunge", "strict"),
        (no_batch_is_finished, "deliver", "kill"),
        (no_move_is_finished, "move", "kill"),
        (no_move_is_finished, "copy", "kill"),
        (no_expunge_is_finished, "expunge", "kill"),
        (the_mark_is_forgotten, "first delivery", "strict"),
    ],
)
def test_what_is_left_out_is_found(
    leave_out: Patch, name: str, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = BY_NAME[name]
    leave_out(monkeypatch)
    run = record(scenario.steps, prepare(scenario))
    choose = Random(name)
    with pytest.raises(BrokenPromiseError):
        for _ in range(5):
            for position in range(len(run.changes) + 1):
                try_stop(run, position, model, choose, is_thorough=True)
