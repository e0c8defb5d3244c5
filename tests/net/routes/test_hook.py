"""Hooks: what is posted, how it is signed, and what each answer means."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest
from attrs import define, field
from treq.testing import RequestTraversalAgent
from twisted.internet.defer import CancelledError, Deferred, fail
from twisted.internet.error import ConnectionRefusedError, DNSLookupError
from twisted.web.http import Request
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET
from zope.interface.verify import verifyObject

from mailkit.errors import StorageBroken, Unavailable, Unreachable
from mailkit.interfaces.queue import Carried, IRouteEnd
from mailkit.model.queueitem import Fate
from mailkit.model.target import ToHook
from mailkit.net.routes.hook import IntoHook, verdict
from mailkit.testing.clock import TestClock
from tests.net.relay.world import TEXT, OnDisk, item

TABLE = [
    (200, Fate.RELAYED, "2.1.5", False),
    (202, Fate.RELAYED, "2.1.5", False),
    (301, Fate.WAITING, "4.3.0", False),
    (400, Fate.FAILED, "5.3.0", False),
    (404, Fate.FAILED, "5.1.1", False),
    (408, Fate.WAITING, "4.3.0", False),
    (410, Fate.FAILED, "5.1.1", False),
    (413, Fate.FAILED, "5.3.4", False),
    (429, Fate.WAITING, "4.3.0", True),
    (500, Fate.WAITING, "4.3.0", False),
    (503, Fate.WAITING, "4.3.0", True),
]


@pytest.mark.parametrize(("code", "fate", "status", "is_busy"), TABLE)
def test_verdicts(code: int, fate: Fate, status: str, is_busy: bool) -> None:
    judged = verdict(code)
    assert (judged.fate, judged.status, judged.is_busy) == (fate, status, is_busy)


class Receiver(Resource):
    """Answers as it was told, or not at all."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.code = 200
        self.words = b"thanks"
        self.got: list[tuple[dict[str, str], bytes]] = []

    def render_POST(self, request: Request) -> object:
        headers = {
            name.decode(): values[0].decode()
            for name, values in request.requestHeaders.getAllRawHeaders()
        }
        assert request.content is not None
        self.got.append((headers, request.content.read()))
        if not self.code:
            return NOT_DONE_YET
        request.setResponseCode(self.code)
        return self.words


@define(eq=False)
class World:
    """A receiver in memory, and a hook to it."""

    target: ToHook = field(factory=lambda: ToHook(url="http://hook.test/x"))
    receiver: Receiver = field(factory=Receiver)
    clock: TestClock = field(factory=TestClock)
    agent: Any = None  # IAgent
    secrets: dict[str, str] = field(factory=dict)

    async def secret(self, path: str) -> str:
        if path not in self.secrets:
            raise Unavailable(path)
        return self.secrets[path]

    def begin(self, content: OnDisk | None = None) -> Deferred[Carried]:
        self.agent = self.agent or RequestTraversalAgent(self.receiver)
        end = IntoHook(self.target, self.clock, self.secret, self.agent)
        verifyObject(IRouteEnd, end)
        content = content or OnDisk(TEXT)
        carrying = Deferred.fromCoroutine(
            end.carry(item("a@x.test", "b@x.test"), content)
        )
        if isinstance(self.agent, RequestTraversalAgent):
            self.agent.flush()
        carrying.addBoth(self._closed, end)
        return carrying

    def _closed(self, result: Any, end: IntoHook) -> Any:
        Deferred.fromCoroutine(end.close())
        return result


def result(deferred: Deferred[Carried]) -> Carried:
    found: list[Any] = []
    deferred.addBoth(found.append)
    [one] = found
    if not isinstance(one, Carried):
        one.raiseException()
    assert isinstance(one, Carried)
    assert not found[1:]
    return one


def test_json_that_is_signed() -> None:
    world = World(ToHook(url="http://hook.test/x", secret_file="/s", is_whole=True))
    world.secrets["/s"] = "secret"
    done = result(world.begin())
    assert {report.fate for report in done.reports} == {Fate.RELAYED}
    assert [report.words for report in done.reports] == ["200 OK thanks"] * 2
    [(headers, octets)] = world.receiver.got
    moment = str(int(world.clock.seconds()))
    signed = f"{moment}.".encode() + octets
    code = hmac.new(b"secret", signed, hashlib.sha256).hexdigest()
    assert headers["X-Mailkit-Signature"] == f"t={moment},v1={code}"
    assert headers["X-Mailkit-Id"] == "5f3c.1"
    assert headers["Content-Type"] == "application/json"
    assert json.loads(octets)["envelope"]["to"] == ["a@x.test", "b@x.test"]


