"""A message that is made while it is read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st
from zope.interface import implementer
from zope.interface.verify import verifyObject

from mailkit.errors import StorageBroken
from mailkit.formats import letter as letters
from mailkit.formats.letter import Letter, LetterFile
from mailkit.interfaces.storage import IContent
from mailkit.services.composing.content import content_of
from mailkit.storage.content import OctetsContent, all_octets
from mailkit.testing.at_once import at_once
from tests.formats.garbage import anything

FILE = bytes(at % 251 for at in range(200_001))
FILES = {
    1: OctetsContent(FILE),
    2: OctetsContent(b"Subject: x\r\n\r\n.\r\n"),
    3: OctetsContent(b""),
}
LETTER = Letter(
    sender=("", "a@example.org"),
    date=datetime(2026, 1, 1, tzinfo=UTC),
    message_id="<1@example.org>",
    text="Hello",
    files=(
        LetterFile(1, "a", "a/b", len(FILE)),
        LetterFile(2, "b", "message/rfc822", 17),
        LetterFile(3, "c", "a/b", 0),
    ),
)


def whole() -> bytes:
    octets = b""
    for piece in letters.write(LETTER):
        if isinstance(piece, bytes):
            octets += piece
        elif piece.is_base64:
            writer = letters.Base64()
            octets += writer.feed(FILES[piece.number].octets) + writer.end()
        else:
            octets += FILES[piece.number].octets
    return octets


WHOLE = whole()
CONTENT = content_of(LETTER, FILES)


def test_all_of_it() -> None:
    verifyObject(IContent, CONTENT)
    assert CONTENT.octets is None
    assert CONTENT.size == len(WHOLE)
    assert at_once(all_octets(CONTENT)) == WHOLE


def test_without_files_it_is_at_hand() -> None:
    content = content_of(
        Letter(
            sender=("", "a@example.org"),
            date=datetime(2026, 1, 1, tzinfo=UTC),
            message_id="<1@example.org>",
        ),
        {},
    )
    assert content.octets is not None
    assert at_once(content.read(0, 5)) == b"Date:"


@anything
@given(st.integers(0, len(WHOLE) + 10), st.integers(0, 100_000))
def test_any_part_of_it(start: int, count: int) -> None:
    assert at_once(CONTENT.read(start, count)) == WHOLE[start : start + count]


@implementer(IContent)
@define
class _Short:
    """A file that lost its end."""

    size: int = 100
    octets: bytes | None = field(default=None)

    async def read(self, start: int, count: int) -> bytes:
        return b"x" * max(min(50 - start, count), 0)


def test_a_file_that_is_shorter_than_it_was() -> None:
    content = content_of(LETTER, {**FILES, 1: _Short()})
    with pytest.raises(StorageBroken):
        at_once(all_octets(content))
