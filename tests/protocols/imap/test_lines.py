"""Lines out of the buffer, cut where they are too long."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mailkit.protocols.buffer import Buffer
from mailkit.protocols.imap.lines import HEAD, TAIL, LineReader


def take_all(pieces: list[bytes], limit: int) -> list[tuple[bytes, bool]]:
    buffer = Buffer()
    reader = LineReader(buffer)
    lines: list[tuple[bytes, bool]] = []
    for piece in pieces:
        buffer.add(piece)
        while (line := reader.take(limit)) is not None:
            lines.append((line, reader.was_cut))
    return lines


def test_a_cut_line_keeps_its_front_and_its_end() -> None:
    line = b"tag " + b"x" * 5000 + b" {12+}"
    [(kept, was_cut)] = take_all([line + b"\r\n"], 1000)
    assert was_cut
    assert kept == line[:HEAD] + line[-TAIL:]


@given(st.lists(st.integers(0, 1500), max_size=4), st.integers(400, 1000))
def test_pieces_change_nothing(lengths: list[int], limit: int) -> None:
    octets = b"".join([bytes(97 + n % 26 for n in range(k)) + b"\r\n" for k in lengths])
    whole = take_all([octets], limit)
    slowly = take_all([octets[n : n + 1] for n in range(len(octets))], limit)
    assert slowly == whole
    assert [cut for _, cut in whole] == [length > limit for length in lengths]
