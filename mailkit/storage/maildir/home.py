"""
One account in the hands of this process: its lock, its index, what it remembers.

Everything here is done in the account's lane or by the clerk, one at a time; between
processes ``flock`` on the account's ``lock`` orders the steps that touch names.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from attrs import define, field
from twisted.logger import Logger

from mailkit.errors import MailboxGone, NoSuchMailbox, StorageBroken
from mailkit.model.address import AccountName
from mailkit.model.mailbox import INBOX, MailboxName
from mailkit.storage import names
from mailkit.storage.index.database import is_damaged, is_sound
from mailkit.storage.index.index import HalfDone, Index
from mailkit.storage.index.rows import MailboxRow
from mailkit.storage.maildir import founding, indexfile, numbers
from mailkit.storage.maildir.aside import Aside
from mailkit.storage.maildir.flagcolumn import FlagColumn
from mailkit.storage.maildir.house import House
from mailkit.storage.maildir.numbers import UIDFile
from mailkit.storage.safefile import keeps_its_name, translated


class NotNowError(Exception):
    """The clerk leaves this to the account's lane: it would take long, or wait."""


class TakenAwayError(Exception):
    """The index was taken away while somebody read in it, who has to read again."""


class Repair(Protocol):
    """Knows how to bring index and files together; all of it is under the lock."""

    def finish(self, home: Home, index: Index, half_done: HalfDone) -> None:
        """Finish whatever step somebody left."""

    def begin_boot(self, home: Home, index: Index) -> None:
        """Open an index that another boot wrote."""

    def list_folders(self, home: Home, index: Index) -> None:
        """See which mailboxes there are."""

    def list_anew(self, home: Home, index: Index, row: MailboxRow) -> None:
        """Compare all files of a mailbox with its rows, trusting neither."""


