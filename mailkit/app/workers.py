"""
``workers = N``: the parent binds, starts the workers, and sees that they live.

It opens no mailbox and reads nothing that a stranger sends; so it may stay root where
the workers become ``[process] user``, and can start another one at any time.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from attrs import frozen
from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, DeferredList
from twisted.logger import ILogObserver, Logger
from twisted.python.components import Componentized

from mailkit.app.check import served_endpoints, warn_of_missing
from mailkit.app.find import load, read_loaded
from mailkit.app.logging import LogSwitch
from mailkit.app.privileges import Identity, make_folder
from mailkit.app.question import Question
from mailkit.app.server import DNS, METRICS, key_pairs
from mailkit.app.settings import Settings
from mailkit.app.signals import hear_signals
from mailkit.app.tie import BEAT, Word
from mailkit.app.workplace import Workplace
from mailkit.config.reader import Config
from mailkit.errors import MailkitError
from mailkit.net.bound import Bound, beside, bind
from mailkit.net.tls import ServerTLS
from mailkit.storage.state.counts import SharedCounts, make_memory

LIVED = 60.0
"""Seconds after which the end of a worker is not counted with those before it."""
SOON = 0.25
"""Seconds until another worker takes the place of one that ended; then doubled."""
LATEST = 30.0
"""Seconds that it takes at most."""
REST = 1.0
"""Seconds of being without a worker that a port's queue is kept waiting for."""
PATIENCE = 9.7
"""Seconds that workers may take to end; they take nine for what is in hand."""


@frozen
class Place:
    """Where a config is read from."""

    path: Path | None
    """``None``: try-it mode."""
    folder: Path
    """The working directory at the start."""

    def load(self) -> str:
        """What is written there now. :raises Misconfigured:"""
        return load(self.path)

    def read(self, text: str) -> Config[Settings]:
        """What that means. :raises Misconfigured:"""
        return read_loaded(text, self.path, os.environ, self.folder)


