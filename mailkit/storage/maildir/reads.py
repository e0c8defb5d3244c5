"""Reading mailboxes and messages, in the lane of their account."""

from __future__ import annotations

import os
import time
from array import array
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from io import FileIO
from typing import TypeVar

from attrs import define, field
from zope.interface import implementer

from mailkit.errors import MailboxGone
from mailkit.interfaces.lanes import ILanes
from mailkit.interfaces.storage import IContent
from mailkit.model.address import AccountName
from mailkit.model.layout import Laid, Layout, Stretch
from mailkit.model.mailbox import (
    MailboxChange,
    MailboxStatus,
    Records,
    Snapshot,
    Want,
)
from mailkit.model.uidset import NO_UIDS, UIDSet
from mailkit.storage.content import OctetsContent
from mailkit.storage.index import joining, laying, reading
from mailkit.storage.index.index import Index
from mailkit.storage.index.rows import SHIFT, UIDS, MailboxRow
from mailkit.storage.index.weighing import first_part
from mailkit.storage.maildir import flagcolumn, listing, naming
from mailkit.storage.maildir.home import Home, TakenAwayError, name_of
from mailkit.storage.maildir.letter import Shown, with_crlf
from mailkit.storage.safefile import told_as_ours

T = TypeVar("T")

PIECE = 200
"""Messages that are rendered in one commit."""

PIECE_OCTETS = 1 << 22
"""Octets that they have then, beyond which there is a commit before."""

A_WHILE = 0.005
"""Seconds of rendering after which whoever waits for the account has a turn."""

AT_A_TIME = 100
"""Messages that are looked up for that."""


@implementer(IContent)
@define(eq=False)
class FileContent:
    """A large message: its file stays open, so nobody can take it away."""

    _file: FileIO = field(repr=False)
    _lanes: ILanes = field(repr=False)
    _account: AccountName
    size: int
    octets: bytes | None = None

    async def read(self, start: int, count: int) -> bytes:
        descriptor = self._file.fileno()

        def work() -> bytes:
            with told_as_ours():
                return os.pread(descriptor, count, start)

        return await self._lanes.run(self._account, work)


def asked(home: Home, work: Callable[[Index], T]) -> T:
    """What work reads in the index; done again if that is taken away meanwhile."""
    while True:
        try:
            with home.used() as index:
                return work(index)
        except TakenAwayError:
            continue


def look_around(home: Home, index: Index, row: MailboxRow) -> tuple[Index, MailboxRow]:
    """
    See what other programs did, as often as STORE.md §4 says.

    Gives what is to be read from then on: the index may have been made anew.
    """
    if index.half_done(home.token) is None and _is_quiet(home, row):
        return index, row
    with home.changed() as changed:
        row = home.mailbox_again(changed, row.mailbox_id)
        listing.look(home, changed, row, is_thorough=False)
        return changed, home.mailbox_again(changed, row.mailbox_id)


def _is_quiet(home: Home, row: MailboxRow) -> bool:
    """Whether a look without the lock finds nothing to do."""
    now = home.house.now()
    try:
        if os.listdir(f"{home.folder(row.folder)}/new"):
            return False
        if now - home.listed.get(row.id, 0.0) < home.house.settings.list_every:
            return True
        if not listing.is_as_left(home, row):
            return False
    except FileNotFoundError:
        return False
    home.listed[row.id] = now
    return True


def snapshot(
    home: Home, index: Index, row: MailboxRow, *, take_recent: bool
) -> Snapshot:
    """Look at the whole mailbox; all that look at one state share its UIDs."""
    with index.database.reading():
        row = _now(index, row)
        uids = _uids(home, index, row)
        count = status(index, row)
        keywords = index.keywords(row.id)
        first_unseen = reading.first_unseen(index, row)
    recent = NO_UIDS
    if take_recent and row.first_recent < row.uid_next:
        if count.recent:
            recent = UIDSet.of(uids[len(uids) - count.recent :])
        with index.database.transaction(is_full=True):
            index.set_mailbox(row.id, first_recent=row.uid_next)
    return Snapshot(
        count,
        uids,
        tuple(sorted(spelling for spelling, _ in keywords.values())),
        first_unseen,
        recent,
        len(keywords) < home.house.settings.keywords,
    )


