"""IDLE (RFC 9051 §6.3.13, RFC 2177): changes are told as they happen."""

from __future__ import annotations

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from mailkit.errors import PeerGone, Refused, Unavailable
from mailkit.interfaces.storage import IWatch
from mailkit.protocols.imap.response import ok
from mailkit.protocols.imap.write import mailbox as write
from mailkit.services.imap.dialogue import Dialogue
from mailkit.services.imap.news import tell_news


@define(eq=False)
class Idling:
    """
    One IDLE under way.

    One look at a time, in a coroutine of its own; `stop` waits for it, so that the
    tagged answer is the last word.
    """

    log = Logger()

    _talk: Dialogue
    _watch: IWatch | None = field(default=None, init=False)
    _timer: IDelayedCall | None = field(default=None, init=False)
    _looking: Deferred[None] | None = field(default=None, init=False)
    _stopped: Deferred[None] | None = field(default=None, init=False)
    _looks_again: bool = field(default=False, init=False)
    _is_over: bool = field(default=False, init=False)

    def start(self) -> None:
        """Tell what happened until now, and what happens from now on."""
        selected = self._talk.selected
        if selected is not None:
            self._watch = selected.mailbox.watch(self._look)
            self._look()
        self._wait()

    async def stop(self) -> None:
        """Tell nothing more; returns when nothing is being told."""
        self.cut()
        if self._looking is not None:
            self._stopped = Deferred()
            await self._stopped

    def cut(self) -> None:
        """Begin nothing more. Safe to call at any time, more than once."""
        self._is_over = True
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.stop()
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()

    def _look(self) -> None:
        self._looks_again = True
        if self._looking is None and not self._is_over:
            looking = self._looking = Deferred.fromCoroutine(self._tell())
            looking.addErrback(self._failed)
            looking.addCallback(self._looked)

    async def _tell(self) -> None:
        talk = self._talk
        try:
            while self._looks_again and not self._is_over:
                self._looks_again = False
                await tell_news(talk, may_expunge=True)
                await talk.flush()
        except PeerGone:
            self.cut()
        except (Refused, Unavailable) as problem:
            talk.end_for(problem)

    def _looked(self, _: None) -> None:
        self._looking = None
        if self._stopped is not None:
            self._stopped.callback(None)
        elif self._looks_again:
            self._look()

    def _failed(self, failure: Failure) -> None:
        """A bug ends this connection; the pump would do the same."""
        self.log.failure(
            "internal error while idle: {account}", failure, account=self._talk.account
        )
        self._talk.end("internal error", b"SERVERBUG")

    def _keep_alive(self) -> None:
        """Middleboxes forget who is silent (RFC 2177 §3)."""
        if self._looking is None:
            self._talk.say(write.untagged(ok("Still here")))
            self._talk.peer.speak()
        self._wait()

    def _wait(self) -> None:
        clock, settings = self._talk.house.clock, self._talk.settings
        self._timer = clock.callLater(settings.keep_alive, self._keep_alive)
