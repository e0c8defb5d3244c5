"""Requests that bring much: in the limits of their route, files straight to disk."""

from __future__ import annotations

import json
from typing import Any

import pytest
from attrs import define, field
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import ISSLTransport
from twisted.internet.testing import StringTransport
from twisted.logger import capturedLogs
from twisted.python.failure import Failure
from zope.interface import directlyProvides, implementer

from mailkit.errors import PeerGone, StorageBroken
from mailkit.interfaces.storage import IContent, ISpool, ISpoolFile
from mailkit.storage.content import OctetsContent
from mailkit.web.answers import Answer, Outlet
from mailkit.web.asking import Asked
from mailkit.web.csrf import make_token
from mailkit.web.origin import Addresses, Asking
from mailkit.web.receiving import AHEAD
from mailkit.web.site import WebHouse, WebSite, make_site
from mailkit.web.webmail.rooms import KIB, Body, Needs, Room
from mailkit.web.wellknown import PolicyPage
from tests.web.world import (
    HOST,
    LANGUAGES,
    RENDERING,
    STATICS,
    Heard,
    WebWorld,
    heard_of,
)

LARGEST = 2 * 1024 * KIB
BOUNDARY = "b0undary"
FORM = f"multipart/form-data; boundary={BOUNDARY}"


def part(name: str, octets: bytes, file_name: str | None = None) -> bytes:
    tail = "" if file_name is None else f'; filename="{file_name}"'
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{tail}\r\n'
    return head.encode() + b"Content-Type: text/x\r\n\r\n" + octets + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()


@implementer(ISpoolFile)
@define(eq=False)
class SlowFile:
    """Waits for the test with each write."""

    spool: SlowSpool
    size: int = 0
    octets: bytes = b""

    async def write(self, octets: bytes) -> None:
        if self.spool.is_slow:
            turn: Deferred[None] = Deferred()
            self.spool.turns.append(turn)
            await turn
        self.octets += octets
        self.size += len(octets)

    async def finish(self) -> IContent:
        return OctetsContent(self.octets)

    def discard(self) -> None:
        self.spool.discarded += 1


@implementer(ISpool)
@define(eq=False)
class SlowSpool:
    is_slow: bool = False
    turns: list[Deferred[None]] = field(factory=list)
    discarded: int = 0

    def begin(self) -> ISpoolFile:
        return SlowFile(self)


@define(eq=False)
class World:
    """One page that takes files, one that takes none, one that never ends."""

    world: WebWorld = field(factory=WebWorld)
    spool: SlowSpool = field(factory=SlowSpool)
    got: list[Asked] = field(factory=list)
    site: WebSite = field(init=False)
    transport: Any = field(init=False)
    channel: Any = field(init=False)
    said: list[str] = field(factory=list)
    is_full_after: int = -1

    def __attrs_post_init__(self) -> None:
        self.world.house.spool = self.spool
        room = Room()
        body = Body(4 * KIB, lambda house: LARGEST)

        @room.post("/files", action="act", needs=Needs.NOBODY, body=body)
        async def files(asked: Asked) -> Answer:
            self.got.append(asked)
            texts = []
            for one in asked.files:
                octets = await one.content.read(0, one.size)
                texts.append(f"{one.field} {one.name} {one.content_type} {len(octets)}")
            return asked.text("\n".join([*texts, asked.form.text("subject")]))

        @room.post("/none", action="act", needs=Needs.NOBODY)
        async def none(asked: Asked) -> Answer:
            self.got.append(asked)
            return asked.text(f"{len(asked.octets)}")

        @room.get("/stream", needs=Needs.NOBODY)
        async def stream(asked: Asked) -> Answer:
            return asked.events(self.stream)

        @room.get("/half", needs=Needs.NOBODY)
        async def half(asked: Asked) -> Answer:
            return asked.events(self.half)

        @room.get("/bad", needs=Needs.NOBODY)
        async def bad(asked: Asked) -> Answer:
            return asked.events(self.bad)

        @room.get("/broken", needs=Needs.NOBODY)
        async def broken(asked: Asked) -> Answer:
            raise ZeroDivisionError("a bug")

        policy = PolicyPage(self.world._is_ours, HOST, lambda: "none")
        self.site = make_site(
            WebHouse(
                policy,
                lambda: None,
                lambda: [b"a key"],
                self.world,
                self.world.clock.seconds,
                STATICS,
                RENDERING,
                LANGUAGES,
                lambda: self.world.webmail,
                tuple(room.routes),
            ),
            self.world.idle,
        )
        self.world.get("/login")

    async def stream(self, outlet: Outlet) -> None:
        try:
            for number in range(100):
                self.said.append(f"{number}")
                if number == self.is_full_after:
                    self.transport.producer.pauseProducing()
                await outlet.write(b"data: %d\n\n" % number)
            await outlet.gone()
        except PeerGone:
            self.said.append("left")
            raise
        self.said.append("gone")

    async def half(self, outlet: Outlet) -> None:
        await outlet.write(b"the beginning")
        raise StorageBroken("the disk")

    async def bad(self, outlet: Outlet) -> None:
        await outlet.write(b"the beginning")
        raise ZeroDivisionError("a bug")

    def connect(self) -> None:
        address = IPv4Address("TCP", "192.0.2.7", 50000)
        self.channel = self.site.buildProtocol(address)
        self.transport = StringTransport(peerAddress=address)
        self.transport.setTcpNoDelay = lambda wish: None
        directlyProvides(self.transport, ISSLTransport)
        self.channel.makeConnection(self.transport)

    def begin(self, path: str, length: int, kind: str = FORM) -> None:
        self.connect()
        secret = self.world.cookies["__Host-mailkit-before"]
        self.channel.dataReceived(
            f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {length}\r\n"
            f"Content-Type: {kind}\r\nCookie: __Host-mailkit-before={secret}\r\n"
            f"Sec-Fetch-Site: same-origin\r\nX-CSRF: {self.act()}\r\n\r\n".encode()
        )

    def act(self) -> str:
        secret = self.world.cookies["__Host-mailkit-before"]
        return make_token(self.world.house.secret_of(secret), "act", self.world.random)

    def post(self, path: str, body: bytes, kind: str = FORM, size: int = 1000) -> Heard:
        self.begin(path, len(body), kind)
        for at in range(0, len(body), size):
            self.channel.dataReceived(body[at : at + size])
        return heard_of(self.transport.value())

    def leave(self) -> None:
        self.channel.connectionLost(Failure(ConnectionDone()))


