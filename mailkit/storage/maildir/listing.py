"""
Files and rows are compared: strangers' files, another boot, a lost index.

STORE.md §2 and §3 say which file is believed; everything here is under the lock.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from attrs import define, field
from twisted.logger import Logger

from mailkit.storage.index.index import Counted, Index
from mailkit.storage.index.rows import BITS, MailboxRow, MessageRow, RenderedRow
from mailkit.storage.maildir import expunging, naming
from mailkit.storage.maildir.home import Home
from mailkit.storage.maildir.keywords import Keywords
from mailkit.storage.maildir.letter import Shown, with_crlf
from mailkit.storage.maildir.naming import FileName, parse
from mailkit.storage.maildir.numbers import UIDFile

TRUST_AFTER = 2_000_000_000
"""Nanoseconds after which a folder's mtime tells every later change of it."""

RENDER_AT_ONCE = 50
"""So many new files are rendered when found, others when they are asked for."""


def is_as_left(home: Home, row: MailboxRow) -> bool:
    """
    Whether nobody else touched ``cur/``, as far as its mtime tells.

    What we did ourselves may hide a change by another within the same tick of the
    clock, so a list is needed that is younger by some; but not at each look, for a
    mailbox that changes all the time.

    :raises FileNotFoundError: if it is not there.
    """
    mtime = os.stat(f"{home.folder(row.folder)}/cur").st_mtime_ns
    if mtime != home.left_at.get(row.id, row.cur_mtime):
        return False
    if row.id not in home.left_at or is_verified(home, row.id):
        return True
    now = home.house.now()
    is_young = now * 1e9 < mtime + TRUST_AFTER
    every = TRUST_AFTER / 1e9 if is_young else home.house.settings.list_every
    return now - home.compared.get(row.id, 0.0) < every


def is_verified(home: Home, mailbox: int) -> bool:
    """Whether ``cur/`` was listed when the mtime that we left was old enough."""
    compared = home.compared.get(mailbox, 0.0)
    return home.left_at[mailbox] + TRUST_AFTER <= compared * 1e9


def look(home: Home, index: Index, row: MailboxRow, *, is_thorough: bool) -> bool:
    """
    See what other programs did to a mailbox; whether anything.

    :param is_thorough: look at ``cur/`` even if its mtime is the one we left.
    """
    try:
        new = os.listdir(f"{home.folder(row.folder)}/new")
        lists = is_thorough or not is_as_left(home, row)
    except FileNotFoundError:
        home.repair.list_folders(home, index)
        return True
    now = home.house.now()
    if not new and not lists:
        home.listed[row.id] = now
        return False
    if lists:
        home.compared[row.id] = now
    found = _Comparison(home, index, row, new, believed_from=row.uid_next)
    changed = found.make(lists_cur=lists)
    home.listed[row.id] = now
    return changed


def list_anew(home: Home, index: Index, row: MailboxRow) -> None:
    """Compare all files with the rows: after a boot, a rebuild, a failure."""
    new = os.listdir(f"{home.folder(row.folder)}/new")
    if not row.boot:
        # No row of it was ever written: every UID below the mark is believed.
        _Comparison(home, index, row, new, believed_from=1, ends_at_mark=True).make(
            lists_cur=True
        )
    elif row.boot == home.house.boot:
        _Comparison(home, index, row, new, believed_from=row.uid_next).make(
            lists_cur=True
        )
    else:
        _Comparison(
            home,
            index,
            _with_durable_mark(home, index, row),
            new,
            believed_from=row.uid_next,
            ends_at_mark=True,
            logs_to_mark=True,
        ).make(lists_cur=True)
    home.distrusted.discard(row.id)
    home.listed[row.id] = home.house.now()


def _with_durable_mark(home: Home, index: Index, row: MailboxRow) -> MailboxRow:
    """The commit that went with the last raise of the mark may be lost."""
    found = UIDFile.read(home.folder(row.folder))
    if found is None or found.mark <= row.mark:
        return row
    with index.database.transaction(is_full=False):
        index.set_mailbox(row.id, mark=found.mark)
    return row._replace(mark=found.mark)


class _Found(NamedTuple):
    """A file that has no row."""

    folder: str
    name: str
    parts: FileName


