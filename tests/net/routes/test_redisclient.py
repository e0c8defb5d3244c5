"""What is said to Redis, over connections in memory."""

from __future__ import annotations

from collections.abc import Coroutine, Iterator
from typing import Any

import pytest
import txredisapi  # type: ignore[import-untyped]  # it has no types
from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone, ConnectionRefusedError
from twisted.internet.interfaces import IProtocol
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure

from mailkit.errors import MailkitError, Unavailable, Unreachable
from mailkit.model.target import ToRedis
from mailkit.net.routes.redis import Unheard
from mailkit.net.routes.redisclient import (
    PATIENCE,
    TO_CONNECT,
    RedisClient,
    RedisConnection,
)

SOCKET = ToRedis(socket="/run/redis", key="k", database=3)


@define(eq=False)
class Redis:
    """The other end of one connection: the test is the server."""

    reactor: MemoryReactorClock = field(factory=MemoryReactorClock)
    transport: StringTransport = field(factory=StringTransport)
    protocol: IProtocol | None = None

    def connecting(self, target: ToRedis) -> Deferred[RedisConnection]:
        client = RedisClient(self.reactor)
        return Deferred.fromCoroutine(client.connect(target))

    def accept(self) -> None:
        [*_, (_, factory, *_)] = self.reactor.unixClients
        self.protocol = protocol = factory.buildProtocol(None)
        assert protocol is not None
        protocol.makeConnection(self.transport)

    def hears(self) -> bytes:
        heard: bytes = self.transport.value()
        self.transport.clear()
        return heard

    def says(self, octets: bytes) -> None:
        assert self.protocol is not None
        self.protocol.dataReceived(octets)
        self.reactor.advance(0)

    def hangs_up(self) -> None:
        assert self.protocol is not None
        self.protocol.connectionLost(Failure(ConnectionDone()))
        self.reactor.advance(0)

    def connected(self, target: ToRedis = SOCKET) -> RedisConnection:
        connecting = self.connecting(target)
        self.accept()
        self.hears()
        self.says(b"+OK\r\n")
        found = outcome(connecting)
        assert isinstance(found, RedisConnection)
        return found


@pytest.fixture
def redis(monkeypatch: pytest.MonkeyPatch) -> Iterator[Redis]:
    redis = Redis()
    monkeypatch.setattr(txredisapi, "reactor", redis.reactor)
    for kind in (txredisapi.LineReceiver, txredisapi.RedisProtocol):
        monkeypatch.setattr(kind, "callLater", redis.reactor.callLater)
    yield redis
    assert redis.reactor.getDelayedCalls() == []


def outcome(waiting: Deferred[Any]) -> object:  # Any: of whatever
    """What there is now; ``None``: nothing yet."""
    found: list[object] = []

    def failed(failure: Failure) -> None:
        failure.trap(MailkitError)
        assert isinstance(failure.value, MailkitError)
        found.append(failure.value)

    waiting.addCallbacks(found.append, failed)
    return found[0] if found else None


def ask(work: Coroutine[Any, Any, int]) -> Deferred[int]:
    return Deferred.fromCoroutine(work)


def command(*words: bytes) -> bytes:
    """As Redis is told it (https://redis.io/docs/reference/protocol-spec)."""
    parts = [b"$%d\r\n%s\r\n" % (len(word), word) for word in words]
    return b"*%d\r\n%s" % (len(words), b"".join(parts))


LOGINS = [
    (ToRedis(socket="/s", key="k", password="p"), (b"AUTH", b"p")),
    (
        ToRedis(socket="/s", key="k", password="p", username="u"),
        (b"AUTH", b"u", b"p"),
    ),
]


@pytest.mark.parametrize(("target", "words"), LOGINS)
def test_who_we_are_is_said_first(
    redis: Redis, target: ToRedis, words: tuple[bytes, ...]
) -> None:
    connecting = redis.connecting(target)
    redis.accept()
    assert redis.hears() == command(*words)
    redis.says(b"+OK\r\n")
    assert redis.hears() == command(b"SELECT", b"0")
    redis.says(b"+OK\r\n")
    assert isinstance(outcome(connecting), RedisConnection)


def test_a_password_that_is_wrong(redis: Redis) -> None:
    connecting = redis.connecting(LOGINS[0][0])
    redis.accept()
    redis.says(b"-WRONGPASS invalid  username-password pair\r\n")
    found = outcome(connecting)
    assert isinstance(found, Unreachable)
    assert "could not auth: WRONGPASS invalid username-password pair" in str(found)
    assert redis.transport.disconnecting
    redis.hangs_up()


