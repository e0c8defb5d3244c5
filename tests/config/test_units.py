"""Sizes and times as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.config.units import (
    parse_octets,
    parse_seconds,
    say_about,
    say_octets,
    say_seconds,
)

OCTETS = [
    ("0", 0),
    ("17", 17),
    ("17 B", 17),
    ("1 kB", 1000),
    ("1KB", 1000),
    ("1 KiB", 1024),
    ("500 MB", 500_000_000),
    ("5 MiB", 5 * 2**20),
    ("5 mib", 5 * 2**20),
    (" 2 GB ", 2 * 10**9),
    ("1.5 GiB", 3 * 2**29),
    ("0.1 MB", 100_000),
    ("9007199254740993 B", None),
    ("900719925474099 B", 900719925474099),
    ("3 TB", 3 * 10**12),
]
SECONDS = [
    ("0", 0.0),
    ("90", 90.0),
    ("90 s", 90.0),
    ("250 ms", 0.25),
    ("2 min", 120.0),
    ("2 h", 7200.0),
    ("5 d", 432_000.0),
    ("1 w", 604_800.0),
    ("1.5 h", 5400.0),
]
NEITHER = [
    "",
    "MB",
    "five MB",
    "-1",
    "5 parsecs",
    "1e9",
    "1,5 h",
    "5 MB MB",
    "٣",
    "5\0",
]


@pytest.mark.parametrize(("text", "octets"), OCTETS)
def test_octets(text: str, octets: int | None) -> None:
    if octets is None:
        with pytest.raises(ValueError, match="expects a size"):
            parse_octets(text)
    else:
        assert parse_octets(text) == octets


@pytest.mark.parametrize(("text", "seconds"), SECONDS)
def test_seconds(text: str, seconds: float) -> None:
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize("text", NEITHER)
def test_neither(text: str) -> None:
    with pytest.raises(ValueError, match="expects a size such as"):
        parse_octets(text)
    with pytest.raises(ValueError, match="expects a time such as"):
        parse_seconds(text)


@given(st.text())
def test_garbage_is_a_value_error_and_nothing_else(text: str) -> None:
    for parse in (parse_octets, parse_seconds):
        try:
            assert parse(text) >= 0
        except ValueError as error:
            assert "expects" in str(error)


@given(st.integers(0, 10**14))
def test_what_is_said_is_read_back(octets: int) -> None:
    assert parse_octets(say_octets(octets)) == octets


@given(st.integers(0, 10**9))
def test_times_that_are_said_are_read_back(milliseconds: int) -> None:
    seconds = milliseconds / 1000
    assert parse_seconds(say_seconds(seconds)) == pytest.approx(seconds, rel=1e-9)


def test_the_shortest_way_is_taken() -> None:
    assert say_octets(50 * 2**20) == "50 MiB"
    assert say_octets(500 * 10**6) == "500 MB"
    assert say_octets(1001) == "1001 B"
    assert say_octets(0) == "0 B"
    assert say_seconds(0.0) == "0 ms"
    assert say_seconds(0.25) == "250 ms"
    assert say_seconds(5 * 86400.0) == "5 d"
    assert say_about(1_234_567) == "1.23 MB"
    assert say_about(999) == "999 B"
