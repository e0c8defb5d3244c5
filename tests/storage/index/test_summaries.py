"""Summaries of rows whose mailbox went in the same moment."""

from __future__ import annotations

from pathlib import Path

from mailkit.model.mailbox import INBOX
from mailkit.storage.index.index import Index
from mailkit.storage.index.joining import join_some
from mailkit.storage.index.rows import MessageRow, RenderedRow
from mailkit.storage.index.summaries import of_conversation, of_messages, summaries
from mailkit.storage.safefile import Files


def test_what_lies_in_no_mailbox_is_left_out(tmp_path: Path) -> None:
    index = Index.open(str(tmp_path / "index.sqlite"), Files())
    key = 1 << 32 | 1
    with index.database.transaction(is_full=True):
        row = MessageRow(key, 6, 0, "", 1, 100, 2, "n", "M", "T")
        index.add_messages([row], [RenderedRow(key, b"", b"", b"", b'"p"', b"")])
    assert not join_some(index, lambda root: "T", 1.0)
    [found] = of_conversation(index, {1: INBOX}, "T")
    assert (found.preview, found.subject) == ("p", "")
    assert of_conversation(index, {}, "T") == []
    assert of_messages(index, {}, ["M"]) == {}
    assert summaries(index, {}, [key]) == {}
    index.close()
