"""What holds for the tests of the program itself."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def no_settings_of_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """``MAILKIT_NO_SKIPS`` is for tests; the program would warn of it."""
    for name in [name for name in os.environ if name.startswith("MAILKIT_")]:
        monkeypatch.delenv(name)