class _Renamed(NamedTuple):
    """A row whose file somebody gave other flags."""

    key: int
    bits: int
    keywords: str
    old: FileName
    name: str
    new: FileName


@define(eq=False)
class _Comparison:
    """One mailbox, its files against its rows."""

    log = Logger()

    _home: Home
    _index: Index
    _row: MailboxRow
    _new: Sequence[str]
    _believed_from: int
    _ends_at_mark: bool = False
    _logs_to_mark: bool = False
    _folder: str = field(init=False)
    _lost: list[int] = field(init=False, factory=list)
    _renamed: list[_Renamed] = field(init=False, factory=list)
    _strange: list[_Found] = field(init=False, factory=list)

    def __attrs_post_init__(self) -> None:
        self._folder = self._home.folder(self._row.folder)

    def make(self, *, lists_cur: bool) -> bool:
        """Make them agree; whether they did not."""
        mtime = os.stat(f"{self._folder}/cur").st_mtime_ns
        if lists_cur:
            self._compare()
        new = [name for name in self._new if not name.startswith(".")]
        self._strange += [_Found("new", name, parse(name)) for name in new]
        placed = self._place()
        changed = bool(self._lost or self._renamed or placed)
        row = self._row
        ends = self._ends_at_mark and row.uid_next < row.mark
        if changed or ends or row.boot != self._home.house.boot:
            self._commit(placed)
        if any(found.folder == "new" for found, _, _ in placed) or changed:
            mtime = os.stat(f"{self._folder}/cur").st_mtime_ns
        if mtime != row.cur_mtime or row.settled < row.uid_next:
            database = self._index.database
            with database.transaction(is_full=False):
                self._index.set_mailbox(row.id, cur_mtime=mtime)
        self._home.left_at[row.id] = mtime
        return changed

    # --- finding ---

    def _compare(self) -> None:
        rows = self._index.database.all(
            "SELECT id, name FROM message WHERE id BETWEEN ? AND ?",
            self._row.first_key,
            self._row.last_key,
        )
        known = {name: key for key, name in rows}
        here = set(os.listdir(f"{self._folder}/cur"))
        missing = known.keys() - here
        if missing:
            # A file that is renamed while a folder is listed may be seen under
            # neither name; the second list has it.
            here.update(os.listdir(f"{self._folder}/cur"))
            gone = {n for n in missing if n in here and not self._is_there(n)}
            here -= gone
            missing = known.keys() - here
        missing_by_uid = {known[name] & 0xFFFFFFFF: name for name in missing}
        for name in sorted(here - known.keys()):
            if name.startswith("."):
                continue
            parts = parse(name)
            old = missing_by_uid.get(parts.uid)
            if old is not None and naming.base_of(old) == parts.base:
                del missing_by_uid[parts.uid]
                self._note_renamed(known[old], old, name, parts)
            elif self._is_there(name):
                self._strange.append(_Found("cur", name, parts))
        if self._strange:
            # Of expunged messages, and can be neither unlinked nor named.
            pending = expunging.pending(self._index, self._row)
            stuck = {(parse(name).base, uid) for uid, name in pending}
            self._strange = [
                found
                for found in self._strange
                if (found.parts.base, found.parts.uid) not in stuck
            ]
        self._lost = sorted(known[name] for name in missing_by_uid.values())

    def _is_there(self, name: str) -> bool:
        return os.path.exists(f"{self._folder}/cur/{name}")

    def _note_renamed(self, key: int, old: str, name: str, parts: FileName) -> None:
        row = self._index.database.one(
            "SELECT flags, keywords FROM message WHERE id = ?", key
        )
        if row is not None:
            bits, keywords = row
            self._renamed.append(_Renamed(key, bits, keywords, parse(old), name, parts))

    # --- placing ---

    def _place(self) -> list[tuple[_Found, int, str]]:
        """Give each strange file a UID and its name in ``cur/``, durably."""
        if not self._strange:
            return []
        row, home = self._row, self._home
        count = Counter(found.parts.uid for found in self._strange)
        top = row.mark
        believed: list[_Found] = []
        others: list[_Found] = []
        for found in self._strange:
            uid = found.parts.uid
            is_good = self._believed_from <= uid < top and count[uid] == 1 and uid
            (believed if is_good and _is_text(found.name) else others).append(found)
        if believed:
            keys = ",".join(str(row.key(found.parts.uid)) for found in believed)
            taken = {
                key & 0xFFFFFFFF
                for (key,) in self._index.database.all(
                    f"SELECT id FROM message WHERE id IN ({keys})"
                )
            }
            others += [found for found in believed if found.parts.uid in taken]
            believed = [found for found in believed if found.parts.uid not in taken]
        others.sort(key=lambda found: found.name)
        first = max([row.uid_next, *(found.parts.uid + 1 for found in believed)])
        if self._ends_at_mark:
            first = max(first, row.mark)
        if others:
            with self._index.database.transaction(is_full=True):
                self._index.set_mailbox(row.id, uid_next=first)
                moved = row._replace(uid_next=first)
                home.make_room(self._index, moved, len(others))
                self._index.set_mailbox(row.id, uid_next=first + len(others))
        placed = [self._named(found, found.parts.uid) for found in believed]
        placed += [self._named(found, uid) for uid, found in enumerate(others, first)]
        done = [one for one in placed if one is not None]
        if any(name != found.name or found.folder == "new" for found, _, name in done):
            home.house.files.sync_folder(f"{self._folder}/cur")
            home.house.files.sync_folder(f"{self._folder}/new")
        return sorted(done, key=lambda one: one[1])

    def _named(self, found: _Found, uid: int) -> tuple[_Found, int, str] | None:
        parts = found.parts
        old = f"{self._folder}/{found.folder}/{found.name}"
        if uid == parts.uid and parts.size_crlf and _has_size(old, parts.size):
            name = found.name if ":2," in found.name else found.name + ":2,"
        else:
            try:
                with open(old, "rb") as file:
                    octets = file.read()
            except (FileNotFoundError, IsADirectoryError):
                return None
            except PermissionError as error:
                # It is no message before we may read it; the others are.
                self.log.warn(
                    "{account}: passed over: {error}",
                    account=self._home.account,
                    error=str(error),
                )
                return None
            base = parts.base
            if not (_is_text(base) and base) or len(base.encode()) > 180:
                base = self._home.house.names.next()
            letters = naming.LETTERS_OF[parts.bits] + parts.keywords
            crlf = len(with_crlf(octets))
            name = naming.build(base, len(octets), crlf, uid, letters)
        path = f"{self._folder}/cur/{name}"
        if path != old:
            try:
                self._home.house.files.rename(old, path)
            except FileNotFoundError:
                return None
        return found, uid, name

    # --- writing down ---

    def _commit(self, placed: Sequence[tuple[_Found, int, str]]) -> None:
        home, index, row = self._home, self._index, self._row
        keywords = Keywords(home, index, row)
        shows = len(placed) <= RENDER_AT_ONCE
        messages: list[tuple[_Found, int, str, os.stat_result, Shown | None]] = []
        for found, uid, name in placed:
            path = f"{self._folder}/cur/{name}"
            try:
                shown = _shown(path, name) if shows else None
                messages.append((found, uid, name, os.stat(path), shown))
            except FileNotFoundError:
                continue
        with index.database.transaction(is_full=True):
            now = index.mailbox_by_id(row.id) or row
            mod_seq = home.next_mod_seq(index)
            if placed or self._renamed:
                keywords.learn()
            # Of rows that were lost with the index, or with its last commits.
            knows_less = not row.boot or (placed and self._ends_at_mark)
            beyond = keywords.learn_beyond() if knows_less else {}
            rows = []
            rendered: list[RenderedRow] = []
            for _, uid, name, stat, shown in messages:
                key = row.key(uid)
                made = _row(key, mod_seq, name, stat, keywords, beyond.get(uid, ""))
                if shown is not None:
                    made = made._replace(
                        thread_id=shown.thread_id,
                        has_attachments=shown.has_attachments,
                    )
                    rendered.append(shown.row(key))
                rows.append(made)
            index.add_messages(rows, rendered)
            index.count(row.id, counted(rows), mod_seq)
            if self._lost:
                by = index.drop_messages(row.id, self._lost, mod_seq, pending=False)
                index.count(row.id, by, mod_seq)
            for renamed in self._renamed:
                self._apply(renamed, keywords, mod_seq)
            keywords.keep()
            uid_next = max([now.uid_next, *(uid + 1 for _, uid, *_ in messages)])
            if self._ends_at_mark:
                uid_next = max(uid_next, row.mark)
            if self._logs_to_mark:
                self._log_to_mark({uid for _, uid, *_ in messages}, mod_seq)
            if not row.boot:
                index.set_mailbox(row.id, known_since=mod_seq, first_recent=uid_next)
            index.set_mailbox(
                row.id,
                uid_next=uid_next,
                boot=home.house.boot,
                mod_seq=mod_seq,
                settled=uid_next,
            )
        home.arrays.pop(row.id, None)
        home.may_be_unrendered |= not shows

    def _log_to_mark(self, here: Iterable[int], mod_seq: int) -> None:
        """A client may have seen messages there that were never answered."""
        low = self._row.uid_next
        gaps = []
        for uid in [
            *sorted(u for u in here if low <= u < self._row.mark),
            self._row.mark,
        ]:
            if uid > low:
                gaps.append((self._row.id, low, uid - 1, mod_seq))
            low = uid + 1
        self._index.database.executemany(
            "INSERT INTO expunged VALUES (?, ?, ?, 0, ?, NULL)", gaps
        )

    def _apply(self, renamed: _Renamed, keywords: Keywords, mod_seq: int) -> None:
        """Only the difference to the name that we gave is somebody's change."""
        old, new = renamed.old, renamed.new
        bits = (renamed.bits | (new.bits & ~old.bits)) & ~(old.bits & ~new.bits)
        gained = keywords.of_letters(set(new.keywords) - set(old.keywords))
        gone = keywords.of_letters(set(old.keywords) - set(new.keywords))
        words = (frozenset(renamed.keywords.split()) | gained) - gone
        text = f" {' '.join(sorted(words))} " if words else ""
        letters = naming.LETTERS_OF[bits] + keywords.letters(
            text, renamed.key & 0xFFFFFFFF
        )
        behind = int(letters != naming.LETTERS_OF[new.bits] + new.keywords)
        database = self._index.database
        if (bits, text) == (renamed.bits, renamed.keywords):
            database.execute(
                "UPDATE message SET name = ?, next_name = NULL, behind = ?"
                " WHERE id = ?",
                (renamed.name, behind, renamed.key),
            )
            return
        database.execute(
            """
            UPDATE message SET name = ?, next_name = NULL, behind = ?, flags = ?,
                keywords = ?, mod_seq = ? WHERE id = ?
            """,
            (renamed.name, behind, bits, text, mod_seq, renamed.key),
        )
        seen, deleted = BITS["\\Seen"], BITS["\\Deleted"]
        before = renamed.bits
        by = Counted(
            0,
            (not bits & seen) - (not before & seen),
            bool(bits & deleted) - bool(before & deleted),
            0,
        )
        self._index.count(self._row.id, by, mod_seq)


