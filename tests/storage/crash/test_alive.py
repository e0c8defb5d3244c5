"""Real kills beside a neighbour, and disks that fail under a store (STORE.md §3)."""

from __future__ import annotations

import pytest

from tests.storage.crash.alive import (
    FailOnce,
    hindered,
    killed_beside,
    no_room,
    rehearse,
)
from tests.storage.crash.replay import ROUNDS, Run, record
from tests.storage.crash.scenarios import SCENARIOS, Scenario, prepare

MOST = 5
"""Stops of each scenario in an ordinary run."""


def run_of(scenario: Scenario) -> Run:
    recorded = record([], prepare(scenario))
    return rehearse(recorded.disk, scenario.steps, recorded.clock.seconds + 10)


def positions(run: Run) -> range:
    return range(0, run.length + 1, max(1, run.length // (MOST * ROUNDS)))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_killed_while_a_neighbour_has_the_account_open(scenario: Scenario) -> None:
    run = run_of(scenario)
    for position in positions(run):
        killed_beside(run, position)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_disk_is_full(scenario: Scenario) -> None:
    run = run_of(scenario)
    for position in positions(run):
        hindered(run, position, no_room)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_one_operation_fails(scenario: Scenario) -> None:
    run = run_of(scenario)
    for position in positions(run):
        hindered(run, position, FailOnce())
