"""The one Twisted stream protocol of mailkit: octets in, events through, octets out."""

from __future__ import annotations

from collections.abc import Callable
from socket import socket

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IDelayedCall,
    IOpenSSLServerConnectionCreator,
    IPushProducer,
    IReactorTime,
    ITransport,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from mailkit.errors import Busy, LocalMisuse, Malformed, PeerGone
from mailkit.interfaces.session import Build, ISession
from mailkit.metrics import Metrics
from mailkit.net.directly import send_now, socket_of
from mailkit.net.door import Door
from mailkit.net.peer import Peer, peer_of
from mailkit.net.pumpsettings import PumpSettings, StartsTLS
from mailkit.net.tls import Upgrade
from mailkit.protocols.machine import Machine
from mailkit.protocols.proxyheader import Family, read_proxy_header

__all__ = ["Pump", "PumpSettings", "StartsTLS", "Surroundings"]


@define(eq=False)
class Surroundings:
    """What all pumps of one service share."""

    protocol: str
    """``smtp``, ``imaps`` …, for the log and the metrics."""
    clock: IReactorTime
    door: Door = field(factory=Door)
    settings: PumpSettings = field(factory=PumpSettings)
    tls: IOpenSSLServerConnectionCreator | None = None
    tls_first: bool = False
    """TLS from the first octet (RFC 8314 §3)."""
    metrics: Metrics = field(factory=Metrics)
    began: Callable[[Pump], None] = lambda pump: None
    ended: Callable[[Pump], None] = lambda pump: None
    """The connection is gone; a session at work may go on for a while."""
    over: Callable[[], None] = lambda: None
    """Connection and session are; said once, and last of all."""
    upgrade: StartsTLS | None = None
    """How TLS begins; made from ``tls`` unless given."""

    def __attrs_post_init__(self) -> None:
        if self.upgrade is None and self.tls is not None:
            self.upgrade = Upgrade(self.tls, self.clock)


def _nobody(producer: object, streaming: bool) -> None:
    """Stands in for `registerProducer` of a transport that has none."""


