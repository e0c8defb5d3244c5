"""The client's end of one connection: say commands, wait for their replies."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from math import inf
from typing import Protocol

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from mailkit.errors import MailkitError, PeerGone
from mailkit.interfaces.session import IPeer, ISession
from mailkit.model.reply import Reply
from mailkit.net.relay.settings import RelaySettings
from mailkit.protocols.smtp.client import (
    Answered,
    Broken,
    Challenged,
    Command,
    Phase,
    SMTPClient,
)
from mailkit.protocols.smtp.events import Quit

A_DAY = 86_400.0


class HungUp(MailkitError):
    """
    The other side is gone, silent, or talks nonsense; the text says which.

    :param reply: the 421 that it left with.
    """

    def __init__(self, words: str, reply: Reply | None = None) -> None:
        super().__init__(words)
        self.reply = reply


class Line(Protocol):
    """What a conversation asks the pump when all is over."""

    reason: str
    lost: BaseException | None


def _nobody(conversation: Conversation) -> None:
    """Hears nothing of an end."""


@implementer(ISession)
@define(eq=False)
class Conversation:
    """
    One dialogue with a host, driven by whoever awaits `hear`.

    Replies are kept in order until they are asked for. Each has its own time-out,
    which counts from when it is waited for: one that comes octet by octet gains
    nothing.
    """

    log = Logger()

    machine: SMTPClient
    clock: IReactorTime
    settings: RelaySettings
    where: str
    """The host, for people: ``mx.example.org [192.0.2.1]:25``."""
    line: Line | None = None
    account: str = ""
    on_end: Callable[[Conversation], None] = _nobody
    """Called once, when nothing more is said or heard; closing may take longer."""
    on_over: Callable[[Conversation], None] = _nobody
    """Called once, when nothing of the connection is left."""
    is_over: bool = field(default=False, init=False)
    is_idle: bool = field(default=True, init=False)
    timeout: float = field(default=A_DAY, init=False)
    """The pump's; ours are shorter, and tell one reply from the next."""
    end: HungUp | None = field(default=None, init=False)
    """Why nothing more can be heard."""
    _peer: IPeer | None = field(default=None, init=False)
    _heard: deque[Answered | Challenged] = field(factory=deque, init=False)
    _waiter: Deferred[None] | None = field(default=None, init=False)
    _is_leaving: bool = field(default=False, init=False)
    _deadline: float = field(default=inf, init=False)
    _armed: float = field(default=inf, init=False)
    _timer: IDelayedCall | None = field(default=None, init=False)
    _wait: float = field(default=0.0, init=False)

    @property
    def peer(self) -> IPeer:
        assert self._peer is not None
        return self._peer

    @property
    def is_usable(self) -> bool:
        """Nothing waits for a reply, and another command may be said."""
        return (
            self.end is None
            and not self._is_leaving
            and not self.machine.awaits
            and not self._heard
            and self.machine.phase is Phase.COMMANDS
        )

    # -- who carries mail

    def say(self, command: Command) -> None:
        """
        Say one command; it leaves with the next `hear` or `push`.

        :raises HungUp: if nobody would hear it.
        """
        self.still_there()
        if self.settings.dialogue:
            self.log.debug("{peer} C: {event!r}", peer=self.where, event=command)
        self.machine.say(command)

    def still_there(self) -> None:
        """:raises HungUp: if nothing can be said any more."""
        if self.end is not None:
            raise self.end

    async def hear(self, wait: float) -> Answered | Challenged:
        """
        The reply to the oldest command that has had none.

        :param wait: seconds that it may take from now on.
        :raises HungUp: if there will be none.
        """
        if not self._heard:
            self.still_there()
            self.peer.speak()
            self._wait = wait
            self._wait_until(self.clock.seconds() + wait)
            self._waiter = Deferred()
            await self._waiter
            if not self._heard:
                self.still_there()
        return self._heard.popleft()

    async def reply(self, wait: float) -> Reply:
        """
        As `hear`, for everything but AUTH.

        :raises HungUp:
        """
        heard = await self.hear(wait)
        assert isinstance(heard, Answered)
        return heard.reply

    async def push(self) -> None:
        """
        Send what was said, and return when there is room for more.

        :raises HungUp: if the connection is over.
        """
        self.still_there()
        try:
            await self.peer.flush()
        except PeerGone as error:
            raise self.end or HungUp(self._loss()) from error

    def rest(self) -> None:
        """Nobody needs the connection now; it says QUIT by itself after a while."""
        self._wait_until(self.clock.seconds() + self.settings.idle)

    def leave(self) -> None:
        """Say QUIT, and close when that was answered."""
        if self._is_leaving or self.end is not None:
            return
        self._is_leaving = True
        if self.machine.phase is not Phase.COMMANDS or self.machine.awaits:
            self.cut("given up")
            return
        self.machine.say(Quit())
        self.peer.speak()
        self._wait_until(self.clock.seconds() + self.settings.quit)

    def cut(self, reason: str) -> None:
        """Close without another word."""
        self._finish(HungUp(reason))
        self.is_over = True
        self.peer.interrupt()

    # -- the pump's side

    def attach(self, peer: IPeer) -> tuple[SMTPClient, Conversation]:
        """The two halves that the pump drives."""
        self._peer = peer
        return self.machine, self

    async def greet(self) -> None:
        """The server speaks first."""

    async def handle(self, event: object) -> None:
        if self.settings.dialogue:
            self.log.debug("{peer} S: {event!r}", peer=self.where, event=event)
        if self._is_leaving:
            self.is_over = True
            return
        if isinstance(event, Broken):
            self._finish(HungUp(f"it answered with {event.reason}"))
            self.is_over = True
            return
        assert isinstance(event, Answered | Challenged)
        self._deadline = inf
        self._heard.append(event)
        if isinstance(event, Answered) and event.reply.code == 421:
            self._finish(HungUp(one_line(event.reply), event.reply))
            self.is_over = True
        else:
            self._wake()

    def farewell(self, reason: str) -> None:
        self._finish(HungUp(reason))
        self.is_over = True

    async def close(self) -> None:
        self._finish(HungUp(self._loss()))
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()
        self.on_end(self)

    # -- within

    def _loss(self) -> str:
        if self.line is not None and self.line.reason == "slow reader":
            return f"it took nothing for {self.settings.block:g} s"
        lost = None if self.line is None else self.line.lost
        if lost is None or isinstance(lost, ConnectionDone | ConnectionAborted):
            return "it closed the connection"
        return "the connection broke"

    def _finish(self, end: HungUp) -> None:
        if self.end is None:
            self.end = end
        self._deadline = inf
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None:
            waiter, self._waiter = self._waiter, None
            waiter.callback(None)

    def _wait_until(self, deadline: float) -> None:
        """Deadlines change with each reply; the reactor hears of few of them."""
        self._deadline = deadline
        if self._timer is not None and deadline < self._armed:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._armed = deadline
            wait = deadline - self.clock.seconds()
            self._timer = self.clock.callLater(wait, self._check)

    def _check(self) -> None:
        self._timer = None
        if self._deadline is inf:
            return
        if self._deadline > self.clock.seconds():
            self._wait_until(self._deadline)
        elif self._waiter is not None or self._is_leaving:
            self.cut(f"no reply within {self._wait:g} s")
        else:
            self.leave()


def one_line(reply: Reply) -> str:
    """A reply as people may read it, its lines joined and what is not text left out."""
    words = " ".join(str(reply).split())
    return "".join(each if each.isprintable() else "?" for each in words[:1000])
