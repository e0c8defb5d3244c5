"""An index of an older version is brought up to date, and nothing in it is lost."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from mailkit.model.flags import FLAGGED, SEEN
from mailkit.model.mailbox import MessageRecord, Want
from mailkit.model.uidset import ALL_UIDS
from mailkit.storage.index import reading, schema
from mailkit.storage.index.index import Index
from mailkit.storage.index.joining import join_some
from mailkit.storage.index.rows import MessageRow, RenderedRow
from mailkit.storage.safefile import Files, Operation, Verb

EVERYTHING = ~Want(0)
THIRD = (
    "DROP INDEX message_once",
    "PRAGMA user_version = 3",
)
"""What makes the tables of the third version out of today's."""
SECOND = (
    *THIRD,
    "DROP TRIGGER message_came",
    "DROP TRIGGER message_went",
    "DROP TRIGGER message_flagged_anew",
    "DROP TABLE marked",
    "DROP TABLE tally",
    "DROP TABLE clue",
    "DROP TABLE departed",
    "DROP INDEX message_date",
    "DROP INDEX message_unjoined",
    "DROP INDEX message_thread",
    "DROP INDEX message_email",
    "ALTER TABLE message DROP COLUMN joined",
    "ALTER TABLE message DROP COLUMN attachments",
    "PRAGMA user_version = 2",
)
"""What makes the tables of the second version out of today's."""
FIRST = (
    """
    CREATE TABLE rendered (
        id INTEGER PRIMARY KEY,
        envelope BLOB NOT NULL,
        body BLOB NOT NULL,
        bodystructure BLOB NOT NULL,
        preview BLOB NOT NULL,
        header_fields BLOB NOT NULL
    )
    """,
    "ALTER TABLE message DROP COLUMN date",
    "PRAGMA user_version = 1",
)
"""What makes the tables of the first version out of the second's."""


def make_second(path: Path) -> None:
    """An index as the second version left it, with two messages."""
    index = Index.open(str(path), Files())
    with index.database.transaction(is_full=True):
        index.begin_account("boot", 5)
        index.add_mailbox("", "F1", 7, 100, 5, uid_next=9, boot="boot")
    for step in SECOND:
        index.database.execute(step)
    mixed = b'(("text" "plain")("application" "pdf" NIL ("ATTACHMENT" NIL)) "mixed")'
    for uid, flags, keywords, shape in (
        (3, 5, " $l_a NonJunk ", mixed),
        (4, 0, " NonJunk ", b'("text" "plain")'),
    ):
        index.database.execute(
            """
            INSERT INTO message (id, mod_seq, arrived, flags, keywords, size,
                internal_date, save_date, behind, name, email_id, thread_id)
            VALUES (?, 6, 6, ?, ?, 40, 100, 2, 0, 'n', ?, ?)
            """,
            (1 << 32 | uid, flags, keywords, f"M{uid}", f"T{uid}"),
        )
        index.add_rendered([RenderedRow(1 << 32 | uid, b"", b"", shape, b"", b"")])
    index.close()


def test_marks_conversations_and_attachments_of_the_second_version(
    tmp_path: Path,
) -> None:
    make_second(tmp_path / "index.sqlite")
    index = Index.open(str(tmp_path / "index.sqlite"), Files())
    tally = index.database.all("SELECT * FROM tally ORDER BY keyword")
    assert tally == [("$l_a", 1, 1, 0), ("\\flagged", 1, 1, 0), ("nonjunk", 1, 2, 1)]
    # What was told stays, and is looked at once more for those that follow.
    assert not join_some(index, lambda root: "Tnew", 1.0)
    found = "SELECT thread_id, joined, attachments FROM message ORDER BY id"
    assert index.database.all(found) == [("T3", 1, 1), ("T4", 1, 0)]
    assert index.database.all("SELECT * FROM departed") == [(5, "")]
    index.close()


def test_what_was_delivered_once_is_found_in_an_index_of_the_third_version(
    tmp_path: Path,
) -> None:
    path = str(tmp_path / "index.sqlite")
    index = Index.open(path, Files())
    with index.database.transaction(is_full=True):
        index.begin_account("boot", 5)
    row = MessageRow(1 << 32 | 3, 6, 0, "", 40, 100, 2, "1.K0M1P2Q3.h,U=3", "Mk", "T")
    index.add_messages([row], [])
    for step in THIRD:
        index.database.execute(step)
    index.close()
    index = Index.open(path, Files())
    assert index.delivered("Mk") == [(1, 3)]
    assert index.delivered("M") == []
    index.close()


