"""Text of messages, by DATA and by BDAT: blocks of lines, and what is no text."""

from __future__ import annotations

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from mailkit.model.reply import Reply
from mailkit.protocols.buffer import Buffer
from mailkit.protocols.smtp.chunk import ChunkReader
from mailkit.protocols.smtp.limits import DEFAULT_LIMITS, Limits
from mailkit.protocols.smtp.text import (
    BARE,
    LONG_LINE,
    TOO_LARGE,
    TextReader,
    has_long_line,
)

SMALL = evolve(DEFAULT_LIMITS, text_line=998)


def read(pieces: list[bytes], limits: Limits = SMALL) -> tuple[bytes, TextReader]:
    buffer = Buffer()
    reader = TextReader(buffer, limits)
    said = b""
    for piece in pieces:
        buffer.add(piece)
        while not reader.is_over and (block := reader.next_block()):
            assert block.endswith(b"\r\n")
            said += block
    return said, reader


def cut(octets: bytes, size: int) -> list[bytes]:
    return [octets[at : at + size] for at in range(0, len(octets), size)]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
@pytest.mark.parametrize(
    ("sent", "text"),
    [
        (b".\r\n", b""),
        (b"\r\n.\r\n", b"\r\n"),
        (b"a\r\n.\r\n", b"a\r\n"),
        (b"..\r\n.\r\n", b".\r\n"),
        (b".a\r\n..b\r\n.\r\n", b"a\r\n.b\r\n"),
        (b"a.\r\n...\r\n.\r\n", b"a.\r\n..\r\n"),
        (b"a\r\n..\r\n..\r\n.\r\n", b"a\r\n.\r\n.\r\n"),
        (b"x" * 998 + b"\r\n.\r\n", b"x" * 998 + b"\r\n"),
    ],
)
def test_text(sent: bytes, text: bytes, size: int) -> None:
    said, reader = read(cut(sent, size))
    assert said == text
    assert reader.is_over
    assert reader.refusal is None
    assert reader.size == len(text)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000, 100_000])
@pytest.mark.parametrize(
    ("sent", "refusal"),
    [
        (b"a\nb\r\n.\r\n", BARE),
        (b"a\rb\r\n.\r\n", BARE),
        (b"a\0b\r\n.\r\n", BARE),
        (b"a\r\r\n.\r\n", BARE),
        (b"\n.\r\n\r\n.\r\n", BARE),
        (b"x" * 999 + b"\r\n.\r\n", LONG_LINE),
        (b"x" * 5000 + b"\r\n.\r\n", LONG_LINE),
        (b"x" * 5000 + b"\r\n" + b"y" * 5000 + b".\r\n\r\n.\r\n", LONG_LINE),
        (
            b"a\r\n" * 1000 + b"x" * 999 + b"\r\n" + b"a\r\n" * 1000 + b".\r\n",
            LONG_LINE,
        ),
        (b"x" * 998 + b"\r\n" + b"y" * 66_000 + b"\r\n.\r\n", LONG_LINE),
        (b"12345678\r\n" * 6554 + b".\r\n", TOO_LARGE),
    ],
)
def test_no_text(sent: bytes, refusal: Reply, size: int) -> None:
    """Read to its true end, whatever it holds."""
    limits = evolve(SMALL, message_size=64 * 1024)
    _, reader = read(cut(sent, size), limits)
    assert reader.is_over
    assert reader.refusal is refusal


def test_an_endless_line_is_not_kept() -> None:
    buffer = Buffer()
    reader = TextReader(buffer, SMALL)
    for _ in range(1000):
        buffer.add(b"x" * 100)
        assert reader.next_block() == b""
        assert len(buffer) <= 1100
    assert reader.wasted > 90_000
    buffer.add(b".\r\n.\r\n")
    assert reader.next_block() == b""
    assert reader.is_over


