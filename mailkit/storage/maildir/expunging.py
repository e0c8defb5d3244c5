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


def pending(index: Index, row: MailboxRow) -> list[tuple[int, str]]:
    """UIDs and last known names of files that are still to be unlinked."""
    return index.database.all(
        "SELECT low, pending FROM expunged WHERE mailbox = ? AND pending IS NOT NULL",
        row.id,
    )


def _unlink(home: Home, index: Index, row: MailboxRow) -> None:
    """Unlink what is pending; a file that keeps its name stays pending."""
    files = home.house.files
    cur = f"{home.folder(row.folder)}/cur"
    waiting = pending(index, row)
    stuck: set[int] = set()
    elsewhere: set[tuple[str, int]] = set()
    for uid, name in waiting:
        try:
            if not files.unlink(f"{cur}/{name}"):
                elsewhere.add((parse(name).base, uid))
        except OSError as error:
            home.tell_stuck(f"{cur}/{name}", error)
            stuck.add(uid)
    if os.path.isdir(cur):
        if elsewhere:
            # Somebody gave them other flags, or took them away himself.
            for name in os.listdir(cur):
                parts = parse(name)
                if (parts.base, parts.uid) not in elsewhere:
                    continue
                try:
                    files.unlink(f"{cur}/{name}")
                except OSError as error:
                    home.tell_stuck(f"{cur}/{name}", error)
                    stuck.add(parts.uid)
        if len(stuck) < len(waiting):
            files.sync_folder(cur)
    if len(stuck) == len(waiting):
        return
    left = ",".join(map(str, stuck))
    with index.database.transaction(is_full=True):
        index.database.execute(
            "UPDATE expunged SET pending = NULL"
            f" WHERE mailbox = ? AND pending IS NOT NULL AND low NOT IN ({left})",
            (row.id,),
        )
