"""The order in which files of tests are begun, where several processes share them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest


def begin_with(names: Sequence[str], folder: Path, items: list[pytest.Item]) -> None:
    """These files of a folder first; `--no-loadscope-reorder` has xdist leave it so."""

    def place(item: pytest.Item) -> int:
        is_here = item.path.parent == folder
        name = item.path.name
        return names.index(name) if is_here and name in names else len(names)

    items.sort(key=place)
