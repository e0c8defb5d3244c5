"""Cursors as pages carry them, and what summaries say of themselves."""

from __future__ import annotations

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from mailkit.errors import Malformed
from mailkit.model.conversation import (
    ConversationChange,
    Cursor,
    Place,
    Summary,
)
from mailkit.model.mailbox import INBOX

numbers = st.integers(-(2**63), 2**63 - 1)
ONE = Summary("M", "T", (Place(INBOX, 1),), frozenset(), frozenset(), 1, 1.0, None)


@given(numbers, numbers)
def test_a_cursor_is_read_as_it_was_written(date: int, key: int) -> None:
    cursor = Cursor(date, key)
    text = cursor.to_text()
    assert text.replace("-", "").replace("_", "").isalnum()
    assert Cursor.from_text(text) == cursor


@pytest.mark.parametrize("text", ["", "a", "=" * 22, "!" * 22, "é" * 22, "A" * 23])
def test_what_is_no_cursor(text: str) -> None:
    with pytest.raises(Malformed):
        Cursor.from_text(text)


@given(st.text(min_size=20, max_size=24))
def test_any_text_is_a_cursor_or_is_refused(text: str) -> None:
    try:
        cursor = Cursor.from_text(text)
    except Malformed:
        return
    assert Cursor.from_text(cursor.to_text()) == cursor


def test_what_flags_say() -> None:
    assert (ONE.is_unread, ONE.is_flagged, ONE.is_draft) == (True, False, False)
    flags = frozenset({"\\Seen", "\\Flagged", "\\Draft"})
    other = evolve(ONE, flags=flags)
    assert (other.is_unread, other.is_flagged, other.is_draft) == (False, True, True)


def test_a_change_that_tells_nothing() -> None:
    assert not ConversationChange(5)
    assert ConversationChange(5, is_whole=False)
    assert ConversationChange(5, gone=frozenset({"T"}))
    assert ConversationChange(5, mailboxes=(INBOX,))
