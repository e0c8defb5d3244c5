"""What holds for the tests of the program itself."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from twisted.logger import globalLogPublisher


@pytest.fixture(autouse=True)
def no_settings_of_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """``MAILKIT_NO_SKIPS`` is for tests; the program would warn of it."""
    for name in [name for name in os.environ if name.startswith("MAILKIT_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def observers_as_before() -> Iterator[None]:
    """Whoever was made to hear the log in a test hears nothing after it."""
    before = list(globalLogPublisher._observers)
    yield
    for observer in list(globalLogPublisher._observers):
        if observer not in before:
            globalLogPublisher.removeObserver(observer)