def _uids(home: Home, index: Index, row: MailboxRow) -> array[int]:
    known = home.arrays.get(row.id)
    if known is not None:
        mod_seq, uids = known
        if mod_seq == row.mod_seq:
            return uids
        last = uids[-1] if uids else 0
        later = reading.all_uids(index, row, last)
        if len(uids) + len(later) == row.messages and not _any_expunged(
            index, row, mod_seq
        ):
            if later:
                uids = uids + later
            home.arrays[row.id] = row.mod_seq, uids
            return uids
    uids = reading.all_uids(index, row)
    home.arrays[row.id] = row.mod_seq, uids
    return uids


def _any_expunged(index: Index, row: MailboxRow, mod_seq: int) -> bool:
    found = index.database.one(
        "SELECT 1 FROM expunged WHERE mailbox = ? AND mod_seq > ? LIMIT 1",
        row.id,
        mod_seq,
    )
    return found is not None


def status(index: Index, row: MailboxRow) -> MailboxStatus:
    """The counters of a mailbox."""
    return MailboxStatus(
        name_of(row.folder),
        row.mailbox_id,
        row.uid_validity,
        row.uid_next,
        row.mod_seq,
        row.messages,
        row.unseen,
        row.deleted,
        row.size,
        reading.count_from(index, row, row.first_recent),
    )


def changes(index: Index, row: MailboxRow, mod_seq: int) -> MailboxChange:
    """What somebody missed who knew the state ``mod_seq``."""
    if row.mod_seq <= mod_seq:
        return MailboxChange(max(row.mod_seq, mod_seq))
    # Between two queries another process may let messages come and go.
    with index.database.reading():
        return reading.changes(index, _now(index, row), mod_seq)


def _now(index: Index, row: MailboxRow) -> MailboxRow:
    now = index.mailbox_by_id(row.id)
    if now is None:
        raise MailboxGone(row.folder)
    return now


def records(
    home: Home, index: Index, row: MailboxRow, uids: UIDSet, want: Want, most: int
) -> Records:
    """
    Messages with those UIDs, rendered where that is wanted.

    :param most: octets that may be read at once, 0 for all.
    """
    rest = NO_UIDS
    if want & (reading.RENDERED | Want.IDS):
        render_missing(home, index, row, uids)
    if want & Want.IDS:
        joining.join_those(index, row, uids, naming.thread_id)
    if want is Want.FLAGS:
        _, shared = home.arrays.get(row.id, (0, None))
        return flagcolumn.records(home.flags, index, row, uids, shared)
    if most:
        uids, rest = first_part(index, row, uids, want, most)
    found = reading.records(index, row, uids, want)
    found.rest = rest
    return found


def laid(
    home: Home,
    index: Index,
    row: MailboxRow,
    stretches: Sequence[Stretch],
    layout: Layout,
    most: int,
) -> Laid:
    """The same, laid out."""
    if layout.want & reading.RENDERED:
        uids = UIDSet(((stretches[0].low, stretches[-1].high),))
        render_missing(home, index, row, uids)
    return laying.lay_out(index, row, stretches, layout, most)


def render_missing(home: Home, index: Index, row: MailboxRow, uids: UIDSet) -> None:
    """Render what nobody rendered yet, as after a rebuild, and keep it."""
    if not reading.is_unrendered(index, row):
        return
    shown: list[tuple[int, Shown]] = []
    weight = 0
    for key, name in reading.unrendered(index, row, uids):
        octets = octets_of(home, index, row, key & UIDS)
        if octets is None:
            continue
        one = Shown.of(octets, naming.email_id(naming.base_of(name)))
        shown.append((key, one))
        weight += one.weight
        if len(shown) >= PIECE or weight > PIECE_OCTETS:
            keep_shown(index, shown)
            shown, weight = [], 0
    if shown:
        keep_shown(index, shown)


