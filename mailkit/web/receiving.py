"""
Requests as they come in: no larger than their route allows, files straight to disk.

Twisted takes whatever comes, and writes it to disk in the reactor's thread.

A request of HTTP/1.1 has a connection for itself, one of HTTP/2 shares it: its channel
is a stream (RFC 9113 §5), which has no transport.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.server import Request

from mailkit.errors import MailkitError, TooLarge
from mailkit.web.headers import put_headers
from mailkit.web.upload import Uploading

LONGEST_BODY = 64 * 1024
"""Octets that a request may bring where its route says nothing else."""

_TOO_LARGE = (
    b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)

AHEAD = 512 * 1024
"""Octets that may wait to be written to disk before the browser is held up."""

Begin = Callable[[str, str, str], "Uploading | int"]
"""
What to do with a body: by verb, address and content type; a number is how much of it
may be held in memory.
"""


class Receiving(Request):
    """
    One request; one that brings too much is hung up on.

    By HTTP/2 the rest is thrown away as it comes, and the answer says what was wrong.
    """

    log = Logger()

    _is_refused = False
    _taken = 0
    _most = LONGEST_BODY
    uploading: Uploading | None = None
    trouble: MailkitError | None = None
    """Why its files could not be taken in."""
    _is_paused = False

    _has_head = False
    _length: int | None = None

    def parseCookies(self) -> None:
        super().parseCookies()
        self._has_head = True
        if self.content is not None:
            self._plan()

    def gotLength(self, length: int | None) -> None:
        self.content = BytesIO()
        self._length = length
        # By HTTP/2 it is told while the rest of the head is still being read.
        if self._has_head:
            self._plan()

    def _plan(self) -> None:
        # The channel knows them already; its public names come with the whole request.
        channel: Any = self.channel
        verb = getattr(channel, "_command", getattr(channel, "command", b""))
        path = getattr(channel, "_path", getattr(channel, "path", b""))
        plan = channel.site.begin(
            verb.decode("ascii", "replace"),
            path.decode("ascii", "replace"),
            self.getHeader("content-type") or "",
        )
        if isinstance(plan, Uploading):
            self.uploading = plan
            self._most = plan.most
        else:
            self._most = plan
        if self._length is not None and self._length > self._most:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:
        self._taken += len(data)
        if self._taken > self._most:
            self._refuse()
        if self._is_refused:
            return
        if self.uploading is None:
            assert self.content is not None
            self.content.write(data)
            return
        self.uploading.take(data)
        if self.uploading.waiting > AHEAD and not self._is_paused:
            self._hold_up()

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        if self._is_refused and self.trouble is None:
            return
        if self.uploading is None or self._is_refused:
            super().requestReceived(command, path, version)
            return
        finishing = Deferred.fromCoroutine(self.uploading.finish())

        def go_on(failure: Failure | None) -> None:
            if failure is not None:
                failure.trap(MailkitError)
                error = failure.value
                assert isinstance(error, MailkitError)
                self.trouble = error
            if self.channel is not None:  # the browser has not left meanwhile
                super(Receiving, self).requestReceived(command, path, version)

        finishing.addCallbacks(lambda _: go_on(None), go_on)
        finishing.addErrback(
            lambda failure: self.log.failure("a form was not read", failure)
        )

    def process(self) -> None:
        if self._is_refused and self.trouble is None:
            return
        if self._is_reset():
            return
        if self.path == b"*":
            # Of the server as a whole (RFC 9110 §9.3.7); Twisted says what it is.
            put_headers(self)
            self.setResponseCode(405)
            self.setHeader("Content-Length", "0")
            self.finish()
            return
        super().process()

    def connectionLost(self, reason: Failure) -> None:
        self.let_go()
        super().connectionLost(reason)

    def let_go(self) -> None:
        """Forget the files; nothing happens where there are none."""
        if self.uploading is not None:
            self.uploading.discard()

    def _is_reset(self) -> bool:
        """
        Whether the browser wants no answer any more, which we are about to hear.

        Who asks by HTTP/2 and takes it back in the same breath, a thousand times, shall
        not have us make a thousand pages (CVE-2023-44487).
        """
        channel: Any = self.channel
        if channel is None or channel.transport is not None:
            return False
        # Neither Twisted nor h2 has a public name for it.
        return channel._conn.conn._stream_closed_by(channel.streamID) is not None

    def _hold_up(self) -> None:
        assert self.uploading is not None and self.channel is not None
        # A TCP or TLS transport, or a stream, which can all be held up.
        transport = IPushProducer(self.channel.transport or self.channel)
        self._is_paused = True
        transport.pauseProducing()
        waiting = Deferred.fromCoroutine(self.uploading.written())

        def go_on(_: object) -> None:
            self._is_paused = False
            if self.channel is not None:
                transport.resumeProducing()

        waiting.addBoth(go_on)

    def _refuse(self) -> None:
        if self._is_refused or self.channel is None:
            return
        self._is_refused = True
        self.let_go()
        transport = self.channel.transport
        if transport is None:
            self.trouble = TooLarge(f"more than {self._most} octets")
            return
        transport.write(_TOO_LARGE)
        self.channel.loseConnection()
