"""The same pages by HTTP/2 (RFC 9113), where `twisted[http2]` is installed."""

from __future__ import annotations

import gc
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from attrs import define, field, frozen
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import ISSLTransport
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import (
    ILogObserver,
    LogEvent,
    capturedLogs,
    globalLogPublisher,
)
from twisted.python.failure import Failure
from zope.interface import directlyProvides, implementer

from mailkit.web.csrf import make_token
from mailkit.web.site import WebSite
from tests.web.test_receiving import END, FORM, World, part
from tests.web.world import HOST, WebWorld

h2 = pytest.importorskip("h2", reason="twisted[http2] is not installed")
connection = pytest.importorskip("h2.connection", reason="it comes with h2")
events = pytest.importorskip("h2.events", reason="it comes with h2")


@frozen
class Got:
    """One answer, whole or broken off."""

    status: int
    headers: dict[str, str]
    octets: bytes
    is_whole: bool


@define(eq=False)
class Browser:
    """One connection of a browser that speaks HTTP/2."""

    site: Any  # Twisted's, without types
    clock: Clock
    transport: Any = field(init=False)
    channel: Any = field(init=False)
    client: Any = field(init=False)
    answers: dict[int, dict[str, Any]] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        address = IPv4Address("TCP", "192.0.2.7", 50000)
        self.channel = self.site.buildProtocol(address)
        self.transport = StringTransport(peerAddress=address)
        self.transport.setTcpNoDelay = lambda wish: None
        self.transport.negotiatedProtocol = b"h2"
        directlyProvides(self.transport, ISSLTransport)
        self.channel.makeConnection(self.transport)
        self.client = connection.H2Connection()
        self.client.initiate_connection()

    def begin(
        self, method: str, path: str, headers: list[tuple[str, str]], ends: bool
    ) -> int:
        number = int(self.client.get_next_available_stream_id())
        head = [
            (":method", method),
            (":scheme", "https"),
            (":authority", HOST),
            (":path", path),
        ]
        self.client.send_headers(number, head + headers, end_stream=ends)
        self.answers[number] = {"status": 0, "headers": {}, "octets": b"", "end": False}
        self.turn()
        return number

    def send(self, number: int, octets: bytes, ends: bool) -> None:
        while octets:
            room = min(
                self.client.local_flow_control_window(number),
                self.client.max_outbound_frame_size,
            )
            assert room, "the server takes no more"
            piece, octets = octets[:room], octets[room:]
            self.client.send_data(number, piece, end_stream=ends and not octets)
            self.turn()

    def turn(self) -> None:
        """Carry octets both ways until there are none."""
        for _ in range(60):
            outward = self.client.data_to_send()
            if outward:
                self.channel.dataReceived(outward)
            self.clock.advance(0)
            inward = self.transport.value()
            self.transport.clear()
            for event in self.client.receive_data(inward):
                self._hear(event)

    def _hear(self, event: Any) -> None:
        if isinstance(event, events.ResponseReceived):
            answer = self.answers[event.stream_id]
            pairs = {k.decode(): v.decode() for k, v in event.headers}
            answer["status"] = int(pairs[":status"])
            answer["headers"] = pairs
        elif isinstance(event, events.DataReceived):
            self.answers[event.stream_id]["octets"] += event.data
            self.client.acknowledge_received_data(
                event.flow_controlled_length, event.stream_id
            )
        elif isinstance(event, events.StreamEnded):
            self.answers[event.stream_id]["end"] = True

    def got(self, number: int) -> Got:
        answer = self.answers[number]
        return Got(answer["status"], answer["headers"], answer["octets"], answer["end"])

    def get(self, path: str, headers: list[tuple[str, str]] | None = None) -> Got:
        return self.got(self.begin("GET", path, headers or [], ends=True))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Twisted's HTTP/2 asks the global reactor for its turns."""
    found = Clock()
    monkeypatch.setattr("twisted.internet.reactor", found)
    return found


@pytest.fixture(autouse=True)
def failures() -> Iterator[None]:
    """Nothing fails unseen, as in what Twisted calls and logs."""
    found: list[Any] = []

    @implementer(ILogObserver)
    def note(event: LogEvent) -> None:
        failure = event.get("log_failure")
        if failure is not None and not failure.check(ZeroDivisionError):
            found.append(failure)

    # What other tests left behind goes first: a coroutine that still waits is closed by
    # the collector, and what it does for its peer then may meet itself, at any moment.
    gc.collect()
    globalLogPublisher.addObserver(note)
    yield
    gc.collect()
    globalLogPublisher.removeObserver(note)
    assert found == []


