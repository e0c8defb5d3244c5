"""Turns of the reactor: how long one may be, and what each costs its own thread."""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from typing import Protocol

MOST_EVENTS = 16
"""
Sockets that are heard in one turn.

A turn heard all that had something to say: 400 clients that left at once were 33 ms
in which nobody else was answered. The poll goes round, so nobody waits for long.
"""


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


class Poller(Protocol):
    """What epoll has."""

    def poll(self, timeout: float, maxevents: int) -> list[tuple[int, int]]: ...


class ShortPoll:
    """A poll that tells of a few sockets at a time, and is the same otherwise."""

    def __init__(self, poller: Poller, most: int) -> None:
        self._poll = poller.poll
        self._most = most
        for name in ("register", "modify", "unregister", "close", "fileno"):
            setattr(self, name, getattr(poller, name))

    def poll(self, timeout: float, maxevents: int) -> list[tuple[int, int]]:
        """What is ready, as epoll tells it; the rest comes first the next time."""
        return self._poll(timeout, min(maxevents, self._most))


def shorten_turns(reactor: object, most: int = MOST_EVENTS) -> None:
    """Have each turn hear ``most`` sockets, where the reactor is Twisted's epoll."""
    poller = getattr(reactor, "_poller", None)  # there is no other way in
    if isinstance(poller, select.epoll):
        setattr(reactor, "_poller", ShortPoll(poller, most))  # noqa: B010 - as above
