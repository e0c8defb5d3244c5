"""Single parts."""

from pathlib import Path


def measure(out: Path) -> None:
    """Soon."""
