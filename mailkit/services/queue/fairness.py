"""
How many messages may be on their way at a time: to one domain, to one host, to all.

A domain begins with two. Each message that its hosts answer makes room for one more,
until they ask for less (421, 451, silence): then it is half as many, and grows slowly
from there, as TCP does (RFC 5681 §3.1). So nobody has to know how much a peer takes.

Nobody takes all: a domain may have as many as are left free for the others, and one
that has none at work always gets its first. A message that hangs for half a minute
does not count among all any more, but among the slow, of which there may be many: they
cost a socket and no more.
"""

from __future__ import annotations

from attrs import define, field
from twisted.internet.interfaces import IReactorTime

from mailkit.interfaces.queue import NextHost
from mailkit.model.queueitem import NextHop
from mailkit.model.tlspolicy import TLSPolicy
from mailkit.services.queue.remembered import Remembered
from mailkit.services.queue.settings import QueueSettings

FIRST = 2.0
"""Messages at a time that a domain or a host begins with."""

SLOW_AFTER = 30.0
"""Seconds after which a message that is on its way counts as slow."""

MOST_SLOW = 1000
"""Slow messages of all domains; while there are that many, none is begun."""

LONGEST_ALONE = 10.0
"""Times `QueueSettings.leave_alone` that a dead host is left alone at most."""

_REMEMBERED = 10_000  # domains, and hosts


@define(eq=False)
class Window:
    """How many may be on their way to one domain or host."""

    most: int
    size: float = FIRST
    running: int = 0
    _careful_from: float = field(init=False, default=float("inf"))
    """From that size on it grows by one a round, not by one a message."""
    _shrunk: float = field(init=False, default=float("-inf"))

    def __attrs_post_init__(self) -> None:
        self.size = min(self.size, self.most)

    @property
    def has_room(self) -> bool:
        return self.running < int(self.size)

    def grow(self) -> None:
        """A message was answered."""
        more = 1.0 if self.size < self._careful_from else 1.0 / self.size
        self.size = min(self.size + more, self.most)

    def shrink(self, began: float, now: float) -> None:
        """
        A message was answered by asking for less, or not at all.

        :param began: when that message began: those that were on their way together
            are one reason, not many.
        """
        if began <= self._shrunk:
            return
        self._shrunk = now
        self.size = self._careful_from = max(self.size / 2, 1.0)

    @property
    def is_least(self) -> bool:
        return self.size < 2.0


@define(eq=False)
class Host:
    """What is remembered of one address."""

    window: Window
    misses: int = 0
    """How often in a row nobody could reach it."""
    missed: float = float("-inf")
    """When that was last."""
    alone_until: float = float("-inf")
    words: str = ""
    """What it said, or what we say of it."""
    status: str = "4.4.1"
    waiting: dict[NextHop, None] = field(factory=dict)
    """Domains that have mail for it when there is room, in order."""

    def is_alone(self, now: float) -> bool:
        """Whether it is not to be asked; a clock that was set back ends that."""
        return self.missed <= now < self.alone_until


@define(eq=False)
class Carry:
    """One message on its way."""

    hop: NextHop
    began: float
    window: Window
    host: Host | None = None
    is_slow: bool = False


