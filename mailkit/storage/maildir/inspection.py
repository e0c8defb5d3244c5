"""What an administrator may ask about one account: is all well, and make it anew."""

from __future__ import annotations

import os

from mailkit.interfaces.storage import MailboxCheck
from mailkit.storage.index.index import Index
from mailkit.storage.index.rows import MailboxRow
from mailkit.storage.index.scope import STARRED
from mailkit.storage.maildir import behind, naming
from mailkit.storage.maildir.home import Home, name_of
from mailkit.storage.maildir.numbers import UIDFile

SHOWN = 3
"""File names that one problem tells of."""


def check(home: Home, index: Index) -> list[MailboxCheck]:
    """
    Compare files, rows and counters of every mailbox; nothing is mended.

    A mailbox that was not looked at since the last boot is listed first, as ever.
    What other programs did since somebody looked is told as well: it is no loss, and
    the next SELECT takes it in.
    """
    damage = index.database.all("PRAGMA quick_check(3)")
    found = [_check_mailbox(home, index, row) for row in index.mailboxes()]
    problems = [f"the index is damaged: {text}" for (text,) in damage if text != "ok"]
    counted = index.database.one("SELECT coalesce(sum(size), 0) FROM message")
    if counted is not None and counted[0] != index.used():
        problems.append(f"{index.used()} octets are counted, {counted[0]} there")
    if problems and found:
        first = found[0]
        first = MailboxCheck(first.name, first.messages, (*problems, *first.problems))
        found[0] = first
    return found


def rebuild(home: Home) -> None:
    """
    Throw the index away and make it anew from names and files.

    What only the index knew, flags that no name carries yet, goes to the names first.
    """
    with home.changed() as index:
        while behind.write_behind(home, index):
            pass
        home.forget_index()
    with home.changed() as index:
        for row in index.mailboxes():
            home.current(index, row)


def _check_mailbox(home: Home, index: Index, row: MailboxRow) -> MailboxCheck:
    row = home.current(index, row)
    folder = home.folder(row.folder)
    problems: list[str] = []
    here = {name for name in os.listdir(f"{folder}/cur") if name[0] != "."}
    known = {
        name
        for (name,) in index.database.all(
            "SELECT name FROM message WHERE id BETWEEN ? AND ?",
            row.first_key,
            row.last_key,
        )
    }
    _compare(problems, here, known)
    uids = UIDFile.read(folder)
    if uids is None:
        problems.append("mailkit-uid is missing")
    elif uids.mark < row.uid_next:
        problems.append(f"the mark {uids.mark} is below UIDNEXT {row.uid_next}")
    counted = index.database.one(
        """
        SELECT count(*), coalesce(sum(flags & 1 = 0), 0),
               coalesce(sum(flags & 8 <> 0), 0), coalesce(sum(size), 0)
        FROM message WHERE id BETWEEN ? AND ?
        """,
        row.first_key,
        row.last_key,
    )
    kept = (row.messages, row.unseen, row.deleted, row.size)
    if counted is not None and tuple(counted) != kept:
        problems.append(f"counters are {kept}, a recount says {tuple(counted)}")
    _recount_marks(problems, index, row)
    return MailboxCheck(name_of(row.folder), len(known), tuple(problems))


def _recount_marks(problems: list[str], index: Index, row: MailboxRow) -> None:
    """Stars and keywords against the lists and counters that are kept of them."""
    kept = index.database.all(
        """
        SELECT keyword, messages, unseen FROM tally
        WHERE mailbox = ? AND messages <> 0 ORDER BY keyword
        """,
        row.id,
    )
    counted: dict[str, list[int]] = {}
    for bits, keywords, messages in index.database.all(
        """
        SELECT flags & 5, lower(keywords), count(*) FROM message
        WHERE id BETWEEN ? AND ? AND (flags & 4 <> 0 OR keywords <> '') GROUP BY 1, 2
        """,
        row.first_key,
        row.last_key,
    ):
        for mark in {*keywords.split(), *([STARRED] if bits & 4 else [])}:
            count = counted.setdefault(mark, [0, 0])
            count[0] += messages
            count[1] += 0 if bits & 1 else messages
    if {mark: count for mark, *count in kept} != counted:
        problems.append("stars and keywords are not as a recount says")


def _compare(problems: list[str], here: set[str], known: set[str]) -> None:
    """Files against rows; a file under other flags is the same file."""
    unknown = {naming.base_of(name): name for name in here - known}
    missing = {naming.base_of(name): name for name in known - here}
    strange = sorted(unknown[base] for base in unknown.keys() - missing.keys())
    lost = sorted(missing[base] for base in missing.keys() - unknown.keys())
    renamed = len(unknown) - len(strange)
    if lost:
        problems.append(f"{len(lost)} files are missing: {_some(lost)}")
    if strange:
        problems.append(f"{len(strange)} files have no row: {_some(strange)}")
    if renamed:
        problems.append(f"{renamed} files carry flags that were not looked at yet")


def _some(names: list[str]) -> str:
    more = ["…"] if len(names) > SHOWN else []
    return " ".join([*names[:SHOWN], *more])
