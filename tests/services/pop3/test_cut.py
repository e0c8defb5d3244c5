"""TOP, however the message is cut into pieces."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mailkit.services.pop3.cut import Top

WORDS = st.sampled_from([b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"x", b"a: b"])


def cut(pieces: list[bytes], lines: int) -> bytes:
    top, taken = Top(lines), b""
    for piece in pieces:
        taken += top.take(piece)
        if top.is_done:
            break
    return taken


def test_lines() -> None:
    message = b"a: b\r\n\r\none\r\ntwo\r\nthree"
    assert cut([message], 0) == b"a: b\r\n\r\n"
    assert cut([message], 1) == b"a: b\r\n\r\none\r\n"
    assert cut([message], 9) == message
    assert cut([b"\r\none\r\n"], 0) == b"\r\n"
    assert cut([b"no body at all"], 5) == b"no body at all"


@given(st.lists(WORDS), st.integers(0, 3))
def test_pieces_do_not_matter(words: list[bytes], lines: int) -> None:
    """And the top is what the definition says."""
    message = b"".join(words)
    head, empty, body = (b"\r\n" + message).partition(b"\r\n\r\n")
    expected = (head + empty)[2:] + b"".join(
        line + b"\r\n" for line in body.split(b"\r\n")[:lines]
    )
    if not empty or len(body.split(b"\r\n")) <= lines:
        expected = message
    octets = [message[i : i + 1] for i in range(len(message))]
    assert cut([message], lines) == cut(octets, lines) == expected