def form_headers(world: World, length: int | None, kind: str) -> list[tuple[str, str]]:
    secret = world.world.cookies["__Host-mailkit-before"]
    token = make_token(world.world.house.secret_of(secret), "act", world.world.random)
    # The length comes first: what kind of form it is is not known yet then.
    size = [] if length is None else [("content-length", str(length))]
    return [
        *size,
        ("content-type", kind),
        ("cookie", f"__Host-mailkit-before={secret}"),
        ("sec-fetch-site", "same-origin"),
        ("x-csrf", token),
    ]


def test_pages_have_their_headers(clock: Clock) -> None:
    browser = Browser(WebWorld().site, clock)
    got = browser.get("/login")
    assert (got.status, got.is_whole) == (200, True)
    assert b"<h1>Sign in" in got.octets
    assert got.headers["strict-transport-security"]
    assert got.headers["content-security-policy"].startswith("default-src 'none'")
    assert browser.get("/mail/inbox").status == 303
    assert browser.get("/nothing").status == 404
    address = WebWorld().house.version
    assert browser.get(f"/static/{address}/mailkit.css").is_whole


def test_many_at_once(clock: Clock) -> None:
    world = World()
    browser = Browser(world.site, clock)
    stream = browser.begin("GET", "/stream", [], ends=True)
    assert browser.get("/none").status == 404
    got = browser.got(stream)
    assert b"data: 99" in got.octets
    assert not got.is_whole
    browser.client.reset_stream(stream)
    browser.turn()
    assert world.said[-1] == "gone"
    leaving = browser.begin("POST", "/files", form_headers(world, 9, FORM), ends=False)
    browser.client.reset_stream(leaving)
    browser.turn()
    assert browser.get("/nothing").status == 404


@pytest.mark.parametrize("says_length", [True, False])
def test_files_go_straight_to_disk(clock: Clock, says_length: bool) -> None:
    world = World()
    browser = Browser(world.site, clock)
    body = part("subject", b"Hello") + part("file", b"x" * 100_000, "a.txt") + END
    headers = form_headers(world, len(body) if says_length else None, FORM)
    number = browser.begin("POST", "/files", headers, ends=False)
    browser.send(number, body, ends=True)
    got = browser.got(number)
    assert got.octets.decode().split("\n") == ["file a.txt text/x 100000", "Hello"]
    assert world.spool.discarded == 1


@pytest.mark.parametrize("says_length", [True, False])
def test_what_is_too_large_is_answered(clock: Clock, says_length: bool) -> None:
    world = World()
    browser = Browser(world.site, clock)
    body = b"x" * 100_000
    headers = form_headers(world, len(body) if says_length else None, "text/plain")
    number = browser.begin("POST", "/none", headers, ends=False)
    browser.send(number, body, ends=True)
    got = browser.got(number)
    assert (got.status, got.is_whole) == (413, True)
    assert b"too large" in got.octets
    assert browser.get("/nothing").status == 404


def test_a_quick_browser_is_held_up(clock: Clock) -> None:
    world = World()
    world.spool.is_slow = True
    browser = Browser(world.site, clock)
    body = part("file", b"x" * 900_000, "a") + END
    headers = form_headers(world, len(body), FORM)
    number = browser.begin("POST", "/files", headers, ends=False)
    with pytest.raises(AssertionError, match="takes no more"):
        browser.send(number, body, ends=True)


@pytest.mark.parametrize("path", ["/half", "/bad"])
def test_half_an_answer_does_not_look_like_one(clock: Clock, path: str) -> None:
    world = World()
    browser = Browser(world.site, clock)
    number = browser.begin("GET", path, [], ends=True)
    assert not browser.got(number).is_whole
    assert browser.transport.disconnected


