"""Doubled dots, however a text is cut into pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.protocols.transparency import DotStuffer

PIECES = st.lists(st.sampled_from([b"", b".", b"\r", b"\n", b"\r\n", b"x", b"\r\n.."]))


@pytest.mark.parametrize(
    ("pieces", "sent"),
    [
        ([], b".\r\n"),
        ([b""], b".\r\n"),
        ([b".\r\n"], b"..\r\n.\r\n"),
        ([b"a\r", b"\n.b"], b"a\r\n..b\r\n.\r\n"),
        ([b"a\r\n", b"", b".b\r\n"], b"a\r\n..b\r\n.\r\n"),
        ([b"a\n.b\r\n"], b"a\n.b\r\n.\r\n"),
    ],
)
def test_pieces(pieces: list[bytes], sent: bytes) -> None:
    stuffer = DotStuffer()
    assert b"".join(map(stuffer.stuff, pieces)) + stuffer.end() == sent


@given(PIECES)
def test_cuts_do_not_matter(pieces: list[bytes]) -> None:
    whole, cut = DotStuffer(), DotStuffer()
    text = b"".join(pieces)
    assert (
        whole.stuff(text) + whole.end() == b"".join(map(cut.stuff, pieces)) + cut.end()
    )


def test_used_again() -> None:
    """After the end the next text begins at the start of a line."""
    stuffer = DotStuffer()
    assert stuffer.stuff(b"a") + stuffer.end() == b"a\r\n.\r\n"
    assert stuffer.stuff(b".") + stuffer.end() == b"..\r\n.\r\n"
