"""Which mailboxes an account has, and making, renaming and removing them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from mailkit.errors import CannotName, MailboxExists, NoSuchMailbox, TooMany
from mailkit.model.mailbox import INBOX, MailboxEntry, MailboxName
from mailkit.storage import names
from mailkit.storage.index.index import Index
from mailkit.storage.maildir import founding
from mailkit.storage.maildir.aside import Renames
from mailkit.storage.maildir.home import Home, folder_of, name_of
from mailkit.storage.maildir.numbers import UIDFile

_TRUST_AFTER = 2_000_000_000


def list_folders(home: Home, index: Index) -> None:
    """See which folders there are, if they may be others than the index knows."""
    mtime = os.stat(home.maildir).st_mtime_ns
    is_old = mtime + _TRUST_AFTER <= home.house.now() * 1e9
    # What we left ourselves is listed once it is old enough to be trusted.
    if mtime == index.root_mtime() or (mtime == home.root_left and not is_old):
        return
    with home.held_with(index):
        for number, pairs in home.aside.renames():
            _rename(home, index, number, pairs)
        entries = [entry.name for entry in os.scandir(home.maildir) if entry.is_dir()]
        founding.clear_hidden(home.house.files, home.maildir, entries, home.house.now())
        known = {row.folder: row for row in index.mailboxes()}
        found = {""} | {
            name for name in entries if name in known or _is_mailbox(home, name)
        }
        ids = {row.mailbox_id for name, row in known.items() if name in found}
        highest = max((row.uid_validity for row in known.values()), default=0)
        new = {}
        for folder in sorted(found - known.keys()):
            uid_file = _uid_file(home, folder, ids, highest)
            highest = max(highest, uid_file.uid_validity)
            ids.add(uid_file.mailbox_id)
            new[folder] = uid_file
        mtime = os.stat(home.maildir).st_mtime_ns
        # A change within a tick of the clock of the file system may not show.
        is_old = mtime + _TRUST_AFTER <= home.house.now() * 1e9
        trusted = mtime if is_old else 0
        gone = [known[folder] for folder in known.keys() - found]
        if not new and not gone and trusted == index.root_mtime():
            home.root_left = mtime
            return
        with index.database.transaction(is_full=bool(new or gone)):
            mod_seq = home.next_mod_seq(index)
            for row in gone:
                index.forget_mailbox(row, mod_seq)
            for folder, uid_file in new.items():
                index.add_mailbox(
                    folder,
                    uid_file.mailbox_id,
                    uid_file.uid_validity,
                    uid_file.mark,
                    mod_seq,
                    uid_next=1,
                    boot="",
                )
            index.set_fact("root_mtime", trusted)
        home.root_left = mtime


def _is_mailbox(home: Home, name: str) -> bool:
    if not name.startswith(".") or name in (".", ".."):
        return False
    try:
        # Under any other name nobody could open it.
        is_ours = folder_of(names.checked(name_of(name))) == name
    except CannotName:
        return False
    return is_ours and os.path.isdir(f"{home.maildir}/{name}/cur")


def _uid_file(home: Home, folder: str, ids: set[str], highest: int) -> UIDFile:
    """Of a folder that the index does not know; a stranger's gets one."""
    path = home.folder(folder)
    found = UIDFile.read(path)
    if found is not None and found.mailbox_id not in ids:
        return found
    # Another program made it, or copied it from one that is there too.
    least = max(int(home.house.now()), highest + 1)
    first = home.aside.next_uid_validities(1, least)
    new = UIDFile.new(home.account, first)
    founding.fill_folder(home.house.files, path, new)
    return new


def known_form(name: MailboxName) -> MailboxName:
    """
    The form in which a mailbox of that name would be known.

    :raises NoSuchMailbox: if none can have it.
    """
    try:
        return names.checked(name)
    except CannotName:
        raise NoSuchMailbox(name) from None


def create(home: Home, index: Index, name: MailboxName) -> None:
    """
    Make a mailbox, and those above it that are not there.

    :raises MailboxExists: :raises CannotName: :raises TooMany:
    """
    name = names.checked(name)
    list_folders(home, index)
    if index.mailbox(folder_of(name)) is not None:
        raise MailboxExists(name)
    _make(home, index, [*names.above(name), name])


def make_for_delivery(home: Home, index: Index, name: MailboxName) -> None:
    """
    A message came for a mailbox: make it, unless it is there after all.

    :raises CannotName: :raises TooMany:
    """
    list_folders(home, index)
    if index.mailbox(folder_of(name)) is None:
        create(home, index, name)


