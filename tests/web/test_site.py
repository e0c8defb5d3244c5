"""The first pages: health, MTA-STS (RFC 8461 §3.2), one click (RFC 8058)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import ISSLTransport
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from zope.interface import directlyProvides

from mailkit.formats.unsubscribe import Unsubscription, write_token
from mailkit.model.address import DomainName
from mailkit.web.headers import HEADERS
from mailkit.web.receiving import LONGEST_BODY
from mailkit.web.rendering import Rendering
from mailkit.web.site import WebHouse, make_site
from mailkit.web.statics import Statics
from mailkit.web.wellknown import PolicyPage
from mailkit.web.words import Languages

KEY = b"a key"
WHAT = Unsubscription("News <1>", "bob@example.net", 2000)


class World:
    """A site without a network."""

    def __init__(self) -> None:
        self.reason: str | None = None
        self.gone: list[Unsubscription] = []
        statics = Statics.load()
        self.site = make_site(
            WebHouse(
                PolicyPage(self.is_ours, "mail.example.org", lambda: "enforce"),
                lambda: self.reason,
                lambda: [KEY],
                self,
                lambda: 1000.0,
                statics,
                Rendering(statics),
                Languages.load(),
            ),
            Clock(),
        )
        self.site.startFactory()

    async def is_ours(self, domain: DomainName) -> bool:
        return domain == "bücher.example"

    async def unsubscribe(self, what: Unsubscription) -> None:
        self.gone.append(what)

    def ask(
        self, path: str, verb: str = "GET", host: str = "x", is_secure: bool = False
    ) -> tuple[int, dict[str, str], str]:
        """Status, headers and page."""
        channel: Any = self.site.buildProtocol(None)  # Twisted's, without types
        transport: Any = StringTransport()
        if is_secure:
            transport.setTcpNoDelay = lambda wish: None
            directlyProvides(transport, ISSLTransport)
        channel.makeConnection(transport)
        channel.dataReceived(f"{verb} {path} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
        top, _, page = transport.value().decode().partition("\r\n\r\n")
        lines = top.split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:])
        return int(lines[0].split()[1]), headers, page


@pytest.fixture
def world() -> Any:
    made = World()
    yield made
    made.site.stopFactory()


def test_health(world: World) -> None:
    assert world.ask("/healthz")[::2] == (200, "ok\n")
    world.reason = "shutting down"
    assert world.ask("/healthz")[::2] == (503, "shutting down\n")


def test_every_page_has_the_headers(world: World) -> None:
    for path in ("/healthz", "/", "/u/x", f"/u/{write_token(WHAT, [KEY])}"):
        _, headers, _ = world.ask(path)
        assert headers.items() >= HEADERS.items()
        assert "Strict-Transport-Security" not in headers
        assert "Twisted" not in str(headers)
    _, headers, _ = world.ask("/healthz", is_secure=True)
    assert headers["Strict-Transport-Security"] == "max-age=31536000"


@pytest.mark.parametrize(
    "host", ["mta-sts.xn--bcher-kva.example", "MTA-STS.xn--BCHER-kva.Example:443"]
)
def test_the_policy_of_a_domain_of_ours(world: World, host: str) -> None:
    code, headers, page = world.ask("/.well-known/mta-sts.txt", host=host)
    assert code == 200
    assert headers["Content-Type"].startswith("text/plain")
    assert page == (
        "version: STSv1\r\nmode: enforce\r\nmx: mail.example.org\r\nmax_age: 604800\r\n"
    )


@pytest.mark.parametrize(
    "host", ["mta-sts.example.net", "xn--bcher-kva.example", "mta-sts.", "[::1]"]
)
def test_no_policy_for_others(world: World, host: str) -> None:
    assert world.ask("/.well-known/mta-sts.txt", host=host)[0] == 404


def test_by_hand_one_is_asked(world: World) -> None:
    code, _, page = world.ask(f"/u/{write_token(WHAT, [KEY])}")
    assert code == 200
    assert "bob@example.net will get no more of “News &lt;1&gt;”" in page
    assert re.search(r'<form method="post"><button class="btn p">', page)
    assert world.gone == []


def test_one_click(world: World) -> None:
    code, _, page = world.ask(f"/u/{write_token(WHAT, [KEY])}", "POST")
    assert (code, page) == (200, "You will get no more of this.\n")
    assert world.gone == [WHAT]


@pytest.mark.parametrize("verb", ["GET", "POST"])
def test_tokens_of_others(world: World, verb: str) -> None:
    for token in ("x", write_token(WHAT, [b"another"]), "a" * 5000, "%ff"):
        assert world.ask(f"/u/{token}", verb)[0] == 404
    late = Unsubscription("news", "bob@example.net", 999)
    assert world.ask(f"/u/{write_token(late, [KEY])}", verb)[0] == 404
    assert world.gone == []


def test_nothing_else_is_there(world: World) -> None:
    assert world.ask("/")[::2] == (404, "There is nothing here.\n")
    assert world.ask("/healthz/")[0] == 404
    assert world.ask("/healthz", "DELETE")[0] == 405


def said(world: World, *pieces: bytes) -> tuple[bytes, Any]:
    """What a connection hears of all that, and its transport."""
    channel: Any = world.site.buildProtocol(None)  # Twisted's, without types
    transport: Any = StringTransport()
    channel.makeConnection(transport)
    for piece in pieces:
        channel.dataReceived(piece)
    channel.connectionLost(Failure(ConnectionDone()))
    return transport.value(), transport


def test_nobody_fills_the_disk(world: World) -> None:
    head = b"POST /u/x HTTP/1.1\r\nHost: x\r\n"
    more = b"x" * LONGEST_BODY
    long = head + b"Content-Length: 100000000\r\n\r\n"
    heard, transport = said(world, long, more, more)
    assert heard.startswith(b"HTTP/1.1 413 ")
    assert heard.count(b"HTTP/1.1") == 1
    assert transport.disconnecting
    chunk = b"%x\r\n%b\r\n" % (len(more), more)
    chunked = head + b"Transfer-Encoding: chunked\r\n\r\n"
    heard, transport = said(world, chunked, chunk, chunk, b"0\r\n\r\n")
    assert heard.startswith(b"HTTP/1.1 413 ")
    assert heard.count(b"HTTP/1.1") == 1
    assert transport.disconnecting


@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_what_programs_send_with_one_click(world: World, framing: str) -> None:
    token = write_token(WHAT, [KEY]).encode()
    head = b"POST /u/%b HTTP/1.1\r\nHost: x\r\n" % token
    if framing == "length":
        rest = b"Content-Length: 26\r\n\r\nList-Unsubscribe=One-Click"
    else:
        rest = (
            b"Transfer-Encoding: chunked\r\n\r\n"
            b"1a\r\nList-Unsubscribe=One-Click\r\n0\r\n\r\n"
        )
    heard, _ = said(world, head + rest)
    assert heard.startswith(b"HTTP/1.1 200 ")
    assert world.gone == [WHAT]
