"""The suppression list in ``<data>/suppression.sqlite``."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

from attrs import define, field
from zope.interface import implementer

from mailkit.interfaces.lanes import ILanes
from mailkit.interfaces.suppression import ISuppressionList
from mailkit.model.address import Address, DomainName
from mailkit.model.suppression import Cause, Suppressed
from mailkit.storage.database import Schema, open_database, transaction, translated

SCHEMA = Schema(
    version=1,
    create=(
        """CREATE TABLE suppressed (
            domain TEXT NOT NULL,
            local_part TEXT NOT NULL,
            cause TEXT NOT NULL,
            since REAL NOT NULL,
            reason TEXT NOT NULL,
            PRIMARY KEY (domain, local_part)
        ) WITHOUT ROWID""",
    ),
    migrations={},
)

_ADD = """INSERT INTO suppressed VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (domain, local_part) DO UPDATE SET
    cause = excluded.cause, since = excluded.since, reason = excluded.reason
    WHERE excluded.since >= since"""
_DROP = "DELETE FROM suppressed WHERE domain = ? AND local_part = ?"
_FIND = """SELECT * FROM suppressed WHERE (domain, local_part) IN (VALUES {})"""
_PAGE = """SELECT * FROM suppressed WHERE (domain, local_part) > (?, ?)
    ORDER BY domain, local_part LIMIT ?"""
_PAGE_OF_DOMAIN = """SELECT * FROM suppressed WHERE domain = ? AND local_part > ?
    ORDER BY domain, local_part LIMIT ?"""
_AT_ONCE = 400  # addresses of one query

_Row = tuple[str, str, str, float, str]


@implementer(ISuppressionList)
@define(eq=False)
class SuppressionList:
    """The list of one data folder; other processes may write and read it too."""

    _path: Path
    _lanes: ILanes
    _connection: sqlite3.Connection | None = field(init=False, default=None)

    async def add(self, entries: Sequence[Suppressed]) -> None:
        if entries:
            await self._lanes.run(self, partial(self._add, entries))

    async def drop(self, addresses: Collection[Address]) -> list[Address]:
        return await self._lanes.run(self, partial(self._drop, list(addresses)))

    async def find(self, addresses: Collection[Address]) -> dict[Address, Suppressed]:
        return await self._lanes.run(self, partial(self._find, list(addresses)))

    async def entries(
        self,
        domain: DomainName | None = None,
        after: Address | None = None,
        most: int = 1000,
    ) -> Sequence[Suppressed]:
        return await self._lanes.run(self, partial(self._page, domain, after, most))

    async def close(self) -> None:
        await self._lanes.run(self, self._disconnect)

    # What follows runs in the lane.

    def _database(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = open_database(self._path, SCHEMA)
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _add(self, entries: Sequence[Suppressed]) -> None:
        with translated(self._path):
            database = self._database()
            with transaction(database):
                database.executemany(_ADD, list(map(_row, entries)))

    def _drop(self, addresses: Sequence[Address]) -> list[Address]:
        with translated(self._path):
            database = self._database()
            with transaction(database):
                return [
                    address
                    for address in addresses
                    if database.execute(_DROP, _key(address)).rowcount
                ]

    def _find(self, addresses: Sequence[Address]) -> dict[Address, Suppressed]:
        found: dict[Address, Suppressed] = {}
        with translated(self._path):
            database = self._database()
            for batch in _batches(addresses):
                query = _FIND.format(", ".join(["(?, ?)"] * len(batch)))
                values = [part for address in batch for part in _key(address)]
                for row in database.execute(query, values):
                    entry = _entry(row)
                    found[entry.address] = entry
        return found

    def _page(
        self, domain: DomainName | None, after: Address | None, most: int
    ) -> Sequence[Suppressed]:
        with translated(self._path):
            database = self._database()
            if domain is None:
                behind = ("", "") if after is None else _key(after)
                rows = database.execute(_PAGE, (*behind, most))
            else:
                local_part = "" if after is None else _key(after)[1]
                rows = database.execute(_PAGE_OF_DOMAIN, (domain, local_part, most))
            return [_entry(row) for row in rows]


def _batches(addresses: Sequence[Address]) -> Iterator[list[Address]]:
    waiting = iter(addresses)
    while batch := list(islice(waiting, _AT_ONCE)):
        yield batch


def _key(address: Address) -> tuple[str, str]:
    return _storable(address.domain), _storable(address.local_part)


def _row(entry: Suppressed) -> _Row:
    return (
        *_key(entry.address),
        entry.cause.value,
        entry.since,
        _storable(entry.reason),
    )


def _entry(row: _Row) -> Suppressed:
    domain, local_part, cause, since, reason = row
    address = Address(local_part, DomainName(domain))
    return Suppressed(address, Cause(cause), since, reason)


def _storable(text: str) -> str:
    """Text without what is no character, which UTF-8 has no octets for."""
    return text.encode("utf-8", "replace").decode("utf-8")
