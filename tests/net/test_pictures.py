"""Pictures of strangers: where we go, what we say and what we take."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure

from mailkit.errors import Refused, TooLarge, Unavailable
from mailkit.interfaces.pictures import Picture
from mailkit.net.pictures import LARGEST, PATIENCE, StrangersWeb
from mailkit.testing.dns import DictResolver

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
NAMES = """
p.example. 300 IN A 192.0.2.1
q.example. 300 IN A 192.0.2.2
six.example. 300 IN AAAA 2001:db8::1
both.example. 300 IN A 127.0.0.1
both.example. 300 IN A 192.0.2.3
local.example. 300 IN A 127.0.0.1
ten.example. 300 IN A 10.1.2.3
link.example. 300 IN A 169.254.169.254
lan.example. 300 IN A 192.168.1.1
loop6.example. 300 IN AAAA ::1
ula.example. 300 IN AAAA fd00::1
mapped.example. 300 IN AAAA ::ffff:127.0.0.1
multi.example. 300 IN A 224.0.0.1
xn--bcher-kva.example. 300 IN A 192.0.2.4
"""


class Transport(StringTransport):
    """As TCP's: to go on reading after hanging up is nothing, not an error."""

    def resumeProducing(self) -> None:
        if not self.disconnecting:
            super().resumeProducing()


class World:
    """A reactor without sockets, and what was said over it."""

    def __init__(self) -> None:
        self.reactor: Any = MemoryReactorClock()
        self.resolver = DictResolver()
        self.resolver.add(NAMES)
        self.web = StrangersWeb(self.reactor, self.resolver)
        self.said: list[bytes] = []

    def ask(self, url: str) -> Asking:
        return Asking(self, Deferred.fromCoroutine(self.web.fetch(url)))


class Asking:
    """One picture that is being fetched."""

    def __init__(self, world: World, found: Deferred[Any]) -> None:
        self.world = world
        self.found: Any = None
        found.addBoth(self._end)

    def _end(self, found: Any) -> None:
        self.found = found

    @property
    def where(self) -> list[tuple[str, int]]:
        """Where a connection was begun."""
        return [(one[0], one[1]) for one in self.world.reactor.tcpClients]

    def answer(self, octets: bytes, *, ends: bool = True) -> bytes:
        """Let the newest connection succeed, and answer; what was asked over it."""
        factory = self.world.reactor.tcpClients[-1][2]
        protocol = factory.buildProtocol(None)
        transport = Transport()
        protocol.makeConnection(transport)
        self.world.reactor.advance(0)
        asked: bytes = transport.value()
        protocol.dataReceived(octets)
        if ends:
            protocol.connectionLost(Failure(ConnectionRefusedError()))
        return asked

    def refuse(self) -> None:
        """Let the newest connection fail."""
        factory = self.world.reactor.tcpClients[-1][2]
        factory.clientConnectionFailed(None, Failure(ConnectionRefusedError()))

    @property
    def error(self) -> Exception:
        assert isinstance(self.found, Failure), self.found
        assert isinstance(self.found.value, Exception)
        return self.found.value


def response(body: bytes, status: str = "200 OK", *more: str) -> bytes:
    head = "".join(f"{line}\r\n" for line in more)
    length = f"Content-Length: {len(body)}\r\n"
    return f"HTTP/1.1 {status}\r\n{length}{head}\r\n".encode() + body


def test_a_picture() -> None:
    asking = World().ask("http://p.example/a b?c=\u00fc#f")
    assert asking.where == [("192.0.2.1", 80)]
    asked = asking.answer(response(PNG, "200 OK", "Set-Cookie: a=b"))
    assert asked.startswith(b"GET /a%20b?c=%C3%BC HTTP/1.1\r\n")
    assert b"Host: p.example\r\n" in asked
    for name in (b"Cookie", b"Referer", b"Accept-Encoding", b"Origin"):
        assert name not in asked
    assert asking.found == Picture("image/png", PNG)


def test_over_tls() -> None:
    asking = World().ask("https://p.example/a")
    assert asking.where == [("192.0.2.1", 443)]


def test_names_in_any_letters() -> None:
    assert World().ask("http://B\u00fccher.example").where == [("192.0.2.4", 80)]
    assert World().ask("http://six.example/").where == [("2001:db8::1", 80)]


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "10.1.2.3",
        "169.254.169.254",
        "[::1]",
        "[::ffff:10.0.0.1]",
        "[fe80::1]",
        "local.example",
        "ten.example",
        "link.example",
        "lan.example",
        "loop6.example",
        "ula.example",
        "mapped.example",
        "multi.example",
        "nowhere.example",
        "2130706433",
        "0x7f.1",
    ],
)
def test_nobody_sends_us_inwards(host: str) -> None:
    for scheme in ("http", "https"):
        asking = World().ask(f"{scheme}://{host}/latest/meta-data")
        assert asking.where == []
        assert isinstance(asking.error, Refused)


