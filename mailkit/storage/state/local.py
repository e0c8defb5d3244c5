"""A notice board for one process."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Lock

from attrs import define, field
from twisted.internet.interfaces import IReactorFromThreads
from zope.interface import implementer

from mailkit.interfaces.notices import INoticeBoard
from mailkit.interfaces.storage import IWatch


@implementer(INoticeBoard)
@define(eq=False)
class LocalBoard:
    """
    Carries notices from any thread to the reactor's, which is woken once for many.

    The same notice is heard once, however often it was published before the reactor
    came to it. Whoever raises while hearing is logged by the reactor, and keeps
    nobody else from hearing.
    """

    _reactor: IReactorFromThreads
    _hearers: dict[str, list[_Hearer]] = field(init=False, factory=dict)
    _mutex: Lock = field(init=False, factory=Lock)
    _published: dict[tuple[str, str], None] = field(init=False, factory=dict)
    _is_woken: bool = field(init=False, default=False)
    # Only the reactor's thread touches this one.
    _calls: deque[tuple[_Hearer, str]] = field(init=False, factory=deque)

    @property
    def is_heard(self) -> bool:
        """Whether anybody hears anything."""
        return bool(self._hearers)

    def publish(self, topic: str, text: str = "") -> None:
        if topic not in self._hearers:
            return
        with self._mutex:
            self._published[topic, text] = None
            wakes, self._is_woken = not self._is_woken, True
        if wakes:
            self._reactor.callFromThread(self._drain)

    def hear(self, topic: str, hear: Callable[[str], None]) -> IWatch:
        hearer = _Hearer(self._hearers, topic, hear)
        self._hearers.setdefault(topic, []).append(hearer)
        return hearer

    def _drain(self) -> None:
        with self._mutex:
            published, self._published = self._published, {}
            self._is_woken = False
        for topic, text in published:
            for hearer in self._hearers.get(topic, ()):
                self._calls.append((hearer, text))
        try:
            while self._calls:
                hearer, text = self._calls.popleft()
                if not hearer.is_stopped:
                    hearer.hear(text)
        finally:
            if self._calls:
                self._reactor.callFromThread(self._drain)


@implementer(IWatch)
@define(eq=False)
class _Hearer:
    """Somebody who hears one topic."""

    _hearers: dict[str, list[_Hearer]]
    _topic: str
    hear: Callable[[str], None]
    is_stopped: bool = field(init=False, default=False)

    def stop(self) -> None:
        if self.is_stopped:
            return
        self.is_stopped = True
        others = self._hearers[self._topic]
        others.remove(self)
        if not others:
            del self._hearers[self._topic]
