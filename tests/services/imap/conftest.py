"""What the tests of the IMAP session share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.services.imap.world import World


@pytest.fixture
def world() -> Iterator[World]:
    """A server whose connections are all lost in the end."""
    world = World()
    yield world
    world.close()
