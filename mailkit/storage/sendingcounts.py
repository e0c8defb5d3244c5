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
from mailkit.storage.database import Schema, transaction
from mailkit.storage.lanedatabase import LaneDatabase

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
_QUICK = "PRAGMA synchronous = NORMAL"
_FREEZE = "INSERT OR IGNORE INTO frozen VALUES (?, ?, ?, 0)"
_TOLD = "UPDATE frozen SET is_told = 1 WHERE account = ? AND since = ?"
_FROZEN = "SELECT account, since, reason FROM frozen WHERE account = ?"
_ALL_FROZEN = "SELECT account, since, reason FROM frozen ORDER BY account"
_UNTOLD = "SELECT account, since, reason FROM frozen WHERE NOT is_told ORDER BY account"


@implementer(ISendingCounts)
@define(eq=False)
class SendingCounts:
    """The counts of one data folder; other processes count there too."""

    _path: Path
    _lanes: ILanes
    _prune_at: float = field(init=False, default=0.0)
    _file: LaneDatabase = field(init=False)

    @_file.default
    def _open_by_use(self) -> LaneDatabase:
        return LaneDatabase(self._path, SCHEMA, self._lanes, (_QUICK,))

    async def take(
        self, account: AccountName, recipient: Address, most: Most, now: float
    ) -> Reached | None:
        work = partial(self._take, account, _text(str(recipient)), most, now)
        return await self._file.change(work)

    async def frozen(self, account: AccountName) -> Freeze | None:
        return await self._file.read(partial(_frozen, account))

    async def all_frozen(self) -> Sequence[Freeze]:
        return await self._file.read(_all_frozen)

    async def freeze(self, freeze: Freeze) -> bool:
        return await self._file.read(partial(_freeze, freeze))

    async def thaw(self, account: AccountName) -> Freeze | None:
        return await self._file.change(partial(_thaw, account))

    async def untold(self) -> Sequence[Freeze]:
        return await self._file.read(_untold)

    async def told(self, freeze: Freeze) -> None:
        values = freeze.account, freeze.since
        await self._file.read(lambda database: database.execute(_TOLD, values))

    async def sent(self, account: AccountName, now: float) -> Sent:
        return await self._file.read(partial(_sent, account, now))

    async def close(self) -> None:
        await self._file.close()

    def _take(
        self,
        account: AccountName,
        recipient: str,
        most: Most,
        now: float,
        database: sqlite3.Connection,
    ) -> Reached | None:
        domain, execute = "@" + account.rpartition("@")[2], database.execute
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


def _frozen(account: AccountName, database: sqlite3.Connection) -> Freeze | None:
    row = database.execute(_FROZEN, (account,)).fetchone()
    return None if row is None else Freeze(*row)


def _all_frozen(database: sqlite3.Connection) -> Sequence[Freeze]:
    return [Freeze(*row) for row in database.execute(_ALL_FROZEN)]


def _freeze(freeze: Freeze, database: sqlite3.Connection) -> bool:
    """Durably, other than what is counted."""
    database.execute("PRAGMA synchronous = FULL")
    try:
        with transaction(database):
            values = freeze.account, freeze.since, _text(freeze.reason)
            return database.execute(_FREEZE, values).rowcount > 0
    finally:
        database.execute(_QUICK)


def _thaw(account: AccountName, database: sqlite3.Connection) -> Freeze | None:
    frozen = _frozen(account, database)
    for statement in (
        "DELETE FROM frozen WHERE account = ?",
        "DELETE FROM counted WHERE name = ?",
        "UPDATE met SET first = 0 WHERE account = ?",
    ):
        database.execute(statement, (account,))
    return frozen


def _untold(database: sqlite3.Connection) -> Sequence[Freeze]:
    return [Freeze(*row) for row in database.execute(_UNTOLD)]


def _sent(account: AccountName, now: float, database: sqlite3.Connection) -> Sent:
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
