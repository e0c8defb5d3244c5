"""Taking an account's mail away: aside for a while, or for good."""

from __future__ import annotations

import os
import time

from mailkit.storage.maildir.home import Home
from mailkit.storage.maildir.house import House

KEPT_FOR = 30 * 86400.0
"""Seconds that removed accounts are kept."""


def remove_account(home: Home, *, purge: bool) -> list[str]:
    """Move or empty an account's folder; the MAILBOXIDs it had."""
    house = home.house
    if not os.path.isdir(home.path):
        return []
    with home.changed() as index:
        ids = [row.mailbox_id for row in index.mailboxes()]
        files = house.files
        files.make_folders(house.removed)
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(house.now()))
        account = os.path.relpath(home.path, f"{house.data}/mail").replace("/", "=")
        aside = f"{house.removed}/{account}-{stamp}"
        number = 1
        while os.path.exists(aside):
            number += 1
            aside = f"{house.removed}/{account}-{stamp}-{number}"
        files.rename(home.path, aside)
        files.sync_folder(house.removed)
        files.sync_folder(os.path.dirname(home.path))
    house.pool.forget(home)
    home.close()
    if purge:
        house.files.remove_tree(aside)
    return ids


def clear_removed(house: House) -> None:
    """Take away for good what was removed long ago."""
    try:
        entries = list(os.scandir(house.removed))
    except FileNotFoundError:
        return
    for entry in entries:
        # The folder's ctime is that of its rename.
        if entry.stat().st_ctime < house.now() - KEPT_FOR:
            house.files.remove_tree(entry.path)
