"""How far bulk sendings have got, in ``<data>/sendings.sqlite``."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from attrs import define, field
from zope.interface import implementer

from mailkit.errors import Busy
from mailkit.interfaces.lanes import ILanes
from mailkit.interfaces.sendings import ISendings
from mailkit.model.address import Address, DomainName
from mailkit.model.sending import Sending
from mailkit.storage.database import Schema
from mailkit.storage.lanedatabase import LaneDatabase

SCHEMA = Schema(
    version=1,
    create=(
        """CREATE TABLE sending (
            name TEXT PRIMARY KEY,
            digest TEXT NOT NULL,
            begun REAL NOT NULL,
            next_time REAL NOT NULL
        ) WITHOUT ROWID""",
        """CREATE TABLE recipient (
            sending TEXT NOT NULL,
            domain TEXT NOT NULL,
            local_part TEXT NOT NULL,
            is_put INTEGER NOT NULL,
            PRIMARY KEY (sending, domain, local_part)
        ) WITHOUT ROWID""",
    ),
    migrations={},
)

_FIND = "SELECT name, digest, begun FROM sending WHERE name = ?"
_BEGIN = "INSERT OR IGNORE INTO sending VALUES (?, ?, ?, 0)"
_NEXT_TIME = "SELECT next_time FROM sending WHERE name = ?"
_PUT_OFF = "UPDATE sending SET next_time = ? WHERE name = ?"
_ROWS = "SELECT domain, local_part, is_put FROM recipient WHERE sending = ?"
_PUTTING = "INSERT OR IGNORE INTO recipient VALUES (?, ?, ?, 0)"
_PUT = """INSERT INTO recipient VALUES (?, ?, ?, 1)
    ON CONFLICT (sending, domain, local_part) DO UPDATE SET is_put = 1"""


@implementer(ISendings)
@define(eq=False)
class Sendings:
    """The sendings of one data folder; each is worked at by one process at a time."""

    _path: Path
    _lanes: ILanes
    _locks: dict[str, int] = field(init=False, factory=dict)
    """Descriptors of files that say who works at what, by name."""
    _file: LaneDatabase = field(init=False)

    @_file.default
    def _open_by_use(self) -> LaneDatabase:
        return LaneDatabase(self._path, SCHEMA, self._lanes)

    async def find(self, name: str) -> Sending | None:
        return await self._file.read(partial(_find, name))

    async def begin(self, sending: Sending) -> Sending:
        return await self._file.read(partial(self._begin, sending))

    async def rows(self, name: str) -> Mapping[Address, bool]:
        return await self._file.read(partial(_rows, name))

    async def next_time(self, name: str) -> float:
        return await self._file.read(partial(_next_time, name))

    async def putting(
        self, name: str, addresses: Sequence[Address], next_time: float
    ) -> None:
        work = partial(_note, _PUTTING, name, addresses, next_time)
        await self._file.change(work)

    async def put(self, name: str, addresses: Sequence[Address]) -> None:
        await self._file.change(partial(_note, _PUT, name, addresses, None))

    async def close(self) -> None:
        await self._file.close()
        await self._lanes.run(self._file, self._unlock)

    # What follows runs in the lane.

    def _begin(self, sending: Sending, database: sqlite3.Connection) -> Sending:
        self._lock(sending.name)
        database.execute(_BEGIN, (sending.name, sending.digest, sending.begun))
        return _find(sending.name, database) or sending

    def _unlock(self) -> None:
        while self._locks:
            os.close(self._locks.popitem()[1])

    def _lock(self, name: str) -> None:
        """:raises Busy:"""
        if name in self._locks:
            return
        path = self._path.with_name(f"{self._path.name}.{name}.lock")
        lock = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(lock)
            raise Busy(f"{name} is being sent by another process") from error
        self._locks[name] = lock


def _find(name: str, database: sqlite3.Connection) -> Sending | None:
    row = database.execute(_FIND, (name,)).fetchone()
    if row is None:
        return None
    return Sending(name=row[0], digest=row[1], begun=row[2])


def _rows(name: str, database: sqlite3.Connection) -> Mapping[Address, bool]:
    return {
        Address(local_part, DomainName(domain)): bool(is_put)
        for domain, local_part, is_put in database.execute(_ROWS, (name,))
    }


def _next_time(name: str, database: sqlite3.Connection) -> float:
    row = database.execute(_NEXT_TIME, (name,)).fetchone()
    return 0.0 if row is None else float(row[0])


def _note(
    statement: str,
    name: str,
    addresses: Sequence[Address],
    next_time: float | None,
    database: sqlite3.Connection,
) -> None:
    rows = [(name, one.domain, one.local_part) for one in addresses]
    database.executemany(statement, rows)
    if next_time is not None:
        database.execute(_PUT_OFF, (next_time, name))
