"""Messages below another header, read in pieces of any size."""

from __future__ import annotations

import pytest
from attrs import define
from hypothesis import given
from hypothesis import strategies as st
from zope.interface import implementer

from mailkit.errors import StorageBroken
from mailkit.interfaces.storage import IContent
from mailkit.services.delivery.content import (
    Reheaded,
    Rewritten,
    read_header,
    read_whole,
)
from mailkit.testing.at_once import at_once

MESSAGE = b"A: b\r\nC: d\r\n\r\nbody\r\n"


@implementer(IContent)
@define(eq=False)
class OnDisk:
    """A content that is not in memory and comes in small pieces."""

    whole: bytes
    piece: int = 3
    octets: bytes | None = None

    @property
    def size(self) -> int:
        return len(self.whole)

    async def read(self, start: int, count: int) -> bytes:
        return self.whole[start : start + min(count, self.piece)]


class Shrunk(OnDisk):
    """Somebody cut the file."""

    async def read(self, start: int, count: int) -> bytes:
        return self.whole[start : min(5, start + count)]


@pytest.mark.parametrize(
    ("message", "header"),
    [
        (MESSAGE, b"A: b\r\nC: d\r\n\r\n"),
        (b"A: b\r\n", b"A: b\r\n"),
        (b"\r\nbody", b"\r\n"),
        (b"", b""),
    ],
)
def test_headers(message: bytes, header: bytes) -> None:
    assert at_once(read_header(Rewritten(message), 1000)) == header
    for piece in (1, 3, 7, 100):
        assert at_once(read_header(OnDisk(message, piece), 1000)) == header


def test_a_header_without_end_is_cut() -> None:
    endless = b"A: b\r\n" * 100_000
    for content in (Rewritten(endless), OnDisk(endless, 50_000)):
        found = at_once(read_header(content, 100_000))
        assert 100_000 < len(found) < 200_000


def test_the_whole() -> None:
    assert at_once(read_whole(Rewritten(MESSAGE))) == MESSAGE
    assert at_once(read_whole(OnDisk(MESSAGE))) == MESSAGE


def test_half_a_message_is_none() -> None:
    with pytest.raises(StorageBroken):
        at_once(read_whole(Shrunk(MESSAGE)))


@given(st.integers(0, 30), st.integers(1, 30), st.integers(0, 20), st.booleans())
def test_reheaded(start: int, count: int, cut: int, is_in_memory: bool) -> None:
    original: IContent = Rewritten(MESSAGE) if is_in_memory else OnDisk(MESSAGE, 100)
    content = Reheaded(b"New: header\r\n", original, cut)
    whole = b"New: header\r\n" + MESSAGE[cut:]
    assert content.size == len(whole)
    assert content.octets == (whole if is_in_memory else None)
    assert at_once(content.read(start, count)) == whole[start : start + count]


@given(st.integers(0, 30), st.integers(1, 30))
def test_rewritten(start: int, count: int) -> None:
    content = Rewritten(MESSAGE)
    assert content.size == len(MESSAGE)
    assert at_once(content.read(start, count)) == MESSAGE[start : start + count]
