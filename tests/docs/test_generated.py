"""Generated pages say what their sources say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.generate import pages

PAGES = pages()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_it_is_current(path: Path) -> None:
    assert path.exists(), "python -m tests.docs.generate"
    current = path.read_text(encoding="utf-8") == PAGES[path]
    assert current, f"{path.name} is not current: python -m tests.docs.generate"
