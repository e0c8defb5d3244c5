"""How far bulk sendings have got."""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.trial.unittest import TestCase

from mailkit.errors import Busy, StorageBroken
from mailkit.interfaces.sendings import ISendings
from mailkit.storage.memory.sendings import MemorySendings
from mailkit.storage.sendings import Sendings
from mailkit.testing.at_once import at_once
from mailkit.testing.contracts.sendings import BOB, SPRING, SendingsContract
from mailkit.testing.lanes import DirectLanes


class MemorySendingsTests(SendingsContract, TestCase):
    """In memory."""

    def make_sendings(self) -> ISendings:
        return MemorySendings()


class SendingsTests(SendingsContract, TestCase):
    """In SQLite."""

    def make_sendings(self) -> ISendings:
        return Sendings(Path(self.mktemp()), DirectLanes())


def test_one_process_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "sendings.sqlite"
    one, other = (Sendings(path, DirectLanes()) for _ in range(2))
    at_once(one.begin(SPRING))
    at_once(one.begin(SPRING))
    at_once(one.put("spring", [BOB]))
    with pytest.raises(Busy, match="spring is being sent by another process"):
        at_once(other.begin(SPRING))
    assert at_once(other.rows("spring")) == {BOB: True}
    at_once(one.close())
    at_once(one.close())
    assert at_once(other.begin(SPRING)) == SPRING
    at_once(other.close())


def test_a_broken_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "sendings.sqlite"
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(StorageBroken):
        at_once(Sendings(path, DirectLanes()).find("spring"))
