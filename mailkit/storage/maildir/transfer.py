"""COPY and MOVE: an intent, links or renames, rows (STORE.md §3)."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from mailkit.errors import OverQuota
from mailkit.model.mailbox import Copied
from mailkit.model.uidset import UIDSet
from mailkit.storage.index import reading
from mailkit.storage.index.index import RENDERED_TABLES, Counted, Index
from mailkit.storage.index.rows import UIDS, FlagSets, MailboxRow
from mailkit.storage.maildir import naming
from mailkit.storage.maildir.home import Home
from mailkit.storage.maildir.keywords import Keywords
from mailkit.storage.maildir.naming import parse
from mailkit.storage.safefile import translated


class _Entry(NamedTuple):
    """One message on its way."""

    source: int
    target: int
    old_name: str
    new_name: str


def transfer(
    home: Home,
    index: Index,
    source: MailboxRow,
    uids: UIDSet,
    target: MailboxRow,
    *,
    is_move: bool,
    quota: int,
) -> Copied:
    """
    All or none.

    :raises OverQuota: :raises TooMany: :raises StorageFull: :raises StorageBroken:
    """
    rows = reading.spans(
        index, source, uids, "SELECT id, flags, keywords, size, name FROM message"
    )
    if not rows:
        return Copied(target.uid_validity, ())
    if quota and not is_move and index.used() + sum(r[3] for r in rows) > quota:
        raise OverQuota(home.account)
    entries, intent = _intend(home, index, source, target, rows, is_move=is_move)
    done: list[_Entry] = []
    try:
        _place(home, source, target, entries, done, is_move=is_move)
        kept = _close(home, index, intent, source, target, done, is_move=is_move)
    except (OSError, sqlite3.Error) as error:
        _take_back(home, index, source, target, done, intent, is_move=is_move)
        raise translated(error) from error
    return Copied(
        target.uid_validity, tuple((e.source & UIDS, e.target & UIDS) for e in kept)
    )


def finish(home: Home, index: Index) -> None:
    """Finish what somebody began: nothing lost, nothing doubled."""
    intents = index.database.all("SELECT id, is_move, source, target FROM intent")
    for intent, is_move, source_id, target_id in intents:
        source = index.mailbox_by_id(source_id)
        target = index.mailbox_by_id(target_id)
        if source is None or target is None:
            with index.database.transaction(is_full=True):
                _forget(index, intent)
            continue
        entries = [
            _Entry(*row)
            for row in index.database.all(
                """
                SELECT source, target, old_name, new_name FROM intent_message
                WHERE intent = ? ORDER BY source
                """,
                intent,
            )
        ]
        done: list[_Entry] = []
        _place_again(home, source, target, entries, done, is_move=bool(is_move))
        _close(home, index, intent, source, target, done, is_move=bool(is_move))


def _intend(
    home: Home,
    index: Index,
    source: MailboxRow,
    target: MailboxRow,
    rows: Sequence[tuple[int, int, str, int, str]],
    *,
    is_move: bool,
) -> tuple[list[_Entry], int]:
    """Take UIDs and write down what is going to be done, durably."""
    database = index.database
    keywords = Keywords(home, index, target)
    sets = FlagSets()
    keywords.check(frozenset().union(*(sets[0, text] for text in {r[2] for r in rows})))
    entries = []
    texts = []
    with database.transaction(is_full=True):
        home.make_room(index, target, len(rows))
        for uid, (key, bits, text, _, name) in enumerate(rows, target.uid_next):
            text, letters = keywords.take(sets[0, text], uid) if text else ("", "")
            letters = naming.LETTERS_OF[bits] + letters
            new_name = naming.with_uid(name, uid, letters)
            entries.append(_Entry(key, target.key(uid), name, new_name))
            texts.append(text)
        keywords.keep()
        index.set_mailbox(target.id, uid_next=target.uid_next + len(rows))
        if target.settled == target.uid_next:
            index.set_mailbox(target.id, settled=target.uid_next + len(rows))
        cursor = database.execute(
            "INSERT INTO intent (is_move, source, target) VALUES (?, ?, ?)",
            (is_move, source.id, target.id),
        )
        intent = int(cursor.lastrowid or 0)
        database.executemany(
            "INSERT INTO intent_message VALUES (?, ?, ?, ?, ?, ?)",
            [(intent, *e, text) for e, text in zip(entries, texts, strict=True)],
        )
    return entries, intent


def _place(
    home: Home,
    source: MailboxRow,
    target: MailboxRow,
    entries: Sequence[_Entry],
    done: list[_Entry],
    *,
    is_move: bool,
) -> None:
    files = home.house.files
    here = f"{home.folder(source.folder)}/cur/"
    there = f"{home.folder(target.folder)}/cur/"
    put = files.rename if is_move else files.link
    others: dict[tuple[str, int], str] | None = None
    for entry in entries:
        try:
            put(here + entry.old_name, there + entry.new_name)
        except FileNotFoundError:
            if others is None:
                others = _by_identity(here)
                home.distrusted.add(source.id)
            uid = entry.source & UIDS
            name = others.get((naming.base_of(entry.old_name), uid))
            if name is None:
                continue
            put(here + name, there + entry.new_name)
        done.append(entry)
    files.sync_folder(there)
    if is_move and here != there:
        files.sync_folder(here)


def _place_again(
    home: Home,
    source: MailboxRow,
    target: MailboxRow,
    entries: Sequence[_Entry],
    done: list[_Entry],
    *,
    is_move: bool,
) -> None:
    """As `_place`, where any of it may be done already, under any flags."""
    files = home.house.files
    here = f"{home.folder(source.folder)}/cur/"
    there = f"{home.folder(target.folder)}/cur/"
    left, arrived = _by_identity(here), _by_identity(there)
    for entry in entries:
        base = naming.base_of(entry.old_name)
        old = left.get((base, entry.source & UIDS))
        new = arrived.get((base, entry.target & UIDS))
        if new is None:
            if old is None:
                home.distrusted.add(source.id)
                continue
            put = files.rename if is_move else files.link
            try:
                put(here + old, there + entry.new_name)
            except OSError as error:
                home.tell_stuck(here + old, error)
                continue
        else:
            if new != entry.new_name:
                # Somebody changed its flags since: a listing tells which.
                home.distrusted.add(target.id)
            if is_move and old is not None:
                files.unlink(here + old)
        done.append(entry)
    if os.path.isdir(there):
        files.sync_folder(there)
    if is_move and os.path.isdir(here):
        files.sync_folder(here)


def _take_back(
    home: Home,
    index: Index,
    source: MailboxRow,
    target: MailboxRow,
    done: Sequence[_Entry],
    intent: int,
    *,
    is_move: bool,
) -> None:
    files = home.house.files
    here = f"{home.folder(source.folder)}/cur/"
    there = f"{home.folder(target.folder)}/cur/"
    for entry in done:
        if is_move:
            files.rename(there + entry.new_name, here + entry.old_name)
        else:
            files.unlink(there + entry.new_name)
    if is_move:
        files.sync_folder(here)
    files.sync_folder(there)
    with index.database.transaction(is_full=True):
        _forget(index, intent)


def _close(
    home: Home,
    index: Index,
    intent: int,
    source: MailboxRow,
    target: MailboxRow,
    done: Sequence[_Entry],
    *,
    is_move: bool,
) -> Sequence[_Entry]:
    """Rows for what has its file, and the intent is gone."""
    database = index.database
    with database.transaction(is_full=False):
        kept = {e.source for e in done}
        rows = database.all(
            "SELECT source FROM intent_message WHERE intent = ?", intent
        )
        database.executemany(
            "DELETE FROM intent_message WHERE intent = ? AND source = ?",
            [(intent, key) for (key,) in rows if key not in kept],
        )
        mod_seq = home.next_mod_seq(index)
        now = int(home.house.now())
        database.execute(
            """
            INSERT INTO message (id, mod_seq, arrived, flags, keywords, size,
                internal_date, save_date, behind, name, email_id, thread_id, verdict,
                date, attachments, joined)
            SELECT moved.target, ?, ?, flags, moved.keywords, size,
                internal_date, ?, 0, moved.new_name, email_id, thread_id, verdict,
                date, attachments, joined
            FROM intent_message AS moved JOIN message ON message.id = moved.source
            WHERE intent = ? ORDER BY moved.target
            """,
            (mod_seq, mod_seq, now, intent),
        )
        for table, columns in RENDERED_TABLES.items():
            database.execute(
                f"""
                INSERT OR REPLACE INTO {table}
                SELECT moved.target, {columns}
                FROM intent_message AS moved JOIN {table} ON {table}.id = moved.source
                WHERE intent = ?
                """,
                (intent,),
            )
        row = database.one(
            """
            SELECT count(*), total(flags & 1 = 0), total(flags & 8 <> 0), total(size)
            FROM intent_message JOIN message ON message.id = intent_message.target
            WHERE intent = ?
            """,
            intent,
        )
        if row is not None:
            index.count(target.id, Counted(*map(int, row)), mod_seq)
        if is_move and done:
            by = index.drop_messages(
                source.id, [e.source for e in done], mod_seq, pending=False
            )
            index.count(source.id, by, mod_seq)
        _forget(index, intent)
    return done


def _forget(index: Index, intent: int) -> None:
    index.database.execute("DELETE FROM intent_message WHERE intent = ?", (intent,))
    index.database.execute("DELETE FROM intent WHERE id = ?", (intent,))


def _by_identity(cur: str) -> dict[tuple[str, int], str]:
    """Base and UID → the name it has now."""
    found = {}
    try:
        entries = os.listdir(cur)
    except FileNotFoundError:
        return {}
    for name in entries:
        parts = parse(name)
        found[parts.base, parts.uid] = name
    return found
