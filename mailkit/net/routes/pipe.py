"""
Messages handed to a program of this machine, one run for each recipient.

The program is started without a shell, with little in its environment: ``PATH``,
``LANG``, ``SENDER``, ``RECIPIENT``, ``LOCAL_PART``, ``DOMAIN``, ``DETAIL`` (what is
behind ``+``), ``ORIGINAL_RECIPIENT``, ``MESSAGE_ID``, ``QUEUE_ID``, ``SIZE``. What it
prints stands in ``mailkit queue show``. How it ends says what becomes of the message,
in the words of ``sysexits.h``; a program that was killed, or ends as no list says, has
a fault that somebody will mend, and mail waits.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ProcessDone, ProcessExitedAlready, ProcessTerminated
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from mailkit.interfaces.queue import Carried, IRouteEnd
from mailkit.interfaces.storage import IContent
from mailkit.model.path import Path
from mailkit.model.queueitem import Fate, QueuedRecipient, QueueItem, Report
from mailkit.model.target import ToPipe
from mailkit.net.routes.body import Body, Feed, FeedStoppedError

EX_TEMPFAIL = 75

FOR_GOOD = {
    65: "5.6.0",  # EX_DATAERR: the message is not one that it takes
    67: "5.1.1",  # EX_NOUSER
    68: "5.1.2",  # EX_NOHOST
    69: "5.3.0",  # EX_UNAVAILABLE, by which sendmail's programs mean never
    76: "5.5.0",  # EX_PROTOCOL
    77: "5.7.1",  # EX_NOPERM
}
"""Ends of a program that mean never; all others but 0 mean later."""

WORDS = 400
"""Octets of what a program prints that are kept."""

TO_END = 5.0
"""Seconds between asking a program to end and ending it, and until its pipes are closed
that a child of its own holds open."""

BROKEN_OFF = "broken off: the server stops"

Environment = dict[str, str]

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@implementer(IRouteEnd)
@define(eq=False)
class IntoPipe:
    """
    One program.

    :param reactor: `IReactorProcess` and `IReactorTime`; one type cannot say both.
    """

    log = Logger()

    _target: ToPipe
    _reactor: Any
    is_final: bool = True
    _running: set[_Run] = field(factory=set, init=False)

    async def carry(self, item: QueueItem, content: IContent) -> Carried:
        reports: list[Report] = []
        is_doubtful = False
        for each in item.waiting:
            run = _Run(self._reactor, self._target.timeout)
            self._running.add(run)
            try:
                report = await self._run(run, item, each, content)
            except CancelledError:
                if not reports:
                    raise
                # Some have it: they are not to get it again for the others' sake.
                left = item.waiting[len(reports) :]
                reports += [
                    Report(one.path, Fate.WAITING, "4.3.0", BROKEN_OFF) for one in left
                ]
                is_doubtful = True
                break
            finally:
                self._running.discard(run)
            reports.append(report)
            is_doubtful |= run.is_late
        return Carried(reports=tuple(reports), is_doubtful=is_doubtful)

    async def close(self) -> None:
        """What runs is ended by its time."""

    async def _run(
        self, run: _Run, item: QueueItem, each: QueuedRecipient, content: IContent
    ) -> Report:
        target = self._target
        words = [word.encode() for word in target.program]
        if not os.access(words[0], os.X_OK):
            self.log.error(
                "{queue_id}: {program} is no program that we may run",
                queue_id=item.id,
                program=target.program[0],
            )
            said = "the program of the route cannot be run"
            return Report(each.path, Fate.WAITING, "4.3.5", said)
        run.begin(self._reactor, words, environment(item, each))
        try:
            await run.feed(Body(content=content), target.has_crlf)
            return judge(each.path, await run.done, run)
        except BaseException:
            run.end()
            raise


def environment(item: QueueItem, each: QueuedRecipient) -> Environment:
    """All that a program finds in its environment."""
    path = each.path
    detail = path.local_part.partition("+")[2]
    original = (each.recipient.parameters.orcpt or "").partition(";")[2]
    found = {
        "PATH": _PATH,
        "LANG": "C.UTF-8",
        "SENDER": str(item.envelope.reverse_path),
        "RECIPIENT": str(path),
        "LOCAL_PART": path.local_part,
        "DOMAIN": path.domain,
        "DETAIL": detail,
        "ORIGINAL_RECIPIENT": original or str(path),
        "MESSAGE_ID": item.message_id,
        "QUEUE_ID": item.id,
        "SIZE": str(item.size),
    }
    return {name: value.replace("\0", "") for name, value in found.items()}


def judge(path: Path, ended: ProcessDone | ProcessTerminated, run: _Run) -> Report:
    """What the end of a program means for its message."""
    said = f": {run.words}" if run.words else ""
    if run.is_late:
        return Report(path, Fate.WAITING, "4.3.0", f"took too long, was ended{said}")
    if ended.signal is not None:
        name = signal.Signals(ended.signal).name
        return Report(path, Fate.WAITING, "4.3.0", f"was ended by {name}{said}")
    code = ended.exitCode or 0
    if code == 0:
        return Report(path, Fate.RELAYED, "2.1.5", f"taken by the program{said}")
    status = FOR_GOOD.get(code)
    fate = Fate.WAITING if status is None else Fate.FAILED
    return Report(path, fate, status or "4.3.0", f"ended with {code}{said}")


class _Run(ProcessProtocol):
    """One run of a program."""

    def __init__(self, clock: Any, timeout: float) -> None:
        """:param clock: IReactorTime."""
        self._timeout = timeout
        self.done: Deferred[ProcessDone | ProcessTerminated] = Deferred()
        self.is_late = False
        self._clock = clock
        self._said = b""
        self._feed: Feed | None = None
        self._ended: ProcessDone | ProcessTerminated | None = None
        self._timers: list[Any] = []  # IDelayedCall

    def begin(self, reactor: Any, words: list[bytes], environment: Environment) -> None:
        """Start the program."""
        reactor.spawnProcess(self, words[0], words, environment, path="/")
        self._timers.append(self._clock.callLater(self._timeout, self._late))

    @property
    def words(self) -> str:
        """The first of what it printed, on one line."""
        text = self._said.decode("utf-8", "replace")
        plain = "".join(char if char.isprintable() else " " for char in text)
        return " ".join(plain.split())

    async def feed(self, body: Body, has_crlf: bool) -> None:
        """Write the message, as fast as the program reads, or as far as it does."""
        self._feed = Feed(body, lambda: None)
        transport: Any = self.transport
        transport.registerProducer(self._feed, True)
        try:
            if has_crlf:
                await self._feed.run(transport.write)
            else:
                ends = LineEnds(transport.write)
                await self._feed.run(ends.write)
                ends.finish()
        except FeedStoppedError:
            return  # it has read enough
        transport.unregisterProducer()
        transport.closeStdin()

    def end(self) -> None:
        """Ask it to end, and end it if it does not."""
        self._signal("TERM")
        self._timers.append(self._clock.callLater(TO_END, self._signal, "KILL"))

    # -- what Twisted calls

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        self._said += data[: WORDS - len(self._said)]

    def childConnectionLost(self, childFD: int) -> None:
        if childFD == 0 and self._feed is not None:
            self._feed.stopProducing()

    def processExited(self, reason: Failure) -> None:
        value = reason.value
        assert isinstance(value, ProcessDone | ProcessTerminated)
        self._ended = value
        self._cancel_timers()
        # A child of its own may hold the pipes open for as long as it likes.
        self._timers.append(self._clock.callLater(TO_END, self._close))

    def processEnded(self, reason: Failure) -> None:
        self._finish()

    # -- within

    def _late(self) -> None:
        self.is_late = True
        self.end()

    def _signal(self, name: str) -> None:
        transport: Any = self.transport
        try:
            transport.signalProcess(name)
        except ProcessExitedAlready:
            self._close()

    def _close(self) -> None:
        transport: Any = self.transport
        transport.loseConnection()
        self._finish()

    def _finish(self) -> None:
        self._cancel_timers()
        if self._feed is not None:
            self._feed.stopProducing()
        if not self.done.called and self._ended is not None:
            self.done.callback(self._ended)

    def _cancel_timers(self) -> None:
        for timer in self._timers:
            if timer.active():
                timer.cancel()


@define(eq=False)
class LineEnds:
    """Turns CRLF into LF, piece by piece; what else there is stays as it is."""

    _write: Callable[[bytes], object]
    _left: bytes = field(default=b"", init=False)

    def write(self, octets: bytes) -> None:
        """One more piece."""
        octets = self._left + octets
        self._left = b"\r" if octets.endswith(b"\r") else b""
        whole = octets[: len(octets) - len(self._left)].replace(b"\r\n", b"\n")
        if whole:
            self._write(whole)

    def finish(self) -> None:
        """No more comes."""
        if self._left:
            self._write(self._left)
            self._left = b""