@pytest.mark.parametrize("size", [1, 7, 1000, 1 << 20])
def test_fields_and_files(size: int) -> None:
    world = World()
    length = 200_000 if size > 100 else 300
    body = (
        part("subject", "Grüße".encode())
        + part("file", b"x" * length, "a b.txt")
        + part("file", b"", "")
        + part("other", b"\r\n--b", "ü.txt")
        + END
    )
    heard = world.post("/files", body, size=size)
    assert heard.status == 200
    assert heard.text.split("\n") == [
        f"file a b.txt text/x {length}",
        "other ü.txt text/x 5",
        "Grüße",
    ]
    # Once the answer is sent nothing is left of them.
    assert world.spool.discarded == 3


def test_what_is_too_large_is_not_taken_in() -> None:
    world = World()
    world.begin("/files", LARGEST * 2)
    assert world.transport.value().startswith(b"HTTP/1.1 413 ")
    assert world.transport.disconnecting
    body = part("file", b"x" * (LARGEST + 1), "a") + END
    heard = world.post("/files", body, size=100_000)
    assert (heard.status, "too large" in heard.text) == (413, True)
    body = part("subject", b"x" * (5 * KIB)) + END
    assert world.post("/files", body).status == 413
    assert world.got == []


def test_a_route_that_takes_no_files() -> None:
    world = World()
    assert world.post("/none", part("file", b"x", "a") + END).status == 400
    assert world.post("/none", b"x" * 60_000, "text/plain").text == "60000"
    heard = world.post("/none", b"x" * 70_000, "text/plain")
    assert heard.status == 413
    assert world.transport.disconnecting


@pytest.mark.parametrize(
    "body", [b"", b"no form", part("a", b"x"), part("a", b"x")[:-9] + END]
)
def test_a_form_that_is_none(body: bytes) -> None:
    world = World()
    assert world.post("/files", body).status == 400
    assert world.got == []


def test_a_disk_that_is_full() -> None:
    world = World()
    world.world.spool.is_full = True
    world.world.house.spool = world.world.spool
    heard = world.post("/files", part("file", b"x", "a") + END)
    assert heard.status == 507
    assert "disk is full" in heard.text


def test_a_quick_browser_is_held_up_by_a_slow_disk() -> None:
    world = World(spool=SlowSpool(is_slow=True))
    piece = b"x" * (64 * KIB)
    body = part("file", piece * 20, "a") + END
    world.begin("/files", len(body))
    sent = 0
    while world.transport.producerState == "producing":
        world.channel.dataReceived(body[sent : sent + len(piece)])
        sent += len(piece)
        assert sent <= AHEAD + 2 * len(piece)
    while world.spool.turns:
        world.spool.turns.pop(0).callback(None)
    assert world.transport.producerState == "producing"
    world.spool.is_slow = False
    world.channel.dataReceived(body[sent:])
    assert f"{20 * len(piece)}" in heard_of(world.transport.value()).text


