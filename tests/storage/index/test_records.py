"""Records are what the rows say, however their values are asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailkit.model.flags import ANSWERED, SEEN
from mailkit.model.mailbox import MessageRecord, Want
from mailkit.model.uidset import ALL_UIDS, NO_UIDS, UIDSet
from mailkit.storage.index import reading
from mailkit.storage.index.index import Index
from mailkit.storage.index.rows import MailboxRow, MessageRow, RenderedRow
from mailkit.storage.safefile import Files

EVERYTHING = Want(0)
for one in Want:
    EVERYTHING |= one


@pytest.fixture
def index(tmp_path: Path) -> Index:
    index = Index.open(str(tmp_path / "index.sqlite"), Files())
    with index.database.transaction(is_full=True):
        index.begin_account("boot", 5)
        index.add_mailbox("", "F1", 7, 100, 5, uid_next=1, boot="boot")
    return index


def put(index: Index, header: bytes) -> tuple[MailboxRow, list[MessageRecord]]:
    row = index.mailbox("")
    assert row is not None
    keywords = ["", " $Junk Work ", ""]
    with index.database.transaction(is_full=False):
        index.add_messages(
            [
                MessageRow(
                    row.key(uid), 60 + uid, uid, kept, 0, -5, 7, "n", f"M{uid}", "T,1"
                )
                for uid, kept in zip((1, 2, 4), keywords, strict=True)
            ],
            [
                RenderedRow(row.key(uid), b"(,\n\xff)", b"b", b"", b"p", header)
                for uid in (1, 2, 4)
            ],
        )
        index.set_mailbox(row.id, uid_next=5)
    flags = [{SEEN}, {ANSWERED, "$Junk", "Work"}, {"\\Flagged"}]
    expected = [
        MessageRecord(
            uid,
            60 + uid,
            frozenset(has),
            0,
            -5,
            7,
            f"M{uid}",
            "T,1",
            b"(,\n\xff)",
            b"b",
            b"",
            b"p",
            header,
        )
        for uid, has in zip((1, 2, 4), flags, strict=True)
    ]
    row = index.mailbox("")
    assert row is not None
    return row, expected


@pytest.mark.parametrize("header", [b"", b"From: a\r\n", b"From: \0\r\n", b"\0"])
def test_all_columns(index: Index, header: bytes) -> None:
    row, expected = put(index, header)
    assert reading.records(index, row, ALL_UIDS, EVERYTHING) == expected
    some = UIDSet.of([1, 4, 9])
    found = reading.records(index, row, some, EVERYTHING)
    assert found == [expected[0], expected[2]]
    assert reading.records(index, row, NO_UIDS, EVERYTHING) == []
    assert reading.records(index, row, UIDSet.of([3]), EVERYTHING) == []


@pytest.mark.parametrize("want", [Want(0), *Want])
def test_one_column(index: Index, want: Want) -> None:
    row, expected = put(index, b"From: \0\r\n")
    found = reading.records(index, row, ALL_UIDS, want)
    assert [record.uid for record in found] == [1, 2, 4]
    names = [
        name
        for name in MessageRecord._fields[1:]
        if getattr(found[1], name) == getattr(expected[1], name)
        and getattr(found[1], name) not in (0, b"")
    ]
    told = {
        Want.FLAGS: ["flags"],
        Want.FACTS: ["internal_date"],
        Want.IDS: ["save_date", "email_id", "thread_id"],
        Want.MOD_SEQ: ["mod_seq"],
        Want.BODYSTRUCTURE: [],
        Want(0): [],
    }
    name = str(want.name).lower()
    assert names == told.get(want, [name])
