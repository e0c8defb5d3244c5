"""Which rows a page says that it shows."""

from __future__ import annotations

import pytest

from mailkit.web.webmail.ranges import Range, range_of


@pytest.mark.parametrize(
    ("rows", "claimed", "total", "ends", "expected"),
    [
        (50, 0, 120, "o", Range(1, 50, 120)),
        (50, 99, 120, "o", Range(1, 50, 120)),
        (50, 51, 120, "no", Range(51, 100, 120)),
        (20, 101, 120, "n", Range(101, 120, 120)),
        (20, 0, 120, "n", Range(101, 120, 120)),
        (20, 400, 120, "n", Range(101, 120, 120)),
        (20, 7, 3, "n", Range(1, 20, 20)),
        (20, 101, None, "n", Range(101, 120, 120)),
        (20, 0, None, "n", None),
        (50, 0, 120, "no", None),
        (50, 999_999, 120, "no", Range(999_999, 1_000_048, None)),
        (50, 0, 50, "o", Range(1, 50, None)),
        (12, 0, None, "", Range(1, 12, 12)),
        (0, 0, 0, "", None),
        (0, 51, 50, "n", None),
    ],
)
def test_a_range(
    rows: int, claimed: int, total: int | None, ends: str, expected: Range | None
) -> None:
    found = range_of(rows, claimed, total, has_newer="n" in ends, has_older="o" in ends)
    assert found == expected
