"""Alarms by a web hook and by a program, and what is said where nobody takes them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.trial.unittest import TestCase
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site
from zope.interface.verify import verifyObject

from mailkit.errors import Unavailable
from mailkit.interfaces.alarms import IAlarmChannel
from mailkit.model.alarm import Alarm
from mailkit.net import alarmchannels
from mailkit.net.alarmchannels import Command, Hook
from tests.interop.connections import connections_end
from tests.interop.server import PATIENCE, free_ports

ALARM = Alarm(
    kind="sending-frozen", subject="größe@example.org", when=17.5, words="Too much."
)
TOLD = {
    "kind": "sending-frozen",
    "subject": "größe@example.org",
    "when": 17.5,
    "words": "Too much.",
    "advice": "",
    "hostname": "mail.example.org",
}


class _Pager(Resource):
    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[Any] = []  # whatever JSON says
        self.answer: Callable[[Request], bytes | int] = lambda request: b"ok"

    def render_POST(self, request: Request) -> bytes | int:
        assert request.content is not None
        self.heard.append(json.loads(request.content.read()))
        return self.answer(request)


class HookTests(TestCase):
    """A web server of our own."""

    def setUp(self) -> None:
        self.patch(alarmchannels, "PATIENCE", PATIENCE)  # not the three seconds
        self.pager = _Pager()
        twisted: Any = reactor  # it has no type of its own
        site = Site(self.pager)
        site.noisy = False
        port = twisted.listenTCP(0, site, interface="127.0.0.1")
        self.addCleanup(connections_end)
        self.addCleanup(port.stopListening)
        self.hook = self.at(port.getHost().port)

    def at(self, port: int) -> Hook:
        return Hook(reactor, f"http://127.0.0.1:{port}/x", "mail.example.org")

    async def test_it_is_posted(self) -> None:
        verifyObject(IAlarmChannel, self.hook)
        await self.hook.tell(ALARM)
        self.assertEqual(self.pager.heard, [TOLD])

    async def _complaint(self, hook: Hook) -> str:
        try:
            await hook.tell(ALARM)
        except Unavailable as error:
            return str(error)
        raise AssertionError("it was taken")

    async def test_an_error_is_told(self) -> None:
        def fail(request: Request) -> bytes:
            request.setResponseCode(500)
            return b""

        self.pager.answer = fail
        assert "answers 500" in await self._complaint(self.hook)

    async def test_an_answer_without_end(self) -> None:
        """Its status is what counts; the rest is hung up on."""
        left: list[Deferred[Any]] = []

        def talk(request: Request) -> int:
            left.append(request.notifyFinish())
            request.write(b"and so on")
            return NOT_DONE_YET

        self.pager.answer = talk
        await self.hook.tell(ALARM)
        [finished] = left
        try:
            await finished
        except ConnectionDone:
            pass
        else:
            raise AssertionError("nobody hung up")

    async def test_nobody_listens(self) -> None:
        [port] = free_ports(1)
        assert "refused" in await self._complaint(self.at(port))

    async def test_it_hangs_up(self) -> None:
        def cut(request: Request) -> int:
            transport: Any = request.transport  # Twisted's
            transport.abortConnection()
            return NOT_DONE_YET

        self.pager.answer = cut
        assert "http://127.0.0.1:" in await self._complaint(self.hook)

    async def test_it_takes_too_long(self) -> None:
        self.patch(alarmchannels, "PATIENCE", 0.1)
        self.pager.answer = lambda request: NOT_DONE_YET
        assert "takes too long" in await self._complaint(self.hook)


class CommandTests(TestCase):
    """Programs."""

    def setUp(self) -> None:
        self.patch(alarmchannels, "PATIENCE", PATIENCE)

    def run_python(self, program: str, *words: str) -> Deferred[None]:
        command = [sys.executable, "-c", program, *words]
        channel = Command(reactor, command, "mail.example.org")
        verifyObject(IAlarmChannel, channel)
        return Deferred.fromCoroutine(channel.tell(ALARM))

    async def test_it_reads(self) -> None:
        path = Path(self.mktemp())
        program = "import sys; open(sys.argv[1], 'w').write(sys.stdin.read())"
        await self.run_python(program, str(path))
        self.assertEqual(json.loads(path.read_text()), TOLD)

    async def test_it_fails(self) -> None:
        for program, words in (
            ("import sys; sys.exit('no line')", "no line"),
            ("import sys; sys.exit(3)", "exit code 3"),
        ):
            try:
                await self.run_python(program)
            except Unavailable as error:
                assert words in str(error)
            else:
                raise AssertionError(words)

    async def test_it_does_not_end(self) -> None:
        self.patch(alarmchannels, "PATIENCE", 0.3)
        try:
            await self.run_python("import time; time.sleep(60)")
        except Unavailable as error:
            assert "signal 9" in str(error)
        else:
            raise AssertionError("it ended")

    async def test_it_is_not_there(self) -> None:
        channel = Command(reactor, ["/nowhere/page"], "mail.example.org")
        try:
            await channel.tell(ALARM)
        except Unavailable as error:
            assert "/nowhere/page: " in str(error)
        else:
            raise AssertionError("it is there")
