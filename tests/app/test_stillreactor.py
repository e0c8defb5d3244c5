"""A reactor that does nothing, as Twisted's interfaces want it."""

from __future__ import annotations

import time

import pytest
from twisted.internet.interfaces import (
    IDelayedCall,
    IReactorFDSet,
    IReactorFromThreads,
    IReactorTime,
)
from zope.interface import Interface
from zope.interface.verify import verifyObject

from mailkit.app.stillreactor import StillReactor


@pytest.mark.parametrize(
    "interface", [IReactorTime, IReactorFromThreads, IReactorFDSet]
)
def test_it_has_all_that_is_asked_for(interface: type[Interface]) -> None:
    assert verifyObject(interface, StillReactor())


def test_calls_wait_until_they_are_cancelled() -> None:
    reactor, made = StillReactor(), list[str]()
    before = time.time()
    call = reactor.callLater(5, made.append, "called")
    assert verifyObject(IDelayedCall, call)
    assert before + 5 <= call.getTime() <= reactor.seconds() + 5
    due = call.getTime()
    call.delay(10)
    assert call.getTime() == due + 10
    call.reset(0)
    assert call.getTime() <= reactor.seconds()
    assert reactor.getDelayedCalls() == [call]
    call.cancel()
    assert not call.active()
    assert (reactor.getDelayedCalls(), made) == ([], [])


def test_nobody_is_heard() -> None:
    reactor, heard = StillReactor(), list[str]()
    reactor.callFromThread(heard.append, "heard")
    reader = object()
    reactor.addReader(reader)
    reactor.addWriter(reader)
    assert (reactor.getReaders(), reactor.getWriters()) == ([], [])
    reactor.removeReader(reader)
    reactor.removeWriter(reader)
    assert (reactor.removeAll(), heard) == ([], [])
