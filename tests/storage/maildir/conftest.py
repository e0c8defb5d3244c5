"""A folder in memory where there is one: syncs of a real disk prove nothing here."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

MEMORY = "/dev/shm"


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder that is taken away afterwards."""
    path = tempfile.mkdtemp(dir=MEMORY if os.path.isdir(MEMORY) else None)
    yield Path(path)
    shutil.rmtree(path)
