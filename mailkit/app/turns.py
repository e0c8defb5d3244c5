"""Measures what each turn of the reactor costs its own thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol


class TurningReactor(Protocol):
    """A reactor that begins each turn with `runUntilCurrent`, as all of Twisted's."""

    def runUntilCurrent(self) -> None: ...


def measure_turns(
    reactor: TurningReactor,
    turned: Callable[[float], None],
    cpu: Callable[[], float] = time.thread_time,
) -> None:
    """
    Have ``turned(seconds)`` called with the CPU of every turn from now on.

    A turn is everything from one look at the delayed calls to the next: they, what
    the poll brings, and its system call. Waiting costs no CPU, so it does not count.
    Call it in the reactor's own thread.
    """
    run = reactor.runUntilCurrent
    began = cpu()

    def measured() -> None:
        nonlocal began
        now = cpu()
        turned(now - began)
        began = now
        run()

    reactor.runUntilCurrent = measured  # type: ignore[method-assign]  # there is no other way in
