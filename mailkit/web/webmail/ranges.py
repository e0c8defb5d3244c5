"""Which rows of a list a page shows, told without counting what is above them."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

AT = "at"
"""The field of an address that says the number of a page's first row."""


@frozen
class Range:
    """Rows of a list as a page says them: ``51–100 of 1,284``."""

    first: int
    last: int
    total: int | None
    """Of all rows; ``None`` where nobody knows."""


def range_of(
    rows: int, claimed: int, total: int | None, *, has_newer: bool, has_older: bool
) -> Range | None:
    """
    The range of a page, or ``None`` where it cannot be said.

    A cursor does not say how many rows are above it, so the address of a page does;
    both ends of a list are known for sure, whatever came or went meanwhile.

    :param rows: of this page.
    :param claimed: the number of its first row, as the address has it; 0: it has none.
    :param total: of all rows, where that is kept.
    """
    if not rows:
        return None
    first = claimed if has_newer else 1
    if not has_older and total is not None:
        first = max(total - rows + 1, 1)
    if not first:
        return None
    last = first + rows - 1
    if not has_older:
        return Range(first, last, last)
    # What is below is at least one row: more than is known went by meanwhile.
    return Range(first, last, total if total is None or total > last else None)


def older(shown: Range | None) -> Mapping[str, str]:
    """What the address of the page below says."""
    return {} if shown is None else {AT: str(shown.last + 1)}


def newer(shown: Range | None, most: int) -> Mapping[str, str]:
    """What the address of the page above says, which has that many rows."""
    if shown is None or shown.first <= most:
        return {}
    return {AT: str(shown.first - most)}
