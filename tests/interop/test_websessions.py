"""Sessions of browsers in a real Redis."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from mailkit.errors import Unavailable
from mailkit.interfaces.rates import IRates
from mailkit.interfaces.spent import ISpent
from mailkit.interfaces.websessions import IWebSessions
from mailkit.model.target import ToRedis
from mailkit.net.routes.redisclient import RedisClient, RedisConnection
from mailkit.net.websessions import RedisWebSessions
from mailkit.testing.clock import NEW_YEAR
from mailkit.testing.contracts.messages import coroutine
from mailkit.testing.contracts.rates import RatesContract
from mailkit.testing.contracts.websessions import (
    SESSION,
    SpentContract,
    WebSessionsContract,
)
from tests.interop.server import need
from tests.interop.test_routes import Redis

_AT: list[ToRedis] = []


@pytest.fixture(scope="module", autouse=True)
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    need("redis-server", "redis-cli")
    server = Redis(tmp_path_factory.mktemp("redis"))
    server.start()
    _AT.append(ToRedis(host="127.0.0.1", port=server.port, password="se:cret", key=""))
    yield server
    _AT.clear()
    server.stop()


def sessions() -> RedisWebSessions:
    async def connect() -> RedisConnection:
        connection = await RedisClient(reactor).connect(_AT[0])
        await connection.call(b"FLUSHALL")
        return connection

    return RedisWebSessions(connect, 30 * 86400.0, lambda: NEW_YEAR)


class RedisWebSessionsTests(WebSessionsContract, TestCase):
    """The contract."""

    def make_sessions(self) -> IWebSessions:
        return sessions()

    @coroutine
    async def test_it_is_forgotten_by_redis_itself(self) -> None:
        late = RedisWebSessions(sessions()._connect, 5000.0, lambda: SESSION.made)
        await late.add(SESSION)
        left = await late._call(b"TTL", b"mailkit:web:session:k1")
        assert isinstance(left, int) and 4000 < left <= 5000
        await late.see("k1", NEW_YEAR + 1, "192.0.2.9")
        left = await late._call(b"TTL", b"mailkit:web:session:k1")
        assert isinstance(left, int) and 4000 < left <= 5000
        # Its name is forgotten with the next look at the account.
        await late._call(b"DEL", b"mailkit:web:session:k1")
        assert list(await late.of(SESSION.account)) == []
        await late.close()

    @coroutine
    async def test_redis_that_is_not_there(self) -> None:
        nowhere = ToRedis(host="127.0.0.1", port=1, key="")

        async def connect() -> RedisConnection:
            return await RedisClient(reactor).connect(nowhere)

        lost = RedisWebSessions(connect, 1.0, lambda: NEW_YEAR)
        with pytest.raises(Unavailable):
            await lost.find("k1")


class RedisRatesTests(RatesContract, TestCase):
    """The contract."""

    made: ClassVar[list[RedisWebSessions]] = []

    def make_rates(self) -> IRates:
        self.made.append(sessions())
        return self.made[-1]

    def tearDown(self) -> Any:  # Any: trial takes a Deferred, its annotation None
        return Deferred.fromCoroutine(self.made.pop().close())


class RedisSpentTests(SpentContract, TestCase):
    """The contract."""

    made: ClassVar[list[RedisWebSessions]] = []

    def make_spent(self) -> ISpent:
        self.made.append(sessions())
        return self.made[-1]

    def tearDown(self) -> Any:  # Any: trial takes a Deferred, its annotation None
        return Deferred.fromCoroutine(self.made.pop().close())