def test_of_several_addresses_those_that_are_public() -> None:
    assert World().ask("http://both.example/").where == [("192.0.2.3", 80)]


@pytest.mark.parametrize(
    "url",
    [
        "ftp://p.example/",
        "file:///etc/passwd",
        "http:///x",
        "http://p.example:25/",
        "http://p.example:99999/",
        "http://user:secret@p.example/",
        "http://user@p.example/",
        "http://p.example/" + "x" * 20_000,
        "http://[::1",
        "http://" + "\u00fc" * 70 + ".example/",
        "",
    ],
)
def test_addresses_that_are_none(url: str) -> None:
    asking = World().ask(url)
    assert asking.where == []
    assert isinstance(asking.error, Refused)


def test_redirects_are_followed_and_looked_at() -> None:
    world = World()
    asking = world.ask("http://p.example/a")
    asking.answer(response(b"", "302 Found", "Location: //q.example/b"))
    assert asking.where[-1] == ("192.0.2.2", 80)
    asked = asking.answer(response(PNG))
    assert asked.startswith(b"GET /b ")
    assert asking.found == Picture("image/png", PNG)


@pytest.mark.parametrize(
    "location",
    [
        "Location: http://127.0.0.1/",
        "Location: http://local.example/",
        "Location: file:///etc/passwd",
        "Location: http://q.example:22/",
        "X: y",
    ],
)
def test_redirects_do_not_lead_inwards(location: str) -> None:
    asking = World().ask("http://p.example/a")
    asking.answer(response(b"", "301 Moved", location))
    assert len(asking.where) == 1
    assert isinstance(asking.error, Refused)


def test_a_name_that_changes_its_address_is_looked_at_again() -> None:
    world = World()
    asking = world.ask("http://p.example/a")
    world.resolver.drop("p.example")
    world.resolver.add("p.example. 300 IN A 127.0.0.1")
    asking.answer(response(b"", "302 Found", "Location: /b"))
    assert asking.where == [("192.0.2.1", 80)]
    assert isinstance(asking.error, Refused)


def test_not_for_ever() -> None:
    asking = World().ask("http://p.example/a")
    for _ in range(4):
        asking.answer(response(b"", "302 Found", "Location: /a"))
    assert len(asking.where) == 4
    assert isinstance(asking.error, Refused)


@pytest.mark.parametrize(
    "answer,kind",
    [
        (response(b"<svg onload=alert(1)>"), Refused),
        (response(b"<html>", "200 OK", "Content-Type: image/png"), Refused),
        (response(b"x", "404 Not Found"), Refused),
        (response(b"x", "503 Busy"), Unavailable),
        (
            f"HTTP/1.1 200 OK\r\nContent-Length: {LARGEST + 1}\r\n\r\n".encode(),
            TooLarge,
        ),
        (b"HTTP/1.1 200 OK\r\n\r\n" + PNG + bytes(LARGEST), TooLarge),
        (b"no http\r\n\r\n", Unavailable),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", Unavailable),
    ],
)
def test_what_is_no_picture(answer: bytes, kind: type[Exception]) -> None:
    asking = World().ask("http://p.example/a")
    asking.answer(answer)
    assert isinstance(asking.error, kind)


def test_nobody_there() -> None:
    asking = World().ask("http://p.example/a")
    asking.refuse()
    assert isinstance(asking.error, Unavailable)


def test_nobody_waits_for_long() -> None:
    world = World()
    asking = world.ask("http://p.example/a")
    asking.answer(b"HTTP/1.1 200 OK\r\n", ends=False)
    world.reactor.advance(PATIENCE)
    assert isinstance(asking.error, Unavailable)


@pytest.mark.parametrize(
    "status,kind",
    [
        ("200 OK", None),
        ("302 Found", None),
        ("404 No", Refused),
        ("500 No", Unavailable),
    ],
)
def test_one_click(status: str, kind: type[Exception] | None) -> None:
    world = World()
    clicked = Deferred.fromCoroutine(world.web.unsubscribe("http://p.example/u?a=b"))
    asking = Asking(world, clicked)
    asked = asking.answer(response(b"", status, "Location: /x"), ends=False)
    world.reactor.advance(1)
    assert asked.startswith(b"POST /u?a=b HTTP/1.1\r\n")
    assert len(asking.where) == 1
    if kind is None:
        assert asking.found is None
    else:
        assert isinstance(asking.error, kind)
