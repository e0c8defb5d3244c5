"""One of several processes that serve; `mailkit.app.work` begins it."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any, NoReturn, TextIO

from attrs import define, field
from prometheus_client import generate_latest
from twisted.internet import reactor as twisted_reactor
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IStreamServerEndpoint
from twisted.logger import Logger, globalLogBeginner

from mailkit.app.find import read_loaded
from mailkit.app.logging import LogSwitch
from mailkit.app.privileges import look_up
from mailkit.app.server import Server
from mailkit.app.settings import Settings
from mailkit.app.tie import BEAT, Tie, Word, adopt, hear, say
from mailkit.config.reader import Config
from mailkit.errors import MailkitError
from mailkit.interfaces.counts import ICounts
from mailkit.net.adopted import AdoptedDatagrams, AdoptedEndpoint
from mailkit.net.bound import DATAGRAMS
from mailkit.net.nameserver.ports import Datagrams
from mailkit.storage.state.counts import SharedCounts

QUIET = ("mailkit.net.listeners",)
"""The parent tells, once, who listens where."""


@define(eq=False)
class Worker:
    """What its parent gave it, and what passes between the two."""

    log = Logger()

    _begin: Word
    """What the parent began with."""
    _reactor: Any  # Twisted's, which has no type of its own
    _out: TextIO
    server: Server = field(init=False)
    counts: ICounts = field(init=False)
    number: int = field(init=False)
    tie: Tie = field(init=False)
    _text: str = field(init=False)
    """The config as the parent read it last."""
    _ports: dict[tuple[str, str], tuple[int, int]] = field(init=False)
    _asked: dict[int, Deferred[list[str]]] = field(init=False, factory=dict)
    _numbers: count[int] = field(init=False, factory=count)

    def __attrs_post_init__(self) -> None:
        self._text = self._begin["text"]
        self.number = self._begin["number"]
        self.counts = SharedCounts(
            self._begin["counts"], self._begin["workers"], self._begin["number"]
        )
        self._ports = {
            (service, description): (descriptor, family)
            for service, description, descriptor, family in self._begin["ports"]
        }
        self.tie = Tie(self._heard, self._lost)

    def open(self) -> None:
        """
        Make the server and have it open everything; it is not connected yet.

        :raises MailkitError: with the one line that says why there is none.
        """
        config = self.read()
        switch = LogSwitch(config.settings.log, self._out, QUIET, self.number)
        globalLogBeginner.beginLoggingTo([switch], redirectStandardIO=False)
        user = self._begin["user"]
        self.server = Server(
            config,
            self.read,
            look_up(user) if user is not None else None,
            switch,
            give_up,
            self._reactor,
            self,
        )
        self.server.privilegedStartService()
        self.server.when_ready(lambda: self.tie.say({"ready": True}))

    def read(self) -> Config[Settings]:
        """The config of the last text, in this process's environment."""
        path = self._begin["path"]
        return read_loaded(
            self._text,
            Path(path) if path is not None else None,
            os.environ,
            Path(self._begin["folder"]),
        )

    # -- what the server asks

    def endpoint(self, service: str, description: str) -> IStreamServerEndpoint:
        """The socket that the parent bound."""
        return AdoptedEndpoint(self._reactor, *self._ports[service, description])

    def datagrams(self, description: str) -> Datagrams:
        """The UDP socket that the parent bound beside it."""
        descriptor, family = self._ports[DATAGRAMS, description]
        return AdoptedDatagrams(self._reactor, descriptor, family).open

    def others(self) -> Deferred[list[str]]:
        """The metrics of the other workers, which the parent asks for."""
        if not self.tie.is_open:
            return succeed([])
        number = next(self._numbers)
        answer = self._asked[number] = Deferred[list[str]]()
        self.tie.say({"ask": number})
        return answer

    def beat(self) -> None:
        """Say at each beat that the reactor runs, until nobody hears it."""
        if self.tie.is_open:
            self.tie.say({"alive": True})
            self._reactor.callLater(BEAT, self.beat)

    # -- what the parent says

    def _heard(self, word: Word) -> None:
        match word:
            case {"reload": str(text)}:
                self._text = text
                self.server.reload()
            case {"tell": int(number)}:
                page = generate_latest(self.server.metrics.registry)
                self.tie.say({"told": number, "text": page.decode()})
            case {"answer": int(number), "texts": list(texts)}:
                self._asked.pop(number).callback(texts)

    def _lost(self) -> None:
        """The parent is gone, and nobody would start this one again."""
        asked, self._asked = self._asked, {}
        for answer in asked.values():
            answer.callback([])
        self.server.end()


def give_up(error: Exception) -> NoReturn:
    """What `Server` does where it cannot go on: `serve` tells the parent."""
    raise error


def serve(connection: socket.socket, reactor: Any, out: TextIO) -> int:
    """
    Serve until the parent says that it is enough; the status to exit with.

    :param reactor: Twisted's, which has no type of its own.
    :param out: where the log goes.
    """
    begin = hear(connection)
    if begin is None:
        return 1
    worker = Worker(begin, reactor, out)
    try:
        worker.open()
    except MailkitError as error:
        say(connection, {"failed": str(error)})
        return 1
    adopt(worker.tie, connection, reactor)
    worker.server.startService()
    reactor.callLater(BEAT, worker.beat)
    reactor.addSystemEventTrigger("before", "shutdown", worker.server.stopService)
    reactor.run()
    return 0


def main(words: Sequence[str]) -> int:
    """:param words: the descriptor of the worker's end of its `mailkit.app.tie`."""
    # What the terminal sends to all is for the parent to pass on.
    os.setpgid(0, 0)
    connection = socket.socket(fileno=int(words[0]))
    with open(1, "w", encoding="utf-8", closefd=False) as out:
        return serve(connection, twisted_reactor, out)
