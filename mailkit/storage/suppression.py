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
from mailkit.storage.database import Schema
from mailkit.storage.lanedatabase import LaneDatabase

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
    _file: LaneDatabase = field(init=False)

    @_file.default
    def _open_by_use(self) -> LaneDatabase:
        return LaneDatabase(self._path, SCHEMA, self._lanes)

    async def add(self, entries: Sequence[Suppressed]) -> None:
        if entries:
            rows = list(map(_row, entries))
            await self._file.change(lambda database: database.executemany(_ADD, rows))

    async def drop(self, addresses: Collection[Address]) -> list[Address]:
        keys = {address: _key(address) for address in addresses}
        return await self._file.change(
            lambda database: [
                address
                for address, key in keys.items()
                if database.execute(_DROP, key).rowcount
            ]
        )

    async def find(self, addresses: Collection[Address]) -> dict[Address, Suppressed]:
        return await self._file.read(partial(_find, list(addresses)))

    async def entries(
        self,
        domain: DomainName | None = None,
        after: Address | None = None,
        most: int = 1000,
    ) -> Sequence[Suppressed]:
        return await self._file.read(partial(_page, domain, after, most))

    async def close(self) -> None:
        await self._file.close()


def _find(
    addresses: Sequence[Address], database: sqlite3.Connection
) -> dict[Address, Suppressed]:
    found: dict[Address, Suppressed] = {}
    for batch in _batches(addresses):
        query = _FIND.format(", ".join(["(?, ?)"] * len(batch)))
        values = [part for address in batch for part in _key(address)]
        for row in database.execute(query, values):
            entry = _entry(row)
            found[entry.address] = entry
    return found


def _page(
    domain: DomainName | None,
    after: Address | None,
    most: int,
    database: sqlite3.Connection,
) -> Sequence[Suppressed]:
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
