"""Holds coverage above its floors: ``python -m tests.floors_coverage``.

Reads what ``coverage run`` left behind in every environment (or by hand), adds it up,
and ends with 1 if less than 95 % of mailkit, or less than all of its protocols and
formats, was run; what was not is listed then (``coverage report -m`` lists it always).
"""

from __future__ import annotations

import sys
from io import StringIO
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
        table = StringIO()
        # Rounded as it is shown, and never up to a floor that was not reached.
        reached = coverage.report(include=[include], show_missing=True, file=table)
        reached = int(reached * 100) / 100
        print(f"{include}: {reached:.2f} % (at least {floor:g} %)")
        if reached < floor:
            print(table.getvalue())
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
