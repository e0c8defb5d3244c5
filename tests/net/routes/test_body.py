"""Messages read in pieces, as fast as they are taken."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred

from mailkit.errors import StorageBroken
from mailkit.net.routes import body
from mailkit.net.routes.body import Body, Feed, FeedStoppedError, told_as_json
from mailkit.storage.content import OctetsContent
from mailkit.testing.at_once import at_once
from tests.net.relay.world import TEXT, OnDisk, item


def written(one: Body) -> bytes:
    pieces: list[bytes] = []
    at_once(one.pieces(pieces.append))
    octets = b"".join(pieces)
    assert len(octets) == one.length
    return octets


@given(st.binary(max_size=40), st.booleans(), st.integers(1, 4))
def test_pieces_are_the_whole(octets: bytes, is_base64: bool, piece: int) -> None:
    before, body.PIECE = body.PIECE, 3 * piece
    try:
        said = written(Body(b"<", OctetsContent(octets), is_base64, b">"))
    finally:
        body.PIECE = before
    inside = base64.b64encode(octets) if is_base64 else octets
    assert said == b"<" + inside + b">"


def test_nothing_at_all() -> None:
    assert written(Body()) == b""


def test_pieces_that_come_short_are_asked_for_again() -> None:
    class Drops(OctetsContent):
        async def read(self, start: int, count: int) -> bytes:
            return self.octets[start : start + min(count, 2)]

    assert written(Body(content=Drops(b"abcdefg"), is_base64=True)) == b"YWJjZGVmZw=="


def test_a_message_that_is_cut_is_not_told() -> None:
    content = OnDisk(b"abc" * 10, lies=3)
    with pytest.raises(StorageBroken):
        written(Body(content=content))


@pytest.mark.parametrize("is_whole", [False, True])
def test_json(is_whole: bool) -> None:
    told = json.loads(written(at_once(told_as_json(item(), OnDisk(TEXT), is_whole))))
    assert told["subject"] == "a"
    assert told["size"] == len(TEXT)
    assert told.get("whole") == (base64.b64encode(TEXT).decode() if is_whole else None)


def test_a_feed_waits_and_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "PIECE", 3)
    log: list[bytes] = []
    moves: list[int] = []
    feed = Feed(Body(content=OctetsContent(b"abcdefghi")), lambda: moves.append(1))

    def write(octets: bytes) -> None:
        log.append(octets)
        feed.pauseProducing()

    running = Deferred.fromCoroutine(feed.run(write))
    assert log == [b"abc"]
    feed.resumeProducing()
    assert log == [b"abc", b"def"]
    failed: list[type[BaseException] | None] = []
    running.addErrback(lambda failure: failed.append(failure.type))
    feed.stopProducing()
    assert failed == [FeedStoppedError]
    assert log == [b"abc", b"def"]
    assert len(moves) == 2
