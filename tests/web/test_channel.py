"""Requests that two programs could read differently, or that fill the log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from twisted.python.failure import Failure
from zope.interface import implementer

from mailkit.testing.at_once import at_once
from mailkit.web.visits import shown
from tests.web.world import ALICE, BOB, HOST, PASSWORD, WebWorld

POST = b"POST /login HTTP/1.1\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
LINE = b"GET /login HTTP/1.1\r\n"
OURS = f"Host: {HOST}\r\n".encode()


@pytest.fixture(scope="module")
def world() -> WebWorld:
    return WebWorld()


@pytest.fixture
def events() -> Iterator[list[LogEvent]]:
    """What is logged meanwhile."""
    found: list[LogEvent] = []

    @implementer(ILogObserver)
    def note(event: LogEvent) -> None:
        found.append(event)

    globalLogPublisher.addObserver(note)
    yield found
    globalLogPublisher.removeObserver(note)


def said(world: WebWorld, octets: bytes) -> bytes:
    """What a connection hears until it is gone."""
    address = IPv4Address("TCP", "192.0.2.7", 50000)
    channel: Any = world.site.buildProtocol(address)  # Twisted's, without types
    transport = StringTransport(peerAddress=address)
    channel.makeConnection(transport)
    channel.dataReceived(octets)
    channel.connectionLost(Failure(ConnectionDone()))
    return bytes(transport.value())


@pytest.mark.parametrize(
    "octets",
    [
        LINE + OURS + b"Host: evil.example\r\n\r\n",
        LINE + b"Host: evil.example\r\n" + OURS + b"\r\n",
        LINE + OURS + OURS + b"\r\n",
        LINE + OURS + b"X-Long: a\r\n b\r\n\r\n",
        LINE + b" " + OURS + b"\r\n",
        LINE + OURS + b"X : a\r\n\r\n",
        LINE + OURS + b"X: a\x00b\r\n\r\n",
        LINE + OURS + b"X: a\nHost: evil.example\r\n\r\n",
        LINE + OURS + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
        LINE + OURS + b"Content-Length: +1\r\n\r\nx",
        LINE + OURS + b"Content-Length: 1, 1\r\n\r\nx",
        LINE + OURS + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\nx",
        LINE + OURS + b"Content-Length: 5\r\n" + CHUNKED + b"\r\n0\r\n\r\n",
        LINE + OURS + CHUNKED + b"Content-Length: 5\r\n\r\n0\r\n\r\n",
        LINE + OURS + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        LINE + OURS + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        LINE + OURS + b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
        POST + OURS + CHUNKED + b"\r\n-1\r\n",
        POST + OURS + CHUNKED + b"\r\n0x1\r\n",
        POST + OURS + CHUNKED + b"\r\n1\r\nxy",
        POST + OURS + CHUNKED + b"\r\n1;"
        + b"x" * 20_000,
        b"GET /login\n HTTP/1.1\r\n" + OURS + b"\r\n",
        b"GET  HTTP/1.1\r\n" + OURS + b"\r\n",
        b"GARBAGE\r\n\r\n",
        b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n" + OURS + b"\r\n",
        LINE + OURS + b"".join(b"X-%d: x\r\n" % n for n in range(600)) + b"\r\n",
    ],
)  # fmt: skip
def test_what_is_doubtful_is_refused(
    world: WebWorld, events: list[LogEvent], octets: bytes
) -> None:
    """Nor does anything behind it count (RFC 9112 §11.2)."""
    heard = said(world, octets + b"GET /healthz HTTP/1.1\r\n" + OURS + b"\r\n")
    assert heard in (b"", b"HTTP/1.1 400 Bad Request\r\n\r\n")
    assert [one for one in events if "log_failure" in one] == []


def test_lines_end_with_both(world: WebWorld) -> None:
    """A bare LF ends nothing (RFC 9112 §2.2)."""
    octets = b"GET /login HTTP/1.1\nHost: mail.example.test\n\n"
    assert said(world, octets) == b""


@pytest.mark.parametrize(
    "target", ["xlogin", "@login", ".login", "http://evil.example/login", "login"]
)
def test_an_address_begins_with_a_slash(world: WebWorld, target: str) -> None:
    heard = world.ask("GET", target, is_secure=False)
    assert (heard.status, heard.location) == (404, "")


@pytest.mark.parametrize("path", ["//evil.example/login", "/%2F/login", "/\\login"])
def test_nothing_leads_elsewhere(world: WebWorld, path: str) -> None:
    heard = world.ask("GET", path)
    assert (heard.status in (200, 404), heard.location) == (True, "")


def test_the_wrong_name_is_said_in_its_own_words(world: WebWorld) -> None:
    heard = said(world, b"GET / HTTP/1.0\r\nHost: evil.example\r\n\r\n")
    assert heard.startswith(b"HTTP/1.0 421 Misdirected Request\r\n")


def test_no_secret_comes_into_the_log(events: list[LogEvent]) -> None:
    world = WebWorld(is_whole=True)
    world.site.startFactory()
    ticket = at_once(world.links.make(BOB, 3600.0))
    new = {"password": "other words here", "again": "other words here"}
    world.get(f"/password/{ticket}")
    world.post(f"/password/{ticket}", new, action="session")
    cookies = list(world.cookies.values())
    world.cookies.clear()
    world.registration = "invite"
    invitation = world.house.registration.invite("", "", 60.0)
    world.get(f"/register?invitation={invitation}")
    world.sign_in(ALICE, "wrong words here")
    tokens = [world.token("session")]
    world.sign_in(ALICE, PASSWORD)
    tokens.append(world.token("act"))
    cookies += world.cookies.values()
    world.get("/search?q=what+nobody+knows", {"Referer": "https://from.example/x"})
    world.get("/u/a-token", {"Authorization": "Bearer of-a-secret"})
    world.post("/undo/another-token", {}, action="act")
    world.site.stopFactory()
    lines = "\n".join(filter(None, (formatEvent(one) for one in events)))
    assert '"GET /password/..." 200' in lines
    assert '"GET /search?..." 200' in lines
    secrets = [
        ticket, invitation, *cookies, *tokens, PASSWORD, "wrong words here",
        "other words here", "nobody+knows", "a-token", "another-token", "of-a-secret",
        "from.example",
    ]  # fmt: skip
    assert [one for one in secrets if one in lines] == []
    assert [one for one in secrets if one in repr(events)] == []


@pytest.mark.parametrize(
    ("uri", "line"),
    [
        (b"/mail/inbox", "/mail/inbox"),
        (b"/mail/inbox?after=x", "/mail/inbox?..."),
        (b"/password/x.y", "/password/..."),
        (b"/u/x", "/u/..."),
        (b"/img/x/y?z", "/img/...?..."),
        (b"/u", "/u"),
        (b"/a\x1b[31m\xff{x}", "/a\\x1b[31m\\xff{x}"),
        (b"/" + b"x" * 500, "/" + "x" * 199),
    ],
)
def test_what_is_noted_of_an_address(uri: bytes, line: str) -> None:
    assert shown(uri) == line
