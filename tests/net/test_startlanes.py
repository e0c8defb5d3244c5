"""Lanes before the reactor runs, and what they become."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from mailkit.errors import LocalMisuse
from mailkit.interfaces.lanes import ILanes
from mailkit.net.startlanes import StartLanes, finish
from mailkit.testing.contracts.lanes import LanesContract
from mailkit.testing.lanes import DirectLanes


class StartLanesTests(LanesContract, TestCase):
    """As the command uses them: they are never started."""

    def make_lanes(self) -> ILanes:
        return StartLanes()


class StartedLanesTests(LanesContract, TestCase):
    """As a server uses them."""

    def make_lanes(self) -> ILanes:
        lanes = StartLanes()
        lanes.start(DirectLanes())
        return lanes


def test_from_the_start_on_others_do_the_work() -> None:
    lanes, others = StartLanes(), DirectLanes()
    assert finish(lanes.run("alice", lambda: 1)) == 1
    lanes.start(others)
    finish(lanes.close())
    assert others.is_closed
    with pytest.raises(LocalMisuse):
        finish(lanes.run("alice", lambda: 1))


def test_a_coroutine_that_waits_cannot_be_finished() -> None:
    async def wait() -> None:
        await Deferred()

    with pytest.raises(LocalMisuse):
        finish(wait())
