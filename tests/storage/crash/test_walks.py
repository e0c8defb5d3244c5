"""Random walks, stopped at random (STORE.md §6)."""

from __future__ import annotations

from random import Random

import pytest

from mailkit.storage.maildir.house import MaildirSettings
from tests.storage.crash.replay import ROUNDS, record, try_stop, try_twice
from tests.storage.crash.scenarios import SCENARIOS, prepare
from tests.storage.crash.walks import Walk

STOPS = 20
TWICE = 3
LENGTH = 12


@pytest.mark.parametrize("seed", range(4 * ROUNDS))
def test_a_walk_that_is_stopped(seed: int) -> None:
    choose = Random(seed)
    walk = Walk(choose, LENGTH, with_strangers=seed % 2 == 1)
    # A short log of what was expunged, for clients that were away too long.
    settings = MaildirSettings(expunge_log=2) if seed % 4 == 0 else None
    run = record(walk, prepare(SCENARIOS[0]), settings)
    for _ in range(STOPS):
        position = choose.randint(0, len(run.changes))
        model = choose.choice(["kill", "ordered", "strict"])
        try_stop(run, position, model, choose, is_thorough=choose.random() < 0.3)
    for _ in range(TWICE):
        position = choose.randint(0, len(run.changes))
        models = choose.choice(["kill", "strict"]), choose.choice(["kill", "strict"])
        try_twice(run, position, models, choose)