def render_some(home: Home, index: Index, above: int) -> int | None:
    """
    Render some messages of the account, about `A_WHILE` long.

    :param above: the key that this answered last, 0 at first.
    """
    waiting = reading.unrendered_above(index, above, AT_A_TIME)
    end = time.perf_counter() + A_WHILE
    shown = []
    last = None
    for key, name in waiting:
        row = index.mailbox_by_id(key >> SHIFT)
        octets = row and octets_of(home, index, row, key & UIDS)
        if octets is not None:
            shown.append((key, Shown.of(octets, naming.email_id(naming.base_of(name)))))
        last = key
        if time.perf_counter() > end:
            break
    if shown:
        keep_shown(index, shown)
    return last


def keep_shown(index: Index, shown: Sequence[tuple[int, Shown]]) -> None:
    """Write down what was rendered; derived, so no sync waits for it."""
    with index.database.transaction(is_full=False):
        index.add_rendered([one.row(key) for key, one in shown])
        index.database.executemany(
            "UPDATE message SET thread_id = ?, attachments = ? WHERE id = ?",
            [(one.thread_id, one.has_attachments, key) for key, one in shown],
        )


def octets_of(home: Home, index: Index, row: MailboxRow, uid: int) -> bytes | None:
    """
    The whole of a message; ``None`` if its file is no more.

    It is expunged by then.
    """
    taken = _taken(home, row, reading.names(index, [row.key(uid)]), _octets)
    return taken[0][1] if taken else None


def contents(
    home: Home, index: Index, row: MailboxRow, uids: UIDSet, lanes: ILanes
) -> list[tuple[int, IContent]]:
    """The octets of those of ``uids`` that exist; small ones are read."""
    most = home.house.settings.held_in_memory

    def content(path: str, size: int) -> IContent:
        if size > most:
            file = FileIO(path)  # the content has it, and closes it when it goes
            if os.fstat(file.fileno()).st_size == size:
                return FileContent(file, lanes, home.account, size)
            file.close()
        return OctetsContent(_octets(path, size))

    return _taken(home, row, reading.names_of(index, row, uids), content)


def _octets(path: str, size: int) -> bytes:
    """A whole file as it is sent, by one call where it is as its row says."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        octets = os.read(descriptor, size + 1)
        if len(octets) == size:
            return octets
        rest = FileIO(descriptor, closefd=False).readall()
    finally:
        os.close(descriptor)
    return with_crlf(octets + rest)


def _taken(
    home: Home,
    row: MailboxRow,
    listed: Iterable[tuple[int, str, int]],
    take: Callable[[str, int], T],
) -> list[tuple[int, T]]:
    """
    UID and what is taken of each file by its path and size, ascending.

    One that is not where its row says is looked for, and left out if it is no more.
    """
    cur = f"{home.folder(row.folder)}/cur"
    found: list[tuple[int, T]] = []
    missing = []
    for key, name, size in listed:
        try:
            found.append((key & UIDS, take(f"{cur}/{name}", size)))
        except FileNotFoundError:
            missing.append(key & UIDS)
    if missing:
        with home.changed() as changed:
            now = home.mailbox_again(changed, row.mailbox_id)
            listing.look(home, changed, now, is_thorough=True)
        cur = f"{home.folder(now.folder)}/cur"
        # An index that was made anew has other keys.
        keys = [now.key(uid) for uid in missing]
        for key, name, size in reading.names(changed, keys):
            with suppress(FileNotFoundError):  # it went since the listing
                found.append((key & UIDS, take(f"{cur}/{name}", size)))
        found.sort(key=lambda one: one[0])
    return found
