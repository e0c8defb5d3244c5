"""EXPUNGE: logged, unlinked, closed (STORE.md §3)."""

from __future__ import annotations

import os

from mailkit.model.uidset import NO_UIDS, UIDSet
from mailkit.storage.index import reading
from mailkit.storage.index.index import Index
from mailkit.storage.index.rows import UIDS, MailboxRow
from mailkit.storage.maildir.home import Home
from mailkit.storage.maildir.naming import parse


def expunge(home: Home, index: Index, row: MailboxRow, uids: UIDSet) -> UIDSet:
    r"""Remove those of ``uids`` for good that are \Deleted; what was removed."""
    if not row.deleted:
        return NO_UIDS
    found = reading.spans(index, row, uids, "SELECT id, flags FROM message")
    keys = [key for key, bits in found if bits & 8]
    if not keys:
        return NO_UIDS
    with index.database.transaction(is_full=True):
        mod_seq = home.next_mod_seq(index)
        by = index.drop_messages(row.id, keys, mod_seq, pending=True)
        index.count(row.id, by, mod_seq)
    _unlink(home, index, row)
    return UIDSet.of(key & UIDS for key in keys)


def finish(home: Home, index: Index) -> None:
    """Unlink what somebody logged as expunged and left."""
    rows = index.database.all(
        "SELECT DISTINCT mailbox FROM expunged WHERE pending IS NOT NULL"
    )
    for (mailbox,) in rows:
        row = index.mailbox_by_id(mailbox)
        if row is not None:
            _unlink(home, index, row)


def _unlink(home: Home, index: Index, row: MailboxRow) -> None:
    files = home.house.files
    cur = f"{home.folder(row.folder)}/cur"
    pending = index.database.all(
        "SELECT low, pending FROM expunged WHERE mailbox = ? AND pending IS NOT NULL",
        row.id,
    )
    elsewhere = {
        (parse(name).base, uid)
        for uid, name in pending
        if not files.unlink(f"{cur}/{name}")
    }
    if os.path.isdir(cur):
        if elsewhere:
            # Somebody gave them other flags, or took them away himself.
            for name in os.listdir(cur):
                parts = parse(name)
                if (parts.base, parts.uid) in elsewhere:
                    files.unlink(f"{cur}/{name}")
        files.sync_folder(cur)
    with index.database.transaction(is_full=True):
        index.database.execute(
            "UPDATE expunged SET pending = NULL"
            " WHERE mailbox = ? AND pending IS NOT NULL",
            (row.id,),
        )
