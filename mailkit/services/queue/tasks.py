"""Coroutines that nobody awaits have an owner all the same."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure


@define(eq=False)
class Tasks:
    """All that is under way; what fails in it is logged, as a bug."""

    log = Logger()

    _running: set[Deferred[None]] = field(init=False, factory=set)
    _all_done: Deferred[None] | None = field(init=False, default=None)

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Begin one."""
        # Any: what a coroutine yields is the affair of those it awaits
        task = Deferred.fromCoroutine(coroutine)
        if task.called and not task.paused and not isinstance(task.result, Failure):
            return
        self._running.add(task)
        task.addErrback(self._log_bug)
        task.addBoth(self._is_done, task)

    async def wait(self, clock: IReactorTime, seconds: float) -> None:
        """Until all are over, and no longer than so many seconds."""
        if not self._running:
            return
        done = self._all_done = Deferred()
        timer = clock.callLater(seconds, self._nothing_is_left)
        await done
        if timer.active():
            timer.cancel()

    def cancel(self) -> None:
        """Break off all that is under way."""
        for task in list(self._running):
            task.cancel()

    def _is_done(self, result: None, task: Deferred[None]) -> None:
        self._running.discard(task)
        if not self._running:
            self._nothing_is_left()

    def _nothing_is_left(self) -> None:
        done, self._all_done = self._all_done, None
        if done is not None:
            done.callback(None)

    def _log_bug(self, failure: Failure) -> None:
        if failure.check(CancelledError) is None:
            self.log.failure("sending failed", failure)