def _make(home: Home, index: Index, wanted: list[MailboxName]) -> None:
    folders = [folder_of(one) for one in wanted]
    folders = [folder for folder in folders if index.mailbox(folder) is None]
    if not folders:
        return
    database = index.database
    row = database.one("SELECT count(*), max(uid_validity) FROM mailbox")
    there, highest = row if row is not None else (0, 0)
    if there + len(folders) > home.house.settings.mailboxes:
        raise TooMany("mailboxes")
    least = max(int(home.house.now()), (highest or 0) + 1)
    first = home.aside.next_uid_validities(len(folders), least)
    made = {
        folder: UIDFile.new(home.account, uid_validity)
        for uid_validity, folder in enumerate(folders, first)
    }
    with _leaving(home):
        founding.found_mailboxes(home.house.files, home.maildir, made)
        with database.transaction(is_full=True):
            mod_seq = home.next_mod_seq(index)
            for folder, uid_file in made.items():
                index.add_mailbox(
                    folder,
                    uid_file.mailbox_id,
                    uid_file.uid_validity,
                    uid_file.mark,
                    mod_seq,
                    uid_next=1,
                    boot=home.house.boot,
                )


@contextmanager
def _leaving(home: Home) -> Iterator[None]:
    """
    Remember how we left the list of folders, if it was ours before.

    An error leaves it to be listed: folders and rows may say different things.
    """
    before = os.stat(home.maildir).st_mtime_ns
    try:
        yield
    except BaseException:
        # Even if all was within one tick of the clock.
        home.root_left = 0
        raise
    if before == home.root_left:
        home.root_left = os.stat(home.maildir).st_mtime_ns


def delete(home: Home, index: Index, name: MailboxName) -> str:
    """
    Take a mailbox away; its MAILBOXID.

    :raises NoSuchMailbox: :raises CannotName: for INBOX.
    """
    if names.checked(name) == INBOX:
        raise CannotName(INBOX)
    row = home.mailbox(index, names.checked(name))
    files = home.house.files
    gone = f"{home.maildir}/{founding.GONE}{row.uid_validity}"
    files.remove_tree(gone)
    with _leaving(home):
        files.rename(home.folder(row.folder), gone)
        files.sync_folder(home.maildir)
        with index.database.transaction(is_full=True):
            index.forget_mailbox(row, home.next_mod_seq(index))
    home.aside.forget_mailbox(row.mailbox_id)
    home.arrays.pop(row.id, None)
    home.flags.pop(row.id, None)
    with _leaving(home):
        files.remove_tree(gone)
    return row.mailbox_id


def rename(home: Home, index: Index, old: MailboxName, new: MailboxName) -> list[str]:
    """
    Give a mailbox and all below it other names; their MAILBOXIDs.

    :raises NoSuchMailbox: :raises MailboxExists: :raises CannotName:
    """
    source, target = names.checked(old), names.checked(new)
    list_folders(home, index)
    rows = {name_of(row.folder): row for row in index.mailboxes()}
    moved = [name for name in rows if name == source or names.is_below(name, source)]
    if not moved:
        raise NoSuchMailbox(old)
    if names.is_below(target, source):
        raise CannotName(new)
    new_names = {name: names.checked(target + name[len(source) :]) for name in moved}
    for name in (target, *new_names.values()):
        if name in rows:
            raise MailboxExists(name)
    _make(home, index, list(names.above(target)))
    pairs = [
        (rows[name].folder, folder_of(new_name))
        for name, new_name in sorted(new_names.items())
    ]
    number = home.aside.begin_rename(pairs)
    _rename(home, index, number, pairs)
    return [rows[name].mailbox_id for name in moved]


def _rename(home: Home, index: Index, number: int, pairs: Renames) -> None:
    """Child by child; to be done again after any stop."""
    files = home.house.files
    for old, new in pairs:
        here, there = home.folder(old), home.folder(new)
        if os.path.isdir(here) and not os.path.isdir(there):
            files.rename(here, there)
    files.sync_folder(home.maildir)
    with index.database.transaction(is_full=True):
        mod_seq = home.next_mod_seq(index)
        for old, new in pairs:
            if index.mailbox(new) is None:
                index.database.execute(
                    "UPDATE mailbox SET folder = ?, mod_seq = ? WHERE folder = ?",
                    (new, mod_seq, old),
                )
    home.aside.end_rename(number)


def entries(home: Home, index: Index) -> list[MailboxEntry]:
    """Every mailbox and every subscribed name, INBOX first, then by name."""
    list_folders(home, index)
    uses = home.aside.special_uses()
    rows = index.database.all("SELECT folder, mailbox_id FROM mailbox")
    ids = {name_of(folder): mailbox_id for folder, mailbox_id in rows}
    subscribed = home.aside.subscriptions()
    inner = {top for name in ids for top in names.above(name)}
    return [
        MailboxEntry(
            name,
            name in ids,
            name in subscribed,
            name in inner,
            uses.get(ids.get(name, "")),
        )
        for name in sorted({*ids, *subscribed, *inner}, key=names.in_order)
    ]
