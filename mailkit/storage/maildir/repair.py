"""Everything found half done is finished, nothing is undone (STORE.md §3)."""

from __future__ import annotations

import os

from attrs import frozen

from mailkit.storage.index.index import HalfDone, Index
from mailkit.storage.index.rows import MailboxRow
from mailkit.storage.maildir import (
    behind,
    expunging,
    folders,
    listing,
    transfer,
)
from mailkit.storage.maildir.home import Home


@frozen
class Repairs:
    """The `Repair` of every home."""

    def finish(self, home: Home, index: Index, half_done: HalfDone) -> None:
        if half_done.intents:
            transfer.finish(home, index)
        if half_done.expunges:
            expunging.finish(home, index)
        if half_done.renames:
            behind.finish(home, index)
        if half_done.batches:
            _finish_batches(home, index)

    def begin_boot(self, home: Home, index: Index) -> None:
        """
        Power may have been lost: what was begun is finished, then a new time begins.

        Each mailbox is listed before it answers for the first time.
        """
        with index.database.transaction(is_full=True):
            mod_seq = max(*index.mod_seq(), home.read_floor())
            index.set_fact("floor", home.raise_floor(mod_seq))
            index.set_fact("mod_seq", mod_seq)
        half_done = index.half_done("")
        if half_done is not None:
            self.finish(home, index, half_done)
        with index.database.transaction(is_full=True):
            index.set_fact("boot", home.house.boot)
            index.set_fact("root_mtime", 0)

    def list_folders(self, home: Home, index: Index) -> None:
        folders.list_folders(home, index)

    def list_anew(self, home: Home, index: Index, row: MailboxRow) -> None:
        listing.list_anew(home, index, row)


def _finish_batches(home: Home, index: Index) -> None:
    """The last deliveries of somebody who is gone: rows without a file go."""
    database = index.database
    rows = database.all(
        "SELECT id FROM mailbox WHERE settled < uid_next AND settled_by <> ?",
        home.token,
    )
    for (mailbox,) in rows:
        row = index.mailbox_by_id(mailbox)
        if row is None:
            continue
        folder = home.folder(row.folder)
        last = database.all(
            "SELECT id, name FROM message WHERE id BETWEEN ? AND ?",
            row.key(row.settled),
            row.last_key,
        )
        lost = [key for key, name in last if not os.path.exists(f"{folder}/cur/{name}")]
        if lost and os.path.isdir(f"{folder}/cur"):
            # Other flags, or not there at all: a listing tells.
            listing.list_anew(home, index, row)
        if os.path.isdir(f"{folder}/cur"):
            home.house.files.sync_folder(f"{folder}/cur")
        with database.transaction(is_full=False):
            index.set_mailbox(row.id, settled=row.uid_next, settled_by=home.token)
