"""Those who open after a stop are stopped too."""

from __future__ import annotations

from random import Random

import pytest

from tests.storage.crash.replay import ROUNDS, record, try_twice
from tests.storage.crash.scenarios import SCENARIOS, Scenario, prepare

MODELS = [
    ("kill", "kill"),
    ("kill", "strict"),
    ("strict", "kill"),
    ("strict", "strict"),
]
POSITIONS = 2


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_stopped_again_while_finishing(scenario: Scenario) -> None:
    run = record(scenario.steps, prepare(scenario))
    choose = Random(scenario.name)
    everywhere = range(len(run.changes) + 1)
    for models in MODELS:
        count = min(POSITIONS * ROUNDS, len(everywhere))
        for position in sorted(choose.sample(everywhere, count)):
            try_twice(run, position, models, choose)
