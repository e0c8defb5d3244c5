"""Every change of files is seen, can be stopped, and is what it says."""

from __future__ import annotations

import errno
import os
import sqlite3
import time
from pathlib import Path

import pytest
from attrs import define, field

from mailkit.errors import StorageBroken, StorageFull
from mailkit.storage.safefile import Files, Operation, Verb, told_as_ours, translated


class Stop(BaseException):
    """The program ends here."""


@define(eq=False)
class Log:
    """An observer that remembers, and fails or stops where it is told to."""

    seen: list[Operation] = field(factory=list)
    done: int = 0
    fails: dict[Verb, BaseException] = field(factory=dict)

    def before(self, operation: Operation) -> None:
        if operation.verb in self.fails:
            raise self.fails[operation.verb]
        self.seen.append(operation)

    def after(self, operation: Operation) -> None:
        assert self.seen[-1] is operation
        self.done += 1

    @property
    def verbs(self) -> list[Verb]:
        return [operation.verb for operation in self.seen]


def test_a_new_file_is_written_dated_and_synced(tmp_path: Path) -> None:
    log = Log()
    new = Files(log).create(str(tmp_path / "a"))
    new.write(b"one")
    new.write(b"two")
    new.finish(1000.0)
    assert (tmp_path / "a").read_bytes() == b"onetwo"
    assert (tmp_path / "a").stat().st_mtime == 1000.0
    assert log.verbs == [
        Verb.CREATE,
        Verb.WRITE,
        Verb.WRITE,
        Verb.DATE,
        Verb.SYNC,
    ]
    assert log.done == 5


def test_the_same_without_an_observer(tmp_path: Path) -> None:
    files = Files()
    new = files.create(str(tmp_path / "a"))
    new.write(b"one")
    new.finish(1000.0)
    files.rename(str(tmp_path / "a"), str(tmp_path / "b"))
    files.link(str(tmp_path / "b"), str(tmp_path / "c"))
    files.sync_folder(str(tmp_path))
    files.unlink(str(tmp_path / "b"))
    assert (tmp_path / "c").stat().st_mtime == 1000.0
    assert os.listdir(tmp_path) == ["c"]


def test_a_name_is_never_taken_twice(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "b").write_bytes(b"y")
    with pytest.raises(FileExistsError):
        Files().create(str(tmp_path / "a"))
    with pytest.raises(FileExistsError):
        Files().link(str(tmp_path / "a"), str(tmp_path / "b"))


def test_what_is_discarded_leaves_nothing(tmp_path: Path) -> None:
    new = Files().create(str(tmp_path / "a"))
    new.write(b"x")
    new.discard()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("code", [errno.EXDEV, errno.EMLINK])
def test_a_link_that_cannot_be_is_a_copy(tmp_path: Path, code: int) -> None:
    (tmp_path / "a").write_bytes(b"x" * 3)
    os.utime(tmp_path / "a", (5, 5))
    log = Log(fails={Verb.LINK: OSError(code, "no")})
    Files(log).link(str(tmp_path / "a"), str(tmp_path / "b"))
    assert (tmp_path / "b").read_bytes() == b"xxx"
    assert (tmp_path / "b").stat().st_mtime == 5
    assert (tmp_path / "b").stat().st_nlink == 1
    assert Verb.SYNC in log.verbs


def test_a_copy_that_fails_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    log = Log(fails={Verb.SYNC: OSError(errno.EIO, "no")})
    with pytest.raises(OSError, match="no"):
        Files(log).copy(str(tmp_path / "a"), str(tmp_path / "b"))
    assert os.listdir(tmp_path) == ["a"]


def test_replacing_is_all_or_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a"
    Files().replace(str(path), b"one")
    log = Log(fails={Verb.RENAME: Stop()})
    with pytest.raises(Stop):
        Files(log).replace(str(path), b"two")
    assert path.read_bytes() == b"one"
    log = Log()
    Files(log).replace(str(path), b"three")
    assert path.read_bytes() == b"three"
    assert log.verbs[-3:] == [Verb.SYNC, Verb.RENAME, Verb.SYNC_FOLDER]


def test_a_replacement_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    log = Log(fails={Verb.WRITE: OSError(errno.ENOSPC, "full")})
    with pytest.raises(OSError, match="full"):
        Files(log).replace(str(tmp_path / "a"), b"two")
    assert os.listdir(tmp_path) == []


def test_folders_are_made_durably_from_above(tmp_path: Path) -> None:
    log = Log()
    files = Files(log)
    files.make_folders(str(tmp_path / "a" / "b"))
    assert log.verbs == [
        Verb.MAKE_FOLDER,
        Verb.SYNC_FOLDER,
        Verb.MAKE_FOLDER,
        Verb.SYNC_FOLDER,
    ]
    files.make_folders(str(tmp_path / "a" / "b"))
    files.make_folder(str(tmp_path / "a"))
    assert (tmp_path / "a" / "b").is_dir()


def test_trees_are_removed(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c").write_bytes(b"")
    (tmp_path / "a" / "d").write_bytes(b"")
    files = Files()
    files.remove_tree(str(tmp_path / "a"))
    files.remove_tree(str(tmp_path / "a"))
    files.unlink(str(tmp_path / "a"))
    assert os.listdir(tmp_path) == []


def test_commits_are_seen_with_their_database(tmp_path: Path) -> None:
    log = Log()
    path = str(tmp_path / "a.sqlite")
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("CREATE TABLE t (a)")
    Files(log).commit(connection, path, is_full=True)
    Files(log).checkpoint(connection, path)
    assert log.verbs == [Verb.COMMIT, Verb.CHECKPOINT]
    assert log.seen[0].connection is connection and log.seen[0].is_full
    connection.close()


def test_errors_become_kinds() -> None:
    with pytest.raises(StorageFull), told_as_ours():
        raise OSError(errno.ENOSPC, "full")
    with pytest.raises(StorageBroken), told_as_ours():
        raise OSError(errno.EIO, "broken")
    with pytest.raises(StorageBroken), told_as_ours():
        raise sqlite3.ProgrammingError("closed")
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL
    assert isinstance(translated(full), StorageFull)


def test_a_date_of_this_very_second_is_kept_whether_it_is_set_or_not(
    tmp_path: Path,
) -> None:
    for number in range(20):
        new = Files().create(f"{tmp_path}/{number}")
        new.write(b"x")
        second = int(time.time())
        new.finish(second)
        assert int(os.stat(f"{tmp_path}/{number}").st_mtime) == second
    new = Files().create(f"{tmp_path}/old")
    new.finish(1_000_000_000)
    assert os.stat(f"{tmp_path}/old").st_mtime == 1_000_000_000
