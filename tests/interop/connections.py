"""Connections that a test has with itself, both ends in one process."""

from __future__ import annotations

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFDSet, IReactorTime
from twisted.internet.task import deferLater
from twisted.internet.tcp import Connection

SOON = 0.01
"""Seconds between two looks."""


async def _end() -> None:
    selectables, clock = IReactorFDSet(reactor), IReactorTime(reactor)
    while any(
        isinstance(one, Connection)
        for one in (*selectables.getReaders(), *selectables.getWriters())
    ):
        await deferLater(clock, SOON)


def connections_end() -> Deferred[None]:
    """
    Fires when no connection is left, for a test case of trial to end with.

    Who has hung up is heard by the other end when the network comes to it, and trial
    waits for two turns of the reactor, in which a busy machine may not.
    """
    return Deferred.fromCoroutine(_end())
