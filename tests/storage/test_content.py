"""The whole of a message, or none of it."""

from __future__ import annotations

import pytest
from attrs import define, field
from zope.interface import implementer

from mailkit.errors import StorageBroken
from mailkit.interfaces.storage import IContent
from mailkit.storage.content import OctetsContent, all_octets
from mailkit.testing.at_once import at_once


@implementer(IContent)
@define(eq=False)
class Pieces:
    """A message that is read two octets at a time, and may end too soon."""

    text: bytes
    size: int
    octets: bytes | None = field(default=None, init=False)

    async def read(self, start: int, count: int) -> bytes:
        return self.text[start : start + min(2, count)]


def test_pieces_become_a_whole() -> None:
    assert at_once(all_octets(Pieces(b"abcde", 5))) == b"abcde"
    assert at_once(all_octets(OctetsContent(b"abc"))) == b"abc"


def test_half_a_message_is_none() -> None:
    with pytest.raises(StorageBroken):
        at_once(all_octets(Pieces(b"abc", 5)))
