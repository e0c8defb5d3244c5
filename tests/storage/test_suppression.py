"""The suppression list."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from twisted.trial.unittest import TestCase

from mailkit.errors import StorageBroken
from mailkit.interfaces.suppression import ISuppressionList
from mailkit.storage.memory.suppression import MemorySuppressionList
from mailkit.storage.suppression import SuppressionList
from mailkit.testing.at_once import at_once
from mailkit.testing.contracts.suppression import BOB, CAROL, SuppressionContract
from mailkit.testing.lanes import DirectLanes


class MemorySuppressionTests(SuppressionContract, TestCase):
    """In memory."""

    def make_suppression(self) -> ISuppressionList:
        return MemorySuppressionList()


class SuppressionTests(SuppressionContract, TestCase):
    """In SQLite."""

    def make_suppression(self) -> ISuppressionList:
        return SuppressionList(Path(self.mktemp()), DirectLanes())


def test_it_is_there_for_others_and_for_later(tmp_path: Path) -> None:
    path = tmp_path / "suppression.sqlite"
    one, other = (SuppressionList(path, DirectLanes()) for _ in range(2))
    at_once(one.add([BOB]))
    at_once(other.add([CAROL]))
    assert list(at_once(one.entries())) == [BOB, CAROL]
    at_once(one.close())
    at_once(one.close())
    at_once(other.close())
    again = SuppressionList(path, DirectLanes())
    assert list(at_once(again.entries())) == [BOB, CAROL]
    at_once(again.close())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_broken_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "suppression.sqlite"
    path.write_bytes(b"no database" * 1000)
    broken = SuppressionList(path, DirectLanes())
    with pytest.raises(StorageBroken):
        at_once(broken.add([BOB]))
