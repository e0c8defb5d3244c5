"""
What accounts have sent, in ``<data>/sending.sqlite``.

Recipients are counted in slots of ten minutes, of which an hour has 6 and a day 144.
Counts are committed without waiting for the disk: they survive the process, and of a
machine that stops at once the last moments are lost. A freeze waits for it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from attrs import define, field
from zope.interface import implementer

from mailkit.interfaces.lanes import ILanes
from mailkit.interfaces.sendingcounts import ISendingCounts
from mailkit.model.address import AccountName, Address
from mailkit.model.sendinglimit import Freeze, Most, Reached, Sent
from mailkit.storage.database import Schema, open_database, transaction, translated

SCHEMA = Schema(
    version=1,
    create=(
        """CREATE TABLE counted (
            name TEXT NOT NULL,
            slot INTEGER NOT NULL,
            count INTEGER NOT NULL,
            PRIMARY KEY (name, slot)
        ) WITHOUT ROWID""",
        """CREATE TABLE met (
            account TEXT NOT NULL,
            address TEXT NOT NULL,
            first REAL NOT NULL,
            last REAL NOT NULL,
            PRIMARY KEY (account, address)
        ) WITHOUT ROWID""",
        "CREATE INDEX met_first ON met (account, first)",
        """CREATE TABLE frozen (
            account TEXT PRIMARY KEY,
            since REAL NOT NULL,
            reason TEXT NOT NULL,
            is_told INTEGER NOT NULL
        ) WITHOUT ROWID""",
    ),
    migrations={},
)

SLOT = 600.0
"""Seconds that are counted together."""

KNOWN_FOR = 400 * 86400.0
"""Seconds after which somebody who was not written to is new again."""

PRUNED_EVERY = 3600.0
"""Seconds between looks for what is too old."""

_HOUR = 6  # slots
_DAY = 144
_DAY_SECONDS = 86400.0

_COUNT = """INSERT INTO counted VALUES (?, ?, 1)
    ON CONFLICT (name, slot) DO UPDATE SET count = count + 1"""
_SUM = """SELECT ifnull(sum(count), 0), ifnull(sum(iif(slot > ?, count, 0)), 0)
    FROM counted WHERE name = ? AND slot > ?"""
_NEW = "SELECT count(*) FROM met WHERE account = ? AND first > ?"
_MET = "SELECT last FROM met WHERE account = ? AND address = ?"
_MEET = """INSERT INTO met VALUES (?, ?, ?, ?)
    ON CONFLICT (account, address) DO UPDATE SET last = excluded.last"""
_FROZEN = "SELECT account, since, reason FROM frozen WHERE account = ?"
_UNTOLD = "SELECT account, since, reason FROM frozen WHERE NOT is_told ORDER BY account"


@implementer(ISendingCounts)
@define(eq=False)
class SendingCounts:
    """The counts of one data folder; other processes count there too."""

    _path: Path
    _lanes: ILanes
    _connection: sqlite3.Connection | None = field(init=False, default=None)
    _prune_at: float = field(init=False, default=0.0)

    async def take(
        self, account: AccountName, recipient: Address, most: Most, now: float
    ) -> Reached | None:
        work = partial(self._take, account, _text(str(recipient)), most, now)
        return await self._lanes.run(self, work)

    async def frozen(self, account: AccountName) -> Freeze | None:
        return await self._lanes.run(self, partial(self._frozen, account))

    async def freeze(self, freeze: Freeze) -> bool:
        return await self._lanes.run(self, partial(self._freeze, freeze))

    async def thaw(self, account: AccountName) -> Freeze | None:
        return await self._lanes.run(self, partial(self._thaw, account))

    async def untold(self) -> Sequence[Freeze]:
        return await self._lanes.run(self, self._untold)

    async def told(self, freeze: Freeze) -> None:
        await self._lanes.run(self, partial(self._told, freeze))

    async def sent(self, account: AccountName, now: float) -> Sent:
        return await self._lanes.run(self, partial(self._sent, account, now))

    async def close(self) -> None:
        await self._lanes.run(self, self._disconnect)

    # What follows runs in the lane.

    def _database(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = open_database(self._path, SCHEMA)
            self._connection.execute("PRAGMA synchronous = NORMAL")
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _take(
        self, account: AccountName, recipient: str, most: Most, now: float
    ) -> Reached | None:
        domain = "@" + account.rpartition("@")[2]
        with translated(self._path):
            database = self._database()
            with transaction(database):
                execute = database.execute
                if execute(_FROZEN, (account,)).fetchone():
                    return Reached.FROZEN
                day, hour = _sums(database, account, now)
                domain_day, domain_hour = _sums(database, domain, now)
                known = execute(_MET, (account, recipient)).fetchone()
                new = -1 if known else _new(database, account, now)
                for used, limit, reached in (
                    (hour, most.hour, Reached.HOUR),
                    (day, most.day, Reached.DAY),
                    (new, most.new, Reached.NEW),
                    (domain_hour, most.domain_hour, Reached.DOMAIN_HOUR),
                    (domain_day, most.domain_day, Reached.DOMAIN_DAY),
                ):
                    if limit and used >= limit:
                        return reached
                slot = int(now // SLOT)
                execute(_COUNT, (account, slot))
                execute(_COUNT, (domain, slot))
                if known is None or known[0] < now - _DAY_SECONDS:
                    execute(_MEET, (account, recipient, now, now))
                if now >= self._prune_at:
                    self._prune_at = now + PRUNED_EVERY
                    execute("DELETE FROM counted WHERE slot <= ?", (slot - _DAY,))
                    execute("DELETE FROM met WHERE last < ?", (now - KNOWN_FOR,))
        return None

    def _frozen(self, account: AccountName) -> Freeze | None:
        with translated(self._path):
            row = self._database().execute(_FROZEN, (account,)).fetchone()
        return None if row is None else Freeze(*row)

    def _freeze(self, freeze: Freeze) -> bool:
        with translated(self._path):
            database = self._database()
            database.execute("PRAGMA synchronous = FULL")
            try:
                with transaction(database):
                    values = freeze.account, freeze.since, _text(freeze.reason)
                    made = database.execute(
                        "INSERT OR IGNORE INTO frozen VALUES (?, ?, ?, 0)", values
                    )
                    return made.rowcount > 0
            finally:
                database.execute("PRAGMA synchronous = NORMAL")

    def _thaw(self, account: AccountName) -> Freeze | None:
        with translated(self._path):
            database = self._database()
            with transaction(database):
                row = database.execute(_FROZEN, (account,)).fetchone()
                for statement in (
                    "DELETE FROM frozen WHERE account = ?",
                    "DELETE FROM counted WHERE name = ?",
                    "UPDATE met SET first = 0 WHERE account = ?",
                ):
                    database.execute(statement, (account,))
        return None if row is None else Freeze(*row)

    def _untold(self) -> Sequence[Freeze]:
        with translated(self._path):
            return [Freeze(*row) for row in self._database().execute(_UNTOLD)]

    def _told(self, freeze: Freeze) -> None:
        with translated(self._path):
            self._database().execute(
                "UPDATE frozen SET is_told = 1 WHERE account = ? AND since = ?",
                (freeze.account, freeze.since),
            )

    def _sent(self, account: AccountName, now: float) -> Sent:
        with translated(self._path):
            database = self._database()
            day, hour = _sums(database, account, now)
            return Sent(hour=hour, day=day, new=_new(database, account, now))


def _sums(database: sqlite3.Connection, name: str, now: float) -> tuple[int, int]:
    """Of the last day, and of the last hour."""
    slot = int(now // SLOT)
    values = slot - _HOUR, name, slot - _DAY
    day, hour = database.execute(_SUM, values).fetchone()
    return day, hour


def _new(database: sqlite3.Connection, account: str, now: float) -> int:
    [count] = database.execute(_NEW, (account, now - _DAY_SECONDS)).fetchone()
    return int(count)


def _text(text: str) -> str:
    """Text without what is no character, which UTF-8 has no octets for."""
    return text.encode("utf-8", "replace").decode("utf-8")
