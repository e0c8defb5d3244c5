"""The directory: answers from memory, changes in ``directory.sqlite``.

Several processes may have it open, the ``mailkit`` command among them. Each keeps all
of it in memory; a change by another is heard of by the notice board at once, and seen
by SQLite's ``data_version``, looked at each second, where the notice was lost. Only
what changed is read again.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from mailkit.errors import LocalMisuse, Unavailable
from mailkit.interfaces.directory import IAudit, IDirectoryChanges
from mailkit.interfaces.lanes import ILanes
from mailkit.interfaces.notices import INoticeBoard
from mailkit.interfaces.storage import IWatch
from mailkit.model.account import Account, Alias, Credential, Domain, Role, ScramKeys
from mailkit.model.address import AccountName, Address, DomainName
from mailkit.model.audit import AuditLine
from mailkit.model.routeentry import RouteEntry
from mailkit.storage.database import open_database, transaction, translated
from mailkit.storage.directory import writing
from mailkit.storage.directory.known import KnownDirectory, News
from mailkit.storage.directory.reading import read_news, read_secret
from mailkit.storage.directory.schema import SCHEMA

T = TypeVar("T")

LANE = "directory"
TOPIC = "directory"
LOOK_EVERY = 1.0
"""Seconds between looks at what other processes did."""
NOTE_AFTER = 5.0
"""Seconds that logins are gathered before they are written."""
NOTE_AGAIN = 60.0
"""Seconds within which a login from the same peer is not noted again."""


@implementer(IAudit, IDirectoryChanges)
@define(eq=False)
class SQLiteDirectory(KnownDirectory):
    """
    Both sides of the directory, and the audit. To be opened before, closed after.

    All methods are for the reactor's thread; what blocks runs in the directory's
    lane, in order.
    """

    _path: Path
    _lanes: ILanes
    _board: INoticeBoard
    _clock: IReactorTime
    _connection: sqlite3.Connection | None = field(init=False, default=None)
    _data_version: int = field(init=False, default=-1)
    _hearing: IWatch | None = field(init=False, default=None)
    _next_look: IDelayedCall | None = field(init=False, default=None)
    _uses: dict[int, tuple[float, str]] = field(init=False, factory=dict)
    _noted: dict[int, tuple[float, str]] = field(init=False, factory=dict)
    _next_note: IDelayedCall | None = field(init=False, default=None)
    _me: str = field(init=False, factory=lambda: secrets.token_hex(8))
    log = Logger()

    async def open(self) -> None:
        """
        Make or open the file, read all of it, and look after it from now on.

        :raises NewerDatabase: :raises StorageBroken: :raises StorageFull:
        """
        news = await self._lanes.run(LANE, self._open)
        self._apply(news)
        self._hearing = self._board.hear(TOPIC, self._hear)
        self._look_later()

    async def close(self) -> None:
        """Write what waits, and let go of the file. Safe to call twice."""
        for call in (self._next_look, self._next_note):
            if call is not None and call.active():
                call.cancel()
        self._next_look = self._next_note = None
        if self._hearing is not None:
            self._hearing.stop()
            self._hearing = None
        if self._connection is not None:
            await self._write_uses()
            await self._lanes.run(LANE, self._close)

    async def add_domain(
        self, name: DomainName, line: AuditLine | None = None
    ) -> Domain:
        made = self._clock.seconds()
        return await self._change(lambda db: writing.add_domain(db, name, made), line)

    async def remove_domain(
        self, name: DomainName, line: AuditLine | None = None
    ) -> None:
        await self._change(lambda db: writing.remove_domain(db, name), line)

    async def add_account(
        self,
        name: AccountName,
        role: Role,
        quota: int | None,
        line: AuditLine | None = None,
    ) -> Account:
        account = Account(name, role, quota, made=self._clock.seconds())
        return await self._change(lambda db: writing.add_account(db, account), line)

    async def change_account(
        self, account: Account, line: AuditLine | None = None
    ) -> Account:
        return await self._change(lambda db: writing.change_account(db, account), line)

    async def remove_account(
        self, name: AccountName, line: AuditLine | None = None
    ) -> None:
        await self._change(lambda db: writing.remove_account(db, name), line)

    async def set_password(
        self,
        name: AccountName,
        secret: str,
        scram: ScramKeys | None,
        ends_sessions: bool,
        line: AuditLine | None = None,
        generation: int | None = None,
    ) -> None:
        made = self._clock.seconds()
        await self._change(
            lambda db: writing.set_password(
                db, name, secret, scram, ends_sessions, made, generation
            ),
            line,
        )

    async def renew_credential(
        self, credential: Credential, secret: str, scram: ScramKeys | None
    ) -> bool:
        return await self._change(
            lambda db: writing.renew_credential(db, credential, secret, scram), None
        )

    async def used_credential(self, id: int, when: float, peer: str) -> None:
        before, from_there = self._noted.get(id, (-NOTE_AGAIN, ""))
        if from_there == peer and before + NOTE_AGAIN > when:
            return
        self._noted[id] = self._uses[id] = when, peer
        if self._next_note is None:
            self._next_note = self._clock.callLater(NOTE_AFTER, self._note)

    async def set_alias(
        self, alias: Alias, line: AuditLine | None = None, most: int | None = None
    ) -> None:
        await self._change(lambda db: writing.set_alias(db, alias, most), line)

    async def remove_alias(
        self, address: Address, line: AuditLine | None = None
    ) -> None:
        await self._change(lambda db: writing.remove_alias(db, address), line)

    async def set_route(self, entry: RouteEntry, line: AuditLine | None = None) -> None:
        await self._change(lambda db: writing.set_route(db, entry), line)

    async def remove_route(self, name: str, line: AuditLine | None = None) -> None:
        await self._change(lambda db: writing.remove_route(db, name), line)

    async def grant(
        self,
        account: AccountName,
        address: Address,
        wish: bool,
        line: AuditLine | None = None,
    ) -> None:
        await self._change(lambda db: writing.grant(db, account, address, wish), line)

    async def note(self, line: AuditLine) -> None:
        await self._change(lambda db: None, line)

    async def lines(self, subject: str = "", limit: int = 1000) -> Sequence[AuditLine]:
        def read() -> list[AuditLine]:
            with translated(self._path):
                rows = self._db().execute(
                    "SELECT at, who, action, subject, before, after FROM audit"
                    " WHERE ?1 = '' OR subject = ?1 OR"
                    " substr(subject, -length(?1) - 1) = '@' || ?1"
                    " ORDER BY id DESC LIMIT ?2",
                    (subject, limit),
                )
                return [AuditLine(*row) for row in rows]

        return (await self._lanes.run(LANE, read))[::-1]

    # In the lane.

    def _open(self) -> News | None:
        connection = open_database(self._path, SCHEMA)
        with translated(self._path):
            self._connection = connection
            self._secret = read_secret(connection)
            return self._read()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _db(self) -> sqlite3.Connection:
        if self._connection is None:
            raise LocalMisuse("the directory is not open")
        return self._connection

    def _read(self) -> News | None:
        """What memory does not have yet, as far as it tells this thread."""
        connection = self._db()
        # Before the rows: a commit in between is then seen once more, never missed.
        [version] = connection.execute("PRAGMA data_version").fetchone()
        news = read_news(connection, self._seq)
        self._data_version = version
        return news

    def _read_if_changed(self) -> News | None:
        if self._connection is None:
            return None  # closed meanwhile
        with translated(self._path):
            [version] = self._connection.execute("PRAGMA data_version").fetchone()
            return None if version == self._data_version else self._read()

    # In the reactor's thread.

    async def _change(
        self, work: Callable[[sqlite3.Connection], T], line: AuditLine | None
    ) -> T:
        def change() -> tuple[T, News | None]:
            connection = self._db()
            with translated(self._path):
                with transaction(connection):
                    result = work(connection)
                    if line is not None:
                        writing.note(connection, line)
                return result, self._read()

        result, news = await self._lanes.run(LANE, change)
        if self._apply(news):
            self._board.publish(TOPIC, self._me)
        return result

    def _apply(self, news: News | None) -> bool:
        """Take over what was read, tell whoever watches; whether there was anything."""
        # News begin at what memory had when they were read, so older ones that come
        # late have nothing that the newer had not.
        if news is None or news.seq < self._seq:
            return False
        self._take(news)
        return True

    def _hear(self, text: str) -> None:
        if text != self._me:
            self._look()

    def _look(self) -> None:
        look = Deferred.fromCoroutine(self._look_now())
        look.addErrback(lambda failure: self.log.failure("look failed", failure))

    def _look_later(self) -> None:
        self._next_look = self._clock.callLater(LOOK_EVERY, self._look_regularly)

    def _look_regularly(self) -> None:
        self._look_later()
        self._look()

    async def _look_now(self) -> None:
        try:
            self._apply(await self._lanes.run(LANE, self._read_if_changed))
        except Unavailable as error:
            self.log.error("the directory cannot be read: {error}", error=error)

    def _note(self) -> None:
        self._next_note = None
        noting = Deferred.fromCoroutine(self._write_uses())
        noting.addErrback(lambda failure: self.log.failure("noting failed", failure))

    async def _write_uses(self) -> None:
        uses, self._uses = self._uses, {}
        if not uses:
            return
        try:
            await self._change(lambda db: writing.note_uses(db, uses), None)
        except Unavailable as error:
            self.log.warn("last logins not noted: {error}", error=error)
