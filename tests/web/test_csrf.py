"""Tokens of forms."""

from __future__ import annotations

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.web.csrf import is_token, make_token

SECRET = b"s" * 32


def test_a_token_is_masked_anew_each_time() -> None:
    tokens = {make_token(SECRET, "act", secrets.token_bytes) for _ in range(20)}
    assert len(tokens) == 20
    assert all(is_token(SECRET, "act", token) for token in tokens)
    heads, tails = {one[:40] for one in tokens}, {one[44:] for one in tokens}
    assert len(heads) == len(tails) == 20


@pytest.mark.parametrize("change", ["", "A", "=", " ", "ä", "\x00"])
def test_what_is_no_token(change: str) -> None:
    token = make_token(SECRET, "act", secrets.token_bytes)
    assert not is_token(SECRET, "act", change)
    assert not is_token(SECRET, "compose", token)
    assert not is_token(b"x" * 32, "act", token)
    assert not is_token(SECRET, "act", token[:-2])
    other = "B" if token[0] == "A" else "A"
    assert not is_token(SECRET, "act", other + token[1:])


@given(st.text())
def test_anything_at_all(token: str) -> None:
    assert not is_token(SECRET, "act", token)