def make_first(path: Path) -> None:
    """An index as the first version left it, with two messages; one is not rendered."""
    index = Index.open(str(path), Files())
    with index.database.transaction(is_full=True):
        index.begin_account("boot", 5)
        index.add_mailbox("", "F1", 7, 100, 5, uid_next=9, boot="boot")
    for step in SECOND:
        index.database.execute(step)
    for table in ("overview", "structure", "rendered"):
        index.database.execute(f"DROP TABLE {table}")
    for step in FIRST:
        index.database.execute(step)
    for uid, flags, date, thread in ((3, 5, 1_717_200_001, "T"), (8, 0, -5, "")):
        index.database.execute(
            """
            INSERT INTO message (id, mod_seq, arrived, flags, keywords, size,
                internal_date, save_date, behind, name, email_id, thread_id)
            VALUES (?, 6, 6, ?, '', 40, ?, 2, 1, 'n', 'M', ?)
            """,
            (1 << 32 | uid, flags, date, thread),
        )
    index.database.execute(
        "INSERT INTO rendered VALUES (?, ?, ?, ?, ?, ?)",
        (1 << 32 | 3, b"(e)", b"(b)", b"(s)", b'"p"', b"From: a\r\n"),
    )
    index.close()


def test_the_first_version_is_changed_in_one_transaction(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    make_first(path)
    commits: list[bool] = []

    class Log:
        def before(self, operation: Operation) -> None:
            assert operation.verb is Verb.COMMIT
            commits.append(operation.is_full)

        def after(self, operation: Operation) -> None: ...

    index = Index.open(str(path), Files(Log()))
    assert commits == [True]
    assert index.database.version == schema.VERSION
    row = index.mailbox("")
    assert row is not None
    assert list(reading.records(index, row, ALL_UIDS, EVERYTHING)) == [
        MessageRecord(
            3,
            6,
            frozenset({SEEN, FLAGGED}),
            40,
            1_717_200_001,
            2,
            "M",
            "T",
            b"(e)",
            b"(b)",
            b"(s)",
            b'"p"',
            b"From: a\r\n",
        )
    ]
    assert [r.uid for r in reading.records(index, row, ALL_UIDS, Want.FLAGS)] == [3, 8]
    assert index.is_behind()  # what no name carries yet
    assert index.database.all("SELECT date FROM message ORDER BY id") == [
        ('"01-Jun-2024 00:00:01 +0000"',),
        ('"31-Dec-1969 23:59:55 +0000"',),
    ]
    index.close()


def test_a_change_that_is_cut_short_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    make_first(path)

    class Stop:
        def before(self, operation: Operation) -> None:
            raise OSError("the power is gone")

        def after(self, operation: Operation) -> None: ...

    with pytest.raises(OSError, match="power"):
        Index.open(str(path), Files(Stop()))
    with closing(sqlite3.connect(path)) as connection:
        [version] = connection.execute("PRAGMA user_version").fetchone()
        [[count]] = connection.execute("SELECT count(envelope) FROM rendered")
    assert (version, count) == (1, 1)
    Index.open(str(path), Files()).close()


def test_it_has_the_tables_that_a_new_one_has(tmp_path: Path) -> None:
    make_first(tmp_path / "old.sqlite")
    layouts = []
    for name in ("old.sqlite", "new.sqlite"):
        index = Index.open(str(tmp_path / name), Files())
        found = []
        for table, kind in index.database.all(
            "SELECT name, type FROM sqlite_master ORDER BY name"
        ):
            pragma = "table_info" if kind == "table" else "index_xinfo"
            found.append((table, index.database.all(f"PRAGMA {pragma}({table})")))
        layouts.append(found)
        index.close()
    assert layouts[0] == layouts[1]


def test_dates_that_nobody_can_write_are_still_dates(tmp_path: Path) -> None:
    index = Index.open(str(tmp_path / "index.sqlite"), Files())
    far = ((1, -(10**15)), (2, 10**15))
    with index.database.transaction(is_full=False):
        index.add_messages(
            [MessageRow(uid, 6, 0, "", 1, date, 2, "n", "M", "T") for uid, date in far],
            [],
        )
    assert index.database.all("SELECT date FROM message") == [
        ('"01-Jan-0001 00:00:00 +0000"',),
        ('"31-Dec-9999 23:59:59 +0000"',),
    ]
    index.close()
