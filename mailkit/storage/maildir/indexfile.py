"""The file of an account's index: opened, thrown away, and told from another."""

from __future__ import annotations

import os
import sqlite3

from mailkit.storage.index.database import is_damaged
from mailkit.storage.index.index import Index, OtherVersion
from mailkit.storage.safefile import Files


def opened(path: str, files: Files) -> Index:
    """
    Open it, under the account's lock; one that is of no use is thrown away before.

    :raises FileNotFoundError: if it is taken away meanwhile. :raises sqlite3.Error:
    """
    is_new = not os.path.exists(path)
    if is_new:
        # What lies beside it was another's, and is perhaps still used with it.
        discard(path, files)
    try:
        # One that is gone since then is not made here: beside it all still lies.
        return Index.open(path, files, makes=is_new)
    except OtherVersion:
        pass
    except sqlite3.DatabaseError as error:
        if not is_damaged(error):
            raise
    discard(path, files)
    return Index.open(path, files)


def discard(path: str, files: Files) -> None:
    """Throw it away, with what SQLite has beside it."""
    for ending in ("", "-wal", "-shm"):
        files.unlink(path + ending)


def identity_of(path: str) -> tuple[int, int] | None:
    """Inode and device of a file; ``None`` if there is none."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_dev
