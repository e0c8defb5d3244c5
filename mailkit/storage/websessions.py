"""
Who is signed in to the web pages, which tickets were used, and what was done how often:
``<data>/web.sqlite``.

Nothing in it lets anybody in: of what browsers keep it has hashes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from attrs import define, field
from zope.interface import implementer

from mailkit.interfaces.lanes import ILanes
from mailkit.interfaces.rates import Rate
from mailkit.interfaces.websessions import IWebState
from mailkit.model.address import AccountName
from mailkit.model.websession import WebSession
from mailkit.storage.database import Schema
from mailkit.storage.lanedatabase import LaneDatabase

_DONE = (
    "CREATE TABLE done (what TEXT NOT NULL, whose TEXT NOT NULL, at REAL NOT NULL)",
    "CREATE INDEX done_when ON done (what, at)",
    "CREATE INDEX done_whose ON done (what, whose)",
)

SCHEMA = Schema(
    version=2,
    create=(
        """CREATE TABLE session (
            key TEXT PRIMARY KEY,
            account TEXT NOT NULL,
            generation INTEGER NOT NULL,
            made REAL NOT NULL,
            seen REAL NOT NULL,
            peer TEXT NOT NULL,
            agent TEXT NOT NULL,
            secret BLOB NOT NULL,
            is_public INTEGER NOT NULL
        ) WITHOUT ROWID""",
        "CREATE INDEX session_account ON session (account, seen)",
        """CREATE TABLE spent (
            ticket TEXT PRIMARY KEY,
            until REAL NOT NULL
        ) WITHOUT ROWID""",
        *_DONE,
    ),
    migrations={1: _DONE},
)

KEPT = 10_000
"""
Tickets that are kept in mind though they are worth nothing any more: a clock that was
far ahead for a while shall not make them good again.
"""

_COLUMNS = "key, account, generation, made, seen, peer, agent, secret, is_public"
_ADD = f"INSERT OR REPLACE INTO session ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?)"
_FIND = f"SELECT {_COLUMNS} FROM session WHERE key = ?"
_OF = f"SELECT {_COLUMNS} FROM session WHERE account = ? ORDER BY seen DESC, key"
_SEE = "UPDATE session SET seen = ?, peer = ? WHERE key = ?"
_TIDY = "DELETE FROM session WHERE made < ? OR seen < ?"

_Row = tuple[str, str, int, float, float, str, str, bytes, int]


@implementer(IWebState)
@define(eq=False)
class WebSessions:
    """For one machine: all processes of a server use the one file."""

    _path: Path
    _lanes: ILanes
    _file: LaneDatabase = field(init=False)

    @_file.default
    def _make_file(self) -> LaneDatabase:
        # A session that the power took away is one sign-in more.
        quick = ("PRAGMA synchronous = NORMAL",)
        return LaneDatabase(self._path, SCHEMA, self._lanes, quick)

    async def add(self, session: WebSession) -> None:
        await self._file.read(partial(_write, _ADD, _row(session)))

    async def find(self, key: str) -> WebSession | None:
        found = await self._file.read(partial(_rows, _FIND, (key,)))
        return _session(found[0]) if found else None

    async def see(self, key: str, now: float, peer: str) -> None:
        await self._file.read(partial(_write, _SEE, (now, peer, key)))

    async def drop(self, key: str) -> None:
        await self._file.read(
            partial(_write, "DELETE FROM session WHERE key = ?", (key,))
        )

    async def drop_all(self, account: AccountName, but: str = "") -> int:
        drop = "DELETE FROM session WHERE account = ? AND key != ?"
        return await self._file.read(partial(_write, drop, (account, but)))

    async def of(self, account: AccountName) -> Sequence[WebSession]:
        rows = await self._file.read(partial(_rows, _OF, (account,)))
        return [_session(row) for row in rows]

    async def tidy(self, made_before: float, seen_before: float) -> None:
        await self._file.read(partial(_write, _TIDY, (made_before, seen_before)))

    async def spend(self, ticket: str, until: float) -> bool:
        return await self._file.read(partial(_spend, ticket, until))

    async def give_back(self, ticket: str) -> None:
        drop = "DELETE FROM spent WHERE ticket = ?"
        await self._file.read(partial(_write, drop, (ticket,)))

    async def takes(self, rate: Rate, whose: str, now: float) -> bool:
        return await self._file.change(partial(_takes, rate, whose, now))

    async def close(self) -> None:
        await self._file.close()


# What follows runs in the lane.


def _write(
    statement: str, values: tuple[object, ...], database: sqlite3.Connection
) -> int:
    return database.execute(statement, values).rowcount


def _spend(ticket: str, until: float, database: sqlite3.Connection) -> bool:
    # Used once, also where the power goes in the next moment.
    database.execute("PRAGMA synchronous = FULL")
    try:
        is_first = _write(
            "INSERT OR IGNORE INTO spent VALUES (?, ?)", (ticket, until), database
        )
    finally:
        database.execute("PRAGMA synchronous = NORMAL")
    if is_first:
        _write(
            "DELETE FROM spent WHERE ticket IN"
            " (SELECT ticket FROM spent WHERE until < strftime('%s') + 0"
            " ORDER BY until DESC LIMIT -1 OFFSET ?)",
            (KEPT,),
            database,
        )
    return is_first == 1


def _takes(rate: Rate, whose: str, now: float, database: sqlite3.Connection) -> bool:
    _write(
        "DELETE FROM done WHERE what = ? AND (at <= ? OR at > ?)",
        (rate.what, now - rate.within, now + rate.within),
        database,
    )
    count = "SELECT count(*) FROM done WHERE what = ?"
    [by_all] = database.execute(count, (rate.what,)).fetchone()
    [by_one] = database.execute(f"{count} AND whose = ?", (rate.what, whose)).fetchone()
    if by_one >= rate.each or by_all >= rate.all:
        return False
    _write("INSERT INTO done VALUES (?, ?, ?)", (rate.what, whose, now), database)
    return True


def _rows(
    query: str, values: tuple[object, ...], database: sqlite3.Connection
) -> list[_Row]:
    return database.execute(query, values).fetchall()


def _row(one: WebSession) -> _Row:
    return (
        one.key,
        one.account,
        one.generation,
        one.made,
        one.seen,
        one.peer,
        one.agent,
        one.secret,
        int(one.is_public),
    )


def _session(row: _Row) -> WebSession:
    key, account, generation, made, seen, peer, agent, secret, is_public = row
    return WebSession(
        key,
        AccountName(account),
        generation,
        made,
        seen,
        peer,
        agent,
        secret,
        bool(is_public),
    )
