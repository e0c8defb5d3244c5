"""Who has a database open: not too many, and nobody for nothing."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from attrs import define, field


class Closable(Protocol):
    """Something that opens itself when it is used."""

    mutex: threading.RLock

    def close(self) -> None:
        """Let go of files; the next use opens them again."""


@define(eq=False)
class Pool:
    """
    Keeps count of what is open; the least recently used goes first.

    What is in use is never closed. Each thing is used by one thread at a time by the
    rule of the lanes; its mutex only holds off the closing, and nobody waits for it
    longer than that takes.
    """

    most: int
    _open: OrderedDict[Closable, float] = field(init=False, factory=OrderedDict)
    _mutex: threading.Lock = field(init=False, factory=threading.Lock)

    @contextmanager
    def using(self, one: Closable, now: float) -> Iterator[None]:
        """Note that it is used, and keep it open meanwhile."""
        with one.mutex:
            with self._mutex:
                self._open[one] = now
                self._open.move_to_end(one)
                crowd = len(self._open) > self.most
            if crowd:
                self._close(self._oldest())
            yield

    def idle_since(self, moment: float) -> list[Closable]:
        """What was not used after a moment."""
        with self._mutex:
            return [one for one, used in self._open.items() if used <= moment]

    def close_idle(self, moment: float) -> None:
        """Close what was not used after a moment."""
        self._close(self.idle_since(moment))

    def forget(self, one: Closable) -> None:
        """It has closed itself."""
        with self._mutex:
            self._open.pop(one, None)

    def __len__(self) -> int:
        return len(self._open)

    def _oldest(self) -> list[Closable]:
        with self._mutex:
            return list(self._open)[: len(self._open) - self.most]

    def _close(self, closing: list[Closable]) -> None:
        for one in closing:
            # Somebody uses it, so it is not idle after all.
            if one.mutex.acquire(blocking=False):
                try:
                    one.close()
                    self.forget(one)
                finally:
                    one.mutex.release()
