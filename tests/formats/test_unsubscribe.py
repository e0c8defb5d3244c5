"""Tokens of one-click unsubscriptions (RFC 8058 §3.1)."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.formats.unsubscribe import Unsubscription, read_token, write_token

OLD, NEW = b"the old key", b"the new key"
WHAT = Unsubscription("news", "bob@example.net", 2000)


@given(st.text(), st.text().filter(lambda text: "\n" not in text), st.integers())
def test_what_is_written_is_read(sending: str, address: str, expires: int) -> None:
    what = Unsubscription(sending, address, expires)
    token = write_token(what, [NEW])
    assert re.fullmatch(r"[A-Za-z0-9_.-]+", token)
    if len(token) <= 1000:
        assert read_token(token, [NEW], expires) == what


def test_old_keys_are_believed() -> None:
    token = write_token(WHAT, [OLD])
    assert read_token(token, [NEW, OLD], 1000) == WHAT
    assert read_token(token, [NEW], 1000) is None


def test_its_time_ends() -> None:
    token = write_token(WHAT, [NEW])
    assert read_token(token, [NEW], 2000) == WHAT
    assert read_token(token, [NEW], 2001) is None


@pytest.mark.parametrize("position", range(0, 60, 7))
def test_nobody_else_can_change_it(position: int) -> None:
    token = write_token(WHAT, [NEW])
    changed = "B" if token[position] != "B" else "C"
    forged = token[:position] + changed + token[position + 1 :]
    assert read_token(forged, [NEW], 1000) is None


@given(st.text())
def test_garbage_is_no_token(text: str) -> None:
    assert read_token(text, [NEW], 1000) is None
