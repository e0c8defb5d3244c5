"""Clock, disk, the way out and certificates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mailkit.services.doctor.finding import State
from mailkit.services.doctor.machine import (
    Greeting,
    Served,
    judge_clock,
    judge_disk,
    judge_port_25,
    judge_served,
    judge_silent,
)

NOW = datetime(2026, 11, 21, tzinfo=UTC)
HOST = "mail.a.test"
GOOD, NOTE, UNKNOWN, WRONG = State.GOOD, State.NOTE, State.UNKNOWN, State.WRONG


@pytest.mark.parametrize(
    ("off", "state", "words"),
    [
        (0.0, GOOD, "right, by b.test"),
        (-5.0, GOOD, "right, by b.test"),
        (20.0, NOTE, "20 s ahead, by b.test"),
        (-60.0, NOTE, "60 s behind, by b.test"),
        (3600.0, WRONG, "3600 s ahead, by b.test"),
    ],
)
def test_clock(off: float, state: State, words: str) -> None:
    finding = judge_clock(1000.0 + off, 1000.0, "b.test")
    assert (finding.state, finding.words) == (state, words)


@pytest.mark.parametrize(
    ("share", "state"), [(0.2, GOOD), (0.1, NOTE), (0.07, NOTE), (0.06, WRONG)]
)
def test_disk(share: float, state: State) -> None:
    finding = judge_disk("/data", 1_000_000_000, share)
    assert finding.state is state
    assert finding.words.endswith(f"free ({share:.0%}) for /data")


def test_the_way_out() -> None:
    silent = Greeting("a.test", "no connection within 10 s", is_reached=False)
    heard = Greeting("b.test", "220 b.test", is_reached=True)
    assert judge_port_25(25, [silent, heard]).words == "b.test answers: 220 b.test"
    finding = judge_port_25(25, [silent])
    assert finding.state is WRONG
    assert finding.subject == "port 25 outward"
    assert finding.words == "a.test: no connection within 10 s"
    assert judge_port_25(25, []).state is UNKNOWN


@pytest.mark.parametrize(
    ("names", "days", "trouble", "state", "words"),
    [
        ((HOST,), 90, "", GOOD, "good for mail.a.test until 2027-02-19"),
        (("*.a.test",), 90, "", GOOD, "good for mail.a.test until 2027-02-19"),
        ((HOST,), 20, "", NOTE, "good for mail.a.test until 2026-12-11"),
        ((HOST,), 5, "", WRONG, "its certificate ends in 5 days"),
        ((HOST,), 0, "", WRONG, "its certificate ended on 2026-11-21"),
        (("b.test",), 90, "", WRONG, "its certificate is not for mail.a.test"),
        ((), 90, "", WRONG, "its certificate is not for mail.a.test"),
        ((HOST,), 90, "self-signed", WRONG, "not believed: self-signed"),
    ],
)
def test_certificates(
    names: tuple[str, ...], days: int, trouble: str, state: State, words: str
) -> None:
    served = Served("smtp 25", names, NOW + timedelta(days=days), trouble)
    finding = judge_served(served, [HOST], NOW)
    assert finding.subject == "TLS smtp 25"
    assert (finding.state, words in finding.words) == (state, True), finding
    assert bool(finding.next_step) == (state is not GOOD)


def test_a_port_that_is_silent() -> None:
    finding = judge_silent("imap 143", "connection refused")
    assert (finding.state, finding.words) == (WRONG, "connection refused")


def test_what_ends_with_status_1() -> None:
    assert [state.value for state in State if state.is_bad] == ["unknown", "wrong"]
