"""SQLite files: made, migrated after a copy, refused when newer."""

from __future__ import annotations

import errno
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from mailkit.errors import Busy, StorageBroken, StorageFull
from mailkit.storage import database
from mailkit.storage.database import (
    NewerDatabase,
    Schema,
    open_database,
    transaction,
    translated,
)

ONE = Schema(1, ("CREATE TABLE note (text TEXT)",), {})
THREE = Schema(
    3,
    ("CREATE TABLE note (text TEXT, size INTEGER, kind TEXT)",),
    {
        1: ("ALTER TABLE note ADD COLUMN size INTEGER",),
        2: ("ALTER TABLE note ADD COLUMN kind TEXT", "UPDATE note SET kind = 'old'"),
    },
)


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "x.sqlite"
    with closing(open_database(path, THREE)) as connection:
        connection.execute("INSERT INTO note VALUES ('a', 1, 'b')")
        assert connection.execute("PRAGMA user_version").fetchone() == (3,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_an_older_file_is_brought_up_to_date_after_a_copy(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    with closing(open_database(path, ONE)) as connection:
        connection.execute("INSERT INTO note VALUES ('a')")
    with closing(open_database(path, THREE)) as connection:
        assert connection.execute("SELECT * FROM note").fetchall() == [
            ("a", None, "old")
        ]
    copy = tmp_path / "x.sqlite.v1"
    assert copy.stat().st_mode & 0o777 == 0o600
    with closing(open_database(copy, ONE)) as connection:
        assert connection.execute("SELECT * FROM note").fetchall() == [("a",)]


def test_two_bring_a_file_up_to_date_and_the_copy_is_of_the_older(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.sqlite"
    with closing(open_database(path, ONE)) as connection:
        connection.execute("INSERT INTO note VALUES ('a')")

    def after_another(connection: sqlite3.Connection) -> None:
        monkeypatch.undo()
        open_database(path, THREE).close()
        database.use_wal(connection)

    monkeypatch.setattr(database, "use_wal", after_another)
    with closing(open_database(path, THREE)) as connection:
        assert connection.execute("SELECT kind FROM note").fetchall() == [("old",)]
    with closing(open_database(tmp_path / "x.sqlite.v1", ONE)) as connection:
        assert connection.execute("SELECT * FROM note").fetchall() == [("a",)]


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    open_database(path, ONE).close()
    broken = Schema(2, (), {1: ("CREATE TABLE more (a)", "nonsense")})
    with pytest.raises(StorageBroken):
        open_database(path, broken)
    with closing(open_database(path, ONE)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
        assert tables == [("note",)]


def test_a_newer_file_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    open_database(path, THREE).close()
    before = path.read_bytes()
    with pytest.raises(NewerDatabase, match=r"newer mailkit: it has version 3, .* 1\."):
        open_database(path, ONE)
    assert path.read_bytes() == before


def test_no_database(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    path.write_bytes(b"This is not a database, whatever it is called." * 100)
    with pytest.raises(StorageBroken, match=r"x\.sqlite"):
        open_database(path, ONE)


def test_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageBroken):
        open_database(tmp_path / "file" / "x.sqlite", ONE)


def test_a_transaction_is_all_or_nothing(tmp_path: Path) -> None:
    with closing(open_database(tmp_path / "x.sqlite", ONE)) as connection:
        with transaction(connection):
            connection.execute("INSERT INTO note VALUES ('kept')")
        with pytest.raises(ZeroDivisionError), transaction(connection):
            connection.execute("INSERT INTO note VALUES ('lost')")
            raise ZeroDivisionError
        with pytest.raises(sqlite3.Error), transaction(connection):
            connection.execute("INSERT INTO note VALUES ('lost')")
            connection.execute("ROLLBACK")
        assert connection.execute("SELECT * FROM note").fetchall() == [("kept",)]


def test_complaints_are_told_by_kind(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    with closing(open_database(path, ONE)) as connection:
        connection.execute("PRAGMA max_page_count = 3")
        with pytest.raises(StorageFull), translated(path):
            connection.execute("INSERT INTO note VALUES (?)", ("a" * 100_000,))
        connection.execute("PRAGMA busy_timeout = 0")
        with (
            closing(open_database(path, ONE)) as other,
            transaction(other),
            pytest.raises(Busy),
            translated(path),
        ):
            connection.execute("INSERT INTO note VALUES ('a')")
    for code, kind in ((errno.ENOSPC, StorageFull), (errno.EIO, StorageBroken)):
        with pytest.raises(kind), translated(path):
            raise OSError(code, "no")


COUNT = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
print(connection.execute("SELECT count(*) FROM note").fetchone()[0])
connection.close()
"""


def test_another_process_that_closes_takes_nothing_away(tmp_path: Path) -> None:
    """Nobody's locks end because this process opened the file once more."""

    def count_elsewhere() -> int:
        command = [sys.executable, "-c", COUNT, str(path)]
        return int(subprocess.run(command, check=True, capture_output=True).stdout)

    path = tmp_path / "x.sqlite"
    with (
        closing(open_database(path, ONE)) as first,
        closing(open_database(path, ONE)) as second,
    ):
        first.execute("INSERT INTO note VALUES ('a')")
        assert second.execute("SELECT count(*) FROM note").fetchone() == (1,)
        assert count_elsewhere() == 1
        assert (tmp_path / "x.sqlite-wal").exists()
        first.execute("INSERT INTO note VALUES ('b')")
        assert count_elsewhere() == 2


OPENED_BY_MANY = """
import sys
from pathlib import Path
from mailkit.storage.database import open_database
from mailkit.storage.index.database import Database
from mailkit.storage.safefile import Files
from tests.storage.test_database import ONE
open_it = {
    "ours": lambda path: open_database(path, ONE),
    "an account's": lambda path: Database.open(str(path), Files(), ()),
}[sys.argv[2]]
print(flush=True)
sys.stdin.readline()
for number in range(100):
    open_it(Path(sys.argv[1]) / f"{number}.sqlite").close()
"""


@pytest.mark.parametrize("kind", ["ours", "an account's"])
def test_many_may_be_the_first(tmp_path: Path, kind: str) -> None:
    """SQLite itself does not wait for others when a file is to get its log."""
    command = [sys.executable, "-c", OPENED_BY_MANY, str(tmp_path), kind]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
    for process in processes:
        process.communicate()
    assert [process.returncode for process in processes] == [0, 0, 0]


def test_a_log_that_others_do_not_let_us_have(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with (
            closing(sqlite3.connect(path, timeout=0.0)) as ours,
            pytest.raises(sqlite3.OperationalError, match="locked"),
        ):
            database.use_wal(ours, patience=0.05)
