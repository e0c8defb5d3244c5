"""Ways to reach an administrator that need no mail: a web hook, and a program."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from attrs import asdict, define, field
from treq.client import HTTPClient
from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone, ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure
from twisted.web.client import Agent
from zope.interface import implementer

from mailkit.errors import Unavailable
from mailkit.interfaces.alarms import IAlarmChannel
from mailkit.model.alarm import Alarm
from mailkit.net.intime import in_time
from mailkit.net.publichosts import BoundedBody

PATIENCE = 3.0
"""Seconds for one try."""

_LONGEST_COMPLAINT = 300


def in_json(alarm: Alarm, hostname: str) -> bytes:
    """What both channels hand on."""
    return json.dumps({**asdict(alarm), "hostname": hostname}).encode()


@implementer(IAlarmChannel)
@define(eq=False)
class Hook:
    """
    Posts alarms as JSON.

    :param reactor: Twisted's, which has no type of its own.
    """

    _reactor: Any
    _url: str
    _hostname: str
    _client: HTTPClient = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._client = HTTPClient(Agent(self._reactor, connectTimeout=PATIENCE))

    async def tell(self, alarm: Alarm) -> None:
        await in_time(self._reactor, PATIENCE, self._url, self._post(alarm))

    async def _post(self, alarm: Alarm) -> None:
        headers: dict[bytes | str, bytes | str] = {"Content-Type": "application/json"}
        response = await self._client.post(
            self._url,
            data=in_json(alarm, self._hostname),
            headers=headers,
            allow_redirects=False,
            unbuffered=True,
        )
        response.deliverBody(BoundedBody(most=0))
        if not 200 <= response.code < 300:
            raise Unavailable(f"{self._url} answers {response.code}")


@implementer(IAlarmChannel)
@define(eq=False)
class Command:
    """
    Runs a program that gets the alarm as JSON on its standard input.

    :param reactor: Twisted's, which has no type of its own.
    """

    _reactor: Any
    _words: Sequence[str]
    _hostname: str

    async def tell(self, alarm: Alarm) -> None:
        program = _Program(in_json(alarm, self._hostname))
        words = list(self._words)
        try:
            self._reactor.spawnProcess(program, words[0], words, env=None)
        except OSError as error:
            raise Unavailable(f"{words[0]}: {error.strerror}") from error
        patience = self._reactor.callLater(PATIENCE, program.end)
        complaint = await program.ended
        if patience.active():
            patience.cancel()
        if complaint is not None:
            raise Unavailable(f"{words[0]}: {complaint}")


class _Program(ProcessProtocol):
    """Hands over the alarm, keeps what is said about it."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._said = b""
        self.ended: Deferred[str | None] = Deferred()
        """What was wrong with it; ``None``: nothing."""

    def end(self) -> None:
        """Its time is over, and nobody waits for children that hold its pipes."""
        transport: Any = self.transport  # of a process, which `ITransport` is not
        with suppress(ProcessExitedAlready):
            transport.signalProcess("KILL")
        transport.loseConnection()

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.write(self._octets)
        self.transport.closeStdin()

    def errReceived(self, data: bytes) -> None:
        self._said = (self._said + data)[:_LONGEST_COMPLAINT]

    def processEnded(self, reason: Failure) -> None:
        if reason.check(ProcessDone):
            self.ended.callback(None)
            return
        said = self._said.decode("utf-8", "replace").strip()
        self.ended.callback(said or reason.getErrorMessage())