class Workers(MultiService):
    """
    The parent of all that serves, as Twisted's application sees it.

    :param text: the config as it was read from ``place``.
    :param identity: who the workers are to be.
    :param give_up: ends the process for a reason that is one line.
    :param reactor: Twisted's, which has no type of its own.
    """

    log = Logger()

    def __init__(
        self,
        count: int,
        place: Place,
        text: str,
        identity: Identity | None,
        switch: LogSwitch,
        give_up: Callable[[Exception], NoReturn],
        reactor: Any,
    ) -> None:
        super().__init__()
        self.config = place.read(text)
        self._place = place
        # Whoever starts later begins as the first did, and is told what came since.
        self._first = self._latest = text
        self._identity = identity
        self._switch = switch
        self._give_up = give_up
        self._reactor = reactor
        self._ready: list[Callable[[], None]] = []
        self._is_bound = False
        self._is_ending = False
        make_folder(self.config.settings.data, identity)
        ServerTLS(tuple(key_pairs(self.config.settings, identity)))
        warn_of_missing(self.config)
        self._bound: list[Bound] = []
        self._memory = make_memory(count)
        self._counts = SharedCounts(self._memory, count, 1)
        self.workers = [
            Workplace(self, reactor, number) for number in range(1, count + 1)
        ]
        self._questions: dict[int, Question] = {}
        self._asked = 0

    # -- Twisted's side

    def setServiceParent(self, parent: Any) -> None:
        """Twisted hands the application, which asks for a log observer here."""
        if isinstance(parent, Componentized):
            parent.setComponent(ILogObserver, self._switch)
        super().setServiceParent(parent)

    def privilegedStartService(self) -> None:
        """Bind, start the workers, and wait until all of them serve."""
        self._is_bound = True
        hear_signals(self._reactor, self.end, self.reload)
        try:
            super().privilegedStartService()
            self._bind()
            for worker in self.workers:
                worker.start()
            for worker in self.workers:
                worker.wait()
        except MailkitError as error:
            self._is_ending = True
            for worker in self.workers:
                worker.signal(signal.SIGKILL)
            for bound in self._bound:
                bound.close()
            self._give_up(error)

    def startService(self) -> None:
        if not self._is_bound:  # `python -m twisted` knows no privileged start
            self.privilegedStartService()
        super().startService()
        self._reactor.callWhenRunning(self._running)

    def stopService(self) -> Deferred[None]:
        self._is_ending = True
        return Deferred.fromCoroutine(self._stop())

    def when_ready(self, call: Callable[[], None]) -> None:
        """Have ``call`` called once, when everything is there."""
        self._ready.append(call)

    # -- what signals do

    def end(self) -> None:
        """Stop the reactor, which stops this service first; once is enough."""
        if not self._is_ending:
            self._is_ending = True
            self._reactor.stop()

    def reload(self) -> None:
        """
        Have all workers read settings and certificates again, if they are good.

        They get the text as this process read it, so that all serve by the same.
        """
        try:
            text = self._place.load()
            config = self._place.read(text)
            ServerTLS(tuple(key_pairs(config.settings, self._identity)))
        except MailkitError as error:
            self.log.error("nothing is reloaded: {reason}", reason=str(error))
            return
        self._latest = text
        self._switch.turn(config.settings.log)
        for worker in self.workers:
            worker.say({"reload": text})

    # -- what the workers ask of each other

    def heard(self, worker: Workplace, word: Word) -> None:
        """A worker said something."""
        match word:
            case {"ready": True}:
                worker.is_ready = True
                if self._latest != self._first:
                    worker.say({"reload": self._latest})
            case {"failed": str(reason)}:
                worker.reason = reason
            case {"ask": int(number)}:
                self._ask_others(worker, number)
            case {"told": int(asked), "text": str(text)}:
                question = self._questions.get(asked)
                if question is not None:
                    question.told(worker, text)

    def ended(self, worker: Workplace, how: str) -> None:
        """A worker is gone; another takes its place, later each time."""
        self._counts.forget(worker.number)
        for question in list(self._questions.values()):
            question.told(worker, None)
        if self._is_ending:
            return
        now = self._reactor.seconds()
        worker.ends = 1 if now - worker.began > LIVED else worker.ends + 1
        wait = min(SOON * 2.0 ** min(worker.ends - 1, 30), LATEST)
        if wait > REST:
            for bound in self._bound:
                bound.rest(worker.number)
        self.log.error(
            "worker {worker} (process {pid}) ended: {how}; "
            "another takes its place in {wait} s",
            worker=worker.number,
            pid=worker.pid,
            how=how,
            wait=wait,
        )
        worker.again = self._reactor.callLater(wait, self._start_again, worker)

    # -- within

    @property
    def begin(self) -> Word:
        """What every worker begins with, but for its number and its ports."""
        path = self._place.path
        return {
            "workers": len(self.workers),
            "counts": self._memory,
            "text": self._first,
            "path": None if path is None else str(path),
            "folder": str(self._place.folder),
            "user": None if self._identity is None else self._identity.name,
        }

    @property
    def bound(self) -> list[Bound]:
        """Every open port, in the order of the config."""
        return self._bound

    @property
    def shared(self) -> list[int]:
        """Descriptors that every worker gets, besides the ports."""
        return [self._memory]

    def pass_on(self, lines: str) -> None:
        """A worker wrote lines of log."""
        self._switch.pass_on(lines)

    def _bind(self) -> None:
        for service, description, _ in served_endpoints(self.config):
            bound = bind(
                service,
                description,
                len(self.workers),
                service != METRICS,
                self._reactor,
            )
            self._bound.append(bound)
            if service == DNS:
                self._bound.append(beside(bound))

    def _running(self) -> None:
        """The reactor runs: its own handlers are in place, and ours go over them."""
        hear_signals(self._reactor, self.end, self.reload)
        for bound in self._bound:
            self.log.info(
                "{service} listens on {where}",
                service=bound.service,
                where=bound.description,
            )
        for worker in self.workers:
            worker.adopt()
        self._reactor.callLater(BEAT, self._beat)
        for call in self._ready:
            call()

    def _beat(self) -> None:
        """See that nobody hangs, and again at the next beat."""
        if self._is_ending:
            return
        for worker in self.workers:
            worker.beat()
        self._reactor.callLater(BEAT, self._beat)

    def _start_again(self, worker: Workplace) -> None:
        worker.again = None
        for bound in self._bound:
            bound.wake(worker.number)
        worker.start()
        worker.adopt()

    def _ask_others(self, asker: Workplace, number: int) -> None:
        self._asked += 1
        asked = self._asked
        others = {one for one in self.workers if one.is_ready and one is not asker}

        def answer(texts: list[str]) -> None:
            del self._questions[asked]
            asker.say({"answer": number, "texts": texts})

        question = self._questions[asked] = Question(self._reactor, others, answer)
        for other in others:
            other.say({"tell": asked})
        question.look()

    async def _stop(self) -> None:
        await super().stopService()
        closed = [bound.close() for bound in self._bound]
        for worker in self.workers:
            worker.stop()
        late = self._reactor.callLater(PATIENCE, self._kill)
        await DeferredList([worker.gone() for worker in self.workers])
        await DeferredList(closed)
        if late.active():
            late.cancel()

    def _kill(self) -> None:
        for worker in self.workers:
            if worker.signal(signal.SIGKILL):
                self.log.error("worker {worker} would not end", worker=worker.number)
