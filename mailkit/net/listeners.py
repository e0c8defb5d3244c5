"""Ports that are listened on, and the connections that came in by them."""

from __future__ import annotations

from attrs import define, field
from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import (
    IAddress,
    IListeningPort,
    IReactorTime,
    IStreamServerEndpoint,
)
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.python.failure import Failure

from mailkit.errors import MailkitError
from mailkit.interfaces.session import Build
from mailkit.net.pump import Pump, Surroundings


class PortTaken(MailkitError):
    """A port or socket cannot be listened on; the text says which and why."""


def port_taken(
    service: str, description: str, error: BaseException | None
) -> PortTaken:
    """The one line about a port that Twisted could not open."""
    if isinstance(error, CannotListenError):
        error = error.socketError
    reason = getattr(error, "strerror", None) or str(error)
    return PortTaken(f"{service}: cannot listen on {description}: {reason}")


class PumpFactory(Factory):
    """Makes a `Pump` for each connection, and knows those that live."""

    noisy = False

    def __init__(self, build: Build, surroundings: Surroundings) -> None:
        self._build = build
        self.surroundings = surroundings
        self.pumps: set[Pump] = set()
        self._all_gone: list[Deferred[None]] = []
        self._began, self._ended = surroundings.began, surroundings.ended
        surroundings.began, surroundings.ended = self._begin, self._end

    def buildProtocol(self, addr: IAddress | None) -> Pump:
        pump = Pump(self._build, self.surroundings)
        pump.factory = self
        return pump

    def drain(self, clock: IReactorTime, seconds: float) -> Deferred[None]:
        """
        Say goodbye to all; those who are not gone in time are cut off.

        :returns: fires when no connection is left.
        """
        done: Deferred[None] = Deferred()
        if not self.pumps:
            done.callback(None)
            return done
        self._all_gone.append(done)
        for pump in list(self.pumps):
            pump.end("Shutting down")
        late = clock.callLater(seconds, self._cut_all)
        done.addCallback(lambda _: late.cancel() if late.active() else None)
        return done

    def _cut_all(self) -> None:
        for pump in list(self.pumps):
            pump.cut("shut down")

    def _begin(self, pump: Pump) -> None:
        self.pumps.add(pump)
        self._began(pump)

    def _end(self, pump: Pump) -> None:
        self.pumps.discard(pump)
        self._ended(pump)
        if not self.pumps:
            waiting, self._all_gone = self._all_gone, []
            for done in waiting:
                done.callback(None)


@define(eq=False)
class Listener(Service):
    """
    One service on one endpoint.

    The port is bound while the process may still bind low ones
    (`privilegedStartService`); `PortTaken` ends the start with one line.
    """

    log = Logger()

    service: str
    """``smtp``, ``imaps`` …, as in the config."""
    description: str
    """The endpoint string as in the config."""
    endpoint: IStreamServerEndpoint
    factory: Factory
    clock: IReactorTime
    patience: float = 10.0
    """Seconds that transactions in hand may take at the end."""
    port: IListeningPort | None = field(default=None, init=False)

    def privilegedStartService(self) -> None:
        """:raises PortTaken:"""
        super().privilegedStartService()
        failed: list[Failure] = []
        opened = self.endpoint.listen(self.factory)
        opened.addCallbacks(self._opened, failed.append)
        if failed:
            raise port_taken(self.service, self.description, failed[0].value)

    def stopService(self) -> Deferred[None]:
        """Take no new connection, let those that are there finish."""
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        port, self.port = self.port, None
        if port is not None:
            closing = port.stopListening()
            if closing is not None:
                await closing
        if isinstance(self.factory, PumpFactory):
            await self.factory.drain(self.clock, self.patience)

    def _opened(self, port: IListeningPort) -> None:
        self.port = port
        self.log.info(
            "{service} listens on {where}", service=self.service, where=self.description
        )