def test_a_database_that_is_not_there(redis: Redis) -> None:
    connecting = redis.connecting(SOCKET)
    redis.accept()
    assert redis.hears() == command(b"SELECT", b"3")
    redis.says(b"-ERR DB index is out of range\r\n")
    assert "out of range" in str(outcome(connecting))
    redis.hangs_up()


def test_who_hangs_up_before_an_answer(redis: Redis) -> None:
    connecting = redis.connecting(SOCKET)
    redis.accept()
    redis.hangs_up()
    assert isinstance(outcome(connecting), Unreachable)


def test_nobody_is_there(redis: Redis) -> None:
    connecting = redis.connecting(SOCKET)
    [(address, factory, timeout, *_)] = redis.reactor.unixClients
    assert (address, timeout) == ("/run/redis", TO_CONNECT)
    failure = Failure(ConnectionRefusedError())
    factory.clientConnectionFailed(None, failure)
    redis.reactor.advance(0)
    assert isinstance(outcome(connecting), Unreachable)


def test_pushed_and_published(redis: Redis) -> None:
    connection = redis.connected()
    pushing = ask(connection.push("k", b"\x00\xff\r\n"))
    assert redis.hears() == command(b"RPUSH", b"k", b"\x00\xff\r\n")
    redis.says(b":7\r\n")
    assert outcome(pushing) == 7
    publishing = ask(connection.publish("schlüssel", b"v"))
    assert redis.hears() == command(b"PUBLISH", "schlüssel".encode(), b"v")
    redis.says(b":0\r\n")
    assert outcome(publishing) == 0


def test_answers_come_in_the_order_of_the_questions(redis: Redis) -> None:
    connection = redis.connected()
    first, second = (ask(connection.push("k", value)) for value in (b"1", b"2"))
    redis.says(b":1\r\n:2\r\n")
    assert (outcome(first), outcome(second)) == (1, 2)


def test_redis_refuses(redis: Redis) -> None:
    connection = redis.connected()
    pushing = ask(connection.push("k", b"v"))
    redis.says(b"-OOM command not allowed when used memory > 'maxmemory'.\r\n")
    found = outcome(pushing)
    assert isinstance(found, Unavailable)
    assert str(found).startswith("Redis says: OOM command not allowed")
    assert not isinstance(found, Unheard)
    assert not connection.is_lost


@pytest.mark.parametrize(
    "answer", [b"+OK", b"$-1", b"$1\r\nx", b"*0", b"*-1", b"$1e9", b"*x"]
)
def test_what_is_no_number_is_no_answer(redis: Redis, answer: bytes) -> None:
    connection = redis.connected()
    pushing = ask(connection.push("k", b"v"))
    redis.says(answer + b"\r\n")
    found = outcome(pushing)
    assert isinstance(found, Unheard)
    assert str(found).startswith("no answer that Redis would give")
    redis.hangs_up()


def test_a_connection_that_is_lost_after_the_question(redis: Redis) -> None:
    connection = redis.connected()
    pushing = ask(connection.push("k", b"v"))
    redis.hangs_up()
    assert isinstance(outcome(pushing), Unheard)
    assert connection.is_lost
    found = outcome(ask(connection.push("k", b"v")))
    assert isinstance(found, Unreachable)  # nothing was said: it is sent once


def test_silence(redis: Redis) -> None:
    connection = redis.connected()
    pushing = ask(connection.push("k", b"v"))
    redis.reactor.advance(PATIENCE + 1)
    assert isinstance(outcome(pushing), Unheard)
    redis.hangs_up()
    assert connection.is_lost


def test_closing_hangs_up(redis: Redis) -> None:
    connection = redis.connected()
    closing = Deferred.fromCoroutine(connection.close())
    assert redis.transport.disconnecting
    redis.hangs_up()
    assert closing.called
    assert connection.is_lost


@pytest.mark.parametrize(("is_tls", "first"), [(False, b"*"), (True, b"\x16")])
def test_by_name_and_under_tls(redis: Redis, is_tls: bool, first: bytes) -> None:
    target = ToRedis(host="127.0.0.1", port=6380, key="k", is_tls=is_tls)
    connecting = redis.connecting(target)
    redis.reactor.advance(0)
    [(host, port, factory, *_)] = redis.reactor.tcpClients
    assert (host, port) == ("127.0.0.1", 6380)
    redis.protocol = factory.buildProtocol(None)
    assert redis.protocol is not None
    redis.protocol.makeConnection(redis.transport)
    assert redis.hears()[:1] == first
    assert outcome(connecting) is None
    redis.hangs_up()
    for call in redis.reactor.getDelayedCalls():
        call.cancel()
