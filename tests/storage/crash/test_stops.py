"""Each change, stopped after each of its operations, in three models (STORE.md §6)."""

from __future__ import annotations

from random import Random

import pytest

from tests.storage.crash.replay import ROUNDS, Run, record, try_stop
from tests.storage.crash.scenarios import SCENARIOS, Scenario, prepare

_runs: dict[str, Run] = {}


def run_of(scenario: Scenario) -> Run:
    if scenario.name not in _runs:
        _runs[scenario.name] = record(scenario.steps, prepare(scenario))
    return _runs[scenario.name]


EVERY = {"kill": 1, "ordered": 3, "strict": 2}
"""After which operations an ordinary run stops; a longer one after each."""


@pytest.mark.parametrize("model", EVERY)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_nothing_is_lost(scenario: Scenario, model: str) -> None:
    run = run_of(scenario)
    choose = Random(f"{scenario.name} {model}")
    step = 1 if ROUNDS > 1 else EVERY[model]
    for position in range(0, len(run.changes) + 1, step):
        for _ in range(1 if model == "kill" else ROUNDS):
            is_thorough = choose.random() < 0.1 or ROUNDS > 1
            try_stop(run, position, model, choose, is_thorough=is_thorough)
