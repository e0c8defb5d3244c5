"""Tables, transactions, and what is asked of them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.errors import StorageBroken
from mailkit.model.flags import SEEN
from mailkit.model.uidset import ALL_UIDS, UIDSet
from mailkit.storage.index import reading, rows, schema
from mailkit.storage.index.database import Database, is_damaged, refuse_newer
from mailkit.storage.index.index import Counted, Index, OtherVersion
from mailkit.storage.index.rows import FlagSets, MailboxRow, MessageRow
from mailkit.storage.safefile import Files, Operation, Verb


@pytest.fixture
def index(tmp_path: Path) -> Index:
    index = Index.open(str(tmp_path / "index.sqlite"), Files())
    with index.database.transaction(is_full=True):
        index.begin_account("boot", 5)
        index.add_mailbox("", "F1", 7, 100, 5, uid_next=1, boot="boot")
    return index


def inbox(index: Index) -> MailboxRow:
    row = index.mailbox("")
    assert row is not None
    return row


def fill(index: Index, uids: UIDSet) -> MailboxRow:
    row = inbox(index)
    with index.database.transaction(is_full=False):
        messages = [
            MessageRow(row.key(uid), 6, 0, "", 10, 1, 2, f"n{uid}", "M", "T")
            for uid in uids
        ]
        index.add_messages(messages, [])
        index.count(row.id, Counted(len(messages), len(messages), 0, 10), 6)
        index.set_mailbox(row.id, uid_next=max(uids, default=0) + 1)
    return inbox(index)


def test_an_index_that_was_not_begun_is_not_whole(tmp_path: Path) -> None:
    index = Index.open(str(tmp_path / "a.sqlite"), Files())
    assert index.identity() is None
    for ask in (index.used, index.mod_seq, index.boot):
        with pytest.raises(StorageBroken):
            ask()
    index.close()


def test_an_index_of_another_version_is_not_opened(index: Index) -> None:
    path = index.database.path
    index.database.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    index.close()
    with pytest.raises(OtherVersion):
        Index.open(path, Files())


def test_a_transaction_is_all_or_nothing(index: Index) -> None:
    with pytest.raises(ZeroDivisionError), index.database.transaction(is_full=True):
        index.set_fact("used", 99)
        raise ZeroDivisionError
    assert index.used() == 0
    index.database.rollback()


def test_commits_say_how_durable_they_are(tmp_path: Path) -> None:
    seen: list[tuple[bool, object]] = []

    class Log:
        def before(self, operation: Operation) -> None:
            assert operation.verb is Verb.COMMIT

        def after(self, operation: Operation) -> None:
            assert operation.connection is not None
            level = operation.connection.execute("PRAGMA synchronous").fetchone()[0]
            seen.append((operation.is_full, level))

    index = Index.open(str(tmp_path / "a.sqlite"), Files(Log()))
    for is_full in (False, True, False):
        with index.database.transaction(is_full=is_full):
            index.begin_account("boot", 1)
    assert seen == [(True, 2), (False, 1), (True, 2), (False, 1)]
    path = index.database.path
    # Another process finds a WAL that may not be synced: it syncs it first.
    Index.open(path, Files(Log())).close()
    assert seen[4:] == [(True, 2)]
    index.close()


def test_what_kind_of_error_it_is(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"no database" * 100)
    with pytest.raises(sqlite3.DatabaseError) as caught:
        Database.open(str(tmp_path / "a"), Files(), schema.SPEED)
    assert is_damaged(caught.value)
    assert not is_damaged(sqlite3.OperationalError("of ours"))


def test_an_older_program_refuses(index: Index) -> None:
    with pytest.raises(StorageBroken, match="newer version of mailkit"):
        refuse_newer(index.database, schema.VERSION - 1)
    refuse_newer(index.database, schema.VERSION)


@given(st.sets(st.integers(1, 3000)), st.sets(st.integers(1, 3000)))
def test_spans_are_what_sets_say(
    tmp_path_factory: pytest.TempPathFactory, here: set[int], asked: set[int]
) -> None:
    path = tmp_path_factory.mktemp("spans") / "index.sqlite"
    index = Index.open(str(path), Files())
    with index.database.transaction(is_full=False):
        index.begin_account("boot", 5)
        index.add_mailbox("", "F1", 7, 100, 5, uid_next=1, boot="boot")
        index.add_mailbox(".B", "F2", 8, 100, 5, uid_next=1, boot="boot")
    row = fill(index, UIDSet.of(here))
    found = reading.names_of(index, row, UIDSet.of(asked))
    assert [key & rows.UIDS for key, _, _ in found] == sorted(here & asked)
    assert list(reading.all_uids(index, row)) == sorted(here)
    index.close()


def test_many_scattered_uids_are_asked_for_in_a_few_questions(index: Index) -> None:
    row = fill(index, UIDSet(((1, 5000),)))
    odd = UIDSet.of(range(1, 5001, 2))
    assert len(reading.conditions(row, odd)) == 3
    assert len(reading.names_of(index, row, odd)) == 2500
    both = UIDSet.of([1, 3, 4, 5, 9, 6000])
    assert len(reading.conditions(row, both)) == 3
    assert len(reading.names_of(index, row, both)) == 5
    assert reading.conditions(row, UIDSet(())) == []
    assert len(reading.names_of(index, row, ALL_UIDS)) == 5000


def test_the_partial_indexes_are_used(index: Index) -> None:
    fill(index, UIDSet(((1, 50),)))
    for condition, name in (
        ("flags & 1 = 0", "message_unseen"),
        ("flags & 4 <> 0", "message_flagged"),
        ("flags & 8 <> 0", "message_deleted"),
        ("behind = 1", "message_behind"),
        ("next_name IS NOT NULL", "message_renaming"),
        ("thread_id = ''", "message_unrendered"),
    ):
        plan = index.database.all(
            f"EXPLAIN QUERY PLAN SELECT id FROM message WHERE {condition}"
            " AND id BETWEEN 1 AND 9"
        )
        assert name in plan[0][3]


def test_flag_sets_are_made_once() -> None:
    sets = FlagSets()
    assert sets[1, " $A $B "] == {SEEN, "$A", "$B"}
    assert sets[1, " $A $B "] is sets[1, " $A $B "]
    for number in range(10_100):
        assert sets[0, f" k{number} "] == {f"k{number}"}
    assert len(sets) < 10_002
    assert rows.joined([]) == ""
    assert rows.bits_of(frozenset({SEEN, "\\Deleted", "x"})) == 9