def _row(
    key: int,
    mod_seq: int,
    name: str,
    stat: os.stat_result,
    keywords: Keywords,
    beyond: str,
) -> MessageRow:
    parts = parse(name)
    words = keywords.of_letters(parts.keywords) | frozenset(beyond.split())
    date = int(stat.st_mtime)
    return MessageRow(
        key,
        mod_seq,
        parts.bits,
        f" {' '.join(sorted(words))} " if words else "",
        parts.size_crlf,
        date,
        date,
        name,
        naming.email_id(parts.base),
        "",
    )


def counted(rows: Iterable[MessageRow]) -> Counted:
    """What messages add to a mailbox."""
    rows = list(rows)
    return Counted(
        len(rows),
        sum(not row.flags & 1 for row in rows),
        sum(bool(row.flags & 8) for row in rows),
        sum(row.size for row in rows),
    )


def _shown(path: str, name: str) -> Shown:
    with open(path, "rb") as file:
        octets = file.read()
    return Shown.of(with_crlf(octets), naming.email_id(naming.base_of(name)))


def _has_size(path: str, size: int) -> bool:
    try:
        return os.stat(path).st_size == size
    except FileNotFoundError:
        return False


def _is_text(name: str) -> bool:
    """Whether a name can be kept in the index, which holds UTF-8."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
