"""Accounts and mailboxes are made whole under a hidden name, then named."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterable, Mapping
from hashlib import blake2b

from mailkit.model.address import AccountName
from mailkit.model.mailbox import SPECIAL_MAILBOXES, SpecialUse
from mailkit.storage import names
from mailkit.storage.maildir.aside import Aside
from mailkit.storage.maildir.house import House
from mailkit.storage.maildir.numbers import UIDFile
from mailkit.storage.safefile import Files

HIDDEN = "mailkit-new-"
"""How folders begin that are being made; no mailbox's folder does."""

GONE = "mailkit-gone-"
"""How folders begin that are being emptied."""


def found_account(house: House, account: AccountName, path: str) -> None:
    """Make the INBOX and the special mailboxes; nothing happens if they are."""
    files = house.files
    above, _, own = path.rpartition("/")
    files.make_folders(above)
    # No local part begins with a dot (`naming.account_folder`); some are too long to
    # have anything before them.
    seed = blake2b(own.encode(), digest_size=16).hexdigest()
    hidden = f"{above}/.{HIDDEN}{os.getpid()}-{seed}"
    files.remove_tree(hidden)
    files.make_folder(hidden)
    maildir = f"{hidden}/Maildir"
    files.make_folder(maildir)
    least = max(1, int(house.now()))
    aside = Aside.open(f"{hidden}/account.sqlite", files)
    try:
        first = aside.next_uid_validities(1 + len(SPECIAL_MAILBOXES), least)
        made = {"": UIDFile.new(account, first)}
        uses = {}
        for uid_validity, (name, use) in enumerate(
            SPECIAL_MAILBOXES.items(), first + 1
        ):
            uid_file = UIDFile.new(account, uid_validity)
            made[names.folder(name)] = uid_file
            uses[uid_file.mailbox_id] = use
        aside.set_special_uses(uses)
        aside.subscribe(SPECIAL_MAILBOXES, wish=True)
    finally:
        aside.close()
    for folder, uid_file in made.items():
        fill_folder(files, f"{maildir}/{folder}" if folder else maildir, uid_file)
    files.create(f"{hidden}/lock").finish()
    files.sync_folder(maildir)
    files.sync_folder(hidden)
    try:
        files.rename(hidden, path)
    except OSError as error:
        if error.errno not in _IS_THERE:
            raise
        _complete(files, hidden, path, uses)
    files.sync_folder(above)


def _complete(
    files: Files, hidden: str, path: str, uses: Mapping[str, SpecialUse]
) -> None:
    """
    An account's folder is there and has no mail folder: it gets this one.

    Another process may be about to do the same.
    """
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        if not os.path.isdir(f"{path}/Maildir"):
            for name in ("account.sqlite", "lock"):
                if not os.path.exists(f"{path}/{name}"):
                    files.rename(f"{hidden}/{name}", f"{path}/{name}")
            # It may be from before, and tell of mailboxes that are no more.
            aside = Aside.open(f"{path}/account.sqlite", files)
            try:
                aside.set_special_uses(uses)
            finally:
                aside.close()
            files.rename(f"{hidden}/Maildir", f"{path}/Maildir")
    finally:
        os.close(folder)
    files.sync_folder(path)
    files.remove_tree(hidden)


def fill_folder(files: Files, path: str, uid_file: UIDFile) -> None:
    """Make a mailbox's folder whole; whoever calls syncs what is above it."""
    files.make_folder(path)
    for name in ("cur", "new", "tmp"):
        files.make_folder(f"{path}/{name}")
    uid_file.write(files, path)


def found_mailboxes(files: Files, maildir: str, made: Mapping[str, UIDFile]) -> None:
    """Make mailboxes' folders, each whole before it has its name."""
    for folder, uid_file in made.items():
        hidden = f"{maildir}/{HIDDEN}{os.getpid()}-{uid_file.uid_validity}"
        files.remove_tree(hidden)
        try:
            fill_folder(files, hidden, uid_file)
            files.rename(hidden, f"{maildir}/{folder}")
        except OSError:
            files.remove_tree(hidden)
            raise
    files.sync_folder(maildir)


def clear_hidden(files: Files, folder: str, entries: Iterable[str], now: float) -> None:
    """Take away what was never finished an hour ago, and what was to be emptied."""
    for name in entries:
        path = f"{folder}/{name}"
        if name.startswith(GONE) or (
            name.startswith((HIDDEN, f".{HIDDEN}")) and _changed(path) < now - 3600
        ):
            files.remove_tree(path)


def clear_unfounded(house: House) -> None:
    """Take away accounts that were never finished."""
    mail = f"{house.data}/mail"
    try:
        domains = os.listdir(mail)
    except FileNotFoundError:
        return
    for domain in domains:
        folder = f"{mail}/{domain}"
        if os.path.isdir(folder):
            hidden = [
                name for name in os.listdir(folder) if name.startswith(f".{HIDDEN}")
            ]
            clear_hidden(house.files, folder, hidden, house.now())


def clear_old(files: Files, folder: str, now: float) -> None:
    """Take files out of ``tmp`` or the spool whose ctime is a day old."""
    try:
        entries = os.listdir(folder)
    except FileNotFoundError:
        return
    for name in entries:
        path = f"{folder}/{name}"
        if _changed(path) < now - 86400 and os.path.isfile(path):
            files.unlink(path)


def _changed(path: str) -> float:
    try:
        return os.stat(path).st_ctime
    except FileNotFoundError:
        return float("inf")


_IS_THERE = frozenset({errno.ENOTEMPTY, errno.EEXIST})
