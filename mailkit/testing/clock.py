"""Time that a test moves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.task import Clock
from zope.interface import implementer

NEW_YEAR = 1767225600.0
"""2026-01-01T00:00:00Z, the moment at which tests begin."""


@implementer(IReactorFromThreads)
class TestClock(Clock):
    """
    Twisted's `Clock`, begun at a date that mail may have.

    ``seconds()`` serves as the time of day too. ``callFromThread`` calls at once,
    so that whatever wants a reactor for its threads can be given this.
    """

    __test__ = False  # pytest takes it for a test case otherwise

    def __init__(self, start: float = NEW_YEAR) -> None:
        super().__init__()
        self.rightNow = start

    def callFromThread(
        self, callable: Callable[..., object], *args: Any, **kwargs: Any
    ) -> None:
        callable(*args, **kwargs)
