"""What holds for every test of the web."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from twisted.internet import reactor
from twisted.internet.base import ReactorBase


@pytest.fixture(autouse=True)
def nothing_is_left_to_happen() -> Iterator[None]:
    """No time-out waits in the reactor for whichever test turns it next."""
    assert isinstance(reactor, ReactorBase)
    before = set(reactor.getDelayedCalls())
    yield
    left = set(reactor.getDelayedCalls()) - before
    assert not left, "\n".join(str(call) for call in left)