def test_raw() -> None:
    world = World(ToHook(url="http://hook.test/x", is_raw=True))
    result(world.begin())
    [(headers, octets)] = world.receiver.got
    assert octets == TEXT
    assert headers["Content-Type"] == "message/rfc822"
    assert json.loads(headers["X-Mailkit-Envelope"]) == {
        "from": "x@elsewhere.test",
        "to": ["a@x.test", "b@x.test"],
    }
    assert "X-Mailkit-Signature" not in headers


def test_busy_and_never() -> None:
    world = World()
    world.receiver.code = 503
    world.receiver.words = b"\x1b[0m\nlater " + b"x" * 10_000
    done = result(world.begin())
    assert done.is_busy
    assert {report.fate for report in done.reports} == {Fate.WAITING}
    words = done.reports[0].words
    assert words.startswith("503 Service Unavailable [0m later xxx")
    assert len(words) < 400
    world.receiver.code = 410
    assert {one.fate for one in result(world.begin()).reports} == {Fate.FAILED}


class Endless(Receiver):
    """Says what it thinks of the message, and then does not come to an end."""

    def render_POST(self, request: Request) -> object:
        super().render_POST(request)
        request.write(self.words)
        return NOT_DONE_YET


@pytest.mark.parametrize(("code", "fate"), [(200, Fate.RELAYED), (410, Fate.FAILED)])
def test_an_answer_without_an_end_counts(code: int, fate: Fate) -> None:
    world = World(ToHook(url="http://hook.test/x", timeout=5.0), Endless())
    world.receiver.code = code
    carrying = world.begin()
    world.clock.advance(5)
    done = result(carrying)
    assert {one.fate for one in done.reports} == {fate}
    assert done.reports[0].words.startswith(f"{code} ")
    assert done.reports[0].words.endswith(" thanks")
    assert not done.is_doubtful
    assert len(world.receiver.got) == 1
    assert not world.clock.getDelayedCalls()


def test_nobody_answers_in_time() -> None:
    world = World(ToHook(url="http://hook.test/x", timeout=5.0))
    world.receiver.code = 0
    carrying = world.begin()
    assert len(world.receiver.got) == 1
    world.clock.advance(5)
    done = result(carrying)
    assert done.is_doubtful
    assert {one.words for one in done.reports} == {"no word within 5 s"}
    assert {one.fate for one in done.reports} == {Fate.WAITING}
    assert not world.clock.getDelayedCalls()


class Away:
    """An agent that reaches nobody."""

    def __init__(self, answer: Deferred[Any]) -> None:
        self.answer = answer

    def request(self, *about: object) -> Deferred[Any]:
        return self.answer


def test_nobody_is_there() -> None:
    world = World(agent=Away(fail(ConnectionRefusedError("no\nway"))))
    with pytest.raises(Unreachable, match="no way"):
        result(world.begin())


def lost(asked: Deferred[Any]) -> None:
    """As Twisted says that it was stopped while it looked up a name."""
    asked.errback(DNSLookupError("Couldn't find the hostname"))


@pytest.mark.parametrize("end", [None, lost])
def test_nobody_takes_a_connection_in_time(end: Any) -> None:
    world = World(agent=Away(Deferred(end)))
    carrying = world.begin()
    world.clock.advance(30)
    with pytest.raises(Unreachable, match="no word within 30 s"):
        result(carrying)


def test_a_server_that_stops_breaks_off() -> None:
    world = World(agent=Away(Deferred()))
    carrying = world.begin()
    carrying.cancel()
    with pytest.raises(CancelledError):
        result(carrying)
    assert not world.clock.getDelayedCalls()


def test_a_message_that_cannot_be_read() -> None:
    world = World(ToHook(url="http://hook.test/x", is_raw=True))
    with pytest.raises(StorageBroken):
        result(world.begin(OnDisk(TEXT, lies=3)))


def test_a_secret_that_cannot_be_read() -> None:
    world = World(ToHook(url="http://hook.test/x", secret_file="/gone"))
    with pytest.raises(Unavailable, match="/gone"):
        result(world.begin())
