"""A file that is used from its lane."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from mailkit.errors import StorageBroken
from mailkit.storage.database import Schema
from mailkit.storage.lanedatabase import LaneDatabase
from mailkit.testing.at_once import at_once
from mailkit.testing.lanes import DirectLanes

NOTES = Schema(1, ("CREATE TABLE note (text TEXT NOT NULL)",), {})


@pytest.fixture
def file(tmp_path: Path) -> LaneDatabase:
    pragmas = ("PRAGMA synchronous = NORMAL",)
    return LaneDatabase(tmp_path / "x.sqlite", NOTES, DirectLanes(), pragmas)


def write(text: str | None, database: sqlite3.Connection) -> None:
    database.execute("INSERT INTO note VALUES ('before')")
    database.execute("INSERT INTO note VALUES (?)", (text,))


def texts(database: sqlite3.Connection) -> list[str]:
    return [text for (text,) in database.execute("SELECT text FROM note")]


def test_it_is_made_when_it_is_needed(file: LaneDatabase) -> None:
    assert not file.path.exists()
    assert at_once(file.read(texts)) == []
    assert file.path.exists()


def test_all_of_a_change_or_nothing(file: LaneDatabase) -> None:
    at_once(file.change(lambda database: write("kept", database)))
    with pytest.raises(StorageBroken, match=r"x\.sqlite: NOT NULL constraint failed"):
        at_once(file.change(lambda database: write(None, database)))
    assert at_once(file.read(texts)) == ["before", "kept"]


def test_who_needs_it_again_opens_it_again(file: LaneDatabase) -> None:
    def level(database: sqlite3.Connection) -> int:
        [found] = database.execute("PRAGMA synchronous").fetchone()
        return int(found)

    at_once(file.change(lambda database: write("kept", database)))
    for _ in range(2):
        assert at_once(file.read(level)) == 1
        at_once(file.close())
        at_once(file.close())
    assert at_once(file.read(texts)) == ["before", "kept"]
