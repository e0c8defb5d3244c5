"""Ports that are bound for others; the sockets are the test's."""

from __future__ import annotations

import errno
import socket
from typing import Any

import pytest
from attrs import define, field
from twisted.internet.protocol import Factory

from mailkit.net import bound as module
from mailkit.net.bound import DATAGRAMS, Bound, beside, bind
from mailkit.net.listeners import PortTaken


@define(eq=False)
class Network:
    """Ports, and whose they are."""

    events: list[str] = field(factory=list)
    taken: int = 0
    fails_after: int = 99

    def socket(self, family: int, kind: int) -> FakeSocket:
        return FakeSocket(self, family)


@define(eq=False)
class FakeSocket:
    network: Network
    family: int
    address: Any = None
    options: list[int] = field(factory=list)

    def setblocking(self, on: bool) -> None:
        assert not on

    def setsockopt(self, level: int, option: int, value: int) -> None:
        assert (level, value) == (socket.SOL_SOCKET, 1)
        self.options.append(option)

    def bind(self, address: Any) -> None:
        if self.network.fails_after == 0 or address[1] == self.network.taken != 0:
            raise OSError(errno.EADDRINUSE, "Address already in use")
        self.network.fails_after -= 1
        self.address = (address[0], address[1] or 4711)
        how = "shared" if socket.SO_REUSEPORT in self.options else "alone"
        assert socket.SO_REUSEADDR in self.options
        self.network.events.append(f"bind {address[0]} {address[1]} {how}")

    def getsockname(self) -> Any:
        return self.address

    def listen(self, backlog: int) -> None:
        self.network.events.append(f"listen {backlog}")

    def shutdown(self, how: int) -> None:
        self.network.events.append("shutdown")

    def close(self) -> None:
        self.network.events.append("close")

    def __enter__(self) -> FakeSocket:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    network = Network()
    monkeypatch.setattr(socket, "socket", network.socket)
    return network


def test_each_worker_has_a_socket_of_its_own(network: Network) -> None:
    bound = bind("smtp", "tcp:25:interface=192.0.2.1:backlog=7", 2, True, None)
    assert network.events == [
        "bind 192.0.2.1 25 alone",
        "close",
        "bind 192.0.2.1 25 shared",
        "listen 7",
        "bind 192.0.2.1 25 shared",
        "listen 7",
    ]
    assert bound.socket_of(1) is not bound.socket_of(2)
    network.events.clear()
    bound.rest(2)
    bound.wake(2)
    bound.close()
    assert network.events == ["shutdown", "listen 7", "close", "close"]


def test_what_is_not_dealt_has_one_for_all(network: Network) -> None:
    bound = bind("metrics", "tcp:9108", 2, False, None)
    assert network.events[2:] == ["bind  9108 alone", "listen 50"]
    assert bound.socket_of(1) is bound.socket_of(2)
    network.events.clear()
    bound.rest(2)
    bound.wake(2)
    assert network.events == []


def test_any_port_is_the_same_for_all(network: Network) -> None:
    bind("smtp", "tcp:0", 2, True, None)
    binds = [event for event in network.events if event.startswith("bind")]
    assert binds == ["bind  0 alone", "bind  4711 shared", "bind  4711 shared"]


def test_ipv6(network: Network) -> None:
    bound = bind("smtp", "tcp6:25:interface=\\:\\:1", 2, True, None)
    assert bound.socket_of(1).family == socket.AF_INET6
    assert network.events[0] == "bind ::1 25 alone"


@pytest.mark.parametrize(("taken", "after"), [(25, 99), (0, 2)])
def test_a_taken_port_is_one_line(network: Network, taken: int, after: int) -> None:
    network.taken, network.fails_after = taken, after
    said = r"^smtp: cannot listen on tcp:25: Address already in use$"
    with pytest.raises(PortTaken, match=said):
        bind("smtp", "tcp:25", 2, True, None)
    opened = sum(event.startswith("bind") for event in network.events)
    # Those that were bound, and the one that could not be.
    assert network.events.count("close") == opened + 1


def test_a_unix_socket_is_twisteds() -> None:
    class Port:
        socket = "the socket"
        is_reading = True
        is_open = True

        def stopReading(self) -> None:
            self.is_reading = False

        def stopListening(self) -> None:
            self.is_open = False

    port = Port()

    class Reactor:
        def listenUNIX(self, *args: Any) -> Port:
            assert (args[0], *args[2:]) == ("/run/lmtp", 50, 0o660, True)
            return port

    bound = bind("lmtp", "unix:/run/lmtp:mode=660", 2, True, Reactor())
    assert not port.is_reading
    assert bound.socket_of(2) == "the socket"  # type: ignore[comparison-overlap]  # a text in the place of a socket
    bound.close()
    assert not port.is_open


def test_a_socket_of_systemd_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    given, far = socket.socketpair()
    with given, far:
        binder = module._Binder(None, 2)
        binder.adoptStreamPort(given.fileno(), socket.AF_UNIX, Factory())
        [kept] = binder.sockets
        with kept:
            kept.sendall(b"x")
            assert far.recv(1) == b"x"


def test_udp_beside_tcp(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[int, Any]] = []

    class UDP:
        def __init__(self, family: int, kind: int) -> None:
            assert kind == socket.SOCK_DGRAM
            self.family = family
            self.is_open = True

        def setblocking(self, on: bool) -> None:
            assert not on

        def bind(self, address: Any) -> None:
            made.append((self.family, address))
            if address[1] == 13:
                raise OSError(errno.EADDRINUSE, "Address already in use")

        def close(self) -> None:
            self.is_open = False

    network = Network()
    stream: Any = FakeSocket(network, socket.AF_INET, ("127.0.0.1", 53))
    monkeypatch.setattr(socket, "socket", UDP)
    one = beside(Bound("dns", "tcp:53", [stream, stream]))
    assert (one.service, one.description) == (DATAGRAMS, "tcp:53")
    assert one.socket_of(1) is one.socket_of(2)
    one.rest(1)  # a socket that all share has no rest
    stream.address = ("127.0.0.1", 13)
    with pytest.raises(PortTaken, match="dns: cannot listen on tcp:53"):
        beside(Bound("dns", "tcp:53", [stream]))
    assert made == [(socket.AF_INET, ("127.0.0.1", 53)), (2, ("127.0.0.1", 13))]
