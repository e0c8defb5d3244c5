"""
What happened to messages, kept for a month in ``<data>/events.sqlite``.

Steps are written in batches, off the reactor. They are found by Message-ID, address
or transaction through a list of words for each block of 256 steps: a list grows at its
end only, which costs a tenth of what an index on each column does, and thousands of
blocks are looked through in milliseconds.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from zlib import crc32

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from mailkit.errors import MailkitError
from mailkit.interfaces.events import IEvents
from mailkit.interfaces.lanes import ILanes
from mailkit.model.address import Address
from mailkit.model.event import MailEvent, Step
from mailkit.storage.database import Schema
from mailkit.storage.lanedatabase import LaneDatabase

SCHEMA = Schema(
    version=1,
    create=(
        """CREATE TABLE event (
            id INTEGER PRIMARY KEY,
            at REAL NOT NULL,
            step TEXT NOT NULL,
            transaction_id TEXT NOT NULL,
            message_id TEXT NOT NULL,
            sender TEXT NOT NULL,
            recipient TEXT NOT NULL,
            peer TEXT NOT NULL,
            account TEXT NOT NULL,
            detail TEXT NOT NULL,
            size INTEGER NOT NULL
        )""",
        """CREATE TABLE word (
            block INTEGER NOT NULL,
            key INTEGER NOT NULL,
            PRIMARY KEY (block, key)
        ) WITHOUT ROWID""",
    ),
    migrations={},
)

KEPT_FOR = 30 * 86400.0
"""Seconds for which a step is kept."""

WRITTEN_AFTER = 0.2
"""Seconds that a step waits for others at most."""

AGAIN = 1.0
"""Seconds after which steps are written again that could not be."""

MOST_IN_A_BATCH = 500
"""Steps that are written at once without waiting."""

MOST_WAITING = 20_000
"""Steps that are kept in memory while they cannot be written."""

MOST_FOUND = 10_000
"""Steps that `Events.find` gives, the newest."""

_BLOCK = 8  # a block is 2^8 steps
_PRUNED_AT_ONCE = 2048
_INSERT = "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_EVERY = "SELECT * FROM event WHERE id >= ? AND id < ? ORDER BY id"
_HAS_WORD = "SELECT 1 FROM word WHERE block = ? AND key IN (?, ?)"


@implementer(IEvents)
@define(eq=False)
class Events:
    """The record of one data folder; other processes may write and read it too."""

    log = Logger()

    _path: Path
    _lanes: ILanes
    _reactor: IReactorTime
    _waiting: list[MailEvent] = field(init=False, factory=list)
    _timer: IDelayedCall | None = field(init=False, default=None)
    _writing: Deferred[None] | None = field(init=False, default=None)
    _is_closed: bool = field(init=False, default=False)
    _file: LaneDatabase = field(init=False)

    @_file.default
    def _open_by_use(self) -> LaneDatabase:
        # A lost second of the record is no lost mail.
        quick = ("PRAGMA synchronous = NORMAL",)
        return LaneDatabase(self._path, SCHEMA, self._lanes, quick)

    def record(self, event: MailEvent) -> None:
        waiting = self._waiting
        waiting.append(event)
        if self._is_closed:
            self.log.warn("a step was recorded after the end: {event}", event=event)
        elif self._timer is None:
            self._timer = self._reactor.callLater(WRITTEN_AFTER, self._write_soon)
        elif len(waiting) == MOST_IN_A_BATCH:
            self._timer.reset(0)

    async def find(self, what: str) -> Sequence[MailEvent]:
        await self._write()
        return await self._file.read(partial(_find, what.strip()))

    async def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        await self._write()
        await self._file.close()

    def _write_soon(self) -> None:
        self._timer = None
        self._writing = Deferred.fromCoroutine(self._write())
        self._writing.addErrback(self._log_bug)

    async def _write(self) -> None:
        """Write what waits; what cannot be written is tried again."""
        batch, self._waiting = self._waiting, []
        if not batch:
            return
        oldest = self._reactor.seconds() - KEPT_FOR
        try:
            await self._file.change(partial(_insert, batch, oldest))
        except MailkitError as error:
            lost = max(0, len(batch) + len(self._waiting) - MOST_WAITING)
            self._waiting[:0] = batch[lost:]
            if self._timer is None and not self._is_closed:
                self._timer = self._reactor.callLater(AGAIN, self._write_soon)
            self.log.error(
                "steps of messages cannot be recorded: {error}; {waiting} wait, "
                "{lost} are lost",
                error=error,
                waiting=len(self._waiting),
                lost=lost,
            )

    def _log_bug(self, failure: Any) -> None:  # Any: Failure is generic in no version
        self.log.failure("recording steps of messages failed", failure)


def _insert(
    batch: list[MailEvent], oldest: float, database: sqlite3.Connection
) -> None:
    [last] = database.execute("SELECT max(id) FROM event").fetchone()
    first = (last or 0) + 1
    keys = {
        (id >> _BLOCK, key)
        for id, event in enumerate(batch, first)
        for key in _keys(event)
    }
    rows = [_row(id, event) for id, event in enumerate(batch, first)]
    database.executemany(_INSERT, rows)
    database.executemany("INSERT OR IGNORE INTO word VALUES (?, ?)", sorted(keys))
    _prune(database, oldest)


def _find(what: str, database: sqlite3.Connection) -> Sequence[MailEvent]:
    if not what:
        return []
    words = {_folded(what), f"<{what}>"}
    found: dict[int, MailEvent] = {}
    for block in _blocks_with(database, words):
        for id, event in _steps(database, block):
            if not words.isdisjoint(map(_folded, _words(event))):
                found[id] = event
        if len(found) >= MOST_FOUND:
            break
    # Steps that know less of a message than others do: they are near those.
    transactions = {event.transaction for event in found.values()} - {""}
    near = {(id >> _BLOCK) + step for id in found for step in (-1, 0, 1)}
    for block in near:
        for id, event in _steps(database, block):
            if event.transaction in transactions and _is_general(event):
                found[id] = event
    return [found[id] for id in sorted(found)]


def _is_general(event: MailEvent) -> bool:
    return not (event.recipient and event.message_id)


def _blocks_with(database: sqlite3.Connection, words: set[str]) -> Iterator[int]:
    """Blocks that may have a step with one of the folded words, newest first."""
    first, second = map(_key, words)
    [lowest, highest] = database.execute(
        "SELECT min(id), max(id) FROM event"
    ).fetchone()
    if highest is None:
        return
    for block in range(highest >> _BLOCK, (lowest >> _BLOCK) - 1, -1):
        if database.execute(_HAS_WORD, (block, first, second)).fetchone():
            yield block


def _steps(database: sqlite3.Connection, block: int) -> Iterator[tuple[int, MailEvent]]:
    ends = block << _BLOCK, (block + 1) << _BLOCK
    for row in database.execute(_EVERY, ends):
        yield row[0], MailEvent(row[1], Step(row[2]), *row[3:])


def _prune(database: sqlite3.Connection, before: float) -> None:
    """Forget some of what is too old; at the next batch the rest."""
    oldest = database.execute("SELECT id, at FROM event ORDER BY id LIMIT 1").fetchone()
    if oldest is None or oldest[1] >= before:
        return
    start = oldest[0]
    [end] = database.execute(
        "SELECT ifnull(min(id), ?1) FROM event WHERE id < ?1 AND at >= ?2",
        (start + _PRUNED_AT_ONCE, before),
    ).fetchone()
    database.execute("DELETE FROM event WHERE id < ?", (end,))
    database.execute("DELETE FROM word WHERE block < ?", (end >> _BLOCK,))


def _words(event: MailEvent) -> tuple[str, str, str, str, str]:
    """What a step can be found by."""
    return (
        event.transaction,
        event.message_id,
        event.sender,
        event.recipient,
        event.account,
    )


def _keys(event: MailEvent) -> set[int]:
    return {_key(_folded(word)) for word in _words(event) if word}


def _key(word: str) -> int:
    return crc32(word.encode("utf-8", "replace"))


def _folded(word: str) -> str:
    """Addresses are the same in every case; Message-IDs are not."""
    if word[:1] == "<" or "@" not in word:
        return word
    address = Address.parse(word)
    return word if address is None else str(address)


def _row(id: int, event: MailEvent) -> tuple[object, ...]:
    return (
        id,
        event.when,
        event.step.value,
        *(_storable(word) for word in _words(event)[:4]),
        _storable(event.peer),
        _storable(event.account),
        _storable(event.detail),
        event.size,
    )


def _storable(text: str) -> str:
    """SQLite takes no halves of characters, and a peer may send them."""
    if text.isascii():
        return text
    return text.encode("utf-8", "replace").decode()
