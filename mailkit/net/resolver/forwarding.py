"""Questions of others, passed on to a resolver as they are."""

from __future__ import annotations

import random
from typing import Any

from attrs import define, field
from twisted.internet.defer import DeferredSemaphore

from mailkit.errors import Unavailable
from mailkit.net.resolver.exchange import CaseLost, Closed, Exchange, Guessed, Silent
from mailkit.net.resolver.question import Sent
from mailkit.net.resolver.servers import Habits, Server

SECONDS = 3.0
"""How long each server may take."""
AT_ONCE = 100
MOST_WAITING = 1000
_AUTHENTIC = 0x20  # AD, in the fourth octet of a message


@define(eq=False)
class Forwarder:
    """
    Asks servers one after the other, whatever the question.

    Answers are checked as those to questions of our own are, and not looked into. That
    one is authentic is the word of a server on this machine alone: those who ask us
    believe it, as it comes from here (RFC 6840 §5.8).

    :param reactor: Twisted's, which has no type of its own.
    """

    _reactor: Any
    _servers: tuple[Server, ...]
    _dice: random.Random = field(factory=random.SystemRandom)
    _exchange: Exchange = field(init=False)
    _habits: Habits = field(init=False)
    _turns: DeferredSemaphore = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._exchange = Exchange(self._reactor)
        self._habits = Habits(self._reactor.seconds)
        self._turns = DeferredSemaphore(AT_ONCE)

    async def __call__(self, octets: bytes) -> bytes:
        """
        The answer to a question with a question section, under its own id.

        :raises Unavailable: if there is none.
        """
        if len(self._turns.waiting) >= MOST_WAITING:
            raise Unavailable("too many questions at once")
        id = self._dice.getrandbits(16)
        renumbered = id.to_bytes(2, "big") + octets[2:]
        sent = Sent(id, octets[12 : end_of_question(octets)], renumbered)
        await self._turns.acquire()
        try:
            answer = await self._ask(sent)
        finally:
            self._turns.release()
        return octets[:2] + answer[2:]

    async def _ask(self, sent: Sent) -> bytes:
        reason = "no server"
        for server in self._habits.ordered(self._servers):
            try:
                answer = await self._ask_one(server, sent)
                return answer if server.is_local else _without_ad(answer)
            except (Silent, Closed) as trouble:
                self._habits.was_silent(server)
                reason = str(trouble)
        raise Unavailable(reason)

    async def _ask_one(self, server: Server, sent: Sent) -> bytes:
        try:
            answer = await self._exchange.by_datagram(server, sent, SECONDS)
        except (CaseLost, Guessed):
            return await self._exchange.by_stream(server, sent, SECONDS)
        if answer[2] & 0x02:  # TC
            return await self._exchange.by_stream(server, sent, SECONDS)
        return answer


def _without_ad(answer: bytes) -> bytes:
    return answer[:3] + bytes([answer[3] & ~_AUTHENTIC & 0xFF]) + answer[4:]


def end_of_question(octets: bytes) -> int:
    """Where the one question of a message ends that was parsed before."""
    place = 12
    while octets[place]:
        place += 1 + octets[place]
    return place + 5
