"""What pytest finds by itself where mailkit is installed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mailkit.testing.server import MailServer


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    """A throw-away mail server on free ports, closed at the end of the test."""
    with MailServer() as server:
        yield server
