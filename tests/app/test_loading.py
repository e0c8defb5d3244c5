"""What a server loads before it listens."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.docs.rfcs import ROOT

PAGES = ("jinja2", "klein", "babel", "mailkit.web.site", "mailkit.app.webhouse")
"""What nobody needs but who serves pages."""


DATABASE = "mailkit.storage.database"
"""SQLite's own modules are there anyway where coverage is measured."""


BARE = {
    **{name: value for name, value in os.environ.items() if "COVERAGE" not in name},
    "PYTHONPATH": str(ROOT),
}
"""Whoever measures coverage would be measured, too."""


def loaded(module: str) -> set[str]:
    """All modules that one brings with it, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, {module}; print(*sys.modules)"],
        env=BARE,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("module", ["mailkit.app.serving", "mailkit.app.worker"])
def test_pages_are_loaded_where_they_are_served(module: str) -> None:
    modules = loaded(module)
    assert "mailkit.app.server" in modules
    assert not modules & set(PAGES)


@pytest.mark.parametrize("module", ["mailkit.app.tap", "mailkit.app.work"])
def test_a_server_is_loaded_by_whoever_starts_one(module: str) -> None:
    """Twisted asks for the options alone; and the collector is off for the rest."""
    modules = loaded(module)
    assert "mailkit.app.garbage" in modules
    assert not modules & {"mailkit.app.server", "mailkit.app.assemble", DATABASE}
