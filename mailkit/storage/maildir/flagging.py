"""STORE: flags are changed in the index; names follow later (`behind`)."""

from __future__ import annotations

from mailkit.model.flags import FlagAction, FlagChange, Flags
from mailkit.model.uidset import NO_UIDS, UIDSet
from mailkit.storage.index import reading
from mailkit.storage.index.index import Counted, Index
from mailkit.storage.index.rows import UIDS, MailboxRow, bits_of, joined
from mailkit.storage.maildir.home import Home
from mailkit.storage.maildir.keywords import Keywords


def store(
    home: Home,
    index: Index,
    row: MailboxRow,
    uids: UIDSet,
    change: FlagChange,
    unchanged_since: int | None,
) -> tuple[bool, UIDSet]:
    """
    Whether anything is another now, and the UIDs that were left alone.

    :raises TooMany: if a keyword would be one too many.
    """
    keywords = Keywords(home, index, row)
    if change.action is not FlagAction.REMOVE:
        keywords.check(change.flags)
    bits = bits_of(change.flags)
    left = NO_UIDS
    with index.database.transaction(is_full=True):
        mod_seq = home.next_mod_seq(index)
        if unchanged_since is not None:
            uids, left = _unchanged(index, row, uids, unchanged_since)
        if change.action is FlagAction.REMOVE:
            words = keywords.known_of(change.flags)
        else:
            words = keywords.spelt(change.flags)
        if not words and change.action is not FlagAction.REPLACE:
            by = _change_bits(index, row, uids, change.action, bits, mod_seq)
        else:
            by = _change_all(index, row, uids, change.action, bits, words, mod_seq)
        if by is not None:
            keywords.keep()
            index.count(row.id, by, mod_seq)
    return by is not None, left


def _unchanged(
    index: Index, row: MailboxRow, uids: UIDSet, since: int
) -> tuple[UIDSet, UIDSet]:
    """Which did not change since that state, and which did (RFC 7162 §3.1.3)."""
    found = reading.spans(index, row, uids, "SELECT id, mod_seq FROM message")
    return (
        UIDSet.of(key & UIDS for key, mod_seq in found if mod_seq <= since),
        UIDSet.of(key & UIDS for key, mod_seq in found if mod_seq > since),
    )


def _change_bits(
    index: Index,
    row: MailboxRow,
    uids: UIDSet,
    action: FlagAction,
    bits: int,
    mod_seq: int,
) -> Counted | None:
    """System flags alone: SQLite does it by itself."""
    if action is FlagAction.ADD:
        assign, differs = f"flags | {bits}", f"flags & {bits} <> {bits}"
    else:
        assign, differs = f"flags & ~{bits}", f"flags & {bits} <> 0"
    database = index.database
    seen = bits & 1
    deleted = bits & 8
    unseen_by = deleted_by = changed = 0
    sign = 1 if action is FlagAction.ADD else -1
    for condition in reading.conditions(row, uids):
        where = f"{condition} AND {differs}"
        # What the counters lose or gain is known before the rows are another.
        if seen:
            lacking = "= 0" if sign > 0 else "<> 0"
            unseen_by -= sign * _count(index, f"{where} AND flags & 1 {lacking}")
        if deleted:
            lacking = "= 0" if sign > 0 else "<> 0"
            deleted_by += sign * _count(index, f"{where} AND flags & 8 {lacking}")
        cursor = database.execute(
            f"UPDATE message SET flags = {assign}, mod_seq = ?, behind = 1"
            f" WHERE {where}",
            (mod_seq,),
        )
        changed += cursor.rowcount
    return Counted(0, unseen_by, deleted_by, 0) if changed else None


def _count(index: Index, where: str) -> int:
    found = index.database.one(f"SELECT count(*) FROM message WHERE {where}")
    return 0 if found is None else int(found[0])


def _change_all(
    index: Index,
    row: MailboxRow,
    uids: UIDSet,
    action: FlagAction,
    bits: int,
    words: Flags,
    mod_seq: int,
) -> Counted | None:
    """Keywords too: what each distinct set becomes is worked out once."""
    found = reading.spans(index, row, uids, "SELECT id, flags, keywords FROM message")
    after: dict[tuple[int, str], tuple[int, str]] = {}
    for before in {(old_bits, text) for _, old_bits, text in found}:
        after[before] = _changed(before, action, bits, words)
    changes = []
    unseen_by = deleted_by = 0
    for key, old_bits, text in found:
        new_bits, new_text = after[old_bits, text]
        if new_bits != old_bits or new_text != text:
            changes.append((new_bits, new_text, mod_seq, key))
            unseen_by += (old_bits & 1) - (new_bits & 1)
            deleted_by += ((new_bits & 8) - (old_bits & 8)) >> 3
    index.database.executemany(
        "UPDATE message SET flags = ?, keywords = ?, mod_seq = ?, behind = 1"
        " WHERE id = ?",
        changes,
    )
    return Counted(0, unseen_by, deleted_by, 0) if changes else None


def _changed(
    before: tuple[int, str], action: FlagAction, bits: int, words: Flags
) -> tuple[int, str]:
    old_bits, text = before
    match action:
        case FlagAction.ADD:
            return old_bits | bits, joined(frozenset(text.split()) | words)
        case FlagAction.REMOVE:
            return old_bits & ~bits, joined(frozenset(text.split()) - words)
        case FlagAction.REPLACE:
            return bits, joined(words)
