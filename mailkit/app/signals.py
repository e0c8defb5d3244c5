"""The two things that a process is told from outside: end, and read again."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType

from twisted.internet.interfaces import IReactorFromThreads


def hear_signals(
    reactor: IReactorFromThreads, end: Callable[[], None], reload: Callable[[], None]
) -> None:
    """Have SIGTERM and SIGINT call ``end``, SIGHUP ``reload``, in a reactor turn."""

    def heard_end(number: int, frame: FrameType | None) -> None:
        reactor.callFromThread(end)

    def heard_reload(number: int, frame: FrameType | None) -> None:
        reactor.callFromThread(reload)

    signal.signal(signal.SIGTERM, heard_end)
    signal.signal(signal.SIGINT, heard_end)
    signal.signal(signal.SIGHUP, heard_reload)
