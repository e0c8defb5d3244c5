"""Answers that are written bit by bit, to readers who leave."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from mailkit.errors import PeerGone
from mailkit.web.outlet import RequestOutlet


@pytest.fixture
def request_() -> Request:
    """One that is being answered."""
    channel = HTTPChannel()
    channel.timeOut = None
    channel.site = Site(Resource())  # type: ignore[attr-defined]  # its factory sets it
    transport = StringTransport()
    channel.makeConnection(transport)
    request = Request(channel)
    channel.requests.append(request)
    return request


def test_a_request_whose_reader_leaves_ends_without_a_producer(
    request_: Request,
) -> None:
    outlet = RequestOutlet.of(request_)
    gone = Deferred.fromCoroutine(outlet.gone())
    assert request_.producer is outlet
    # As a transport does it, before the request hears of it.
    outlet.stopProducing()
    assert gone.called
    outlet.finish()
    assert request_.producer is None
    outlet.finish()


def test_nothing_is_written_for_those_who_have_left(request_: Request) -> None:
    outlet = RequestOutlet.of(request_)
    outlet.stopProducing()
    with pytest.raises(PeerGone):
        outlet.write(b"x").send(None)


def test_who_left_before_the_first_octet_is_written_nothing(request_: Request) -> None:
    request_.connectionLost(Failure(ConnectionDone()))
    outlet = RequestOutlet.of(request_)
    with pytest.raises(PeerGone):
        outlet.write(b"x").send(None)
    outlet.finish()
