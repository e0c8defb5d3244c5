"""Connections to Redis by txredisapi, which is imported when the first is made."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from attrs import define
from twisted.internet.endpoints import (
    HostnameEndpoint,
    UNIXClientEndpoint,
    wrapClientTLS,
)
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.ssl import optionsForClientTLS

from mailkit.errors import Unavailable, Unreachable
from mailkit.model.target import ToRedis
from mailkit.net.routes.redis import Unheard

TO_CONNECT = 10.0
"""Seconds, for each address."""

PATIENCE = 30.0
"""Seconds until Redis has to answer."""


@define(eq=False)
class RedisClient:
    """
    Makes connections.

    :param reactor: Twisted's, which has no type of its own.
    """

    _reactor: Any

    async def connect(self, target: ToRedis) -> RedisConnection:
        """:raises Unreachable: also if Redis does not know the password."""
        redis = import_module("txredisapi")
        factory = redis.RedisFactory(
            "mailkit",
            target.database,
            1,
            charset=None,
            password=target.password or None,
            replyTimeout=PATIENCE,
            username=target.username or None,
        )
        factory.reconnect = False
        factory.startConnecting(self._endpoint(target))
        try:
            handler = await factory.deferred
        except (ValueError, redis.RedisError) as error:
            raise Unreachable(" ".join(str(error).split())) from error
        return RedisConnection(redis, factory, handler)

    def _endpoint(self, target: ToRedis) -> IStreamClientEndpoint:
        if target.socket:
            return UNIXClientEndpoint(self._reactor, target.socket, TO_CONNECT)
        endpoint: IStreamClientEndpoint = HostnameEndpoint(
            self._reactor, target.host.encode("idna"), target.port, TO_CONNECT
        )
        if target.is_tls:
            options = optionsForClientTLS(target.host)
            endpoint = wrapClientTLS(options, endpoint)
        return endpoint


@define(eq=False)
class RedisConnection:
    """One connection, whose replies come in the order of the questions."""

    _redis: Any  # the module, which has no types
    _factory: Any  # as above
    _handler: Any  # as above

    @property
    def is_lost(self) -> bool:
        """Whether it can be used no more."""
        return not self._factory.size

    async def push(self, key: str, value: bytes) -> int:
        """As `mailkit.net.routes.redis.Connection`."""
        return await self._ask("rpush", key, [value])

    async def publish(self, channel: str, value: bytes) -> int:
        """As `mailkit.net.routes.redis.Connection`."""
        return await self._ask("publish", channel, value)

    async def call(self, *words: bytes) -> object:
        """Any command, and its reply. :raises Unavailable:"""
        redis = self._redis
        if self.is_lost:
            raise Unreachable("the connection to Redis was lost")
        try:
            return await self._handler.execute_command(*words)
        except redis.ResponseError as error:
            raise Unavailable(f"Redis says: {error}") from error
        except (redis.ConnectionError, redis.TimeoutError) as error:
            raise Unheard(f"Redis hung up before it answered: {error}") from error

    async def close(self) -> None:
        """Hang up."""
        await self._factory.disconnect()

    async def _ask(self, command: str, key: str, value: object) -> int:
        redis = self._redis
        if self.is_lost:
            raise Unreachable("the connection to Redis was lost")
        try:
            answer = await getattr(self._handler, command)(key.encode(), value)
        except redis.InvalidResponse as error:
            raise Unheard(f"no answer that Redis would give: {error}") from error
        except redis.ResponseError as error:
            raise Unavailable(f"Redis says: {error}") from error
        except (redis.ConnectionError, redis.TimeoutError) as error:
            words = "Redis hung up before it answered"
            raise Unheard(f"{words}: {error}") from error
        if not isinstance(answer, int):
            raise Unheard("no answer that Redis would give: it is no number")
        return answer
