"""Holds coverage above its floors: ``python -m tests.floors_coverage``.

Reads what ``coverage run`` left behind in every environment (or by hand), adds it up,
and ends with 1 if less than 95 % of mailkit, or less than all of its protocols and
formats, was run.
"""

from __future__ import annotations

import sys
from pathlib import Path

from coverage import Coverage
from coverage.exceptions import NoDataError

FLOORS = {
    "mailkit/*": 95.0,
    "mailkit/protocols/*": 100.0,
    "mailkit/formats/*": 100.0,
}


def main() -> int:
    """The exit status."""
    parts = [str(path) for path in Path().glob(".coverage.*")]
    coverage = Coverage(data_file=".coverage")
    try:
        if parts:
            coverage.combine(parts, keep=True)
        else:
            coverage.load()
    except NoDataError:
        print("nothing was counted: coverage run -m pytest --ignore=tests/interop")
        return 1
    status = 0
    for include, floor in FLOORS.items():
        print(f"\n{include} (at least {floor:g} %)")
        reached = coverage.report(include=[include], show_missing=True)
        # Rounded as it is shown, and never up to a floor that was not reached.
        if int(reached * 100) / 100 < floor:
            print(f"{include}: {reached:.2f} % is below {floor:g} %")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