def test_what_is_taken_back_at_once_is_not_made(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page for a stream that is reset already is work for nobody (CVE-2023-44487)."""
    site = WebWorld().site
    asked: list[bytes] = []
    find = WebSite.getResourceFor

    def count(site: WebSite, request: Any) -> Any:
        asked.append(request.path)
        return find(site, request)

    monkeypatch.setattr(WebSite, "getResourceFor", count)
    browser = Browser(site, clock)
    browser.turn()
    for _ in range(50):
        number = int(browser.client.get_next_available_stream_id())
        head = [
            (":method", "GET"), (":scheme", "https"), (":authority", HOST),
            (":path", "/login"),
        ]  # fmt: skip
        browser.client.send_headers(number, head, end_stream=True)
        browser.client.reset_stream(number)
    browser.turn()
    assert asked == []
    # The connection is as good as before.
    assert browser.get("/login").is_whole
    assert asked == [b"/login"]


def test_cookies_come_one_by_one(clock: Clock) -> None:
    """As browsers send them (RFC 9113 §8.2.3)."""
    world = WebWorld()
    world.sign_in()
    cookies = [("cookie", f"{name}={value}") for name, value in world.cookies.items()]
    for crumbs in (cookies, cookies[::-1]):
        more = [("cookie", "theme=x"), *crumbs, ("cookie", "other=y")]
        assert Browser(world.site, clock).get("/mail/inbox", more).status == 200


@pytest.mark.parametrize(
    "header",
    [
        ("host", "evil.example"),
        ("transfer-encoding", "chunked"),
        ("connection", "close"),
        ("x", "a\r\nb: c"),
        ("x-long", "y" * 70_000),
    ],
)
def test_what_is_doubtful_is_refused(clock: Clock, header: tuple[str, str]) -> None:
    browser = Browser(WebWorld().site, clock)
    browser.turn()
    browser.client.config.validate_outbound_headers = False
    browser.client.config.normalize_outbound_headers = False
    number = browser.begin("GET", "/login", [header], ends=True)
    assert browser.got(number).status in (0, 400, 421)


@pytest.mark.parametrize("kind", ["ping", "settings"])
def test_questions_of_the_protocol_itself_cost_little(clock: Clock, kind: str) -> None:
    """What is not read is not kept: the connection is ended."""
    browser = Browser(WebWorld().site, clock)
    browser.turn()
    channel = browser.channel._channel
    channel.pauseProducing()
    frame = b"\0\0\0\x04\0\0\0\0\0"
    if kind == "ping":
        frame = b"\0\0\x08\x06\0\0\0\0\0" + b"12345678"
    for _ in range(10_000):
        if browser.transport.disconnected:
            break
        browser.channel.dataReceived(frame)
    assert browser.transport.disconnected


def priorities(count: int, *, each_on_the_last: bool = False) -> bytes:
    """So many PRIORITY frames (RFC 9113 §6.3), of streams that nobody opened."""
    frames = b""
    for number in range(1, 2 * count, 2):
        parent = max(number - 2, 0) if each_on_the_last else 0
        frames += b"\0\0\x05\x02\0" + struct.pack(">IIB", number, parent, 15)
    return frames


def test_a_flood_of_priorities_ends_the_connection(clock: Clock) -> None:
    """Nothing fails: see `failures`."""
    browser = Browser(WebWorld().site, clock)
    browser.turn()
    with capturedLogs() as logged:
        browser.channel.dataReceived(priorities(2000))
    [ended] = browser.client.receive_data(browser.transport.value())
    assert isinstance(ended, events.ConnectionTerminated)
    assert ended.error_code.name == "ENHANCE_YOUR_CALM"
    assert browser.transport.disconnecting
    [line] = [one for one in logged if one.get("peer") == "192.0.2.7"]
    assert line["log_level"].name == "info"
    assert "PRIORITY" in line["log_format"]
    # What is on its way still does no harm.
    browser.channel.dataReceived(priorities(2000))
    browser.channel.connectionLost(Failure(ConnectionDone()))


def test_what_is_said_of_the_order_costs_nothing(clock: Clock) -> None:
    """A tree of streams as deep as they are many would have to be climbed by each."""
    browser = Browser(WebWorld().site, clock)
    browser.turn()
    browser.channel.dataReceived(priorities(900, each_on_the_last=True))
    browser.client.highest_outbound_stream_id = 1799
    assert browser.get("/login").is_whole
    for _ in range(20):
        browser.client.prioritize(1799, depends_on=1, weight=200, exclusive=True)
        browser.turn()
    assert browser.get("/login").is_whole
    for _ in range(150):  # as many as a browser may say of each request
        head = [("priority", "u=1")]
        number = browser.begin("GET", "/healthz", head, ends=True)
        for weight in (1, 256):
            browser.client.prioritize(number, weight=weight)
    assert browser.get("/login").is_whole
    assert not browser.transport.disconnecting
