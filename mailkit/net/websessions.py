"""
Who is signed in to the web pages, in Redis: for several machines that serve one site.

A session is one string that Redis forgets by itself; a sorted set an account says which
there are.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol
from uuid import uuid4

from attrs import define, evolve, field
from twisted.internet.defer import DeferredLock
from zope.interface import implementer

from mailkit.interfaces.rates import Rate
from mailkit.interfaces.websessions import IWebState
from mailkit.model.address import AccountName
from mailkit.model.websession import WebSession

_SESSION = b"mailkit:web:session:"
_ACCOUNT = b"mailkit:web:account:"
_SPENT = b"mailkit:web:spent:"
_DONE = b"mailkit:web:done:"


class Connection(Protocol):
    """What is asked of Redis."""

    @property
    def is_lost(self) -> bool:
        """Whether it can be used no more."""

    async def call(self, *words: bytes) -> object:
        """
        One command, and its reply.

        :raises Unavailable:
        """

    async def close(self) -> None:
        """Hang up."""


@implementer(IWebState)
@define(eq=False)
class RedisWebSessions:
    """
    Sessions, used tickets, and what was done how often.

    :param connect: makes a connection; raises `Unreachable`.
    :param lasts: seconds for which a session is kept at most.
    :param now: seconds since 1970.
    """

    _connect: Callable[[], Awaitable[Connection]]
    _lasts: float
    _now: Callable[[], float]
    _connection: Connection | None = field(default=None, init=False)
    _connecting: DeferredLock = field(factory=DeferredLock, init=False)

    async def add(self, session: WebSession) -> None:
        seconds = max(1, int(session.made + self._lasts - self._now()))
        name = _ACCOUNT + session.account.encode()
        await self._call(b"ZADD", name, b"%f" % session.seen, session.key.encode())
        await self._call(b"EXPIRE", name, b"%d" % (self._lasts * 2))
        await self._call(
            b"SET",
            _SESSION + session.key.encode(),
            _write(session),
            b"EX",
            b"%d" % seconds,
        )

    async def find(self, key: str) -> WebSession | None:
        octets = await self._call(b"GET", _SESSION + key.encode())
        return _read(key, octets) if isinstance(octets, bytes) else None

    async def see(self, key: str, now: float, peer: str) -> None:
        session = await self.find(key)
        if session is None:
            return
        seen = evolve(session, seen=now, peer=peer)
        # Only where it still is (XX): somebody may be signing it out just now.
        await self._call(
            b"SET", _SESSION + key.encode(), _write(seen), b"XX", b"KEEPTTL"
        )
        name = _ACCOUNT + session.account.encode()
        await self._call(b"ZADD", name, b"XX", b"%f" % now, key.encode())

    async def drop(self, key: str) -> None:
        session = await self.find(key)
        await self._call(b"DEL", _SESSION + key.encode())
        if session is not None:
            name = _ACCOUNT + session.account.encode()
            await self._call(b"ZREM", name, key.encode())

    async def drop_all(self, account: AccountName, but: str = "") -> int:
        keys = [one.key for one in await self.of(account) if one.key != but]
        for key in keys:
            await self.drop(key)
        return len(keys)

    async def of(self, account: AccountName) -> Sequence[WebSession]:
        name = _ACCOUNT + account.encode()
        keys = await self._call(b"ZREVRANGE", name, b"0", b"-1")
        assert isinstance(keys, list)
        found: list[WebSession] = []
        for key in keys:
            session = await self.find(key.decode())
            if session is None:
                await self._call(b"ZREM", name, key)
            else:
                found.append(session)
        return found

    async def tidy(self, made_before: float, seen_before: float) -> None:
        cursor = b"0"
        while True:
            reply = await self._call(
                b"SCAN", cursor, b"MATCH", _SESSION + b"*", b"COUNT", b"500"
            )
            assert isinstance(reply, list)
            cursor, names = reply
            for name in names:
                session = await self.find(name.removeprefix(_SESSION).decode())
                if session is not None and (
                    session.made < made_before or session.seen < seen_before
                ):
                    await self.drop(session.key)
            if cursor in (b"0", 0):
                return

    async def spend(self, ticket: str, until: float) -> bool:
        seconds = max(1, int(until - self._now()))
        reply = await self._call(
            b"SET", _SPENT + ticket.encode(), b"1", b"NX", b"EX", b"%d" % seconds
        )
        return reply is not None

    async def give_back(self, ticket: str) -> None:
        await self._call(b"DEL", _SPENT + ticket.encode())

    async def takes(self, rate: Rate, whose: str, now: float) -> bool:
        what = _DONE + rate.what.encode()
        by_one = what + b":" + whose.encode("utf-8", "replace")
        mine = uuid4().bytes
        # Counted first and looked at then: of two at once none is overlooked.
        counted = [(by_one, rate.each), (what, rate.all)]
        for name, _ in counted:
            over, ahead = now - rate.within, now + rate.within
            await self._call(b"ZREMRANGEBYSCORE", name, b"-inf", b"%f" % over)
            await self._call(b"ZREMRANGEBYSCORE", name, b"(%f" % ahead, b"+inf")
            await self._call(b"ZADD", name, b"%f" % now, mine)
            seconds = b"%d" % (2 * rate.within)
            await self._call(b"EXPIRE", name, seconds)
        for name, most in counted:
            count = await self._call(b"ZCARD", name)
            assert isinstance(count, int)
            if count > most:
                for taken, _ in counted:
                    await self._call(b"ZREM", taken, mine)
                return False
        return True

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _call(self, *words: bytes) -> object:
        return await (await self._ready()).call(*words)

    async def _ready(self) -> Connection:
        await self._connecting.acquire()
        try:
            if self._connection is None or self._connection.is_lost:
                self._connection = await self._connect()
            return self._connection
        finally:
            self._connecting.release()


def _write(one: WebSession) -> bytes:
    facts = {
        "account": one.account,
        "generation": one.generation,
        "made": one.made,
        "seen": one.seen,
        "peer": one.peer,
        "agent": one.agent,
        "secret": b64encode(one.secret).decode(),
        "is_public": one.is_public,
    }
    return json.dumps(facts, ensure_ascii=False).encode("utf-8", "replace")


def _read(key: str, octets: bytes) -> WebSession:
    facts = json.loads(octets)
    return WebSession(
        key=key,
        account=AccountName(facts["account"]),
        generation=facts["generation"],
        made=facts["made"],
        seen=facts["seen"],
        peer=facts["peer"],
        agent=facts["agent"],
        secret=b64decode(facts["secret"]),
        is_public=facts["is_public"],
    )