def test_files_of_a_browser_that_leaves_are_forgotten() -> None:
    world = World()
    body = part("file", b"x" * 5000, "a") + END
    world.begin("/files", len(body))
    world.channel.dataReceived(body[:3000])
    world.leave()
    assert world.spool.discarded == 1
    assert world.got == []


def test_what_a_browser_said_before_it_left_is_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A page that is closed saves what is written in it."""
    turn: Deferred[None] = Deferred()

    async def is_right(self: Addresses, asking: Asking) -> bool:
        await turn
        return True

    world = World()
    monkeypatch.setattr(Addresses, "is_right", is_right)
    world.begin("/none", 5, "text/plain")
    world.channel.dataReceived(b"words")
    world.leave()
    with capturedLogs() as logged:
        turn.callback(None)
    assert [asked.octets for asked in world.got] == [b"words"]
    assert logged == []


def test_a_browser_leaves_before_its_files_are_written() -> None:
    world = World(spool=SlowSpool(is_slow=True))
    body = part("file", b"x" * 5000, "a") + END
    world.begin("/files", len(body))
    world.channel.dataReceived(body)
    world.leave()
    with capturedLogs() as logged:
        while world.spool.turns:
            world.spool.turns.pop(0).callback(None)
    assert world.spool.discarded == 1
    assert world.got == []
    assert logged == []


def get(world: World, path: str) -> None:
    world.connect()
    world.channel.dataReceived(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())


def test_a_stream_is_no_quicker_than_its_reader() -> None:
    world = World()
    get(world, "/stream")
    assert len(world.said) == 100
    assert b"data: 99" in world.transport.value()
    assert b"Content-Length" not in world.transport.value()
    world.leave()
    assert world.said[-1] == "gone"


def test_a_bug_is_told_as_no_more_than_that() -> None:
    world = World()
    get(world, "/broken")
    heard = heard_of(world.transport.value())
    assert heard.status == 500
    assert "Something went wrong on the server" in heard.text
    assert "ZeroDivision" not in heard.text
    assert "a bug" not in heard.text


@pytest.mark.parametrize("path", ["/half", "/bad"])
def test_half_an_answer_does_not_look_like_one(path: str) -> None:
    world = World()
    get(world, path)
    assert b"the beginning" in world.transport.value()
    assert not world.transport.value().endswith(b"0\r\n\r\n")
    assert world.transport.disconnected
    world.leave()


def test_a_slow_reader_holds_up_the_stream() -> None:
    world = World()
    world.connect()
    head = f"GET /stream HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
    world.is_full_after = 3
    world.channel.dataReceived(head)
    assert world.said == ["0", "1", "2", "3"]
    world.transport.producer.resumeProducing()
    assert len(world.said) == 100
    world.leave()


def test_one_connection_for_many_pages() -> None:
    world = WebWorld()
    head = f"GET /login HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
    address = IPv4Address("TCP", "192.0.2.7", 50000)
    channel: Any = world.site.buildProtocol(address)
    transport: Any = StringTransport(peerAddress=address)
    transport.setTcpNoDelay = lambda wish: None
    directlyProvides(transport, ISSLTransport)
    channel.makeConnection(transport)
    channel.dataReceived(head * 3)
    assert transport.value().count(b"HTTP/1.1 200") == 3
    assert not transport.disconnecting


def test_static_files_are_kept_for_good() -> None:
    world = WebWorld()
    address = STATICS.address("mailkit.css")
    heard = world.get(address, {"Accept-Encoding": "gzip, br"})
    assert heard.status == 200
    assert heard.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert heard.headers["content-encoding"] == "gzip"
    assert b"--accent" in heard.octets
    assert world.get(address).octets == heard.octets
    again = world.get(address, {"If-None-Match": heard.headers["etag"]})
    assert (again.status, again.octets) == (304, b"")
    head = world.ask("HEAD", address)
    assert (head.status, head.octets) == (200, b"")
    for other in ("/static/x/mailkit.css", f"/static/{STATICS.version}/x.css"):
        assert world.get(other).status == 404
    assert "/../" not in address


def test_browsers_can_keep_the_site_as_a_program() -> None:
    world = WebWorld()
    assert '<link rel="manifest" href="/manifest.webmanifest">' in (
        world.get("/login").text
    )
    heard = world.get("/manifest.webmanifest")
    assert heard.headers["content-type"] == "application/manifest+json"
    assert heard.headers["x-content-type-options"] == "nosniff"
    facts = json.loads(heard.text)
    assert (facts["name"], facts["start_url"]) == ("mailkit", "/mail/inbox")
    assert world.get(facts["icons"][0]["src"]).status == 200
    assert world.ask("POST", "/manifest.webmanifest").status == 405


def test_style_weighs_little() -> None:
    found = STATICS.find(STATICS.version, "mailkit.css")
    assert found is not None
    assert len(found.compressed) <= 10 * KIB
