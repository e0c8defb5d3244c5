"""
What is remembered of other domains' TLS, in ``<data>/queue/tls.sqlite``: the policies
of MTA-STS, and how connections went, until that was reported.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from mailkit.errors import MailkitError
from mailkit.interfaces.lanes import ILanes
from mailkit.interfaces.policies import (
    IPolicyStore,
    ITLSCounts,
    KeptPolicy,
    TLSCount,
)
from mailkit.model.address import DomainName
from mailkit.model.tlspolicy import TLSPolicy
from mailkit.model.tlsresult import TLSResult
from mailkit.storage.database import Schema
from mailkit.storage.lanedatabase import LaneDatabase

SCHEMA = Schema(
    version=1,
    create=(
        """CREATE TABLE policy (
            domain TEXT PRIMARY KEY,
            id TEXT NOT NULL,
            octets BLOB NOT NULL,
            fetched REAL NOT NULL,
            expires REAL NOT NULL
        ) WITHOUT ROWID""",
        "CREATE INDEX policy_fetched ON policy (fetched)",
        """CREATE TABLE count (
            day TEXT NOT NULL,
            domain TEXT NOT NULL,
            policy TEXT NOT NULL,
            details TEXT NOT NULL,
            host TEXT NOT NULL,
            problem TEXT NOT NULL,
            local_address TEXT NOT NULL,
            address TEXT NOT NULL,
            words TEXT NOT NULL,
            number INTEGER NOT NULL,
            PRIMARY KEY (day, domain, policy, details, host, problem,
                local_address, address, words)
        ) WITHOUT ROWID""",
    ),
    migrations={},
)

WRITTEN_AFTER = 5.0
"""Seconds that counts wait for others; those of a crash are lost."""

MOST_KINDS = 10_000
"""Different counts that wait; what is more is not counted."""

KEPT_FOR = 7
"""Days after which counts that nobody reported are thrown away."""

_LONGEST_WORDS = 200
_KEEP = """INSERT INTO policy VALUES (?, ?, ?, ?, ?) ON CONFLICT (domain) DO UPDATE
    SET id = excluded.id, octets = excluded.octets, fetched = excluded.fetched,
    expires = excluded.expires"""
_COUNT = """INSERT INTO count VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET number = number + excluded.number"""

_Kind = tuple[str, str, str, str, str, str, str, str, str]


@implementer(IPolicyStore, ITLSCounts)
@define(eq=False)
class TLSRecords:
    """The file of one data folder; other processes may write and read it too."""

    log = Logger()

    _path: Path
    _lanes: ILanes
    _reactor: IReactorTime
    _file: LaneDatabase = field(init=False)
    _known: dict[DomainName, KeptPolicy | None] = field(init=False, factory=dict)
    """What was read; others' writes are seen once it is asked for again."""
    _read_at: dict[DomainName, float] = field(init=False, factory=dict)
    _counts: Counter[_Kind] = field(init=False, factory=Counter)
    _timer: IDelayedCall | None = field(init=False, default=None)

    @_file.default
    def _open_by_use(self) -> LaneDatabase:
        return LaneDatabase(self._path, SCHEMA, self._lanes)

    # -- policies

    async def policy(self, domain: DomainName) -> KeptPolicy | None:
        now = self._reactor.seconds()
        if 0 <= now - self._read_at.get(domain, -_FRESH) < _FRESH:
            return self._known[domain]
        found = await self._policy(domain)
        if len(self._known) >= MOST_KINDS:
            self._known.clear()
            self._read_at.clear()
        self._known[domain] = found
        self._read_at[domain] = now
        return found

    async def keep(self, domain: DomainName, policy: KeptPolicy) -> None:
        row = (domain, policy.id, policy.octets, policy.fetched, policy.expires)
        await self._execute(_KEEP, row)
        self._read_at.pop(domain, None)

    async def old(
        self, before: float, after: DomainName, most: int
    ) -> Sequence[DomainName]:
        query = """SELECT domain FROM policy
            WHERE domain > ? AND fetched < ? AND expires > ?
            ORDER BY domain LIMIT ?"""
        values = (after, before, self._reactor.seconds(), most)
        rows = await self._execute(query, values)
        return [DomainName(row[0]) for row in rows]

    # -- counts

    def count(self, result: TLSResult) -> None:
        kind = (
            self._day(),
            result.domain,
            *_policy_of(result.policy),
            result.host,
            result.problem,
            result.local_address if result.problem else "",
            result.address if result.problem else "",
            result.words[:_LONGEST_WORDS],
        )
        if len(self._counts) < MOST_KINDS or kind in self._counts:
            self._counts[kind] += 1
        if self._timer is None:
            self._timer = self._reactor.callLater(WRITTEN_AFTER, self._write_soon)

    async def domains(self, day: str) -> Sequence[DomainName]:
        await self._write()
        query = "SELECT DISTINCT domain FROM count WHERE day = ? ORDER BY domain"
        rows = await self._execute(query, (day,))
        return [DomainName(row[0]) for row in rows]

    async def counts(self, domain: DomainName, day: str) -> Sequence[TLSCount]:
        await self._write()
        query = "SELECT * FROM count WHERE day = ? AND domain = ?"
        rows = await self._execute(query, (day, domain))
        return [
            TLSCount(
                domain=DomainName(row[1]),
                policy=row[2],
                details=row[3],
                host=row[4],
                problem=row[5],
                local_address=row[6],
                address=row[7],
                words=row[8],
                count=row[9],
            )
            for row in rows
        ]

    async def reported(self, domain: DomainName, day: str) -> None:
        query = "DELETE FROM count WHERE day = ? AND domain = ?"
        await self._execute(query, (day, domain))

    async def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        await self._write()
        await self._file.close()

    # -- within

    def _day(self, ago: int = 0) -> str:
        moment = self._reactor.seconds() - ago * 86400
        return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d}"

    def _write_soon(self) -> None:
        self._timer = None
        Deferred.fromCoroutine(self._write())

    async def _write(self) -> None:
        counts, self._counts = self._counts, Counter()
        if not counts:
            return
        oldest = self._day(KEPT_FOR)
        try:
            await self._file.change(partial(_add, counts, oldest))
        except MailkitError as error:
            self.log.warn("TLS is not counted: {reason}", reason=str(error))

    async def _policy(self, domain: DomainName) -> KeptPolicy | None:
        query = "SELECT id, octets, fetched, expires FROM policy WHERE domain = ?"
        for row in await self._execute(query, (domain,)):
            return KeptPolicy(id=row[0], octets=row[1], fetched=row[2], expires=row[3])
        return None

    # Any: rows of SQLite have the types of their columns.
    async def _execute(self, query: str, values: tuple[object, ...]) -> list[Any]:
        return await self._file.read(
            lambda database: database.execute(query, values).fetchall()
        )


def _add(counts: Counter[_Kind], oldest: str, database: sqlite3.Connection) -> None:
    rows = [(*kind, number) for kind, number in counts.items()]
    database.executemany(_COUNT, rows)
    database.execute("DELETE FROM count WHERE day < ?", (oldest,))


_FRESH = 5.0  # seconds for which a policy that was read is not read again


def _policy_of(policy: TLSPolicy) -> tuple[str, str]:
    """What a report calls it, and its lines (RFC 8460 §4.4)."""
    if policy.tlsa:
        lines = [
            f"{one.usage} {one.selector} {one.matching_type} {one.association.hex()}"
            for one in policy.tlsa
        ]
        return "tlsa", "\n".join(lines)
    if policy.origin == "mta-sts":
        return "sts", ""
    return "no-policy-found", ""
