"""One place among the workers, which is filled by one process after the other."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessExitedAlready, ProcessTerminated
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from mailkit.app.tie import BEAT, Tie, Word, adopt, hear, say
from mailkit.errors import Unavailable
from mailkit.net.bound import Bound

START = 180.0
"""Seconds that a worker may take until it serves, the first time. It needs a few of a
processor's, and gets a thirtieth of one where much else runs; whoever ends is noticed
at once."""


SILENCE = 20.0
"""Seconds without a word after which one that served is taken to hang."""


class Owner(Protocol):
    """Who the places belong to."""

    @property
    def bound(self) -> Sequence[Bound]:
        """Every open port."""

    @property
    def begin(self) -> Word:
        """What every worker begins with, but for its number and its ports."""

    @property
    def shared(self) -> Sequence[int]:
        """Descriptors that every worker gets, besides the ports."""

    def pass_on(self, lines: str) -> None:
        """A worker wrote lines of log."""

    def heard(self, worker: Workplace, word: Word) -> None:
        """A worker said something."""

    def ended(self, worker: Workplace, how: str) -> None:
        """A worker is gone."""


@define(eq=False)
class Workplace:
    """A process, the next one once it has ended, and what passes with it."""

    _owner: Owner
    _reactor: Any  # Twisted's, which has no type of its own
    number: int
    """From 1."""
    began: float = field(init=False, default=0.0)
    ends: int = field(init=False, default=0)
    """How many processes ended here in short time."""
    is_ready: bool = field(init=False, default=False)
    _silent: int = field(init=False, default=0)
    """Beats since it said anything. By the clock it would be silent, too, while the
    computer sleeps."""
    reason: str = field(init=False, default="")
    """Why it says that it cannot serve."""
    again: IDelayedCall | None = field(init=False, default=None)
    pid: int | None = field(init=False, default=None)
    _process: Any = field(init=False, default=None)  # Twisted's, with its pipes
    _connection: socket.socket | None = field(init=False, default=None)
    _tie: Tie | None = field(init=False, default=None)
    _gone: list[Deferred[None]] = field(init=False, factory=list)

    def start(self) -> None:
        """Start a process and tell it what to serve."""
        self.began, self.is_ready, self.reason = self._reactor.seconds(), False, ""
        self._silent = 0
        sockets = [
            (bound.service, bound.description, bound.socket_of(self.number))
            for bound in self._owner.bound
        ]
        ours, theirs = socket.socketpair()
        descriptors = [theirs.fileno(), *self._owner.shared]
        descriptors += [one.fileno() for _, _, one in sockets]
        with theirs, open(os.devnull, "rb") as nothing:
            self._process = self._reactor.spawnProcess(
                _Child(self._owner.pass_on, self._ended),
                sys.executable,
                # The same way to our modules as in this process.
                [sys.executable, "-P", "-m", "mailkit.app.work", str(descriptors[0])],
                env={
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                },
                childFDs={
                    0: nothing.fileno(),
                    1: "r",
                    2: "r",
                    **{one: one for one in descriptors},
                },
            )
        self.pid = self._process.pid
        self._connection = ours
        ports = [
            (service, description, one.fileno(), int(one.family))
            for service, description, one in sockets
        ]
        try:
            say(ours, {"number": self.number, "ports": ports, **self._owner.begin})
        except ConnectionError:
            return  # it has ended already, which is told in a moment

    def wait(self) -> None:
        """
        Until it serves.

        :raises Unavailable: with the reason why it does not.
        """
        assert self._connection is not None
        self._connection.settimeout(START)
        try:
            word = hear(self._connection)
        except TimeoutError as error:
            raise Unavailable(f"worker {self.number} does not get ready") from error
        if word is None:
            for pipe in self._process.pipes.values():
                pipe.doRead()  # what it wrote says more; no reactor reads it for us
            word = {"failed": f"worker {self.number} ended before it served"}
        self._owner.heard(self, word)
        if not self.is_ready:
            raise Unavailable(self.reason)

    def adopt(self) -> None:
        """The reactor runs: hear what it says from now on."""
        assert self._connection is not None
        connection, self._connection = self._connection, None
        self._tie = Tie(self._heard, _nothing)
        adopt(self._tie, connection, self._reactor)

    def say(self, word: Word) -> None:
        """Tell it something, if it is there."""
        if self._tie is not None:
            self._tie.say(word)

    def signal(self, number: signal.Signals) -> bool:
        """Send it a signal; whether it was there."""
        if self._process is None:
            return False
        try:
            self._process.signalProcess(number)
        except ProcessExitedAlready:
            return False
        return True

    def beat(self) -> None:
        """One beat passed: a process that hangs is killed, so that it ends."""
        if self._process is None:
            return
        self._silent += 1
        patience = SILENCE if self.is_ready else START
        if self._silent * BEAT >= patience and self.signal(signal.SIGKILL):
            self.reason = f"killed, as it had said nothing for {patience:.0f} s"

    def stop(self) -> None:
        """Have it end in good order, and nobody take its place."""
        if self.again is not None:
            self.again.cancel()
            self.again = None
        self.signal(signal.SIGTERM)

    def gone(self) -> Deferred[None]:
        """Fires when there is no process any more."""
        done: Deferred[None] = Deferred()
        if self._process is None:
            done.callback(None)
        else:
            self._gone.append(done)
        return done

    def _heard(self, word: Word) -> None:
        self._silent = 0
        self._owner.heard(self, word)

    def _ended(self, how: str) -> None:
        self._process, self._tie, self.is_ready = None, None, False
        self._owner.ended(self, self.reason or how)
        waiting, self._gone = self._gone, []
        for done in waiting:
            done.callback(None)


class _Child(ProcessProtocol):
    """What a worker's process writes, and its end."""

    def __init__(
        self, pass_on: Callable[[str], None], ended: Callable[[str], None]
    ) -> None:
        self._pass_on = pass_on
        self._ended = ended
        self._begun = {1: b"", 2: b""}
        """Lines whose end has not come."""

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        lines, newline, begun = (self._begun[childFD] + data).rpartition(b"\n")
        self._begun[childFD] = begun
        if newline:
            self._pass_on((lines + newline).decode("utf-8", "replace"))

    def processEnded(self, reason: Failure) -> None:
        for begun in self._begun.values():
            if begun:
                self._pass_on(begun.decode("utf-8", "replace") + "\n")
        self._ended(how_it_ended(reason.value))


def how_it_ended(reason: BaseException | None) -> str:
    """``SIGKILL``, or ``status 1``."""
    if isinstance(reason, ProcessTerminated) and reason.signal is not None:
        return signal.Signals(reason.signal).name
    return f"status {getattr(reason, 'exitCode', 0)}"


def _nothing() -> None:
    """The end of the process is what counts, and is told by itself."""