@define(eq=False)
class Concurrency:
    """Says who may begin, and learns from how it ended; in one process."""

    _clock: IReactorTime
    _settings: QueueSettings = field(factory=QueueSettings)
    _windows: Remembered[NextHop, Window] = field(init=False)
    _hosts: Remembered[tuple[str, int], Host] = field(init=False)
    _unmet: Remembered[tuple[str, int, TLSPolicy], Host] = field(init=False)
    """Hosts that did not show what some domains demand; their windows are not used."""
    _fast: dict[Carry, None] = field(init=False, factory=dict)
    """Those that count, oldest first."""
    _slow: int = field(init=False, default=0)
    _freed: dict[Host, None] = field(init=False, factory=dict)

    def __attrs_post_init__(self) -> None:
        self._windows = Remembered(_REMEMBERED)
        self._hosts = Remembered(_REMEMBERED)
        self._unmet = Remembered(_REMEMBERED)

    @property
    def running(self) -> int:
        """All that are on their way."""
        return len(self._fast) + self._slow

    @property
    def is_full(self) -> bool:
        """Whether nobody may begin."""
        self._look_for_slow()
        full = len(self._fast) >= self._settings.connections
        return full or self._slow >= MOST_SLOW

    @property
    def is_crowded(self) -> bool:
        """
        Whether so many hang that notices had better wait.

        Strangers can have us write notices to hosts of theirs, as many as they like.
        """
        self._look_for_slow()
        return self._slow >= MOST_SLOW // 2

    @property
    def slow_at(self) -> float | None:
        """When the next one will count as slow, which makes room."""
        for carry in self._fast:
            return carry.began + SLOW_AFTER
        return None

    def window(self, hop: NextHop) -> Window:
        """That of a domain."""
        window = self._windows.get(hop)
        if window is None:
            window = Window(self._settings.per_domain)
            self._windows.put(hop, window)
        return window

    def host(self, host: NextHost) -> Host:
        """What is known of an address."""
        key = host.address, host.port
        known = self._hosts.get(key)
        if known is None:
            known = Host(Window(self._settings.per_host))
            self._hosts.put(key, known)
        return known

    def alone(self, host: NextHost) -> Host | None:
        """What is remembered of an address that is not to be asked now."""
        if host.policy.is_barred:
            return None  # which says so without asking
        now = self._clock.seconds()
        unmet = self._unmet.get(_demand(host))
        for known in (self.host(host), unmet):
            if known is not None and known.is_alone(now):
                return known
        return None

    def may_begin(self, hop: NextHop) -> bool:
        """Whether one more message for a domain may be on its way."""
        window = self.window(hop)
        if self.is_full or not window.has_room:
            return False
        free = self._settings.connections - len(self._fast)
        return window.running == 0 or window.running < free

    def begin(self, hop: NextHop) -> Carry:
        """One more is on its way; `end` has to follow."""
        window = self.window(hop)
        window.running += 1
        carry = Carry(hop, self._clock.seconds(), window)
        self._fast[carry] = None
        return carry

    def move(self, carry: Carry, host: Host | None) -> None:
        """It tries that host now, and no longer the one before."""
        if carry.host is not None:
            carry.host.window.running -= 1
            if carry.host.waiting:
                self._freed[carry.host] = None
        carry.host = host
        if host is not None:
            host.window.running += 1

    def end(self, carry: Carry) -> None:
        """It is over."""
        self.move(carry, None)
        carry.window.running -= 1
        if carry.is_slow:
            self._slow -= 1
        else:
            del self._fast[carry]

    def next_waiting(self) -> NextHop | None:
        """
        Who waited longest for a host that has room now, or is to be left alone.

        ``None``: nobody. To be asked until then, as each may take the room or not.
        """
        now = self._clock.seconds()
        for host in list(self._freed):
            is_open = host.window.has_room or host.is_alone(now)
            if host.waiting and is_open:
                hop = next(iter(host.waiting))
                del host.waiting[hop]
                return hop
            del self._freed[host]
        return None

    def answered(self, carry: Carry) -> None:
        """A host took its time for a message and can do more."""
        carry.window.grow()
        if carry.host is not None:
            carry.host.window.grow()
            carry.host.misses = 0
            carry.host.alone_until = float("-inf")

    def busy(self, carry: Carry, words: str, status: str = "4.4.1") -> None:
        """A host asked for less; one that is asked for one at a time is left alone."""
        now = self._clock.seconds()
        if carry.host is not None:
            if carry.host.window.is_least and carry.began > carry.host.missed:
                self._leave_alone(carry.host, now, words, status)
            carry.host.window.shrink(carry.began, now)
        carry.window.shrink(carry.began, now)

    def missed(self, carry: Carry, words: str, status: str = "4.4.1") -> None:
        """Nobody could reach a host."""
        now = self._clock.seconds()
        if carry.host is not None:
            carry.host.window.shrink(carry.began, now)
            if carry.began > carry.host.missed:
                self._leave_alone(carry.host, now, words, status)

    def unmet(self, host: NextHost, words: str, status: str) -> None:
        """
        A host did not show what a domain demands of it.

        Others may be content with it: who publishes a demand keeps nobody else's mail.
        """
        known = self._unmet.get(_demand(host))
        if known is None:
            known = Host(Window(self._settings.per_host))
            self._unmet.put(_demand(host), known)
        now = self._clock.seconds()
        if not known.is_alone(now):
            self._leave_alone(known, now, words, status)

    def met(self, host: NextHost) -> None:
        """It did show it."""
        self._unmet.pop(_demand(host))

    def failed(self, carry: Carry) -> None:
        """Nobody could reach any host of a domain."""
        carry.window.shrink(carry.began, self._clock.seconds())

    def _leave_alone(self, host: Host, now: float, words: str, status: str) -> None:
        """Longer each time; those that were on their way together are one time."""
        host.misses += 1
        host.missed = now
        host.words, host.status = words, status
        times = min(2.0 ** (host.misses - 1), LONGEST_ALONE)
        host.alone_until = now + times * self._settings.leave_alone

    def _look_for_slow(self) -> None:
        before = self._clock.seconds() - SLOW_AFTER
        slow: list[Carry] = []
        for carry in self._fast:
            if carry.began > before:
                break
            slow.append(carry)
        for carry in slow:
            carry.is_slow = True
            self._slow += 1
            del self._fast[carry]


def _demand(host: NextHost) -> tuple[str, int, TLSPolicy]:
    return host.address, host.port, host.policy
