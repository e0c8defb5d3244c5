"""Redis, as far as it can be asked without one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from attrs import define, field
from twisted.internet.defer import Deferred
from zope.interface.verify import verifyObject

from mailkit.errors import Unavailable, Unreachable
from mailkit.interfaces.queue import Carried, IRouteEnd
from mailkit.model.queueitem import Fate
from mailkit.model.target import ToRedis
from mailkit.net.routes.redis import Connection, IntoRedis, Unheard
from mailkit.storage.content import OctetsContent
from mailkit.testing.at_once import at_once
from tests.net.relay.world import TEXT, item


@define(eq=False)
class Fake:
    """A Redis that keeps what it is told, or says no."""

    lists: dict[str, list[bytes]] = field(factory=dict)
    listeners: int = 1
    error: Unavailable | None = None
    is_lost: bool = False
    closed: int = 0

    async def push(self, key: str, value: bytes) -> int:
        if self.error is not None:
            raise self.error
        values = self.lists.setdefault(key, [])
        values.append(value)
        return len(values)

    async def publish(self, channel: str, value: bytes) -> int:
        await self.push(channel, value)
        return self.listeners

    async def close(self) -> None:
        self.closed += 1


@define(eq=False)
class World:
    """Connections that are made when the test says so."""

    fake: Fake = field(factory=Fake)
    connects: int = 0
    turn: Deferred[None] | None = None
    is_away: bool = False

    async def connect(self, target: ToRedis) -> Connection:
        self.connects += 1
        if self.turn is not None:
            await self.turn
        if self.is_away:
            raise Unreachable("away")
        return self.fake

    def end(self, **keys: Any) -> IntoRedis:  # of `ToRedis`
        end = IntoRedis(ToRedis(host="x", key="k", **keys), self.connect)
        verifyObject(IRouteEnd, end)
        return end


def carry(end: IntoRedis) -> Carried:
    return at_once(end.carry(item("a@x.test", "b@x.test"), OctetsContent(TEXT)))


def fates(done: Carried) -> list[tuple[Fate, str]]:
    return sorted({(one.fate, one.words) for one in done.reports}, key=str)


def test_pushed_over_one_connection() -> None:
    world = World()
    end = world.end()
    carry(end)
    assert fates(carry(end)) == [(Fate.RELAYED, "pushed to k, which has 2")]
    assert world.connects == 1
    told = json.loads(world.fake.lists["k"][0])
    assert told["envelope"]["to"] == ["a@x.test", "b@x.test"]
    assert "whole" not in told
    world.fake.is_lost = True
    carry(end)
    assert world.connects == 2
    at_once(end.close())
    at_once(end.close())
    assert world.fake.closed == 1
    with pytest.raises(Unreachable, match="changed"):
        carry(end)


def test_published() -> None:
    world = World()
    end = world.end(is_published=True, is_whole=True)
    assert fates(carry(end)) == [(Fate.RELAYED, "published to 1 on k")]
    world.fake.listeners = 0
    assert fates(carry(end)) == [(Fate.WAITING, "nobody listens to k")]
    assert "whole" in json.loads(world.fake.lists["k"][0])


def test_redis_says_no() -> None:
    world = World(Fake(error=Unavailable("Redis says: OOM")))
    with pytest.raises(Unavailable, match="OOM"):
        carry(world.end())
    world.fake.error = Unheard("hung up")
    done = carry(world.end())
    assert done.is_doubtful
    assert fates(done) == [(Fate.WAITING, "hung up")]


def test_all_wait_for_one_connection() -> None:
    world = World()
    turn = world.turn = Deferred[None]()
    end = world.end()
    content = OctetsContent(TEXT)
    carrying = [Deferred.fromCoroutine(end.carry(item(), content)) for _ in range(10)]
    assert world.connects == 1
    world.turn = None
    turn.callback(None)
    assert all(one.called for one in carrying)
    assert (world.connects, len(world.fake.lists["k"])) == (1, 10)


def test_who_waits_tries_once_more_when_nobody_is_there() -> None:
    world = World(is_away=True)
    turn = world.turn = Deferred[None]()
    end = world.end()
    failed: list[type[BaseException] | None] = []
    for _ in range(2):
        carrying = Deferred.fromCoroutine(end.carry(item(), OctetsContent(TEXT)))
        carrying.addErrback(lambda failure: failed.append(failure.type))
    world.turn = None
    turn.callback(None)
    assert failed == [Unreachable, Unreachable]
