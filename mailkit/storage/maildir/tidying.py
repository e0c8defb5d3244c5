"""Upkeep of one account, before its files are closed."""

from __future__ import annotations

from mailkit.storage.index import reading
from mailkit.storage.index.index import Index
from mailkit.storage.index.rows import MailboxRow
from mailkit.storage.maildir import founding, listing
from mailkit.storage.maildir.home import Home
from mailkit.storage.maildir.keywords import Keywords


def tidy(home: Home, index: Index) -> None:
    """Keep logs short, ``tmp`` empty, and say that all is settled."""
    now = home.house.now()
    for row in index.mailboxes():
        founding.clear_old(home.house.files, f"{home.folder(row.folder)}/tmp", now)
        if Keywords(home, index, row).has_beyond:
            _forget_keywords(home, index, row)
    most = home.house.settings.expunge_log
    long = index.database.all(
        "SELECT mailbox FROM expunged GROUP BY mailbox HAVING count(*) > ?", most
    )
    for (mailbox,) in long:
        _prune(index, mailbox, most // 2)
    _prune_departed(index, most)
    settle(home, index)


def _forget_keywords(home: Home, index: Index, row: MailboxRow) -> None:
    """Those beyond 26 of messages that are no more."""
    noted = home.aside.keywords(row.mailbox_id)
    here = set(reading.all_uids(index, row))
    gone = {uid: "" for uid in noted.keys() - here}
    if gone:
        home.aside.set_keywords(row.mailbox_id, gone)


def _prune(index: Index, mailbox: int, keep: int) -> None:
    """Forget the oldest entries, and know from when on the log is whole."""
    database = index.database
    row = database.one(
        """
        SELECT mod_seq FROM expunged WHERE mailbox = ?
        ORDER BY mod_seq DESC LIMIT 1 OFFSET ?
        """,
        mailbox,
        keep,
    )
    if row is None:
        return
    with database.transaction(is_full=True):
        database.execute(
            "DELETE FROM expunged"
            " WHERE mailbox = ? AND mod_seq <= ? AND pending IS NULL",
            (mailbox, row[0]),
        )
        index.set_mailbox(mailbox, known_since=row[0])


def _prune_departed(index: Index, most: int) -> None:
    """The same for what departed from conversations."""
    database = index.database
    row = database.one(
        "SELECT mod_seq FROM departed ORDER BY mod_seq DESC LIMIT 1 OFFSET ?", most
    )
    if row is None:
        return
    with database.transaction(is_full=False):
        database.execute("DELETE FROM departed WHERE mod_seq <= ?", row)
        database.execute("INSERT INTO departed VALUES (?, '')", row)


def settle(home: Home, index: Index) -> None:
    """Our last batches are done, and this is how we left the folders."""
    database = index.database
    with database.transaction(is_full=False):
        database.execute(
            "UPDATE mailbox SET settled = uid_next WHERE settled_by = ?", (home.token,)
        )
        for mailbox, mtime in home.left_at.items():
            is_known = listing.is_verified(home, mailbox)
            index.set_mailbox(mailbox, cur_mtime=mtime if is_known else 0)
