"""A SQLite file that is used from a lane of its own, and opened by its first use."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from attrs import define, field

from mailkit.interfaces.lanes import ILanes
from mailkit.storage.database import Schema, open_database, transaction, translated

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]
"""Blocking work with the file; nobody else has the connection meanwhile."""


@define(eq=False)
class LaneDatabase:
    """
    One file of one data folder; other processes may write and read it too.

    :param pragmas: statements for each connection, besides those of `open_database`.
    """

    path: Path
    schema: Schema
    _lanes: ILanes
    _pragmas: Sequence[str] = ()
    _connection: sqlite3.Connection | None = field(init=False, default=None)

    async def read(self, work: Work[T]) -> T:
        """
        Look something up, or write what is one statement.

        :raises StorageFull: :raises StorageBroken: :raises Busy:
        """
        return await self._lanes.run(self, lambda: self._do(work))

    async def change(self, work: Work[T]) -> T:
        """All of the work in one transaction, or nothing; raises as `read`."""
        return await self._lanes.run(self, lambda: self._do(_in_transaction(work)))

    async def close(self) -> None:
        """Let go of the file; whoever uses it again opens it again."""
        await self._lanes.run(self, self._disconnect)

    # What follows runs in the lane.

    def _do(self, work: Work[T]) -> T:
        with translated(self.path):
            if self._connection is None:
                self._connection = open_database(self.path, self.schema)
                for pragma in self._pragmas:
                    self._connection.execute(pragma)
            return work(self._connection)

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _in_transaction(work: Work[T]) -> Work[T]:
    def change(database: sqlite3.Connection) -> T:
        with transaction(database):
            return work(database)

    return change
