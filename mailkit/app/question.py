"""One worker wants to know the metrics of the others."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from mailkit.app.workplace import Workplace

ANSWER = 1.0
"""Seconds within which workers have to tell their metrics."""


@define(eq=False)
class Question:
    """Who has not answered yet, and what the others said."""

    _clock: IReactorTime
    _missing: set[Workplace]
    _answer: Callable[[list[str]], None]
    _texts: list[str] = field(init=False, factory=list)
    _late: IDelayedCall = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._late = self._clock.callLater(ANSWER, self._give)

    def told(self, worker: Workplace, text: str | None) -> None:
        """One of them answered, or is gone."""
        if worker in self._missing:
            self._missing.discard(worker)
            if text is not None:
                self._texts.append(text)
            self.look()

    def look(self) -> None:
        """Answer if all is there."""
        if not self._missing and self._late.active():
            self._late.cancel()
            self._give()

    def _give(self) -> None:
        self._answer(self._texts)
