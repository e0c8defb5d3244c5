"""What accounts have sent, counted."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from twisted.trial.unittest import TestCase

from mailkit.errors import StorageBroken
from mailkit.interfaces.sendingcounts import ISendingCounts
from mailkit.model.address import Address
from mailkit.model.sendinglimit import Freeze, Most, Reached, Sent
from mailkit.storage.memory.sendingcounts import MemorySendingCounts
from mailkit.storage.sendingcounts import KNOWN_FOR, SendingCounts
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import NEW_YEAR
from mailkit.testing.contracts.sendingcounts import ALICE, DAY, SendingCountsContract
from mailkit.testing.lanes import DirectLanes

BOB = Address.of("bob", "example.net")


class MemorySendingCountsTests(SendingCountsContract, TestCase):
    """In memory."""

    def make_counts(self) -> ISendingCounts:
        return MemorySendingCounts()


class SendingCountsTests(SendingCountsContract, TestCase):
    """In SQLite."""

    def make_counts(self) -> ISendingCounts:
        return SendingCounts(Path(self.mktemp()), DirectLanes())


def test_processes_count_together(tmp_path: Path) -> None:
    path = tmp_path / "sending.sqlite"
    one, other = (SendingCounts(path, DirectLanes()) for _ in range(2))
    most = Most(hour=2)
    assert at_once(one.take(ALICE, BOB, most, NEW_YEAR)) is None
    assert at_once(other.take(ALICE, BOB, most, NEW_YEAR)) is None
    assert at_once(one.take(ALICE, BOB, most, NEW_YEAR)) is Reached.HOUR
    freeze = Freeze(ALICE, NEW_YEAR, "too much")
    assert at_once(one.freeze(freeze))
    assert not at_once(other.freeze(freeze))
    assert at_once(other.frozen(ALICE)) == freeze
    for counts in (one, one, other):
        at_once(counts.close())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_is_too_old_goes(tmp_path: Path) -> None:
    counts = SendingCounts(tmp_path / "sending.sqlite", DirectLanes())
    at_once(counts.take(ALICE, BOB, Most(), NEW_YEAR))
    soon = NEW_YEAR + 2 * DAY
    at_once(counts.take(ALICE, BOB, Most(), soon))
    assert at_once(counts.sent(ALICE, soon)) == Sent(hour=1, day=1, new=0)
    late = soon + KNOWN_FOR + 1
    carol = Address.of("carol", "example.net")
    at_once(counts.take(ALICE, carol, Most(), late))
    assert at_once(counts.take(ALICE, BOB, Most(new=1), late)) is Reached.NEW
    at_once(counts.close())


def test_a_broken_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "sending.sqlite"
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(StorageBroken):
        at_once(SendingCounts(path, DirectLanes()).frozen(ALICE))
