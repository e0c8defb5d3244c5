"""Flags are set in the index and written behind into the names (STORE.md §3)."""

from __future__ import annotations

import os

from mailkit.storage.index.index import Index
from mailkit.storage.index.rows import SHIFT, UIDS, MailboxRow
from mailkit.storage.maildir import naming
from mailkit.storage.maildir.home import Home
from mailkit.storage.maildir.keywords import Keywords

PIECE = 500
"""Names that are changed in one go."""


def write_behind(home: Home, index: Index) -> bool:
    """Let a piece of the names carry their rows' flags; whether more wait."""
    database = index.database
    rows = database.all(
        "SELECT id, name, flags, keywords FROM message WHERE behind = 1 LIMIT ?", PIECE
    )
    if not rows:
        return False
    keywords: dict[int, Keywords] = {}
    renames: list[tuple[int, str, str]] = []
    same: list[tuple[int]] = []
    with database.transaction(is_full=False):
        for key, name, bits, text in rows:
            mailbox = key >> SHIFT
            if mailbox not in keywords:
                keywords[mailbox] = Keywords(home, index, _row(index, mailbox))
            letters = naming.LETTERS_OF[bits]
            letters += keywords[mailbox].letters(text, key & UIDS)
            next_name = naming.with_flags(name, letters)
            if next_name == name:
                same.append((key,))
            else:
                renames.append((key, name, next_name))
        for one in keywords.values():
            one.keep()
        database.executemany(
            "UPDATE message SET next_name = ? WHERE id = ?",
            [(next_name, key) for key, _, next_name in renames],
        )
        database.executemany("UPDATE message SET behind = 0 WHERE id = ?", same)
    if renames:
        _rename(home, index, renames)
    return len(rows) == PIECE


def finish(home: Home, index: Index) -> None:
    """Rename what somebody began to rename."""
    renames = index.database.all(
        "SELECT id, name, next_name FROM message WHERE next_name IS NOT NULL"
    )
    _rename(home, index, [(key, name, next_name) for key, name, next_name in renames])


def _rename(home: Home, index: Index, renames: list[tuple[int, str, str]]) -> None:
    """Give files their next names; to be done again after any stop."""
    files = home.house.files
    folders: dict[int, tuple[str, int, bool]] = {}
    done: list[tuple[int]] = []
    astray: list[tuple[int]] = []
    for key, name, next_name in renames:
        mailbox = key >> SHIFT
        if mailbox not in folders:
            row = _row(index, mailbox)
            cur = f"{home.folder(row.folder)}/cur"
            left = home.left_at.get(mailbox, row.cur_mtime)
            folders[mailbox] = cur, left, _mtime(cur) == left
        cur = folders[mailbox][0]
        try:
            files.rename(f"{cur}/{name}", f"{cur}/{next_name}")
        except FileNotFoundError:
            is_there = os.path.exists(f"{cur}/{next_name}")
            (done if is_there else astray).append((key,))
            if not is_there:
                # Somebody changed its flags, or took it away: a listing tells.
                home.distrusted.add(mailbox)
        except OSError as error:
            # Its flags are in the index alone.
            home.tell_stuck(f"{cur}/{name}", error)
            astray.append((key,))
        else:
            done.append((key,))
    for mailbox, (cur, _, was_left) in folders.items():
        if os.path.isdir(cur):
            files.sync_folder(cur)
            if was_left:
                home.left_at[mailbox] = _mtime(cur)
    database = index.database
    with database.transaction(is_full=False):
        database.executemany(
            """
            UPDATE message SET name = next_name, next_name = NULL, behind = 0
            WHERE id = ? AND next_name IS NOT NULL
            """,
            done,
        )
        database.executemany(
            "UPDATE message SET next_name = NULL, behind = 0 WHERE id = ?", astray
        )
        for mailbox in folders:
            if mailbox in home.left_at:
                index.set_mailbox(mailbox, cur_mtime=home.left_at[mailbox])


def _row(index: Index, mailbox: int) -> MailboxRow:
    row = index.mailbox_by_id(mailbox)
    if row is None:
        raise AssertionError("a message belongs to no mailbox")
    return row


def _mtime(cur: str) -> int:
    try:
        return os.stat(cur).st_mtime_ns
    except FileNotFoundError:
        return 0
