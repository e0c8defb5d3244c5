"""
Deliveries and APPENDs: many together in one commit (STORE.md §3).

Files are written and synced before; here UIDs are taken and rows written in one
commit, then the files get their names. The folder is synced by `Batch` afterwards.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress

from attrs import define, field
from twisted.internet.defer import Deferred

from mailkit.errors import (
    MailboxGone,
    MailkitError,
    NoSuchMailbox,
    OverQuota,
    StorageBroken,
)
from mailkit.model.flags import Flags
from mailkit.storage.index.index import Index, Standing
from mailkit.storage.index.rows import MailboxRow, MessageRow, RenderedRow, bits_of
from mailkit.storage.maildir import naming
from mailkit.storage.maildir.home import Home, NotNowError
from mailkit.storage.maildir.keywords import Keywords
from mailkit.storage.maildir.letter import Letter
from mailkit.storage.safefile import translated

_FINISHED_AT_MOST = 10
"""How often what others left half done is finished before a delivery."""

SYNC_AT_ONCE = 0.005
"""Seconds of syncing that the clerk does by itself."""


@define(eq=False)
class Drop:
    """One message into one mailbox."""

    letter: Letter
    folder: str
    flags: Flags
    mailbox_id: str = ""
    """What it was opened as; whatever its folder is now."""
    makes_it: bool = True
    """Whether a mailbox that is not there is made."""
    verdict: str | None = None
    """As its row keeps it."""
    uid: int = 0
    target: Target | None = None
    is_there: bool = False
    """An earlier delivery of the same put it there, whether or not it still is."""


@define(eq=False)
class Landing:
    """What one call wants of one account: all of its drops, or none."""

    home: Home
    drops: Sequence[Drop]
    quota: int = 0
    """Octets the account may have with this; 0 is without limit."""
    batch: Batch | None = None
    error: BaseException | None = None


@define(eq=False)
class Batch:
    """Mailboxes of an account that one commit put messages in."""

    home: Home
    rows: tuple[MailboxRow, ...]
    is_syncing: bool = False
    is_synced: bool = False
    is_told: bool = False
    error: MailkitError | None = None
    waiting: list[Deferred[None]] = field(init=False, factory=list)

    def sync(self) -> MailkitError | None:
        """
        Make the names durable, in any thread; what went wrong with it.

        An error is not tried again: the mailboxes are listed before their next use.
        """
        home = self.home
        begun = time.perf_counter()
        try:
            for row in self.rows:
                # A mailbox that has another name by now, or none, was synced before.
                with suppress(FileNotFoundError):
                    home.house.files.sync_folder(f"{home.folder(row.folder)}/cur")
            took = time.perf_counter() - begun
            home.house.note_sync(took / len(self.rows))
        except OSError as error:
            home.distrusted.update(row.id for row in self.rows)
            return translated(error)
        finally:
            home.note_batch([row.folder for row in self.rows], -1)
        return None


def land(landings: Iterable[Landing], *, waits: bool) -> None:
    """
    Do landings of any accounts; each has its batch or its error afterwards.

    An error is `NotNowError` where the account's lane has to do it.
    """
    by_home: dict[Home, list[Landing]] = {}
    for landing in landings:
        by_home.setdefault(landing.home, []).append(landing)
    for home, own in by_home.items():
        try:
            with home.changed(waits=waits) as index:
                _Landed(home, index).all(own, waits=waits)
        except (MailkitError, NotNowError) as error:
            _fail(own, error)


def sync_few(batches: Iterable[Batch]) -> None:
    """
    Sync at once where that takes less than handing it to other threads.

    On most disks one sync makes all names durable that are waiting, and the next
    ones find nothing to do; where each takes its time, many are done side by side.
    """
    waiting = list(batches)
    if not waiting:
        return
    folders = sum(len(batch.rows) for batch in waiting)
    expected = folders * waiting[0].home.house.sync_seconds
    if len(waiting) == 1 or expected <= SYNC_AT_ONCE:
        for batch in waiting:
            batch.error = batch.sync()
            batch.is_synced = True


def _fail(landings: Iterable[Landing], error: BaseException) -> None:
    for landing in landings:
        if landing.batch is None and landing.error is None:
            landing.error = error


@define(eq=False)
class Target:
    """A mailbox that messages come into."""

    row: MailboxRow
    keywords: Keywords
    uid_next: int
    unseen: int = 0
    deleted: int = 0
    size: int = 0
    was_left: bool = False


@define(eq=False)
class _Landed:
    """One batch of one account."""

    _home: Home
    _index: Index
    _targets: dict[str, Target] = field(init=False, factory=dict)
    _names: dict[int, str] = field(init=False, factory=dict)
    _standing: Standing | None = field(init=False, default=None)
    _once: set[str] = field(init=False, factory=set)
    """EMAILIDs of what is delivered once, and is taken."""
    _first: Drop | None = field(init=False, default=None)
    """The one whose mailbox was asked for together with the account."""

    @property
    def _account(self) -> Standing:
        if self._standing is None:
            raise AssertionError("the transaction has not begun")
        return self._standing

    def all(self, landings: Sequence[Landing], *, waits: bool) -> None:
        index, home = self._index, self._home
        database = index.database
        if waits:
            for landing in landings:
                self._prepare(landing)
        try:
            self._begin(landings[0].drops[0], waits=waits)
            taken = self._take(landings, waits=waits)
            if not taken:
                database.rollback()
                return
            self._write(taken)
            for target in self._targets.values():
                row = target.row
                left = home.left_at.get(row.id, row.cur_mtime)
                target.was_left = _mtime(home, row) == left
            database.commit()
        except BaseException:
            database.rollback()
            raise
        rows = tuple(target.row for target in self._targets.values())
        home.note_batch([row.folder for row in rows], 1)
        batch = Batch(home, rows)
        for landing in taken:
            landing.batch = batch
            try:
                self._name(landing)
            except OSError as error:
                landing.error = translated(error)
                # The rows that have no file now are found by who comes next.
                home.renew_token()
                home.distrusted.update(target_of(d).row.id for d in landing.drops)
        for target in self._targets.values():
            if target.was_left:
                home.left_at[target.row.id] = _mtime(home, target.row)

    def _begin(self, first: Drop, *, waits: bool) -> None:
        """Begin the transaction; what somebody else left half done is finished."""
        home, index = self._home, self._index
        for tried in range(_FINISHED_AT_MOST):
            index.database.begin(is_full=False)
            self._standing = standing = index.before_arrivals(
                home.token, first.folder, first.mailbox_id
            )
            self._first = first
            half_done = standing.half_done
            if half_done is None:
                return
            # A file that can be neither unlinked nor renamed hinders nobody else.
            if waits and tried and not half_done.batches:
                return
            index.database.rollback()
            if not waits and any(half_done[:3]):
                raise NotNowError
            home.repair.finish(home, index, half_done)
        raise StorageBroken(f"{home.path}: what was begun there cannot be finished")

    def _prepare(self, landing: Landing) -> None:
        """What takes long, or makes transactions of its own."""
        for drop in landing.drops:
            row = self._row(drop)
            if row is not None:
                self._home.current(self._index, row)

    def _row(self, drop: Drop) -> MailboxRow | None:
        if drop.mailbox_id:
            return self._index.mailbox_by_mailbox_id(drop.mailbox_id)
        return self._index.mailbox(drop.folder)

    def _take(self, landings: Sequence[Landing], *, waits: bool) -> list[Landing]:
        """Those that can be kept, with their UIDs."""
        used = self._account.used
        taken = []
        for landing in landings:
            try:
                if landing.quota:
                    size = sum(drop.letter.size for drop in landing.drops)
                    if used + size > landing.quota:
                        raise OverQuota(self._home.account)
                    used += size
                for drop in landing.drops:
                    target = drop.target = self._target(drop, waits=waits)
                    target.keywords.check(drop.flags)
                    if not waits and target.keywords.are_new(drop.flags):
                        raise NotNowError
                self._find_again(landing)
            except (MailkitError, NotNowError) as error:
                landing.error = error
                continue
            for drop in landing.drops:
                if drop.is_there:
                    continue
                target = target_of(drop)
                drop.uid = target.uid_next
                target.uid_next += 1
            taken.append(landing)
        return taken

    def _find_again(self, landing: Landing) -> None:
        """Of what is delivered once, see what the account has."""
        alike: dict[str, list[Drop]] = {}
        for drop in landing.drops:
            if drop.letter.is_once:
                alike.setdefault(drop.letter.email_id, []).append(drop)
        if not self._once.isdisjoint(alike):
            raise NotNowError  # it is in this very batch, and has no row yet
        self._once.update(alike)
        for email_id, drops in alike.items():
            found = dict(self._index.delivered(email_id))
            for drop in drops:
                uid = found.pop(target_of(drop).row.id, 0)
                drop.is_there, drop.uid = bool(uid), uid
            missing = [drop for drop in drops if not drop.is_there]
            for drop in missing[: len(found)]:  # its person moved it
                drop.is_there = True

    def _target(self, drop: Drop, *, waits: bool) -> Target:
        key = drop.mailbox_id or drop.folder
        target = self._targets.get(key)
        if target is not None:
            return target
        row = self._account.mailbox if drop is self._first else self._row(drop)
        if row is None:
            if not waits:
                raise NotNowError
            raise (MailboxGone if drop.mailbox_id else NoSuchMailbox)(key)
        if row.boot != self._home.house.boot or row.id in self._home.distrusted:
            # Listing makes transactions of its own.
            raise NotNowError
        for other in self._targets.values():
            if other.row.id == row.id:
                target = other
        if target is None:
            keywords = Keywords(self._home, self._index, row)
            target = Target(row, keywords, row.uid_next)
        self._targets[key] = target
        return target

    def _write(self, landings: Sequence[Landing]) -> None:
        home, index = self._home, self._index
        new = [drop for one in landings for drop in one.drops if not drop.is_there]
        grown = sum(drop.letter.size for drop in new)
        standing = self._account
        known = standing.mod_seq, standing.floor
        mod_seq = home.next_mod_seq(index, grown, known)
        now = int(home.house.now())
        rows: list[MessageRow] = []
        rendered: list[RenderedRow] = []
        for drop in new:
            letter, target = drop.letter, target_of(drop)
            key = target.row.key(drop.uid)
            bits = bits_of(drop.flags)
            keywords, letters = target.keywords.take(drop.flags, drop.uid)
            size = letter.size
            flags = naming.LETTERS_OF[bits] + letters
            name = naming.build(letter.base, size, size, drop.uid, flags)
            shown = letter.shown
            rows.append(
                MessageRow(
                    key,
                    mod_seq,
                    bits,
                    keywords,
                    size,
                    letter.internal_date,
                    now,
                    name,
                    letter.email_id,
                    shown.thread_id,
                    shown.has_attachments,
                    drop.verdict,
                )
            )
            rendered.append(shown.row(key))
            self._names[key] = name
            target.unseen += not bits & 1
            target.deleted += bits >> 3 & 1
            target.size += size
        index.add_messages(rows, rendered)
        for target in {id(one): one for one in self._targets.values()}.values():
            self._count(target, mod_seq)

    def _count(self, target: Target, mod_seq: int) -> None:
        home, index, row = self._home, self._index, target.row
        count = target.uid_next - row.uid_next
        if not count:
            return
        home.make_room(index, row, count)
        target.keywords.keep()
        index.database.execute(
            """
            UPDATE mailbox SET messages = messages + ?, unseen = unseen + ?,
                deleted = deleted + ?, size = size + ?, mod_seq = ?, uid_next = ?,
                settled = ?, settled_by = ?, cur_mtime = ?
            WHERE id = ?
            """,
            (
                count,
                target.unseen,
                target.deleted,
                target.size,
                mod_seq,
                target.uid_next,
                row.uid_next,
                home.token,
                home.left_at.get(row.id, row.cur_mtime),
                row.id,
            ),
        )

    def _name(self, landing: Landing) -> None:
        """Give the files their names, all of them or none."""
        files = self._home.house.files
        named = []
        try:
            for drop in landing.drops:
                letter, row = drop.letter, target_of(drop).row
                if drop.is_there:
                    if letter.uses == 1:
                        files.unlink(letter.path)
                    continue
                name = self._names[row.key(drop.uid)]
                path = f"{self._home.folder(row.folder)}/cur/{name}"
                if letter.uses == 1:
                    files.rename(letter.path, path)
                else:
                    files.link(letter.path, path)
                named.append(path)
        except OSError:
            for path in named:
                files.unlink(path)
            raise


def target_of(drop: Drop) -> Target:
    """The mailbox that was found for it."""
    if drop.target is None:
        raise AssertionError("no mailbox was found for it")
    return drop.target


def _mtime(home: Home, row: MailboxRow) -> int:
    try:
        return os.stat(f"{home.folder(row.folder)}/cur").st_mtime_ns
    except FileNotFoundError:
        return 0