@define(eq=False)
class Home:
    """The folder of one account, opened when it is used."""

    log = Logger()

    house: House
    account: AccountName
    path: str
    repair: Repair
    mutex: threading.RLock = field(init=False, factory=threading.RLock)
    token: str = field(init=False)
    """Marks batches as this process's; another after a step that failed."""
    unsynced: Counter[str] = field(init=False, factory=Counter)
    """Folder → how many batches went there that no sync covers yet."""
    _counting: threading.Lock = field(init=False, factory=threading.Lock)
    distrusted: set[int] = field(init=False, factory=set)
    """Mailboxes to be listed before their next use: something failed there."""
    seen: dict[int, int] = field(init=False, factory=dict)
    """Mailbox → its MODSEQ when it was last looked at for those who watch it."""
    left_at: dict[int, int] = field(init=False, factory=dict)
    """Mailbox → the mtime of its ``cur/`` as we left it."""
    listed: dict[int, float] = field(init=False, factory=dict)
    """Mailbox → when this process last looked at its ``cur/``."""
    compared: dict[int, float] = field(init=False, factory=dict)
    """Mailbox → when this process last listed its ``cur/`` for a look."""
    may_be_unrendered: bool = field(init=False, default=True)
    """Whether messages may wait to be rendered, as after a rebuild."""
    root_left: int = field(init=False, default=0)
    """The mtime of ``Maildir`` as we left it."""
    arrays: dict[int, tuple[int, array[int]]] = field(init=False, factory=dict)
    """Mailbox → MODSEQ and UIDs of the newest snapshot."""
    flags: dict[int, FlagColumn] = field(init=False, factory=dict)
    """Mailbox → flags of all its messages, where somebody asked for them."""
    _stuck: set[str] = field(init=False, factory=set)
    """Files that could not be renamed or unlinked, told already."""
    _index: Index | None = field(init=False, default=None)
    _uses: int = field(init=False, default=0)
    _replaced: list[Index] = field(init=False, factory=list)
    """Others stand in their place; whoever began with one ends with it."""
    _aside: Aside | None = field(init=False, default=None)
    _identity: tuple[int, int] | None = field(init=False, default=None)
    _lock: int = field(init=False, default=-1)
    _lock_identity: tuple[int, int] = field(init=False, default=(0, 0))
    _is_held: bool = field(init=False, default=False)
    _is_founded: bool = field(init=False, default=False)

    def __attrs_post_init__(self) -> None:
        self.renew_token()

    @property
    def maildir(self) -> str:
        return f"{self.path}/Maildir"

    @property
    def index_path(self) -> str:
        return f"{self.path}/index.sqlite"

    def folder(self, folder: str) -> str:
        """The path of a mailbox's folder."""
        return f"{self.maildir}/{folder}" if folder else self.maildir

    def renew_token(self) -> None:
        """Have what this process left half done looked for as if it was another's."""
        self.token = f"{os.getpid()}.{os.urandom(6).hex()}"

    def note_batch(self, folders: Iterable[str], step: int) -> None:
        """A batch went to folders, or was synced; called from any thread."""
        with self._counting:
            for folder in folders:
                self.unsynced[folder] += step
                if self.unsynced[folder] <= 0:
                    del self.unsynced[folder]

    def tell_stuck(self, path: str, error: OSError) -> None:
        """
        A file keeps its name, and others are not to wait for it; told once.

        :raises OSError: the error, if it is not one of this file alone.
        """
        if not keeps_its_name(error):
            raise error
        if path not in self._stuck:
            self._stuck.add(path)
            self.log.error(
                "{account}: a file can be neither renamed nor removed: {error}",
                account=self.account,
                error=str(error),
            )

    # --- opening ---

    @property
    def is_founded(self) -> bool:
        """Whether this process knows that the account has its folder."""
        return self._is_founded

    def doubt(self) -> None:
        """Another process may have taken the folder away."""
        self._is_founded = False

    @property
    def is_there(self) -> bool:
        """Whether the account has its folder, however it came or went."""
        return os.path.isdir(self.maildir)

    def check_there(self) -> None:
        """
        Begin nothing anew for somebody who opened it once.

        :raises MailboxGone: if the account was removed.
        """
        if not self.is_there:
            raise MailboxGone(self.account)

    def found(self) -> None:
        """Make the account's folder, if it is not there."""
        with self.used():
            self._is_founded = True

    @contextmanager
    def used(self) -> Iterator[Index]:
        """Read: the index, opened, and of this very account."""
        with self.house.pool.using(self, self.house.now()), self._telling():
            index = self._index
            if index is None or not self._is_same():
                with self.held():
                    index = self._opened()
            yield index

    @contextmanager
    def changed(self, *, waits: bool = True) -> Iterator[Index]:
        """
        Change: nobody else does, and what others left half done is finished.

        :param waits: if not, whoever changes looks for the half done, and finishes
            it, in a transaction of its own (`arrivals`).
        :raises NotNowError: if it ``waits`` not and would have to.
        """
        with self.house.pool.using(self, self.house.now()), self._telling():
            if not waits and self._index is None:
                raise NotNowError
            with self.held(waits=waits):
                if not waits and not self._is_same():
                    raise NotNowError
                index = None if waits else self._index
                if index is None:
                    index = self._opened()
                if waits:
                    half_done = index.half_done(self.token)
                    if half_done is not None:
                        self.repair.finish(self, index, half_done)
                    # What is done to a delivered message is durable after it.
                    with self._counting:
                        folders = tuple(self.unsynced)
                    for folder in folders:
                        # Who renamed a mailbox, or took it away, synced it before.
                        with suppress(FileNotFoundError):
                            self.house.files.sync_folder(f"{self.folder(folder)}/cur")
                yield index

    @contextmanager
    def held(self, *, waits: bool = True) -> Iterator[None]:
        """Be the one process whose hand the account is in; may be nested."""
        if self._is_held:
            yield
            return
        self._take_lock(waits=waits)
        self._is_held = True
        try:
            yield
        finally:
            self._is_held = False
            if self._lock >= 0:
                fcntl.flock(self._lock, fcntl.LOCK_UN)

    @contextmanager
    def held_with(self, index: Index) -> Iterator[None]:
        """
        As `held`, for changes by what was read in an index without the lock.

        :raises TakenAwayError: if that is not the account's index any more.
        """
        was_held = self._is_held
        with self.held():
            if not was_held and (index is not self._index or not self._is_same()):
                raise TakenAwayError
            yield

    def _take_lock(self, *, waits: bool) -> None:
        while True:
            if self._lock < 0:
                if not os.path.isdir(self.maildir):
                    self._is_founded = False
                    founding.found_account(self.house, self.account, self.path)
                self._lock = os.open(
                    f"{self.path}/lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
                )
                opened = os.fstat(self._lock)
                self._lock_identity = opened.st_ino, opened.st_dev
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))
            except BlockingIOError:
                raise NotNowError from None
            if self._lock_identity == indexfile.identity_of(f"{self.path}/lock"):
                return
            # The folder was put aside or put back meanwhile.
            self.close()

    def _is_same(self) -> bool:
        """Whether the index that is open is the file of that name."""
        if self._index is None:
            return False
        return self._identity == indexfile.identity_of(self.index_path)

    def _opened(self) -> Index:
        """The index, under the lock; rebuilt if it is not what it should be."""
        if self._index is not None:
            if self._is_same():
                return self._index
            self._let_go_of_index()
        while True:
            try:
                return self._made_ready()
            except (FileNotFoundError, sqlite3.OperationalError):
                # Somebody took the index away while it was made: made again.
                # SQLite, which looks by its name, then finds no permissions for what
                # lies beside it (SQLITE_IOERR_FSTAT).
                if os.path.exists(self.index_path) or not self.is_there:
                    raise

    def _made_ready(self) -> Index:
        index = indexfile.opened(self.index_path, self.house.files)
        self._index = index
        try:
            self._identity = index.identity()
            if self._identity is None or not self._is_same():
                index = self._index = self._begun_again(index)
                self._identity = index.identity()
            elif index.boot() != self.house.boot:
                self.repair.begin_boot(self, index)
            half_done = index.half_done(self.token)
            if half_done is not None:
                self.repair.finish(self, index, half_done)
            self.repair.list_folders(self, index)
        except BaseException:
            self._let_go_of_index()
            raise
        return index

    def _begun_again(self, index: Index) -> Index:
        """An index without a past: it has no account yet, or is a copy."""
        if index.identity() is not None:
            index.close()
            indexfile.discard(self.index_path, self.house.files)
            index = Index.open(self.index_path, self.house.files)
        floor = self.read_floor()
        mod_seq = max(floor, int(self.house.now() * 1_000_000))
        floor = self.raise_floor(mod_seq)
        with index.database.transaction(is_full=True):
            index.begin_account(self.house.boot, mod_seq)
            index.set_fact("floor", floor)
        return index

    @property
    def aside(self) -> Aside:
        """``account.sqlite``, opened."""
        if self._aside is None:
            self._aside = Aside.open(f"{self.path}/account.sqlite", self.house.files)
        return self._aside

    @property
    def data_version(self) -> int:
        """Another number after each commit by another process; 0 while closed."""
        return 0 if self._index is None else self._index.database.data_version()

    def checkpoint(self) -> None:
        """Move the WAL into the index, if it is open."""
        if self._index is not None:
            self._index.database.checkpoint()

    def close(self) -> None:
        """Let go of all files; the next use opens them again."""
        self._let_go_of_index()
        if self._aside is not None:
            self._aside.close()
            self._aside = None
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _let_go_of_index(self) -> None:
        if self._index is not None:
            self._replaced.append(self._index)
            self._index = None
            self._close_replaced()
        self.may_be_unrendered = True
        self.arrays.clear()
        self.flags.clear()
        self.left_at.clear()
        self.listed.clear()
        self.compared.clear()
        self.seen.clear()

    def _close_replaced(self) -> None:
        while self._replaced and not self._uses:
            self._replaced.pop().close()

    def forget_index(self) -> None:
        """Throw the index away, under the lock; the next use makes it anew."""
        self._let_go_of_index()
        indexfile.discard(self.index_path, self.house.files)

    @property
    def is_open(self) -> bool:
        return self._index is not None

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Errors of disk and database as ours; a damaged index is not used again."""
        self._uses += 1
        try:
            yield
        except sqlite3.Error as error:
            if is_damaged(error):
                # Of the index, or of account.sqlite; or another process, which saw
                # the same, has made the index anew.
                self._let_go_of_index()
                with self.held():
                    if not is_sound(self.index_path):
                        indexfile.discard(self.index_path, self.house.files)
            raise translated(error) from error
        except OSError as error:
            raise translated(error) from error
        finally:
            self._uses -= 1
            self._close_replaced()

    # --- numbers ---

    def next_mod_seq(
        self, index: Index, grown: int = 0, known: tuple[int, int] | None = None
    ) -> int:
        """
        A MODSEQ for the change that is being made, in its transaction.

        :param grown: octets by which the account grows with it.
        :param known: what `Index.mod_seq` says, if it was asked in the transaction.
        """
        last, floor = known or index.mod_seq()
        mod_seq = max(last + 1, int(self.house.now() * 1_000_000))
        if mod_seq >= floor:
            index.set_fact("floor", self.raise_floor(mod_seq))
        index.grow(mod_seq, grown)
        return mod_seq

    def read_floor(self) -> int:
        """The durable MODSEQ floor."""
        return numbers.read_mod_seq_floor(self.maildir)

    def raise_floor(self, above: int) -> int:
        """Make the MODSEQ floor durable, an hour above; what it is now."""
        floor = max(above, self.read_floor())
        floor += numbers.MOD_SEQ_AHEAD
        numbers.write_mod_seq_floor(self.house.files, self.maildir, floor)
        return floor

    def make_room(self, index: Index, row: MailboxRow, count: int) -> None:
        """Have the durable mark of a mailbox above its next ``count`` UIDs."""
        above = row.uid_next + count
        if above <= row.mark:
            return
        folder = self.folder(row.folder)
        found = UIDFile.read(folder)
        if found is None:
            raise StorageBroken(f"{folder} lost its {numbers.UID_FILE}")
        found = found.raised(above)
        found.write(self.house.files, folder)
        index.set_mailbox(row.id, mark=found.mark)

    # --- mailboxes ---

    def mailbox(self, index: Index, name: MailboxName) -> MailboxRow:
        """
        The row of a mailbox, as it may be answered from.

        :raises NoSuchMailbox:
        """
        row = index.mailbox(folder_of(name))
        if row is None:
            self.repair.list_folders(self, index)
            row = index.mailbox(folder_of(name))
        if row is None:
            raise NoSuchMailbox(name)
        return self.current(index, row)

    def mailbox_again(self, index: Index, mailbox: str) -> MailboxRow:
        """
        The row of a mailbox that was opened before, whatever its name is now.

        :raises MailboxGone:
        """
        row = index.mailbox_by_mailbox_id(mailbox)
        if row is None:
            raise MailboxGone(mailbox)
        return self.current(index, row)

    def current(self, index: Index, row: MailboxRow) -> MailboxRow:
        """The row, listed first if it was not yet in this boot, or is distrusted."""
        if row.boot == self.house.boot and row.id not in self.distrusted:
            return row
        with self.held_with(index):
            half_done = index.half_done(self.token)
            if half_done is not None:
                self.repair.finish(self, index, half_done)
            # Another process may have been at it until now.
            now = index.mailbox_by_id(row.id)
            if now is not None:
                self.repair.list_anew(self, index, now)
        found = index.mailbox_by_id(row.id)
        if found is None:
            raise MailboxGone(row.folder)
        return found


def folder_of(name: MailboxName) -> str:
    """The folder of a mailbox's name below ``Maildir``; "" is the INBOX."""
    return "" if name == INBOX else names.folder(name)


def name_of(folder: str) -> MailboxName:
    """The name of a mailbox that is in that folder."""
    return names.unfolder(folder) if folder else INBOX