@implementer(IPushProducer)
class Pump(Protocol):
    """
    Carries one connection.

    Events are handled strictly one after the other, and none is parsed while
    one is being handled: a peer that pipelines waits, it does not pile up.

    A session at work is never cut short when the peer leaves, so that what it
    began to keep is either kept or given up in good order.
    """

    log = Logger()

    def __init__(self, build: Build, surroundings: Surroundings) -> None:
        self._build = build
        self._around = surroundings
        self.peer: Peer | None = None
        self.session: ISession | None = None
        self.is_secure = False
        self.may_secure = surroundings.upgrade is not None
        self.octets_in = 0
        self.octets_out = 0
        self.events = 0
        self.reason = ""
        self.lost: BaseException | None = None
        """What the transport said when the connection ended."""
        self._machine: Machine | None = None
        self._preface: bytearray | None = None
        self._door_host: str | None = None
        self._socket: socket | None = None
        self._more: Deferred[None] | None = None
        self._rooms: list[Deferred[None]] = []
        self._is_working = False
        self._is_gone = False
        self._is_over = False
        self._is_full = False
        self._is_paused = False
        self._unread = 0
        self._goodbye: str | None = None
        self._is_urgent = False
        self._timer: IDelayedCall | None = None
        self._patience = 0.0
        self._progress = 0.0
        self._octets_at_progress = 0
        self._began = 0.0

    # -- Twisted's side

    def connectionMade(self) -> None:
        transport = self._transport
        getattr(transport, "setTcpNoDelay", lambda on: None)(True)
        # The transport tells when its buffer is full, and when there is room again.
        getattr(transport, "registerProducer", _nobody)(self, True)
        self._began = self._progress = self._around.clock.seconds()
        self.peer = peer_of(transport, self)
        if self._around.door.trusts(self.peer.host):
            self._preface = bytearray()
            wait = self._around.settings.proxy_wait
            self._timer = self._around.clock.callLater(wait, self._no_preface)
        else:
            self._open(b"")

    def dataReceived(self, data: bytes) -> None:
        self.octets_in += len(data)
        if self._preface is not None:
            self._preface += data
            self._read_preface()
            return
        if self._machine is None:
            return  # turned away at the door
        self._machine.receive(data)
        if self._is_working:
            self._unread += len(data)
            if self._unread >= self._around.settings.read_ahead:
                self._pause(True)
        else:
            self._wake()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._is_gone = True
        self.lost = reason.value
        self._stop_timer()
        self.reason = self.reason or "the peer closed"
        if self._door_host is not None:
            self._around.door.leave(self._door_host)
            self._around.metrics.disconnected(self._around.protocol)
        self._sum_up()
        self._wake()
        self.resumeProducing()
        self._let_go()

    def pauseProducing(self) -> None:
        self._is_full = True

    def resumeProducing(self) -> None:
        self._is_full = False
        rooms, self._rooms = self._rooms, []
        for room in rooms:
            room.callback(None)

    def stopProducing(self) -> None:
        self.resumeProducing()

    # -- the session's side, through its `Peer`

    async def start_tls(self) -> None:
        if self._around.upgrade is None or self.is_secure or self._machine is None:
            raise LocalMisuse("TLS cannot begin here")
        self.speak()
        self._secure()
        self._machine.secured()

    async def flush(self) -> None:
        if self._say():
            self._note_progress()
        if self._is_full and not self._is_gone:
            # A client writes on its own account: it may wait here beside the pump.
            room: Deferred[None] = Deferred()
            self._rooms.append(room)
            clock, settings = self._around.clock, self._around.settings
            limit = clock.callLater(settings.slow_reader, self._cut, "slow reader")
            try:
                await room
            finally:
                if limit.active():
                    limit.cancel()
        if self._is_gone:
            raise PeerGone

    def speak(self) -> None:
        self._say()

    def interrupt(self) -> None:
        self._is_urgent = True
        self.end("Disconnected by the server")

    # -- the service's side

    def end(self, reason: str) -> None:
        """Say goodbye as soon as nothing is half done, and close."""
        if self._goodbye is None:
            self._goodbye = reason
        self._wake()

    def cut(self, reason: str) -> None:
        """Close, at work or not; for those that `end` could not move."""
        if self._is_working:
            self._cut(reason)
        else:
            self._is_urgent = True
            self.end(reason)

    # -- within

    def _say(self) -> bool:
        """Write what waits; whether there was anything."""
        assert self._machine is not None
        octets = self._machine.take_output()
        if not octets:
            return False
        if not self._is_gone:
            self.octets_out += len(octets)
            rest = octets if self._socket is None else send_now(self._socket, octets)
            if rest:
                # From now on what is said waits behind what could not be sent.
                self._socket = None
                self._transport.write(rest)
        if self._around.settings.dialogue:
            self.log.debug("{peer} S: {octets!r}", peer=self._who, octets=octets[:200])
        return True

    @property
    def _transport(self) -> ITransport:
        assert self.transport is not None
        return self.transport

    @property
    def _who(self) -> str:
        return f"{self.peer.host}:{self.peer.port}" if self.peer is not None else "?"

    def _sum_up(self) -> None:
        if self.session is not None:
            self.log.info(
                "{protocol} {peer} {account}: {reason} after {took:.1f} s, "
                "{commands} commands, {octets_in} octets in, {octets_out} out",
                protocol=self._around.protocol,
                peer=self._who,
                account=self.session.account or "-",
                reason=self.reason,
                took=self._around.clock.seconds() - self._began,
                commands=self.events,
                octets_in=self.octets_in,
                octets_out=self.octets_out,
            )
            self._around.ended(self)
        else:
            self._around.metrics.turned_away(self._around.protocol, "proxy")

    def _no_preface(self) -> None:
        self._timer = None
        self._cut("no PROXY header came")

    def _read_preface(self) -> None:
        assert self._preface is not None
        assert self.peer is not None
        try:
            found = read_proxy_header(bytes(self._preface))
        except Malformed as problem:
            self.log.warn("{peer}: {reason}", peer=self._who, reason=str(problem))
            self._preface = bytearray()
            self._cut("bad PROXY header")
            return
        if found is None:
            return
        header, length = found
        if header.family is Family.IP:
            self.peer.host, self.peer.port = header.host, header.port
            self.peer.local_host = header.local_host
            self.peer.local_port = header.local_port
        rest, self._preface = bytes(self._preface[length:]), None
        self._stop_timer()
        self._open(rest)

    def _open(self, rest: bytes) -> None:
        peer, around = self.peer, self._around
        assert peer is not None
        self._machine, self.session = self._build(peer)
        try:
            around.door.enter(peer.host)
        except Busy as problem:
            self._goodbye = str(problem)
            self.may_secure = False
            why = "peer" if "your" in self._goodbye else "all"
            around.metrics.turned_away(around.protocol, why)
        else:
            self._door_host = peer.host
            around.metrics.connected(around.protocol)
        around.began(self)
        if around.tls_first:
            self._secure()
        else:
            self._socket = socket_of(self._transport)
        serving = Deferred.fromCoroutine(self._serve(self._machine, self.session))
        serving.addErrback(self._failed)
        if rest:
            # What came with the PROXY header: the first octets of TLS or of the text.
            outer = self._transport if around.tls_first else self
            getattr(outer, "dataReceived")(rest)  # noqa: B009 - not in ITransport

    def _secure(self) -> None:
        transport = self._transport
        self._socket = None
        assert self._around.upgrade is not None
        getattr(transport, "unregisterProducer", lambda: None)()
        self._around.upgrade.start(transport, self)
        getattr(self._transport, "registerProducer", _nobody)(self, True)
        self.is_secure = True

    async def _serve(self, machine: Machine, session: ISession) -> None:
        try:
            if self._goodbye is None:
                self._is_working = True
                await session.greet()
                self._is_working = False
            in_a_row = 0
            while not session.is_over:
                may_end = session.is_idle or self._is_urgent
                if self._goodbye is not None and may_end:
                    session.farewell(self._goodbye)
                    self.reason = self.reason or self._goodbye
                    break
                event = machine.next_event()
                if event is None:
                    # Replies to pipelined commands leave together (RFC 2920 §3.2).
                    if self._say():
                        self._note_progress()
                    if self._is_gone or session.is_over:
                        break
                    if self._is_full:
                        await self._wait_for_room()
                        continue
                    in_a_row = 0
                    await self._hear_more(session)
                    continue
                await self._handle(session, event)
                in_a_row += 1
                if in_a_row >= self._around.settings.turn:
                    in_a_row = 0
                    await self._others_first()
        except PeerGone:
            pass  # what the session had begun is closed below
        except Exception:  # the last resort: a bug ends one connection, not the server
            self.log.failure(
                "internal error: {protocol} from {peer}, account {account}",
                protocol=self._around.protocol,
                peer=self._who,
                account=session.account,
            )
            self.reason = "internal error"
            session.farewell("internal error")
        finally:
            self._is_working = True
            await session.close()
            self._leave()

    async def _handle(self, session: ISession, event: object) -> None:
        self.events += 1
        self._is_working = True
        if self._around.settings.dialogue:
            self.log.debug("{peer} C: {event!r}", peer=self._who, event=event)
        await session.handle(event)
        self._is_working = False

    async def _wait_for_room(self) -> None:
        """Who does not read replies is not read from either."""
        self._is_working = True
        await self.flush()
        self._is_working = False

    def _note_progress(self) -> None:
        self._progress = self._around.clock.seconds()
        self._octets_at_progress = self.octets_in

    async def _hear_more(self, session: ISession) -> None:
        # Made first: some transports hand over what they held back within the call.
        more = self._more = Deferred()
        self._unread = 0
        self._pause(False)
        if session.timeout < self._patience:
            self._stop_timer()
        if self._timer is None:
            self._patience = session.timeout
            self._timer = self._around.clock.callLater(session.timeout, self._check)
        await more

    def _wake(self) -> None:
        if self._more is not None:
            more, self._more = self._more, None
            more.callback(None)

    def _pause(self, wish: bool) -> None:
        if wish is not self._is_paused and not self._is_gone:
            self._is_paused = wish
            transport = self._transport
            name = "pauseProducing" if wish else "resumeProducing"
            getattr(transport, name, lambda: None)()

    async def _others_first(self) -> None:
        turn: Deferred[None] = Deferred()
        self._is_working = True
        self._around.clock.callLater(0, turn.callback, None)
        await turn
        self._is_working = False

    def _check(self) -> None:
        """Was the peer silent for too long? Asked about as often as that takes."""
        self._timer = None
        session, now = self.session, self._around.clock.seconds()
        assert session is not None
        if self.octets_in - self._octets_at_progress >= (
            self._around.settings.slow_writer
        ):
            self._note_progress()
        left = self._progress + session.timeout - now
        if self._is_working:
            left = max(left, 1.0)  # it is our turn, not the peer's
            self._note_progress()
        if left > 0:
            self._timer = self._around.clock.callLater(left, self._check)
            return
        self.reason = "timed out"
        session.farewell("timed out")
        self._wake()

    def _leave(self) -> None:
        self._stop_timer()
        self.speak()
        self._is_over = True
        if self._is_gone:
            self._let_go()
            return
        self.reason = self.reason or "closed"
        transport = self._transport
        getattr(transport, "unregisterProducer", lambda: None)()
        self._pause(False)
        transport.loseConnection()
        wait = self._around.settings.close_wait
        self._timer = self._around.clock.callLater(wait, self._cut, "would not close")

    def _let_go(self) -> None:
        """
        Forget who knows us, once connection and session are over.

        All of them go then by themselves. In cycles they would wait for the collector,
        and those of some thousand connections keep it busy for many milliseconds.
        """
        if self._is_gone and self._is_over and self.transport is not None:
            self.transport = self.session = self.peer = self._socket = None
            self._around.over()

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()

    def _cut(self, reason: str) -> None:
        self._stop_timer()
        if self._is_gone:
            return
        self.reason = self.reason or reason
        transport = self._transport
        getattr(transport, "abortConnection", transport.loseConnection)()

    def _failed(self, failure: Failure) -> None:
        self.log.failure("session did not close: {peer}", failure, peer=self._who)
        self._cut("internal error")
