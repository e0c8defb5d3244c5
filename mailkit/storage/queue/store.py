"""
The queue of one data folder: ``<data>/queue/`` (docs/decisions/0071-queue-on-disk.md).

Whatever several callers want changed at the same moment shares one transaction, one
sync of the folder and one commit. Those who only ask have connections of their own.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any, TypeVar

from attrs import define, field
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from mailkit.errors import Busy, LocalMisuse, MailkitError, StorageBroken, StorageFull
from mailkit.interfaces.lanes import Before, ILanes
from mailkit.interfaces.notices import INoticeBoard
from mailkit.interfaces.queue import IQueueStore, NewMessage
from mailkit.interfaces.storage import IContent, IWatch
from mailkit.model.address import DomainName
from mailkit.model.queueitem import (
    Attempt,
    DayStats,
    DueHop,
    NextHop,
    QueuedRecipient,
    QueueId,
    QueueItem,
    Sealed,
    Selection,
)
from mailkit.storage.content import all_octets
from mailkit.storage.database import open_database, translated
from mailkit.storage.index.database import Database, has_wal
from mailkit.storage.queue import commands, reading, selecting, tidying
from mailkit.storage.queue.changes import (
    Claim,
    EndClaims,
    GiveBack,
    Put,
    Record,
    Renew,
    Seal,
)
from mailkit.storage.queue.changing import Changing
from mailkit.storage.queue.known import Known
from mailkit.storage.queue.octets import AT_ONCE, Octets
from mailkit.storage.queue.reading import MessageFile
from mailkit.storage.queue.schema import READING, SCHEMA, WRITING
from mailkit.storage.safefile import Files

T = TypeVar("T")

TOPIC = "queue"
"""What is published when something may be due that was not."""

READERS = 4
"""How many may ask at a time."""

PRUNED_EVERY = 60.0
"""Seconds between looks for what was kept long enough."""


def new_name() -> str:
    """A name that no content file has had."""
    return secrets.token_hex(8)


@implementer(IQueueStore)
@define(eq=False)
class QueueStore:
    """Several of them, in one process or many, may have the same folder open."""

    log = Logger()

    _data: Path
    _lanes: ILanes
    _board: INoticeBoard
    _reactor: IReactorTime
    _files: Files = field(factory=Files)
    _new_name: Callable[[], str] = new_name
    _path: Path = field(init=False)
    _octets: Octets = field(init=False)
    _known: Known = field(init=False, factory=Known)
    _writer: Database | None = field(init=False, default=None)
    _readers: Sequence[_Reader] = field(init=False)
    _turns: Callable[[], _Reader] = field(init=False)
    _is_closed: bool = field(init=False, default=False)
    _prune_at: float = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._path = self._data / "queue" / "queue.sqlite"
        folder = str(self._path.with_name("content"))
        self._octets = Octets(folder, self._files, self._lanes)
        self._readers = [_Reader(self._path, self._files) for _ in range(READERS)]
        self._turns = cycle(self._readers).__next__
        self._prune_at = self._reactor.seconds()

    async def start(self) -> None:
        """
        Take away what a stop left, and tell of octets that are lost.

        To be called once before the queue is used; without it all works, and what
        was left stays.
        """
        now = self._reactor.seconds()
        # Looked for by one that reads: 8 MiB for the cache of the one that writes.
        doubtful = await self._read(partial(tidying.is_doubtful, now=now))
        freed = await self._change(tidying.Distrust()) if doubtful else 0
        if freed:
            self.log.warn(
                "{count} items waited for a time that is far away, as a wrong clock "
                "gives it: they are tried now",
                count=freed,
            )
        found = await self._read(partial(tidying.look, self._octets, now=now))
        for name in found.orphans:
            await self._lanes.sync(partial(self._octets.remove, name))
        if found.orphans:
            self.log.info(
                "{count} files of messages that were never accepted, or have left, "
                "are removed from {folder}",
                count=len(found.orphans),
                folder=self._octets.folder,
            )
        if not found.lost:
            return
        ids = await self._change(tidying.HoldLost(found.lost, self._octets))
        for id in ids:
            self.log.error(
                "{queue_id} waits in the queue and its octets are not in {folder}: "
                "it is held",
                queue_id=id,
                folder=self._octets.folder,
            )

    async def put(
        self,
        content: IContent,
        items: Sequence[QueueItem],
        head: bytes = b"",
        owner: str = "",
        until: float = 0.0,
    ) -> None:
        if not items:
            return
        new = NewMessage(content=content, items=tuple(items), head=head)
        put = self._put(new, owner, until)
        await self._with_files(put, [put.file], await self._before([(put, new)]))
        if owner:
            file = MessageFile(put.file, b"", put.size)
            self._known.claimed({item.id: (item.message, file) for item in items})

    async def due(self, now: float, most: int) -> Sequence[DueHop]:
        return await self._read(partial(reading.due, now=now, most=most))

    async def next_time(self, now: float) -> float | None:
        return await self._read(partial(reading.next_time, now=now))

    async def claim(
        self, hop: NextHop, owner: str, now: float, until: float, most: int
    ) -> Sequence[QueueItem]:
        claim = Claim(hop, owner, now, until, most)
        items = await self._change(claim, is_full=False)
        self._known.claimed(claim.files)
        return items

    async def renew(
        self, owner: str, ids: Sequence[QueueId], until: float
    ) -> set[QueueId]:
        ours = await self._change(Renew(owner, ids, until), is_full=False)
        self._known.released(ours.symmetric_difference(ids))
        return ours

    async def give_back(
        self, owner: str, ids: Sequence[QueueId], next_try: float
    ) -> None:
        self._known.released(ids)
        await self._change(GiveBack(owner, ids, next_try))

    async def end_claims(self, owner: str, now: float) -> int:
        keys = await self._read(partial(reading.claimed, owner=owner, now=now))
        return await self._change(EndClaims(keys, owner, now), is_full=False)

    async def record(
        self,
        owner: str,
        id: QueueId,
        attempt: Attempt,
        recipients: Sequence[QueuedRecipient],
        next_try: float | None,
        caused: Sequence[NewMessage] = (),
    ) -> bool:
        puts = [self._put(new) for new in caused]
        record = Record(owner, id, attempt, recipients, next_try, puts)
        if puts:
            before = await self._before(list(zip(puts, caused, strict=True)))
            files = [put.file for put in puts]
            is_ours = await self._with_files(record, files, before)
        else:
            is_ours = await self._change(record)
        self._known.released([id])
        return is_ours

    async def seal(self, message: str, sealed: Sealed) -> None:
        octets = sealed.octets
        if octets is None:
            seal = Seal(message, sealed.head, "", 0)
            await self._change(seal)
        else:
            file = self._new_name()
            seal = Seal(message, sealed.head, file, len(octets))
            before = partial(self._octets.write, file, (octets,))
            await self._with_files(seal, [file], before)
            self._known.written(file, octets)
        self._known.sealed(message, seal.sealed)

    async def content(self, id: QueueId) -> IContent:
        file = self._known.file(id)
        if file is not None:
            octets = self._known.octets(file.file)
            if octets is not None:
                return self._octets.of(file, octets)
        try:
            if file is not None:
                return await self._lanes.sync(partial(self._octets.read, file))
            return await self._read(partial(self._content, id))
        except StorageBroken:
            # Perhaps it was sealed between our looks at its row and at its file, or
            # dropped.
            pass
        try:
            return await self._read(partial(self._content, id))
        except StorageBroken as error:
            self.log.error(
                "the octets of {queue_id} cannot be read: {error}",
                queue_id=id,
                error=error,
            )
            raise

    async def items(
        self, selection: Selection, after: QueueId | None = None, most: int = 100
    ) -> Sequence[QueueItem]:
        work = partial(reading.items, selection=selection, after=after, most=most)
        return await self._read(work)

    async def count(self, selection: Selection) -> int:
        return await self._read(partial(selecting.count, selection=selection))

    async def attempts(self, id: QueueId) -> Sequence[Attempt]:
        return await self._read(partial(reading.attempts, id=id))

    async def hold(self, selection: Selection, reason: str, most: int = 1000) -> int:
        return await self._change(commands.hold(selection, reason, most))

    async def release(self, selection: Selection, now: float, most: int = 1000) -> int:
        return await self._change(commands.release(selection, now, most))

    async def retry(self, selection: Selection, now: float, most: int = 1000) -> int:
        return await self._change(commands.retry(selection, now, most))

    async def drop(self, selection: Selection, most: int = 1000) -> list[QueueItem]:
        return await self._change(commands.Drop(selection, most))

    async def stats(self, domain: DomainName | None, since: str) -> Sequence[DayStats]:
        return await self._read(partial(reading.stats, domain=domain, since=since))

    def watch(self, hear: Callable[[], None]) -> IWatch:
        return self._board.hear(TOPIC, lambda text: hear())

    async def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        for reader in self._readers:
            await self._lanes.run(reader, reader.close)
        await self._lanes.run(self, self._close)

    # --- ways into threads ---

    async def _opened(self) -> None:
        if self._is_closed:
            raise LocalMisuse("the queue is closed")
        if self._writer is None:
            await self._lanes.run(self, self._open)

    async def _read(self, work: Callable[[Database], T]) -> T:
        """Ask something that changes nothing."""
        await self._opened()
        reader = self._turns()
        return await self._lanes.run(reader, partial(reader.read, work))

    async def _change(
        self,
        make: Callable[[Changing], T],
        *,
        is_full: bool = True,
        before: Before | None = None,
    ) -> T:
        """Change something, together with what others want changed."""
        await self._opened()
        change = _Change(make, is_full, before is not None)
        await self._lanes.clerk((self,), change, self._do, before)
        result: T = change.result
        return result

    def _put(self, new: NewMessage, owner: str = "", until: float = 0.0) -> Put:
        size = len(new.head) + new.content.size
        return Put(self._new_name(), size, new.items, owner, until)

    async def _before(self, new: Sequence[tuple[Put, NewMessage]]) -> Before:
        """What writes the files of messages; large ones are written at once."""
        small: list[Before] = []
        large: list[str] = []
        try:
            for put, message in new:
                content = message.content
                if content.octets is not None or content.size <= AT_ONCE:
                    octets = message.head + await all_octets(content)
                    small.append(partial(self._octets.write, put.file, (octets,)))
                    self._known.written(put.file, octets)
                else:
                    await self._opened()
                    await self._octets.write_large(put.file, message.head, content)
                    large.append(put.file)
        except MailkitError:
            await self._take_away(large)
            raise
        return small[0] if len(small) == 1 else partial(_all, small)

    async def _with_files(
        self, make: Callable[[Changing], T], files: Sequence[str], before: Before
    ) -> T:
        """Make a change that tells of new files."""
        try:
            return await self._change(make, before=before)
        except StorageBroken:
            # Who knows what the disk will bring back; the file is swept once that is
            # clear.
            raise
        except MailkitError:
            await self._take_away(files)
            raise

    async def _take_away(self, files: Sequence[str]) -> None:
        for file in files:
            await self._lanes.sync(partial(self._octets.remove, file))

    # --- what follows runs in threads ---

    def _open(self) -> None:
        if self._writer is not None:
            return
        with translated(self._path):
            self._octets.make()
            had_wal = has_wal(str(self._path))
            connection = open_database(self._path, SCHEMA)
            writer = Database(str(self._path), self._files, connection)
            try:
                for pragma in WRITING:
                    writer.execute(pragma)
                if had_wal:
                    # A commit that was stopped before its sync may be seen, and must
                    # not be lost once somebody acted on it.
                    with writer.transaction(is_full=True):
                        writer.execute("UPDATE state SET opened = opened + 1")
            except BaseException:
                writer.close()
                raise
            self._writer = writer

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _do(self, changes: list[_Change]) -> list[BaseException | None]:
        """The clerk's work."""
        try:
            self._transact(changes)
        except (StorageFull, StorageBroken, Busy) as error:
            return [error] * len(changes)
        except MailkitError as error:
            if len(changes) == 1:
                return [error]
            # One of them cannot be; the others are made without it.
            return [error for change in changes for error in self._do([change])]
        return [None] * len(changes)

    def _transact(self, changes: list[_Change]) -> None:
        writer = self._writer
        if writer is None:
            raise LocalMisuse("the queue is closed")
        now = self._reactor.seconds()
        is_full = any([change.is_full for change in changes])
        with translated(self._path):
            if any([change.has_file for change in changes]):
                self._octets.sync()
            with writer.transaction(is_full):
                changing = Changing(writer, now)
                for change in changes:
                    change.result = change.make(changing)
                if is_full and now >= self._prune_at:
                    has_more = changing.prune()
                    self._prune_at = now if has_more else now + PRUNED_EVERY
                changing.finish()
        for name in changing.leftover:
            self._remove(name)
        if changing.is_told:
            self._board.publish(TOPIC)

    def _remove(self, name: str) -> None:
        try:
            self._octets.remove(name)
        except MailkitError as error:
            self.log.error(
                "{file}, which nobody needs any more, cannot be removed: {error}",
                file=self._octets.path(name),
                error=error,
            )

    def _content(self, id: QueueId, database: Database) -> IContent:
        return self._octets.read(reading.content(database, id))


@define(eq=False)
class _Change:
    """Something that a caller waits for."""

    make: Callable[[Changing], Any]  # Any: of whatever the caller wants
    is_full: bool
    has_file: bool
    result: Any = None


@define(eq=False)
class _Reader:
    """A connection that changes nothing, and the lane that it is used in."""

    _path: Path
    _files: Files
    _database: Database | None = field(init=False, default=None)

    def read(self, work: Callable[[Database], T]) -> T:
        """What is asked, as of one moment."""
        with translated(self._path):
            database = self._opened()
            with database.reading():
                return work(database)

    def close(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None

    def _opened(self) -> Database:
        if self._database is None:
            connection = open_database(self._path, SCHEMA)
            for pragma in READING:
                connection.execute(pragma)
            self._database = Database(str(self._path), self._files, connection)
        return self._database


def _all(works: Sequence[Before]) -> Callable[[], object]:
    """Begin several things as one."""
    with ExitStack() as stack:
        for work in works:
            end = work()
            if end is not None:
                stack.callback(end)
        return stack.pop_all().close