@given(
    st.lists(st.sampled_from([b"a", b"\r\n", b".", b"\r", b"\n", b"\0"]), max_size=40),
    st.lists(st.integers(1, 5), min_size=1, max_size=10),
)
def test_pieces_of_any_size(words: list[bytes], sizes: list[int]) -> None:
    sent = b"".join(words)
    whole, one = read([sent])
    pieces, at, turn = [], 0, 0
    while at < len(sent):
        step = sizes[turn % len(sizes)]
        pieces.append(sent[at : at + step])
        at, turn = at + step, turn + 1
    said, other = read(pieces)
    assert one.is_over == other.is_over
    if one.is_over:
        assert one.refusal is other.refusal
        assert one.refusal is not None or said == whole


def lines_of(octets: bytes) -> list[int]:
    return [len(line) for line in octets.split(b"\r\n")[:-1]]


@given(st.lists(st.integers(0, 12), max_size=20), st.integers(1, 10))
def test_long_lines(lengths: list[int], limit: int) -> None:
    block = b"".join(b"x" * length + b"\r\n" for length in lengths)
    assert has_long_line(block, limit) == any(n > limit for n in lines_of(block))


def read_chunks(
    chunks: list[bytes], step: int, limits: Limits = SMALL, is_binary: bool = False
) -> tuple[bytes, ChunkReader]:
    buffer = Buffer()
    reader = ChunkReader(buffer, limits, is_binary)
    said = b""
    for number, chunk in enumerate(chunks):
        reader.begin(len(chunk), number == len(chunks) - 1)
        for piece in cut(chunk, step):
            buffer.add(piece)
            said += reader.next_block()
        assert reader.is_over
        assert not len(buffer)
    return said, reader


@pytest.mark.parametrize("step", [1, 2, 3, 10_000])
@pytest.mark.parametrize(
    ("chunks", "refusal"),
    [
        ([b""], None),
        ([b"a\r\n", b""], None),
        ([b"a\r", b"\nb\r\n"], None),
        ([b"a", b"b", b"\r", b"\n"], None),
        ([b"no end of line"], None),
        ([b"x" * 500, b"y" * 498 + b"\r\n", b"z" * 998], None),
        ([b"a\r", b"b\n"], BARE),
        ([b"a\r"], BARE),
        ([b"a\n"], BARE),
        ([b"\0", b"x"], BARE),
        ([b"a\r", b"\r\n"], BARE),
        ([b"x" * 500, b"y" * 499 + b"\r\n"], LONG_LINE),
        ([b"a\r\n" + b"x" * 999], LONG_LINE),
        ([b"x\r\n" + b"y" * 999 + b"\r\nz\r\n"], LONG_LINE),
        ([b"1234567\r\n" * 4000, b"1234567\r\n" * 4000], TOO_LARGE),
    ],
)
def test_chunks(chunks: list[bytes], refusal: Reply | None, step: int) -> None:
    limits = evolve(SMALL, message_size=64 * 1024)
    said, reader = read_chunks(chunks, step, limits)
    assert reader.refusal is refusal
    if refusal is None:
        assert said == b"".join(chunks)
        assert reader.size == len(said)
    else:
        assert reader.wasted


@pytest.mark.parametrize("step", [1, 10_000])
def test_an_empty_last_chunk_ends_what_came_before(step: int) -> None:
    """What was left open by a CR stays open."""
    _, reader = read_chunks([b"a\r", b""], step)
    assert reader.refusal is BARE
    said, reader = read_chunks([b"a\r", b""], step, is_binary=True)
    assert (said, reader.refusal) == (b"a\r", None)


def test_binary_chunks_may_hold_anything() -> None:
    """RFC 3030 §3."""
    octets = bytes(range(256)) * 10
    said, reader = read_chunks([octets[:100], octets[100:]], 7, is_binary=True)
    assert said == octets
    assert reader.refusal is None


@given(st.lists(st.sampled_from([b"a", b"\r\n", b"\r", b"\n", b"aaa"]), max_size=30))
def test_chunks_of_any_size(words: list[bytes]) -> None:
    octets = b"".join(words)
    limits = evolve(SMALL)
    _, whole = read_chunks([octets], 1000, limits)
    _, single = read_chunks(cut(octets, 1) or [b""], 1, limits)
    assert whole.refusal is single.refusal
