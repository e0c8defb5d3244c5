"""``<account>/search.sqlite``, opened beside the index of mail."""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from mailkit.storage.index.database import Database, is_damaged
from mailkit.storage.maildir.home import TakenAwayError
from mailkit.storage.safefile import Files, translated
from mailkit.storage.search.schema import FIRST, SPEED, TABLES, VERSION, key_of


@contextmanager
def opened(folder: str, files: Files) -> Iterator[Database]:
    """
    The index of words, with that of mail beside it as ``mail``; for a thread.

    One that is damaged is removed, and made anew the next time.

    :param folder: of the account.
    :raises TakenAwayError: if one of them is not there, or not any more.
    :raises StorageFull: :raises StorageBroken:
    """
    path = f"{folder}/search.sqlite"
    try:
        database = _open(path, files)
        try:
            mail = f"file:{_quoted(folder)}/index.sqlite?mode=ro"
            database.execute("ATTACH ? AS mail", (mail,))
            if database.one("PRAGMA mail.user_version") == (0,):
                raise TakenAwayError("the index of mail is being made")
            database.connection.create_function("key_of", 1, key_of, deterministic=True)
            yield database
        finally:
            database.close()
    except sqlite3.Error as error:
        if is_damaged(error):
            remove(folder)
        elif getattr(error, "sqlite_errorcode", 0) & 0xFF not in _OF_WHAT_IS_GONE:
            raise translated(error) from error
        raise TakenAwayError from error
    except FileNotFoundError as error:
        raise TakenAwayError from error
    except OSError as error:
        raise translated(error) from error


def remove(folder: str) -> None:
    """Throw the index of words away; whoever has it open reads on in the old one."""
    for suffix in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            os.unlink(f"{folder}/search.sqlite{suffix}")


def _open(path: str, files: Files) -> Database:
    database = Database.open(path, files, SPEED, FIRST)
    try:
        if database.version not in (0, VERSION):
            database.close()
            remove(os.path.dirname(path))
            database = Database.open(path, files, SPEED, FIRST)
        if database.version == 0:
            with database.transaction(is_full=False):
                if database.version == 0:  # nobody else was quicker
                    for statement in TABLES:
                        database.execute(statement)
                    # By it this one is told from another in its place.
                    number = secrets.randbits(31)
                    database.execute(f"PRAGMA application_id = {number}")
                    database.execute(f"PRAGMA user_version = {VERSION}")
    except BaseException:
        database.close()
        raise
    return database


def _quoted(path: str) -> str:
    """As SQLite reads paths in URIs."""
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")


_OF_WHAT_IS_GONE = frozenset(
    {
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_IOERR,  # its permissions are looked up by its name
        sqlite3.SQLITE_READONLY,  # it was moved
    }
)
